// The fields around the text, bound by their names to the map of the document: what is typed is set, what others set is shown, unless somebody
// is just typing there. What needs a look-up or a new row (a tag that there is not yet) goes as a form, and comes back as an edit of the server.
import { put, words } from "../words.js";

const id = (value) => (value === "" ? null : Number(value));
const HOW = { // what the map has for a field, where that is not what stands in it
  category: id, parent: id, picture: id, // "" for none
  language: (value) => value || null,
  authors: (values) => values.filter(Boolean).map(Number), // several of this name, of which the last is empty
};
const SENT = { tags: ["tags"], category: ["new_category"], series: ["series", "part"] }; // key of the map → fields of the form
const OWN = new Set(["text", "_xsrf", "version", "kind", "post", "_method", "then", "seen"]);
const TYPING = 2500; // milliseconds after a key in which a field is left alone
const PROJECTED = 2500; // after which the server's page says what the document says

const isSent = (name) => Object.values(SENT).flat().includes(name);

export class Fields {
  /** `send(data)`: posts a FormData and resolves with the page that came back; `page()`: fetches it; `nameOf(client)`: who that is. */
  constructor(form, map, { send, page, nameOf }) {
    Object.assign(this, { form, map, send, page, nameOf, typedAt: new Map(), said: new Map() });
  }

  /** From now on both are one. What was typed before, on the page as it came, is kept. */
  bind() {
    for (const field of this.#all) {
      if (isSent(field.name)) this.said.set(field.name, field.defaultValue);
      if (isTouched(field)) this.#typed(field);
      else if (!isSent(field.name)) this.#show(field.name);
    }
    for (const kind of ["input", "change"]) {
      document.addEventListener(kind, (event) => { if (this.#isOurs(event.target)) this.#on(kind, event.target); });
    }
    this.map.observe((event, transaction) => {
      if (!transaction.local) for (const key of event.keysChanged) this.#changed(key);
    });
  }

  setReadOnly(isFixed) {
    for (const field of this.#all) {
      if (field.matches("select, [type=checkbox], [type=radio]")) field.disabled = isFixed;
      else field.readOnly = isFixed;
    }
  }

  get #all() {
    return [...this.form.elements].filter((field) => this.#isOurs(field));
  }

  #isOurs(field) {
    return field.form === this.form && field.name && !OWN.has(field.name) && !field.matches("button, [type=file], [data-unbound]");
  }

  #on(kind, field) {
    if (this.isShowing) return; // what others set was not typed here
    this.typedAt.set(field.name, Date.now());
    if (kind === "change" || !isSent(field.name)) this.#typed(field);
  }

  #typed(field) {
    const { name } = field;
    if (isSent(name)) this.#send(field);
    else if (!isSame(this.map.get(name), this.#read(name))) this.map.set(name, this.#read(name));
  }

  #named(name) {
    return this.#all.filter((field) => field.name === name);
  }

  /** What the form says of it, as the map says it. */
  #read(name) {
    const fields = this.#named(name);
    const [first] = fields;
    if (first.type === "checkbox") return first.checked;
    const value = first.type === "radio" ? this.form.elements[name].value : fields.length > 1 ? fields.map((field) => field.value) : first.value;
    return HOW[name] ? HOW[name](name === "authors" ? [value].flat() : value) : value;
  }

  // --- what others did ---

  #changed(key) {
    if (SENT[key]) this.#askSoon();
    if (!this.#named(key).length || isSent(key)) return;
    const wait = this.#restingIn(key);
    if (wait > 0) setTimeout(() => this.#changed(key), wait);
    else if (this.#show(key)) this.#say(key);
  }

  /** Milliseconds until a field may be changed under the hands of whoever is in it. */
  #restingIn(key) {
    return document.activeElement?.name === key ? (this.typedAt.get(key) ?? 0) + TYPING - Date.now() : 0;
  }

  /** Returns whether the field said something else. */
  #show(key) {
    const value = this.map.get(key);
    if (value === undefined || isSame(value, this.#read(key))) return false;
    if (Array.isArray(value)) this.#showAll(key, value);
    else this.#put(key, value);
    document.dispatchEvent(new CustomEvent("field-shown", { detail: key }));
    this.isShowing = true;
    this.#named(key)[0].dispatchEvent(new CustomEvent("input", { bubbles: true })); // for those who count and draw
    this.isShowing = false;
    return true;
  }

  #put(key, value) {
    const [field] = this.#named(key);
    if (field.type === "checkbox") field.checked = value;
    else if (field.type === "radio") this.form.elements[key].value = value;
    else field.value = value ?? "";
  }

  #showAll(key, values) {
    while (this.#named(key).length <= values.length) {
      const last = this.#named(key).at(-1);
      last.after(last.cloneNode(true));
    }
    this.#named(key).forEach((field, number) => { field.value = values[number] ?? ""; });
  }

  /** Who changed it, beside it, for a while. */
  #say(key) {
    const name = this.nameOf(this.map._map.get(key)?.id.client);
    const place = this.#named(key)[0].closest(".field, .words, .choice");
    if (!name || !place) return;
    const note = place.querySelector(".changed-by") ?? Object.assign(document.createElement("p"), { className: "hint changed-by" });
    note.textContent = put(words.changed, { name });
    place.append(note);
    setTimeout(() => note.remove(), 15_000);
  }

  // --- what only the server can say ---

  /** Resolves when what goes as a form has arrived, also from a field that somebody is still in. */
  async settle() {
    const field = document.activeElement;
    if (field && this.#isOurs(field) && isSent(field.name) && field.value !== (this.said.get(field.name) ?? "")) this.#send(field);
    await this.sending;
  }

  #send(field) {
    const data = new FormData();
    const seen = {};
    for (const name of Object.values(SENT).find((names) => names.includes(field.name))) {
      if (!this.form.elements[name]) continue;
      data.set(name, this.form.elements[name].value);
      if (this.said.get(name)) seen[name] = this.said.get(name);
      this.said.set(name, data.get(name));
    }
    data.set("text", "");
    data.set("then", "go-on"); // no revision of each word
    data.set("seen", JSON.stringify(seen));
    this.sending = Promise.all([this.sending, this.send(data).then((page) => this.#renew(page, [field.name]))]);
  }

  #askSoon() {
    clearTimeout(this.asking);
    this.asking = setTimeout(async () => this.#renew(await this.page(), Object.values(SENT).flat()), PROJECTED);
  }

  /** Take over values, errors and choices of the server's page. */
  #renew(page, names) {
    for (const name of page ? names : []) {
      const [fresh, field] = [page.querySelector(`[name="${name}"]`), this.form.elements[name]];
      if (!fresh || !field) continue;
      const error = fresh.closest(".field")?.querySelector(".error");
      field.closest(".field")?.querySelector(".error")?.remove();
      field.toggleAttribute("aria-invalid", Boolean(error));
      if (error) field.after(error);
      else if (this.#restingIn(name) <= 0) this.#says(field, fresh.value);
    }
    this.#choices(page);
  }

  #says(field, value) {
    field.value = value;
    this.said.set(field.name, value);
  }

  #choices(page) {
    const [choices, category] = [page?.querySelector("select[name=category]"), this.form.elements.category];
    if (choices && category) {
      category.replaceChildren(...choices.options);
      this.#show("category");
    }
  }
}

const isSame = (one, other) => JSON.stringify(one) === JSON.stringify(other);

function isTouched(field) {
  if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
  if (field.options) return field.value !== ([...field.options].find((option) => option.defaultSelected) ?? field.options[0])?.value;
  return field.value !== field.defaultValue;
}
