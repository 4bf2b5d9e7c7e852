// The page of one post: what people type goes into a shared document, which is kept on this device and on the server.
import * as Y from "yjs";
import { Awareness } from "y-protocols/awareness";
import { nameOf } from "../../static/js/kept-texts.js";
import { Sending } from "../../static/js/uploading.js";
import { create, createAtLast } from "./document/birth.js";
import { Kept } from "./document/kept.js";
import { Provider } from "./document/provider.js";
import { CLOSED } from "./document/wire.js";
import { Again, pageAt, parsed } from "./page/again.js";
import { Authors } from "./page/authors.js";
import { carryOver } from "./page/difference.js";
import { Fields } from "./page/fields.js";
import { offerLeftovers } from "./page/leftover.js";
import { Outline } from "./page/outline.js";
import { Presence } from "./page/presence.js";
import { SavedMark } from "./page/saved.js";
import { Saving, complete } from "./page/saving.js";
import { Scrolling } from "./page/scrolling.js";
import { Voice } from "./page/voice.js";
import { words } from "./words.js";
import { createWriter } from "./writing/index.js";

const READ = 6000; // milliseconds in which a sentence is read
const ROOM = 16; // pixels between the line with the cursor and what lies over the text
const PAUSE = 50; // milliseconds after which the form says what the document says, for the preview and the count

class Editor {
  constructor(desk, form) {
    Object.assign(this, { desk, form, textarea: form.elements.text, person: Number(desk.dataset.person) });
    this.doc = new Y.Doc();
    this.text = this.doc.getText("content");
    this.awareness = new Awareness(this.doc);
    this.writers = {};
    this.voice = new Voice(desk.querySelector("[data-voice]"));
    this.mark = new SavedMark(desk.querySelector(".saved"), this.voice);
    this.again = new Again(document.getElementById("again"), desk.querySelector("[data-again]"), () => this.#comeBack());
    this.fields = new Fields(form, this.doc.getMap("fields"), {
      send: (data) => this.#send(data), page: () => pageAt(location.pathname), nameOf: (client) => this.#othersName(client),
    });
    this.saving = new Saving(desk, form, {
      whenStored: () => this.#whenStored(), said: (done) => this.mark.confirm(done), failed: (why) => this.#failed(why), signedOut: () => this.again.open(),
    });
    addEventListener("beforeunload", (event) => { if (this.#isDirty && !this.kept?.isKept) event.preventDefault(); });
    document.querySelector("form.person")?.addEventListener("submit", () => { if (!this.#isDirty) this.kept?.close(); });
    this.text.observe((event, transaction) => this.#changed(transaction));
    if (desk.dataset.post) this.#join();
    else this.#begin();
  }

  // --- a new one ---

  #begin() {
    this.text.insert(0, this.textarea.value);
    this.#mount();
    const first = ({ target }) => {
      if (target.form !== this.form) return;
      if (target.name === "title" && !this.provider) this.doc.getMap("fields").set("title", target.value); // kept here with the text
      this.#born();
    };
    this.doc.on("update", () => this.#born());
    for (const kind of ["input", "change"]) document.addEventListener(kind, first);
    this.#offer(`new-${this.form.elements.kind.value}`);
  }

  /** Its row is made at the first key; what is typed meanwhile is in the document, and goes with it. */
  #born() {
    return this.birth ??= this.#beBorn();
  }

  async #beBorn() {
    this.isBegun = true;
    this.desk.querySelector("[data-starts]")?.remove();
    this.#keep(nameOf(this.person, `new-${this.form.elements.kind.value}`, this.doc.clientID));
    this.#show();
    const { address, page } = await createAtLast(this.form, (error) => this.#waits(error));
    history.replaceState(null, "", address);
    document.title = page.title;
    this.form.action = address;
    this.form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "post", value: address.split("/").pop() }));
    this.desk.dataset.post = this.form.elements.post.value;
    this.saving.renew(page);
    complete(this.desk.querySelector(".desk-acts"), page.querySelector(".desk-acts"));
    for (const part of this.desk.querySelectorAll("[data-at]")) part.dataset.at = page.querySelector("[data-at]")?.dataset.at ?? part.dataset.at;
    complete(this.desk.querySelector(".props > div"), page.querySelector(".props > div"));
    this.unborn = "";
    this.#join();
  }

  #waits(error) {
    this.isAway = error instanceof TypeError;
    this.unborn = this.isAway ? "" : error.message;
    if (error.status === 401) this.again.open();
    this.#show();
  }

  // --- one that is there ---

  #join() {
    const { doc, awareness, person } = this;
    const provider = this.provider = new Provider(`/live/posts/${this.desk.dataset.post}`, { doc, awareness, person });
    provider.on("hello", (hello) => this.#greeted(hello));
    provider.on("standing", (standing) => this.#stand(standing));
    provider.on("writers", ({ clients }) => {
      Object.assign(this.writers, clients);
      this.authors?.later();
    });
    provider.on("threads", () => this.desk.dispatchEvent(new Event("threads")));
    provider.on("synced", () => this.#synced());
    provider.on("closed", (end) => this.#ended(end));
    provider.on("change", () => this.#show());
    if (this.writer) provider.isDirty = true; // a new one: what was typed before there was a row
    provider.connect();
  }

  #greeted(hello) {
    this.awareness.setLocalStateField("user", hello.person);
    this.again.close();
    this.#stand(hello);
    const name = nameOf(this.person, this.desk.dataset.post, hello.lineage);
    if (this.kept?.name === name) return;
    const before = this.kept;
    this.#keep(name).whenOpen.then(() => before?.forget());
  }

  #synced() {
    if (this.isBound) return;
    this.isBound = true;
    if (!this.writer) {
      if (this.provider.mayWrite) carryOver(this.text, this.textarea.defaultValue, this.textarea.value);
      this.#mount();
    }
    this.fields.bind();
    this.#goTo(location.hash);
    this.#offer(this.desk.dataset.post);
  }

  #mount() {
    const hadFocus = document.activeElement === this.textarea && this.textarea.selectionStart;
    this.writer = createWriter({
      textarea: this.textarea, text: this.text, awareness: this.awareness,
      undoManager: new Y.UndoManager(this.text, { trackedOrigins: new Set() }),
      readOnly: Boolean(this.readOnly), links: (query) => ask(this.form.dataset.links, query).then(({ links }) => links),
      snippets: (query) => ask(this.form.dataset.snippets, query).then(({ snippets }) => snippets), upload: this.#uploads(), ...this.#language(),
    });
    if (hadFocus !== false) this.writer.goTo(Math.min(hadFocus, this.text.length));
    this.desk.writer = this.writer;
    this.desk.dispatchEvent(new CustomEvent("writer", { detail: this.writer }));
    this.presence = new Presence(this.awareness, this.writer, { here: this.desk.querySelector(".here"), voice: this.voice, me: this.person });
    new Scrolling(this.writer, this.desk.querySelector(".write"), this.desk.querySelector("live-preview"));
    this.form.addEventListener("caret", () => this.#raise());
    this.authors = new Authors(this.desk.querySelector("[data-authors]"), this.desk.querySelector(".writer"), {
      text: this.text, writer: this.writer, writers: this.writers, form: this.form, me: this.person,
    });
    new Outline(document.getElementById("outline"), this.writer);
    const focus = this.desk.querySelector("[data-focus]");
    focus.addEventListener("click", () => this.writer.toggleFocus());
    this.form.addEventListener("focus-mode", ({ detail }) => focus.setAttribute("aria-pressed", String(detail.isOn)));
    for (const name of ["blocks", "picture"]) this.desk.querySelector(`[data-${name}]`)?.addEventListener("click", () => this.writer.run(name));
    this.desk.addEventListener("title-done", (event) => { event.preventDefault(); this.writer.goTo(0); });
    this.desk.addEventListener("click", (event) => this.#goToPlace(event));
    document.addEventListener("field-shown", ({ detail }) => { if (detail === "language") this.#speak(); });
    this.form.elements.language?.addEventListener("change", () => this.#speak());
    for (const part of this.desk.querySelectorAll("[data-bundle], [data-plain]")) part.hidden = "plain" in part.dataset;
  }

  #uploads() {
    const { uploads: at } = this.form.dataset;
    return at ? (file, tell) => new Sending(file, { at, key: () => this.form.elements._xsrf.value, tell }) : null;
  }

  #language() {
    const choice = this.form.elements.language?.selectedOptions?.[0];
    return { language: choice?.value || this.desk.dataset.language, direction: choice?.dataset.direction ?? "auto" };
  }

  #speak() {
    const { language, direction } = this.#language();
    this.writer.setLanguage(language, direction);
  }

  /** A link to a place in the text, as the checks have them. */
  #goToPlace(event) {
    const link = event.target.closest("a[href^='#at=']");
    if (!link) return;
    event.preventDefault();
    this.#goTo(link.hash);
  }

  #goTo(hash) {
    const [, place] = /^#at=(\d+)$/.exec(hash) ?? [];
    if (place === undefined) return;
    if (this.writer.view.dom.offsetParent === null) document.getElementById("view-write").checked = true;
    this.writer.goTo(Math.min(Number(place), this.text.length));
  }

  /** Nobody wants to type below the foot, which lies over the text, nor to be at its beginning without the title. */
  #raise() {
    const scroller = this.desk.querySelector(".write"), foot = scroller.querySelector(".foot");
    this.writer.view.requestMeasure({
      key: foot,
      read: (view) => {
        const { head } = view.state.selection.main, at = view.coordsAtPos(head), top = scroller.getBoundingClientRect().top;
        if (!at) return 0;
        if (at.top < top + ROOM && view.state.doc.lineAt(head).number === 1 && at.top - top + scroller.scrollTop < scroller.clientHeight / 2) return -scroller.scrollTop;
        return Math.max(0, at.bottom + ROOM - foot.getBoundingClientRect().top);
      },
      write: (by) => { if (by) scroller.scrollTop += by; },
    });
  }

  #keep(name) {
    this.kept = new Kept(name, this.doc);
    this.kept.on("change", () => this.#show());
    return this.kept;
  }

  #offer(post) {
    offerLeftovers({
      place: this.desk.querySelector(".desk-note"), template: document.getElementById("leftover"), person: this.person, post, open: this.kept,
      known: () => this.text.toString(),
      create: (fields) => create(this.form, fields).then(({ address }) => address, () => ""),
    });
  }

  // --- how it stands ---

  get #isDirty() {
    if (!this.provider) return Boolean(this.isBegun);
    return this.provider.isDirty || (!this.writer && this.textarea.value !== this.textarea.defaultValue);
  }

  #show() {
    if (!this.provider && !this.isBegun) return; // a new one that nobody has touched
    const isDirty = this.#isDirty;
    const isConnected = this.provider ? this.provider.isSynced : !this.isAway;
    this.kept?.mark(!isDirty && isConnected);
    const refusal = this.refusal || this.unborn || this.failure || this.provider?.refusal || "";
    this.mark.show({ isDirty, isConnected, isKept: this.kept?.isKept, refusal, readOnly: this.readOnly });
  }

  #changed(transaction) {
    if (transaction.local) this.presence?.stopFollowing();
    else if (this.isBound) this.mark.refresh();
    clearTimeout(this.pausing);
    this.pausing = setTimeout(() => this.#mirror(), PAUSE);
  }

  /** The form says what the document says; whoever looks at the form is told. */
  #mirror() {
    clearTimeout(this.pausing);
    if (!this.writer) return;
    this.textarea.value = this.text.toString();
    this.textarea.dispatchEvent(new Event("input", { bubbles: true }));
  }

  #stand({ mayWrite, why }) {
    this.readOnly = mayWrite ? "" : why || words.readOnly;
    this.writer?.setReadOnly(!mayWrite);
    this.fields.setReadOnly(!mayWrite);
    const note = this.desk.querySelector("[data-reading]");
    note.hidden = mayWrite;
    note.textContent = this.readOnly;
    this.#show();
  }

  #ended({ code, reason, isOthers }) {
    if (code === CLOSED.signedOut) {
      this.refusal = words.signIn;
      this.again.open(isOthers ? reason : "");
    } else if (code === CLOSED.forbidden) {
      this.#stand({ mayWrite: false, why: reason });
    } else {
      this.#stand({ mayWrite: false, why: reason });
      this.refusal = reason || words.notKnown;
      if (code === CLOSED.unknownLineage) this.desk.querySelector(".desk-note").append(document.getElementById("anew").content.cloneNode(true));
    }
    this.#show();
  }

  #comeBack() {
    this.refusal = "";
    dispatchEvent(new Event("try-again"));
    if (this.provider) this.provider.resume();
    else this.again.close();
  }

  #failed(why) {
    this.failure = why || words.noServer;
    this.#show();
    clearTimeout(this.forgetting);
    this.forgetting = setTimeout(() => { this.failure = ""; this.#show(); }, READ);
  }

  async #whenStored() {
    this.#mirror();
    await this.fields.settle();
    await this.#whenWritten();
  }

  async #whenWritten() {
    if (!this.provider) await Promise.race([this.#born(), new Promise((_, reject) => { setTimeout(reject, 10_000, ""); })]);
    await this.provider.whenStored();
  }

  // --- what goes as a form ---

  /** Some fields only; resolves with the page that says how they stand, or nothing. */
  async #send(data) {
    data.set("_xsrf", this.form.elements._xsrf.value);
    try {
      await this.#whenWritten();
      const answer = await fetch(this.form.action, { method: "POST", body: data });
      return parsed(await answer.text());
    } catch {
      return null;
    }
  }

  #othersName(client) {
    return this.writers[client]?.name ?? this.awareness.getStates().get(client)?.user?.name ?? "";
  }
}

async function ask(address, query) {
  const answer = await fetch(`${address}?${new URLSearchParams({ q: query })}`);
  if (!answer.ok) throw new Error(answer.status);
  return answer.json();
}

const desk = document.querySelector("post-editor[data-person]");
const form = desk?.querySelector("form.sheet");
if (form && !desk.matches(".refused") && !form.elements.text.readOnly) new Editor(desk, form);
