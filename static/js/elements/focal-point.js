// <focal-point>: where the focus of a picture is, set by a click, by dragging, or by the arrow keys. The two fields of the form that it
// names stay, and say the same; what each crop shows follows at once.
import { between, part, placed, put, scaleOf, stepOf } from "../drawing.js";

const RING = 14; // pixels of the screen

class FocalPoint extends HTMLElement {
  connectedCallback() {
    this.form = this.closest("form");
    this.fields = [this.form.elements[this.dataset.x], this.form.elements[this.dataset.y]];
    this.size = [Number(this.dataset.width), Number(this.dataset.height)];
    const [width, height] = this.size;
    this.svg = part("svg", { viewBox: `0 0 ${width} ${height}` }, this);
    part("image", { href: this.dataset.path, width, height }, this.svg);
    this.ring = part("circle", { class: "ring", tabindex: 0, role: "slider", "aria-label": this.dataset.label }, this.svg);
    this.svg.addEventListener("pointerdown", (event) => this.#begin(event));
    this.svg.addEventListener("pointermove", (event) => this.svg.hasPointerCapture(event.pointerId) && this.#follow(event));
    this.ring.addEventListener("keydown", (event) => this.#step(event));
    for (const field of this.fields) field.addEventListener("input", () => this.#draw());
    new ResizeObserver(() => this.#draw()).observe(this.svg);
    this.#draw();
  }

  get #at() { return this.fields.map((field) => field.value === "" ? 50 : between(0, Number(field.value), 100)); }

  #begin(event) {
    event.preventDefault();
    this.svg.setPointerCapture(event.pointerId);
    this.ring.focus({ preventScroll: true });
    this.#follow(event);
  }

  #follow(event) {
    const box = this.svg.getBoundingClientRect();
    this.#put(100 * (event.clientX - box.left) / box.width, 100 * (event.clientY - box.top) / box.height);
  }

  #step(event) {
    const step = stepOf(event, 10);
    if (!step) return;
    event.preventDefault();
    this.#put(...this.#at.map((at, index) => at + step[index]));
  }

  #put(...at) {
    this.fields.forEach((field, index) => { field.value = Math.round(between(0, at[index], 100)); });
    this.#draw();
  }

  #draw() {
    const at = this.#at, [cx, cy] = at.map((part, index) => part / 100 * this.size[index]);
    put(this.ring, { cx, cy, r: RING * scaleOf(this.svg), ...placed(this.dataset.place, ...at) });
    for (const crop of this.form.querySelectorAll(".crops svg")) this.#show(crop, at);
  }

  #show(crop, at) {
    const { width, height } = crop.viewBox.baseVal, parts = [width, height];
    const corner = this.size.map((whole, index) => between(0, whole * at[index] / 100 - parts[index] / 2, whole - parts[index]));
    put(crop, { viewBox: [...corner, ...parts].join(" ") });
  }
}

customElements.define("focal-point", FocalPoint);
