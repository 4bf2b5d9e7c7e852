// <publication-dialog>: the page from which a text goes out, as a dialog over the editor. What cannot be shown so is gone to as a page.
class PublicationDialog extends HTMLElement {
  connectedCallback() {
    this.desk = this.closest("post-editor");
    this.dialog = this.querySelector("dialog");
    this.desk.addEventListener("leaving", (event) => {
      if (event.detail?.value !== "publish") return;
      event.preventDefault();
      this.#open(`${this.desk.querySelector("form.sheet").action}/publication`);
    });
    this.dialog.addEventListener("click", (event) => this.#click(event));
  }

  async #open(address) {
    const part = await this.#fetched(address).catch(() => null);
    if (!part) {
      location.assign(address);
      return;
    }
    for (const link of part.querySelectorAll("a[href*='#']")) if (link.pathname === location.pathname) link.setAttribute("href", link.hash);
    const title = Object.assign(document.createElement("h2"), { id: "publication-title", tabIndex: -1, autofocus: true });
    const heading = part.querySelector("h1");
    title.append(...heading.childNodes);
    heading.replaceWith(title);
    this.dialog.replaceChildren(part);
    this.dialog.showModal();
  }

  async #fetched(address) {
    const answer = await fetch(address);
    const isIt = answer.ok && !answer.redirected;
    return isIt ? new DOMParser().parseFromString(await answer.text(), "text/html").querySelector(".publication") : null;
  }

  // Back to the text, or to a place in it.
  #click(event) {
    const link = event.target.closest("[data-close], a[href^='#']");
    if (event.target !== this.dialog && !link) return;
    if (link && "close" in link.dataset) event.preventDefault();
    this.dialog.close();
  }
}

customElements.define("publication-dialog", PublicationDialog);
