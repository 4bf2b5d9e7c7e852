// Files that are pasted or dropped into the text: each has a place that stays where it is meant while people type around it, and is written
// there when it has arrived. The place is drawn, and no part of the text.
import { StateEffect, StateField } from "@codemirror/state";
import { Decoration, EditorView, WidgetType } from "@codemirror/view";
import { put, words } from "../words.js";
import { element } from "./dom.js";

const BEFORE = -1; // what is typed at the place comes behind it
const BEHIND = 1;

const underWay = new Set();
globalThis.addEventListener?.("beforeunload", (event) => { if (underWay.size) event.preventDefault(); });

const begin = StateEffect.define();
const end = StateEffect.define();

const places = StateField.define({
  create: () => [],
  update(list, { changes, effects }) {
    const ended = effects.find((effect) => effect.is(end))?.value;
    const from = list.find(({ file }) => file === ended);
    // Of several at one place each is written behind those before it, whichever comes first.
    const isBehind = (place) => from && place.at === from.at && list.indexOf(place) > list.indexOf(from);
    const moved = list.filter((place) => place !== from).map((place) => ({ ...place, at: changes.mapPos(place.at, isBehind(place) ? BEHIND : BEFORE) }));
    return [...moved, ...effects.filter((effect) => effect.is(begin)).map(({ value }) => value)];
  },
  provide: (own) => EditorView.decorations.from(own, (list) => Decoration.set(
    list.map(({ at, file }) => Decoration.widget({ widget: new Place(file), side: BEFORE }).range(at)), true,
  )),
});

class Place extends WidgetType {
  constructor(file) {
    super();
    this.file = file;
  }

  eq(other) { return this.file === other.file; }

  toDOM() { return this.file.drawn; }

  ignoreEvent() { return true; }
}

class Coming {
  constructor(view, file, upload) {
    this.view = view;
    this.progress = element("progress", { max: 1, value: 0, "aria-label": file.name });
    this.said = element("span", { role: "status" });
    this.again = element("button", { type: "button", class: "linky", hidden: true }, words.tryAgain);
    const leave = element("button", { type: "button", class: "linky" }, words.leaveOut);
    this.drawn = element("span", { class: "coming", contenteditable: "false" }, element("span", { class: "name" }, file.name), this.progress, this.said, this.again, leave);
    this.again.addEventListener("click", () => this.run());
    leave.addEventListener("click", () => { this.sending.abandon(); this.#write(""); });
    this.sending = upload(file, (how) => this.#show(how, file.size));
  }

  async run() {
    this.#show({ state: "sending", sent: 0 }, 0);
    underWay.add(this);
    try {
      const { markdown } = await this.sending.run();
      if (this.view.state.readOnly) throw new Error(words.readOnly);
      this.#write(markdown);
    } catch (error) {
      if (error.name === "AbortError") return;
      this.progress.hidden = true;
      this.again.hidden = false;
      this.said.textContent = error.message || words.noServer;
      this.drawn.classList.add("failed");
    } finally {
      underWay.delete(this);
    }
  }

  #show({ state, sent, why }, size) {
    this.drawn.classList.remove("failed");
    Object.assign(this.progress, { hidden: false, value: size ? sent / size : 0 });
    this.again.hidden = true;
    this.said.textContent = why || { away: words.uploadAway, ending: words.uploadEnding }[state] || "";
  }

  #write(markdown) {
    const { state } = this.view, place = state.field(places).find(({ file }) => file === this);
    if (!place) return;
    const changes = state.changes(markdown ? { from: place.at, insert: apart(state.doc, place.at, markdown) } : []);
    this.view.dispatch({ changes, selection: state.selection.map(changes, BEHIND), effects: end.of(this), userEvent: "input.upload" });
  }
}

// A picture stands in a paragraph of its own.
function apart(doc, at, markdown) {
  if (!markdown.startsWith("!")) return markdown;
  const line = doc.lineAt(at), isAlone = (text) => !text.trim();
  return (isAlone(doc.sliceString(line.from, at)) ? "" : "\n\n") + markdown + (isAlone(doc.sliceString(at, line.to)) ? "" : "\n\n");
}

function bring(view, files, at, upload) {
  const coming = [...files].map((file) => new Coming(view, named(file), upload));
  view.dispatch({ effects: coming.map((file) => begin.of({ at, file })) });
  for (const file of coming) file.run();
}

// What is copied from a page or the screen is called image.png by browsers.
function named(file) {
  if (file.name && file.name !== "image.png") return file;
  const name = put(words.pastedName, { date: new Date().toISOString().slice(0, 19).replace(/[T:]/g, "-") });
  return new File([file], `${name}.${file.type.split("/")[1] ?? "png"}`, { type: file.type });
}

// Who may bring none hears of it where the file would have come.
const refused = () => ({ run: async () => { throw new Error(words.noUploads); }, abandon() {} });

/** `upload(file, tell)`: what sends it (static/js/uploading.js), or nothing for those who may not. */
export function uploads(upload) {
  const take = (event, view, data, at) => {
    if (!data?.files.length || view.state.readOnly) return false;
    event.preventDefault();
    bring(view, data.files, at, upload ?? refused);
    return true;
  };
  return [places, EditorView.domEventHandlers({
    paste(event, view) {
      const data = event.clipboardData;
      return !hasWords(data) && take(event, view, data, view.state.selection.main.to);
    },
    drop(event, view) {
      const at = view.posAtCoords({ x: event.clientX, y: event.clientY }) ?? view.state.doc.length;
      return take(event, view, event.dataTransfer, at);
    },
  })];
}

// Office programs put a picture of the words beside them.
function hasWords(data) {
  const html = data?.getData("text/html");
  return Boolean(html?.replace(/<style[^]*?<\/style>|<!--[^]*?-->|<[^>]*>|\s|&nbsp;/gi, ""));
}
