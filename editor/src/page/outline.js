// The headings of the text as a menu that leads to each.
export class Outline {
  constructor(menu, writer) {
    Object.assign(this, { menu, writer });
    menu.addEventListener("beforetoggle", (event) => { if (event.newState === "open") this.#fill(); });
    menu.addEventListener("click", (event) => this.#go(event.target.closest("button")));
  }

  #fill() {
    const list = this.menu.querySelector("ul");
    const lines = this.writer.outline().map((heading) => {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: heading.text || "…", value: heading.at });
      const line = Object.assign(document.createElement("li"), { className: `level-${heading.level}` });
      line.append(button);
      return line;
    });
    list.replaceChildren(...lines);
    this.menu.querySelector("p").hidden = lines.length > 0;
  }

  #go(button) {
    if (!button) return;
    this.menu.hidePopover();
    this.writer.goTo(Number(button.value));
  }
}
