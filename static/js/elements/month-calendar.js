// <month-calendar>: what may move is dragged to another day, or sent there by Alt and an arrow. Both fill in and send the entry's own form.
const STEPS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 };
const MOVED = "moved";

class MonthCalendar extends HTMLElement {
  connectedCallback() {
    for (const link of this.querySelectorAll(".movable > a")) link.title = this.dataset.hint;
    this.addEventListener("keydown", (event) => this.#key(event));
    this.addEventListener("dragstart", (event) => this.#lift(event));
    this.addEventListener("dragover", (event) => this.#over(event));
    this.addEventListener("drop", (event) => this.#drop(event));
    this.addEventListener("dragend", () => this.#end());
    this.#goOn();
  }

  // Whoever moves something by keys finds it under them on the next page, too.
  #goOn() {
    const moved = sessionStorage.getItem(MOVED);
    sessionStorage.removeItem(MOVED);
    if (moved) this.querySelector(`[data-form="${CSS.escape(moved)}"] > a`)?.focus();
  }

  #key(event) {
    const entry = event.altKey && event.target.closest(".movable");
    const step = STEPS[event.key];
    if (!entry || !step || event.target.closest("form")) return;
    event.preventDefault();
    const isTurned = Math.abs(step) === 1 && getComputedStyle(this).direction === "rtl";
    const day = new Date(`${entry.closest("td").dataset.day}T12:00Z`);
    day.setUTCDate(day.getUTCDate() + (isTurned ? -step : step));
    sessionStorage.setItem(MOVED, entry.dataset.form);
    this.#send(entry, day.toISOString().slice(0, 10));
  }

  #lift(event) {
    this.lifted = event.target.closest?.(".movable");
    if (!this.lifted) return;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", this.lifted.textContent.trim());
    this.lifted.classList.add("dragged");
  }

  #over(event) {
    const day = event.target.closest("td");
    for (const other of this.querySelectorAll(".over")) if (other !== day) other.classList.remove("over");
    if (!this.lifted || !day) return;
    event.preventDefault();
    day.classList.add("over");
  }

  #drop(event) {
    const day = event.target.closest("td");
    if (!this.lifted || !day) return;
    event.preventDefault();
    if (day !== this.lifted.closest("td")) this.#send(this.lifted, day.dataset.day);
  }

  #end() {
    this.lifted?.classList.remove("dragged");
    this.lifted = null;
    this.querySelector(".over")?.classList.remove("over");
  }

  #send(entry, day) {
    const form = document.getElementById(entry.dataset.form);
    form.elements.day.value = day;
    form.requestSubmit();
  }
}

customElements.define("month-calendar", MonthCalendar);
