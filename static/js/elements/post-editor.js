// <post-editor>: counts words, remembers what people like to see, leads to a field that is not shown. Saving is the editor's bundle's
// (editor/src/main.js), and without it the form's.
import { countWords } from "../words.js";

const YEAR = 31536000; // seconds
const WORDS_A_MINUTE = 230; // as cms/content/plain_text.py has it

class PostEditor extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form.sheet");
    this.text = this.form.elements.text;
    this.#count();
    document.addEventListener("input", (event) => { if (event.target === this.text) this.#countSoon(); });
    this.addEventListener("keydown", (event) => this.#key(event));
    this.addEventListener("change", (event) => { if (event.target.closest(".views, .desk-acts")) this.#remember(); });
    this.addEventListener("click", (event) => this.#uncover(event));
  }

  // A title is one line; its end is the beginning of the text.
  #key(event) {
    if (event.key !== "Enter" || event.target.name !== "title" || event.isComposing) return;
    event.preventDefault();
    if (!this.dispatchEvent(new CustomEvent("title-done", { cancelable: true }))) return;
    this.text.focus();
    this.text.setSelectionRange(0, 0);
  }

  #countSoon() {
    clearTimeout(this.counting);
    this.counting = setTimeout(() => this.#count(), 200);
  }

  #count() {
    const place = this.querySelector("[data-words]");
    const number = countWords(this.text.value);
    const minutes = Math.max(1, Math.round(number / WORDS_A_MINUTE));
    place.textContent = `${number.toLocaleString("en")} ${number === 1 ? place.dataset.one : place.dataset.many}, ${minutes} ${place.dataset.minutes}`;
  }

  #remember() {
    const view = this.querySelector("[name=view]:checked").value;
    const panel = this.querySelector("#panel").checked ? "open" : "closed";
    if (view !== "settings") document.cookie = `desk=${view}.${panel}; path=/; max-age=${YEAR}; samesite=lax`;
  }

  // A field that a link leads to may be in a part that is not shown.
  #uncover(event) {
    const link = event.target.closest(".problems a, .plan a:not([href^='#at='])");
    const field = link && document.getElementById(link.hash.slice(1));
    if (!field) return;
    event.preventDefault();
    if (field.closest(".props")) this.querySelector("#panel").checked = true;
    else this.querySelector("#view-write").checked = true;
    field.focus();
  }
}

customElements.define("post-editor", PostEditor);
