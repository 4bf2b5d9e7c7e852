// <desk-list>: J and K go through the rows of its table or grid, X chooses the one that has the focus, E opens it (Enter does anyway),
// # moves it, or all that is chosen, to the trash; M opens where what is chosen can be moved, and T its tags. With Shift a box, or X,
// chooses all from the one before. The box above the others chooses all of the page. Enter in the fields of an act does that act.
class DeskList extends HTMLElement {
  connectedCallback() {
    document.addEventListener("letter", this);
    this.addEventListener("change", this);
    this.addEventListener("click", this);
    this.addEventListener("keydown", this);
    this.#all?.addEventListener("click", () => {
      for (const box of this.#boxes) box.checked = this.#all.checked;
    });
  }

  disconnectedCallback() {
    document.removeEventListener("letter", this);
  }

  handleEvent(event) {
    if (event.type === "change") this.#count();
    else if (event.type === "click") this.#range(event);
    else if (event.type === "keydown") this.#enter(event);
    else if (this.#press(event.detail)) event.preventDefault();
  }

  get #all() { return this.querySelector("[data-all]"); }

  get #boxes() { return [...this.querySelectorAll("[name=id]")]; }

  #count() {
    const boxes = this.#boxes, chosen = boxes.filter((box) => box.checked).length;
    if (!this.#all) return;
    this.#all.checked = chosen > 0 && chosen === boxes.length;
    this.#all.indeterminate = chosen > 0 && chosen < boxes.length;
  }

  #range({ target, shiftKey }) {
    if (target.name !== "id") return;
    const boxes = this.#boxes, from = boxes.indexOf(this.last), to = boxes.indexOf(target);
    if (shiftKey && from >= 0) for (const box of boxes.slice(Math.min(from, to), Math.max(from, to) + 1)) box.checked = target.checked;
    this.last = target;
  }

  #enter(event) {
    const act = event.key === "Enter" && event.target.matches("input") && event.target.closest(".panel")?.querySelector("[name=act]");
    if (!act) return;
    event.preventDefault();
    act.click();
  }

  // Whether the letter means something here.
  #press(letter) {
    const rows = [...this.querySelectorAll(":is(tbody tr, [data-row]):has(a, input)")];
    const at = rows.findIndex((row) => row.contains(document.activeElement));
    const step = { j: 1, k: -1 }[letter];
    if (step && rows.length) return this.#go(rows, rows[Math.min(Math.max(at + step, 0), rows.length - 1)]);
    if (letter === "#") return this.#trash(rows[at]);
    const opener = this.querySelector(`.bulk [data-letter="${CSS.escape(letter)}"]`);
    if (opener) return (this.#isChosen || this.#choose(rows[at])) && this.#click(opener);
    if (!rows[at]) return false;
    if (letter === "e") return this.#click(rows[at].querySelector("a.title, th a"));
    const box = rows[at].querySelector("[name=id]");
    if (letter.toLowerCase() === "x") box?.focus(); // which says whether it is chosen
    if (letter === "X") box?.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, shiftKey: true }));
    return letter === "X" ? Boolean(box) : letter === "x" && this.#click(box);
  }

  #go(rows, row) {
    for (const each of rows) each.classList.toggle("at", each === row);
    (row.querySelector("a.title, th a") ?? row.querySelector("[name=id]")).focus();
    return true;
  }

  get #isChosen() { return this.#boxes.some((box) => box.checked); }

  #trash(row) {
    if (this.#isChosen || row?.querySelector("[data-trash]")) {
      return this.#click(this.#isChosen ? this.querySelector(".bulk [data-trash]") : row.querySelector("[data-trash]"));
    }
    return this.#choose(row) && this.#click(this.querySelector(".bulk [data-trash]"));
  }

  #choose(row) {
    return this.#click(row?.querySelector("[name=id]"));
  }

  #click(element) {
    element?.click();
    return Boolean(element);
  }
}

customElements.define("desk-list", DeskList);
