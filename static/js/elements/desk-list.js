// <desk-list>: J and K go through the rows of its table, X chooses the one that has the focus, E opens it (Enter does anyway), # moves
// it, or all that is chosen, to the trash. The box above the others chooses all of the page.
class DeskList extends HTMLElement {
  connectedCallback() {
    document.addEventListener("letter", this);
    this.addEventListener("change", this);
    this.#all?.addEventListener("click", () => {
      for (const box of this.#boxes) box.checked = this.#all.checked;
    });
  }

  disconnectedCallback() {
    document.removeEventListener("letter", this);
  }

  handleEvent(event) {
    if (event.type === "change") this.#count();
    else if (this.#press(event.detail)) event.preventDefault();
  }

  get #all() { return this.querySelector("[data-all]"); }

  get #boxes() { return [...this.querySelectorAll("tbody [name=id]")]; }

  #count() {
    const boxes = this.#boxes, chosen = boxes.filter((box) => box.checked).length;
    if (!this.#all) return;
    this.#all.checked = chosen > 0 && chosen === boxes.length;
    this.#all.indeterminate = chosen > 0 && chosen < boxes.length;
  }

  // Whether the letter means something here.
  #press(letter) {
    const rows = [...this.querySelectorAll("tbody tr:has(a, input)")];
    const at = rows.findIndex((row) => row.contains(document.activeElement));
    const step = { j: 1, k: -1 }[letter];
    if (step && rows.length) return this.#go(rows, rows[Math.min(Math.max(at + step, 0), rows.length - 1)]);
    if (letter === "#") return this.#trash(rows[at]);
    if (!rows[at]) return false;
    if (letter === "e") return this.#click(rows[at].querySelector("a.title, th a"));
    return letter === "x" && this.#click(rows[at].querySelector("[name=id]"));
  }

  #go(rows, row) {
    for (const each of rows) each.classList.toggle("at", each === row);
    row.querySelector("a.title, th a, [name=id]").focus();
    return true;
  }

  #trash(row) {
    const isChosen = this.#boxes.some((box) => box.checked);
    return this.#click(isChosen ? this.querySelector(".bulk [data-trash]") : row?.querySelector("[data-trash]"));
  }

  #click(element) {
    element?.click();
    return Boolean(element);
  }
}

customElements.define("desk-list", DeskList);
