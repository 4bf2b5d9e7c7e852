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
    this.#goTo(location.hash);
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
    const counted = `${number.toLocaleString(document.documentElement.lang)} ${number === 1 ? place.dataset.one : place.dataset.many}`;
    place.textContent = number ? `${counted}, ${minutes} ${place.dataset.minutes}` : counted;
  }

  #remember() {
    const view = this.querySelector("[name=view]:checked").value;
    const panel = this.querySelector("#panel").checked ? "open" : "closed";
    if (view !== "settings") document.cookie = `desk=${view}.${panel}; path=/; max-age=${YEAR}; samesite=lax`;
  }

  #uncover(event) {
    const link = event.target.closest(".problems a, .plan a:not([href^='#at='])");
    if (link && this.#goTo(link.hash)) event.preventDefault();
  }

  // A field that a link leads to may be in a part that is not shown.
  #goTo(hash) {
    const field = hash && document.getElementById(hash.slice(1));
    if (!field) return false;
    if (field.closest(".props")) this.reveal(field);
    else this.querySelector("#view-write").checked = true;
    field.focus();
    return true;
  }

  /** Show a part of the settings, wherever they are: at the side, or in place of the text on a small screen. */
  reveal(part) {
    for (let fold = part.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    const panel = this.querySelector("#panel"), settings = this.querySelector("#view-settings");
    if (part.offsetParent === null) (panel.offsetParent ? panel : settings).click();
    if (part.offsetParent === null) settings.click();
  }
}

customElements.define("post-editor", PostEditor);
