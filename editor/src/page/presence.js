// Who else is in this document: their marks in the bar, who comes and goes, and following one of them.
import { EditorView } from "@codemirror/view";
import * as Y from "yjs";
import { put, words } from "../words.js";

const SETTLED = 3000; // milliseconds; whoever reloads the page neither left nor came

export class Presence {
  /** `places`: {here, note}. `me`: one's own id as a person. */
  constructor(awareness, writer, { here, voice, me }) {
    Object.assign(this, { awareness, writer, here, voice, me, others: new Map(), known: null, following: null });
    awareness.on("change", () => this.#draw());
    here.addEventListener("click", (event) => this.#chosen(event.target.closest("button")));
    this.#draw();
  }

  get number() {
    return this.others.size;
  }

  /** To be called for what this person types: whoever writes does not want to be led away. */
  stopFollowing() {
    this.following = null;
    this.#press();
  }

  #draw() {
    this.others = new Map();
    for (const [client, { user }] of this.awareness.getStates()) {
      if (user?.name && user.id !== this.me && client !== this.awareness.clientID) this.others.set(user.id, { ...user, client });
    }
    const names = [...this.others.values()].map((user) => user.name).join("\n");
    if (names !== this.drawn) {
      this.drawn = names;
      this.here.replaceChildren(...[...this.others.values()].map(avatar));
      this.here.hidden = !this.others.size;
      clearTimeout(this.settling);
      this.settling = setTimeout(() => this.#tell(), SETTLED);
    }
    this.#press();
    this.#follow();
  }

  #tell() {
    const now = new Map([...this.others].map(([id, user]) => [id, user.name]));
    const came = [...now].filter(([id]) => !this.known?.has(id)).map(([, name]) => name);
    const left = [...(this.known ?? [])].filter(([id]) => !now.has(id)).map(([, name]) => name);
    const arrived = this.known ? words.came : came.length > 1 ? words.areHere : words.isHere;
    const said = [[came, arrived], [left, words.left]].filter(([names]) => names.length).map(([names, sentence]) => put(sentence, { names: names.join(", ") }));
    this.known = now;
    if (said.length) this.voice.say(said.join(" "));
  }

  // --- following ---

  #chosen(button) {
    if (!button) return;
    const person = Number(button.dataset.person);
    this.following = this.following === person ? null : person;
    this.seen = null;
    this.#press();
    this.#follow();
  }

  #press() {
    if (this.following !== null && !this.others.has(this.following)) this.following = null;
    for (const button of this.here.children) button.setAttribute("aria-pressed", String(Number(button.dataset.person) === this.following));
  }

  #follow() {
    const client = this.others.get(this.following)?.client;
    const head = client !== undefined && this.awareness.getStates().get(client)?.cursor?.head;
    if (!head || JSON.stringify(head) === this.seen) return;
    this.seen = JSON.stringify(head);
    const place = Y.createAbsolutePositionFromRelativePosition(Y.createRelativePositionFromJSON(head), this.awareness.doc);
    if (place) this.writer.view.dispatch({ effects: EditorView.scrollIntoView(place.index, { y: "center" }) });
  }
}

function avatar(user) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = `avatar who-${user.colour}`;
  button.dataset.person = user.id;
  button.title = put(words.follow, user);
  button.setAttribute("aria-label", put(words.isHereFollow, user));
  button.dataset.initials = initials(user.name); // drawn by the style sheet: the name is what is read out
  return button;
}

function initials(name) {
  const parts = name.split(/\s+/).filter(Boolean);
  return [parts[0], ...parts.slice(1).slice(-1)].map((part) => [...part][0]).join("").toUpperCase();
}
