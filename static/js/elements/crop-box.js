// <crop-box>: what stays of a picture, as a frame whose corners and place are dragged, or moved with the arrow keys, over the whole of what
// was sent, turned as it will be. The fields of the form stay, and say the same.
import { between, part, placed, put, scaleOf, stepOf } from "../drawing.js";

const CORNERS = [[0, 0], [1, 0], [1, 1], [0, 1]];
const KNOB = 12; // pixels of the screen: half of what a finger meets

class CropBox extends HTMLElement {
  connectedCallback() {
    const { elements } = this.closest("form");
    this.fields = ["crop_left", "crop_top", "crop_width", "crop_height"].map((name) => elements[name]);
    this.turn = elements.rotation;
    this.turned = Number(this.turn.value);
    this.least = Number(this.dataset.least);
    const fold = this.closest("details");
    if (!fold || fold.open) this.#load();
    else fold.addEventListener("toggle", () => this.#load(), { once: true });
  }

  // The size of the whole is known when it is there.
  #load() {
    const picture = new Image();
    picture.addEventListener("load", () => this.#make([picture.naturalWidth, picture.naturalHeight]));
    picture.src = this.dataset.path;
  }

  #make([width, height]) {
    this.size = [width, height];
    this.svg = part("svg", {}, this);
    this.image = part("image", { href: this.dataset.path, width, height }, this.svg);
    this.veil = part("path", { class: "veil" }, this.svg);
    this.frame = part("rect", { class: "frame", tabindex: 0, role: "slider", "aria-label": this.dataset.frame }, this.svg);
    this.corners = CORNERS.map((_, index) => part("circle", {
      class: index % 2 ? "corner rising" : "corner", tabindex: 0, role: "slider", "aria-label": this.dataset.corner.replace("{number}", index + 1),
    }, this.svg));
    this.svg.addEventListener("pointerdown", (event) => this.#begin(event));
    this.svg.addEventListener("pointermove", (event) => this.grabbed && this.#drag(event));
    for (const type of ["pointerup", "pointercancel"]) this.svg.addEventListener(type, () => { this.grabbed = undefined; });
    this.svg.addEventListener("keydown", (event) => this.#step(event));
    for (const field of this.fields) field.addEventListener("input", () => this.#draw());
    this.turn.addEventListener("change", () => this.#turnTo(Number(this.turn.value)));
    new ResizeObserver(() => this.#draw()).observe(this.svg);
    this.dataset.ready = "";
    this.#draw();
  }

  get #box() { return this.fields.map((field, index) => field.value === "" ? [0, 0, 100, 100][index] : Number(field.value)); }

  // The same part stays when the whole is turned.
  #turnTo(degrees) {
    let [left, top, width, height] = this.#box;
    for (let at = this.turned; at !== degrees; at = (at + 90) % 360) [left, top, width, height] = [100 - top - height, left, height, width];
    this.turned = degrees;
    this.#put(left, top, width, height);
  }

  #begin(event) {
    const grabbed = event.target.closest(".corner, .frame");
    if (!grabbed) return;
    event.preventDefault();
    this.svg.setPointerCapture(event.pointerId);
    grabbed.focus({ preventScroll: true });
    this.grabbed = { part: grabbed, x: event.clientX, y: event.clientY, box: this.#box };
  }

  #drag(event) {
    const { part: grabbed, x, y, box } = this.grabbed, size = this.svg.getBoundingClientRect();
    this.#move(grabbed, box, 100 * (event.clientX - x) / size.width, 100 * (event.clientY - y) / size.height);
  }

  #step(event) {
    const moved = event.target.closest(".corner, .frame"), step = stepOf(event, 5);
    if (!moved || !step) return;
    event.preventDefault();
    this.#move(moved, this.#box, ...step);
  }

  #move(moved, [left, top, width, height], x, y) {
    if (moved === this.frame) return this.#put(between(0, left + x, 100 - width), between(0, top + y, 100 - height), width, height);
    const [isRight, isLow] = CORNERS[this.corners.indexOf(moved)];
    const [start, across] = this.#side(left, width, x, isRight), [above, down] = this.#side(top, height, y, isLow);
    this.#put(start, above, across, down);
  }

  // Where a side begins and how long it is, one of its ends moved.
  #side(start, length, by, isEnd) {
    if (isEnd) return [start, between(this.least, length + by, 100 - start)];
    const moved = between(0, start + by, start + length - this.least);
    return [moved, start + length - moved];
  }

  #put(...box) {
    this.fields.forEach((field, index) => { field.value = Number(box[index].toFixed(2)); });
    this.#draw();
  }

  #draw() {
    const isOver = this.turned % 180 !== 0, [width, height] = isOver ? this.size.toReversed() : this.size;
    put(this.svg, { viewBox: `0 0 ${width} ${height}` });
    const shift = { 0: [0, 0], 90: [width, 0], 180: [width, height], 270: [0, height] }[this.turned];
    put(this.image, { transform: `translate(${shift.join(" ")}) rotate(${this.turned})` });
    const [left, top, across, down] = this.#box, x = left / 100 * width, y = top / 100 * height;
    const far = x + across / 100 * width, deep = y + down / 100 * height;
    put(this.veil, { d: `M0 0H${width}V${height}H0ZM${x} ${y}H${far}V${deep}H${x}Z` });
    const said = (right, low) => placed(this.dataset.place, left + right * across, top + low * down);
    put(this.frame, { x, y, width: far - x, height: deep - y, ...said(0, 0) });
    this.corners.forEach((corner, index) => put(corner, {
      cx: CORNERS[index][0] ? far : x, cy: CORNERS[index][1] ? deep : y, r: KNOB * scaleOf(this.svg), ...said(...CORNERS[index]),
    }));
  }
}

customElements.define("crop-box", CropBox);
