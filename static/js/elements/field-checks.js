// <field-checks>: says while somebody types what the server would say after sending. Of each field its own sentence below it; of the text,
// while the part that lists them is open, what deserves another look. Lengths are counted here, as everybody can count.
const PAUSE = 500; // milliseconds without a key
const PAUSE_OF_TEXT = 1500; // the whole text is rendered for it

class FieldChecks extends HTMLElement {
  connectedCallback() {
    this.form = document.getElementById(this.dataset.form);
    this.flaws = this.querySelector("[data-flaws]");
    this.flaws.hidden = false;
    for (const kind of ["input", "change"]) document.addEventListener(kind, (event) => { if (event.target.form === this.form) this.#typed(event.target); });
    document.addEventListener("field-shown", () => this.#count()); // somebody else typed
    this.flaws.addEventListener("toggle", () => { if (this.flaws.open) this.#ask(true); });
    this.addEventListener("toggle", (event) => this.#tell(event.target), true);
    this.#count();
  }

  #typed(field) {
    this.#count();
    clearTimeout(this.waiting);
    const isText = field.name === "text";
    if (isText && !this.flaws.open) return;
    this.waiting = setTimeout(() => this.#ask(this.flaws.open), isText ? PAUSE_OF_TEXT : PAUSE);
  }

  // One question at a time; what was typed meanwhile is the next.
  async #ask(withText) {
    if (this.isAsking) {
      this.asksAgain = true;
      return;
    }
    this.isAsking = true;
    const sent = new FormData(this.form);
    if (!withText) sent.delete("text");
    try {
      const answer = await fetch(this.dataset.at, { method: "POST", body: sent });
      if (!answer.ok) throw new Error(answer.status);
      const found = await answer.json();
      this.#show(found.fields);
      if (found.flaws) this.#list(found.flaws);
      document.dispatchEvent(new CustomEvent("checked", { detail: { ...found, text: sent.get("text") } }));
    } catch {
      if (withText) this.#status.textContent = this.#status.dataset.away;
    } finally {
      this.isAsking = false;
      if (this.asksAgain) {
        this.asksAgain = false;
        this.#ask(this.flaws.open);
      }
    }
  }

  #show(fields) {
    for (const place of this.querySelectorAll(".check")) {
      const said = fields[place.id.slice(0, -"-check".length)];
      place.hidden = !said;
      place.classList.toggle("bad", Boolean(said?.isWrong));
      if (place.textContent !== (said?.words ?? "")) place.textContent = said?.words ?? "";
    }
  }

  get #status() {
    return this.flaws.querySelector("[role=status]");
  }

  #list(flaws) {
    const status = this.#status;
    const words = flaws.length === 0 ? status.dataset.none : flaws.length === 1 ? status.dataset.one : status.dataset.many.replace("%d", flaws.length);
    if (status.textContent !== words) status.textContent = words;
    const list = this.flaws.querySelector("ul");
    const items = flaws.map((flaw) => this.#item(flaw, list.dataset));
    if (items.map((item) => item.outerHTML).join() !== list.innerHTML) list.replaceChildren(...items);
  }

  #item({ words, line, offset, isCompulsory }, { line: ofLine, needed }) {
    const item = document.createElement("li");
    const sentence = Object.assign(document.createElement("p"), { textContent: `${words} ` });
    if (line) sentence.append(Object.assign(document.createElement("a"), { className: "go", href: `#at=${offset}`, textContent: ofLine.replace("%d", line) }));
    item.append(sentence);
    if (isCompulsory) item.append(Object.assign(document.createElement("p"), { className: "needed", textContent: needed }));
    return item;
  }

  #count() {
    for (const place of this.querySelectorAll(".count")) {
      const length = [...this.form.elements[place.id.slice(0, -"-count".length)].value].length;
      const words = place.textContent.replace(/\d+/, length);
      if (place.textContent !== words) place.textContent = words;
      place.classList.toggle("over", length > Number(place.dataset.best));
    }
  }

  // Beside the heading of a part that is folded stands what is set in it.
  #tell(part) {
    if (part.open || part === this.flaws) return;
    const told = [...part.querySelectorAll("input, select, textarea")].map((field) => this.#told(field)).filter(Boolean);
    part.querySelector("small").textContent = told.join(", ");
  }

  #told(field) {
    const value = field.type === "checkbox" ? field.checked : field.value.trim();
    if (!value) return "";
    if (field.matches("select:not([name=picture])")) return field.selectedOptions[0].textContent;
    if (field.name === "slug") return `/${value}`;
    if (["new_category", "series"].includes(field.name)) return value;
    const number = field.name === "tags" && value.split(",").filter((tag) => tag.trim()).length;
    return number ? `${number} ${number === 1 ? "tag" : "tags"}` : (field.labels[0]?.textContent.trim() ?? "");
  }
}

customElements.define("field-checks", FieldChecks);
