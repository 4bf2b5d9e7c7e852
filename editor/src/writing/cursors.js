// Where one's own cursor is, for the others; and theirs, with their names: classes and elements only, as the content policy allows no inline styles.
import { Annotation } from "@codemirror/state";
import { Decoration, Direction, ViewPlugin, WidgetType } from "@codemirror/view";
import { compareRelativePositions, createAbsolutePositionFromRelativePosition, createRelativePositionFromJSON, createRelativePositionFromTypeIndex, relativePositionToJSON } from "yjs";
import { element } from "./dom.js";

const COLOURS = 8;
const PAUSE = 40; // milliseconds in which the moves of several are drawn at once
const moved = Annotation.define();

class Caret extends WidgetType {
  constructor(name, colour) {
    super();
    Object.assign(this, { name, colour });
  }

  eq(other) {
    return other.name === this.name && other.colour === this.colour;
  }

  toDOM() {
    return element("span", { class: `cm-ySelectionCaret who-${this.colour}`, "aria-hidden": "true" }, element("span", { class: "cm-ySelectionInfo" }, this.name));
  }

  ignoreEvent() {
    return true;
  }
}

export const cursors = (text, awareness) => ViewPlugin.define((view) => new Cursors(view, text, awareness), { decorations: (plugin) => plugin.decorations });

class Cursors {
  constructor(view, text, awareness) {
    Object.assign(this, { view, text, awareness, decorations: Decoration.none });
    this.listener = ({ added, updated, removed }) => {
      if ([...added, ...updated, ...removed].some((client) => client !== awareness.clientID)) this.#later();
    };
    awareness.on("change", this.listener);
    this.#later();
  }

  #later() {
    this.waiting ??= setTimeout(() => {
      this.waiting = null;
      this.view.dispatch({ annotations: moved.of(true) });
    }, PAUSE);
  }

  update(update) {
    if (update.transactions.some((transaction) => transaction.annotation(moved))) this.decorations = this.#draw();
    else if (update.docChanged) this.decorations = this.decorations.map(update.changes);
    if (this.decorations.size) this.#turn();
    if (update.docChanged || update.selectionSet || update.focusChanged) this.#tell(update);
  }

  // A name that would stand out over the end of the lines stands before its cursor.
  #turn() {
    const side = this.view.textDirection === Direction.RTL ? "left" : "right";
    this.view.requestMeasure({
      key: this,
      read: ({ contentDOM }) => {
        const edge = contentDOM.getBoundingClientRect()[side];
        const names = [...contentDOM.querySelectorAll(".cm-ySelectionInfo")];
        return names.map((name) => [name, Math.abs(edge - name.parentElement.getBoundingClientRect()[side]) < name.offsetWidth]);
      },
      write: (names) => { for (const [name, isBack] of names) name.classList.toggle("back", isBack); },
    });
  }

  // After the update: the shared text knows of the change by then.
  #tell({ view }) {
    if (this.telling || !view.hasFocus) return;
    this.telling = true;
    queueMicrotask(() => {
      this.telling = false;
      const before = this.awareness.getLocalState();
      if (!before) return;
      const { anchor, head } = view.state.selection.main;
      const [its, it] = [anchor, head].map((at) => createRelativePositionFromTypeIndex(this.text, at));
      if (isSame(before.cursor?.anchor, its) && isSame(before.cursor?.head, it)) return;
      this.awareness.setLocalStateField("cursor", { anchor: relativePositionToJSON(its), head: relativePositionToJSON(it) });
    });
  }

  #draw() {
    const found = [];
    for (const [client, { cursor, user }] of this.awareness.getStates()) {
      if (client === this.awareness.clientID || !cursor?.anchor || !cursor?.head) continue;
      const [anchor, head] = [this.#placeOf(cursor.anchor), this.#placeOf(cursor.head)];
      if (anchor === null || head === null) continue;
      const colour = Number.isInteger(user?.colour) && user.colour >= 1 && user.colour <= COLOURS ? user.colour : (client % COLOURS) + 1;
      const [from, to] = [Math.min(anchor, head), Math.max(anchor, head)];
      if (from < to) found.push(Decoration.mark({ class: `cm-ySelection who-${colour}` }).range(from, to));
      found.push(Decoration.widget({ widget: new Caret(String(user?.name ?? ""), colour), side: head > anchor ? -1 : 1 }).range(head));
    }
    return Decoration.set(found, true);
  }

  // What others send may be anything.
  #placeOf(position) {
    try {
      const place = createAbsolutePositionFromRelativePosition(createRelativePositionFromJSON(position), this.text.doc);
      return place?.type === this.text ? Math.min(place.index, this.view.state.doc.length) : null;
    } catch {
      return null;
    }
  }

  destroy() {
    clearTimeout(this.waiting);
    this.awareness.off("change", this.listener);
  }
}

const isSame = (json, position) => Boolean(json) && compareRelativePositions(createRelativePositionFromJSON(json), position);
