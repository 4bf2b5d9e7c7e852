// <several-selects>: lists to choose from below one another, of which the last is empty. Once something is chosen there, another one follows.
class SeveralSelects extends HTMLElement {
  connectedCallback() {
    this.addEventListener("change", () => this.#follow());
  }

  #follow() {
    const lists = [...this.querySelectorAll("select")];
    const last = lists.at(-1);
    if (!last.value) return;
    const another = last.cloneNode(true);
    another.value = "";
    another.ariaLabel = last.ariaLabel.replace(/\d+/, lists.length + 1);
    last.after(another);
  }
}

customElements.define("several-selects", SeveralSelects);
