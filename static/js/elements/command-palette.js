// <command-palette>: any post, page, section or action by a few letters, also by what other programs call it. Sections are the sidebar's own links, settings stand beside the dialog; texts are asked for.
const PAUSE = 120; // milliseconds without a key
const MOST = 8; // of sections and actions

const fold = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

class CommandPalette extends HTMLElement {
  connectedCallback() {
    this.dialog = this.querySelector("dialog");
    this.field = this.querySelector("input");
    this.list = this.querySelector("[role=listbox]");
    this.model = this.querySelector("template").content.firstElementChild;
    this.said = this.querySelector("[role=status]");
    this.texts = [];
    this.onKey = (event) => this.#open(event);
    document.addEventListener("keydown", this.onKey);
    this.field.addEventListener("input", () => this.#asked());
    this.field.addEventListener("keydown", (event) => this.#step(event));
    this.list.addEventListener("click", (event) => this.#choose(event.target.closest("[role=option]"), event));
    this.dialog.addEventListener("click", (event) => event.target === this.dialog && this.dialog.close());
  }

  disconnectedCallback() {
    document.removeEventListener("keydown", this.onKey);
  }

  #open(event) {
    if (event.defaultPrevented || event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    if (document.querySelector("dialog[open]") && !this.dialog.open) return;
    event.preventDefault();
    this.show();
  }

  show() {
    this.field.value = "";
    this.texts = [];
    this.entries = [...document.querySelectorAll(".side .nav a[href], .side [data-scheme-next], .side [data-times], .side [data-open]:not([data-open=palette]), .side .person button, command-palette [data-place]")].map((place) => ({
      also: this.querySelector(`[data-also="${place.getAttribute("href") ?? place.dataset.open ?? place.form?.getAttribute("action")}"]`)?.value,
      words: [...place.childNodes].filter((part) => part.nodeType === Node.TEXT_NODE || part.nodeName === "B").map((part) => part.textContent).join("").trim(),
      icon: place.dataset.icon ?? place.querySelector("use")?.getAttribute("href"),
      place,
    }));
    for (const action of this.querySelectorAll("[data-action]")) this.entries.unshift({ words: action.textContent.trim(), icon: action.dataset.icon, place: action });
    if (!this.dialog.open) this.dialog.showModal();
    this.#draw();
    this.#asked();
  }

  #asked() {
    this.#draw();
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.#ask(), PAUSE);
  }

  async #ask() {
    const words = this.field.value;
    this.asking?.abort();
    this.asking = new AbortController();
    try {
      const answer = await fetch(`${this.getAttribute("texts")}?${new URLSearchParams({ q: words })}`, { signal: this.asking.signal });
      if (answer.ok) this.texts = (await answer.json()).texts;
      this.#draw();
    } catch {
      // overtaken, or away: what is shown stays
    }
  }

  #draw() {
    const asked = fold(this.field.value).split(/\s+/).filter(Boolean);
    const says = (words) => asked.every((word) => fold(words).includes(word));
    const called = this.entries.filter(({ words }) => says(words));
    const known = this.entries.filter((entry) => entry.also && !called.includes(entry) && says(`${entry.words} ${entry.also}`));
    const chosen = [...called, ...known].slice(0, asked.length ? MOST : 3);
    const texts = this.texts.filter((text) => says(text.title));
    const options = [...texts.map((text) => this.#option(text.title, `${this.getAttribute("icons")}#${text.kind}`, text.status, text.path)),
      ...chosen.map((entry) => this.#option(entry.words, entry.icon, "", entry.place.href, entry.place))];
    options.forEach((option, number) => { option.id = `found-${number}`; });
    this.list.replaceChildren(...options);
    this.#select(0);
    this.said.textContent = options.length ? "" : this.said.dataset.none;
  }

  #option(words, icon, after, path, place) {
    const option = this.model.cloneNode(true);
    option.querySelector("use").setAttribute("href", icon ?? "");
    option.querySelector("cite").textContent = words;
    option.querySelector("small").textContent = after;
    if (path) option.href = path;
    option.place = place;
    return option;
  }

  #select(number) {
    const options = [...this.list.children];
    this.now = options.length ? (number + options.length) % options.length : -1;
    options.forEach((option, index) => option.setAttribute("aria-selected", String(index === this.now)));
    const option = options[this.now];
    if (option) this.field.setAttribute("aria-activedescendant", option.id);
    else this.field.removeAttribute("aria-activedescendant");
    option?.scrollIntoView({ block: "nearest" });
  }

  #step(event) {
    const moves = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in moves) this.#select(this.now + moves[event.key]);
    else if (event.key === "Enter") this.#choose(this.list.children[this.now], event);
    else return;
    event.preventDefault();
  }

  #choose(option, event) {
    if (!option) return;
    if (option.hasAttribute("href")) return event.type === "click" ? undefined : option.click();
    event.preventDefault();
    this.dialog.close();
    option.place.click();
  }
}

customElements.define("command-palette", CommandPalette);
