// <sort-rows>: a list whose rows are moved by dragging their grip, by the arrow keys on it (or with Alt anywhere in the row), and by their
// buttons, without sending the form each time; "Save" (data-changed) is shown then. With data-levels="3" rows stand below each other, too: a
// row has the level that its field [data-level-field] says, its block are the deeper rows after it. Rows whose fields are numbered
// (items-3-label) are numbered anew. Says "sorted" after each step.
const EDGE = 48, STEP = 24; // pixels: so near to the end of the screen the page goes on by so much

class SortRows extends HTMLElement {
  connectedCallback() {
    this.list = this.querySelector("ol");
    this.levels = Number(this.dataset.levels ?? 1);
    this.list.addEventListener("keydown", (event) => event.altKey && !event.target.matches("input, select") && this.#press(event));
    for (const grip of this.querySelectorAll("[data-grip]")) {
      grip.hidden = false;
      grip.addEventListener("pointerdown", (event) => this.#grab(event));
      grip.addEventListener("keydown", (event) => event.altKey || this.#press(event));
    }
    this.addEventListener("click", (event) => this.#click(event));
  }

  get rows() { return [...this.list.children].filter((row) => row.querySelector("[data-grip]")); }

  level(row) { return Number(row.querySelector("[data-level-field]")?.value ?? 0); }

  block(row) {
    const rows = this.rows, start = rows.indexOf(row);
    let end = start + 1;
    while (end < rows.length && this.level(rows[end]) > this.level(row)) end += 1;
    return rows.slice(start, end);
  }

  #press(event) {
    const row = event.target.closest("li");
    if (!row?.querySelector("[data-grip]")) return;
    const inwards = getComputedStyle(this).direction === "rtl" ? "ArrowLeft" : "ArrowRight";
    if (event.key === "ArrowUp" || event.key === "ArrowDown") this.#step(row, event.key === "ArrowUp" ? -1 : 1);
    else if (this.levels > 1 && /^Arrow(Left|Right)$/.test(event.key)) this.#indent(this.block(row), event.key === inwards ? 1 : -1);
    else return;
    event.preventDefault();
    event.target.focus();
    this.#settle(row);
  }

  #click(event) {
    const [, way] = /^(up|down|in|out)-/.exec(event.target.closest("button[name=move]")?.value ?? "") ?? [];
    if (!way) return;
    event.preventDefault();
    const row = event.target.closest("li");
    if (way === "in" || way === "out") this.#indent(this.block(row), way === "in" ? 1 : -1);
    else this.#step(row, way === "up" ? -1 : 1);
    this.#settle(row);
    const button = event.target.closest("button");
    (button.disabled ? row.querySelector("[data-grip]") : button).focus();
  }

  #step(row, way) {
    const rows = this.rows, block = this.block(row);
    const next = rows[rows.indexOf(way < 0 ? row : block.at(-1)) + way];
    if (!next) return;
    if (way < 0) next.before(...block);
    else next.after(...block);
  }

  #indent(block, way) {
    const before = this.rows[this.rows.indexOf(block[0]) - 1];
    const most = before ? this.level(before) + 1 : 0;
    const deepest = Math.max(...block.map((row) => this.level(row))) + way;
    if (way > 0 && (this.level(block[0]) >= most || deepest >= this.levels)) return;
    if (way < 0 && !this.level(block[0])) return;
    for (const row of block) this.#put(row, this.level(row) + way);
  }

  #put(row, level) {
    const field = row.querySelector("[data-level-field]");
    if (field) field.value = level;
    if (field) row.dataset.level = level;
  }

  #grab(event) {
    const grip = event.currentTarget, row = grip.closest("li"), start = { x: event.clientX, block: this.block(row) };
    event.preventDefault();
    grip.focus();
    grip.setPointerCapture(event.pointerId);
    row.classList.add("dragged");
    const drag = (move) => {
      scrollBy(0, move.clientY < EDGE ? -STEP : move.clientY > innerHeight - EDGE ? STEP : 0);
      const over = this.rows.find((each) => !start.block.includes(each) && move.clientY > each.getBoundingClientRect().top
        && move.clientY < each.getBoundingClientRect().bottom);
      if (over) this.#pass(start.block, over);
      const aside = (move.clientX - start.x) * (getComputedStyle(this).direction === "rtl" ? -1 : 1);
      if (this.levels > 1 && Math.abs(aside) > 32) {
        this.#indent(start.block, Math.sign(aside));
        start.x = move.clientX;
      }
    };
    const drop = () => {
      row.classList.remove("dragged");
      grip.removeEventListener("pointermove", drag);
      this.#settle(row);
    };
    grip.addEventListener("pointermove", drag);
    grip.addEventListener("lostpointercapture", drop, { once: true });
  }

  // The others make room: what holds the pointer must not leave the page, or it would let go.
  #pass(block, over) {
    const rows = this.rows, [first, end, to] = [rows.indexOf(block[0]), rows.indexOf(block.at(-1)), rows.indexOf(over)];
    if (to < first) block.at(-1).after(...rows.slice(to, first));
    else block[0].before(...rows.slice(end + 1, to + 1));
  }

  // No row is deeper than one below the row before it; fields and buttons say where they stand.
  #settle(moved) {
    const rows = this.rows;
    rows.forEach((row, number) => {
      if (this.levels > 1) this.#put(row, Math.min(this.level(row), number ? this.level(rows[number - 1]) + 1 : 0));
      for (const part of row.querySelectorAll("[name], [id], [for], [aria-describedby]"))
        for (const name of ["name", "id", "for", "aria-describedby"])
          if (part.hasAttribute(name)) part.setAttribute(name, part.getAttribute(name).replaceAll(/(items|up|down|in|out)-\d+/g, `$1-${number}`));
      for (const button of row.querySelectorAll("button[name=move]")) {
        if (button.closest("[data-post]")) continue; // they name a page, not a place
        button.value = button.value.replace(/\d+$/, number);
        if (/^up/.test(button.value)) button.disabled = !number;
        if (/^down/.test(button.value)) button.disabled = number === rows.length - 1;
      }
    });
    const said = this.querySelector("[data-said]");
    const place = { place: rows.indexOf(moved) + 1, of: rows.length, level: this.level(moved) + 1 };
    said.textContent = said.dataset.words.replaceAll(/\{(\w+)\}/g, (_, name) => place[name]);
    for (const part of this.querySelectorAll("[data-changed]")) part.hidden = false;
    this.dispatchEvent(new CustomEvent("sorted", { detail: moved, bubbles: true }));
  }
}

customElements.define("sort-rows", SortRows);
