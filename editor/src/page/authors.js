// Who wrote this: the text in people's colours, and the name of whoever wrote what stands at the cursor.
import { authorAt, authorship } from "../document/authorship.js";

const PAUSE = 300; // milliseconds without a change, after which it is read off anew

export class Authors {
  /** `writers`: Yjs client → {id, name, colour}; it grows. */
  constructor(button, note, { text, writer, writers, form, me }) {
    Object.assign(this, { button, note, text, writer, writers, me });
    button.addEventListener("click", () => this.#toggle());
    form.addEventListener("caret", ({ detail }) => { if (this.isOn) this.#name(detail.to); });
    text.observe(() => this.later());
  }

  get isOn() {
    return this.button.getAttribute("aria-pressed") === "true";
  }

  later() {
    if (!this.isOn) return;
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.#show(), PAUSE);
  }

  #toggle() {
    this.button.setAttribute("aria-pressed", String(!this.isOn));
    this.note.hidden = !this.isOn;
    this.#show();
  }

  #show() {
    this.writer.showAuthors(this.isOn ? authorship(this.text, this.writers) : []);
    if (this.isOn) this.#name(this.writer.view.state.selection.main.head);
  }

  /** Whoever wrote the sign before the cursor; at the start, the one behind it. */
  #name(place) {
    const { note } = this;
    const person = authorAt(this.text, this.writers, Math.max(0, place - 1));
    note.className = person ? `writer who-${person.colour}` : "writer";
    note.textContent = !this.text.length ? note.dataset.empty : !person ? note.dataset.nobody : person.id === this.me ? note.dataset.me : note.dataset.by.replace("%s", person.name);
  }
}
