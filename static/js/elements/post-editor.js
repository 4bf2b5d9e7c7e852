// <post-editor>: Ctrl-S saves without leaving the page; says whether what is typed is saved; keeps people from leaving before it is;
// counts words; remembers what they like to see. Whatever is not a plain success is sent as an ordinary form, so that the server's page explains it.
import { countWords } from "../words.js";

const YEAR = 31536000; // seconds

class PostEditor extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form.sheet");
    this.text = this.form.elements.text;
    this.saved = this.querySelector(".saved");
    this.version = this.form.elements.version;
    this.#count();
    if (this.text.readOnly) return;
    this.stored = this.#typed();
    document.addEventListener("input", (event) => { if (event.target.form === this.form) this.#typing(); });
    document.addEventListener("keydown", (event) => this.#key(event));
    this.form.addEventListener("submit", (event) => this.#submit(event));
    window.addEventListener("beforeunload", (event) => { if (!this.isLeaving && this.#isDirty) event.preventDefault(); });
    this.addEventListener("change", (event) => { if (event.target.closest(".views, .desk-acts")) this.#remember(); });
    this.addEventListener("click", (event) => this.#uncover(event));
  }

  #typed() {
    const fields = new URLSearchParams(new FormData(this.form));
    for (const name of ["_xsrf", "version"]) fields.delete(name);
    return fields.toString();
  }

  get #isDirty() {
    return this.classList.contains("refused") || this.#typed() !== this.stored;
  }

  #typing() {
    clearTimeout(this.counting);
    this.counting = setTimeout(() => {
      this.#count();
      if (this.#isDirty && !this.saved.classList.contains("bad")) this.#say(this.saved.dataset.said, true);
    }, 200);
  }

  #key(event) {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "s") {
      event.preventDefault();
      this.querySelector("[data-save]").click();
    } else if (event.key === "Enter" && event.target.name === "title" && !event.isComposing) {
      event.preventDefault(); // a title is one line; its end is the beginning of the text
      this.text.focus();
      this.text.setSelectionRange(0, 0);
    }
  }

  #submit(event) {
    const button = event.submitter;
    if (button?.formTarget) return; // the preview
    if (this.isSaving) {
      event.preventDefault();
    } else if (button?.matches("[data-save]") && !this.dataset.new && !this.classList.contains("refused")) {
      event.preventDefault();
      this.#save();
    } else {
      this.isLeaving = true;
      setTimeout(() => { this.isLeaving = false; }, 10000); // the answer did not come
    }
  }

  async #save() {
    this.isSaving = true;
    const sent = this.#typed();
    this.#say("Saving…");
    try {
      const answer = await fetch(this.form.action, { method: "POST", body: new FormData(this.form) });
      if (!answer.headers.has("X-Request-Id")) throw new TypeError(); // a proxy's page, or nobody read the text: it must not replace ours
      if (!answer.ok || !answer.redirected || answer.url !== this.form.action) throw new Error(answer.status);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      this.version.value = page.querySelector("[name=version]").value;
      for (const part of [".state .status", ".desk-acts .menu"]) this.#renew(part, page);
      this.stored = sent;
      this.#say(this.#isDirty ? this.saved.dataset.said : page.querySelector(".saved").textContent, this.#isDirty);
    } catch (error) {
      if (error instanceof TypeError) this.#say("Not saved: the server cannot be reached", true);
      else { this.isLeaving = true; this.form.submit(); }
    } finally {
      this.isSaving = false;
    }
  }

  #renew(selector, page) {
    const [old, fresh] = [this.querySelector(selector), page.querySelector(selector)];
    if (old && fresh) old.replaceChildren(...fresh.childNodes), old.className = fresh.className;
  }

  #say(words, isBad = false) {
    if (this.saved.textContent !== words) this.saved.textContent = words;
    this.saved.classList.toggle("bad", isBad);
  }

  #count() {
    const place = this.querySelector("[data-words]");
    const number = countWords(this.text.value);
    place.textContent = `${number.toLocaleString("en")} ${number === 1 ? place.dataset.one : place.dataset.many}`;
  }

  #remember() {
    const view = this.querySelector("[name=view]:checked").value;
    const panel = this.querySelector("#panel").checked ? "open" : "closed";
    if (view !== "settings") document.cookie = `desk=${view}.${panel}; path=/; max-age=${YEAR}; samesite=lax`;
  }

  // A field that a link leads to may be in a part that is not shown.
  #uncover(event) {
    const link = event.target.closest(".problems a");
    const field = link && document.getElementById(link.hash.slice(1));
    if (!field) return;
    event.preventDefault();
    if (field.closest(".props")) this.querySelector("#panel").checked = true;
    else this.querySelector("#view-write").checked = true;
    field.focus();
  }
}

customElements.define("post-editor", PostEditor);
