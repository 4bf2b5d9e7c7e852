// <shown-elsewhere>: draws how a search and a shared link show what is being written. The stylesheet cuts it off where they would;
// what the server found out of the address and the excerpt comes from <field-checks>.
const SIGNS = /!?\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])?|[*_`~]+/g; // of Markdown within a line
const NO_WORDS = /^(?:#|!\[|>|```|~~~|\||[-*+] |\d+[.)] |<|\$\$|!!!|\?\?\?|={3})/; // what a block begins with that is no paragraph

class ShownElsewhere extends HTMLElement {
  connectedCallback() {
    this.form = document.getElementById(this.dataset.form);
    this.drawings = this.querySelectorAll("[data-shows]");
    for (const kind of ["input", "change"]) document.addEventListener(kind, (event) => { if (event.target.form === this.form) this.draw(); });
    document.addEventListener("field-shown", () => this.draw()); // somebody else typed
    document.addEventListener("checked", (event) => this.#take(event.detail));
    this.draw();
  }

  draw() {
    for (const place of this.drawings) this.#say(place, this.#first(place.dataset.shows.split(" ")) || this.#nothing(place));
    const language = this.form.elements.language.selectedOptions[0];
    for (const drawing of this.querySelectorAll(".serp, .share")) {
      drawing.dir = language.dataset.direction;
      if (language.value) drawing.lang = language.value;
    }
    this.#picture(this.form.elements.picture.selectedOptions[0].dataset);
  }

  #first(names) {
    for (const name of names) {
      const words = name === "text" ? this.#beginning : this.form.elements[name].value.trim().replace(/\s+/g, " ");
      if (words) return name === "title" ? words.replace(SIGNS, "$1") : words;
    }
    return "";
  }

  // Near enough until the server says it better.
  get #beginning() {
    const text = this.form.elements.text.value;
    if (this.excerpt?.of === text) return this.excerpt.words;
    const paragraph = text.slice(0, 5000).split(/\n\s*\n/).find((block) => block.trim() && !NO_WORDS.test(block.trim()));
    return paragraph?.replace(SIGNS, "$1").replace(/\s+/g, " ").trim().slice(0, 300) ?? "";
  }

  #nothing(place) {
    return place.dataset.shows.endsWith("title") ? this.dataset.untitled : this.dataset.empty;
  }

  #take({ fields, excerpt, text }) {
    if (fields.slug?.value) this.#say(this.querySelector("[data-path]"), fields.slug.value);
    if (excerpt !== undefined) this.excerpt = { of: text, words: excerpt };
    this.draw();
  }

  #picture({ path, alt }) {
    for (const image of [this.querySelector(".share img"), this.form.elements.picture.parentElement.querySelector("img")]) {
      image.hidden = !path;
      if (path && image.getAttribute("src") !== path) image.src = path;
      if (image.classList.contains("chosen")) image.alt = alt ?? "";
    }
  }

  #say(place, words) {
    if (place.textContent !== words) place.textContent = words;
  }
}

customElements.define("shown-elsewhere", ShownElsewhere);
