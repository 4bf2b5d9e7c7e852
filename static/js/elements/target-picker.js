// <target-picker>: whoever types where an item of a menu leads is offered what the site has, by words of its name; what was chosen gives
// the item its words if it has none. Without scripts the list offers the newest of each kind.
class TargetPicker extends HTMLElement {
  connectedCallback() {
    this.addEventListener("input", ({ target }) => {
      if (!target.list) return;
      const chosen = [...target.list.options].find((option) => option.value === target.value);
      if (chosen) this.#name(target, chosen.text);
      clearTimeout(this.waiting);
      if (!chosen && !target.value.startsWith("https:")) this.waiting = setTimeout(() => this.#find(target), 200);
    });
  }

  #name(target, words) {
    const label = target.closest("li").querySelector("[name$=-label]");
    if (!label.value) label.value = words;
  }

  async #find(target) {
    const asked = target.value;
    const answer = await fetch(`${this.dataset.find}?q=${encodeURIComponent(asked.replaceAll("/", " "))}`).catch(() => null);
    if (!answer?.ok || target.value !== asked) return;
    const { targets } = await answer.json();
    target.list.replaceChildren(...targets.map(({ path, title }) => new Option(title, path)));
  }
}

customElements.define("target-picker", TargetPicker);
