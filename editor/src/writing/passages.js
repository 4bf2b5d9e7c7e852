// Passages that threads and suggestions are about: marked, moving with the text, and pressed to be opened.
import { StateEffect, StateField } from "@codemirror/state";
import { Decoration, EditorView } from "@codemirror/view";
import { ySyncAnnotation } from "y-codemirror.next";
import { createAbsolutePositionFromRelativePosition, createRelativePositionFromJSON, createRelativePositionFromTypeIndex, relativePositionToJSON } from "yjs";
import { wholeSign } from "./pairs.js";

const LONGEST_QUOTE = 300;
const TO_THE_RIGHT = 0; // what a position sticks to: the sign behind it,
const TO_THE_LEFT = -1; // or the one before

export const setPassages = StateEffect.define();

export function passages(text, whenPressed) {
  const field = StateField.define({
    create: () => ({ list: [], isComplete: true, decorations: Decoration.none }),
    update(value, transaction) {
      const given = transaction.effects.find((effect) => effect.is(setPassages));
      if (given) return drawn(text, given.value, transaction.newDoc.length);
      if (!transaction.docChanged) return value;
      if (!value.isComplete && transaction.annotation(ySyncAnnotation)) return drawn(text, value.list, transaction.newDoc.length); // it may have come now
      return { ...value, decorations: value.decorations.map(transaction.changes) };
    },
    provide: (own) => EditorView.decorations.from(own, (value) => value.decorations),
  });
  const pressed = EditorView.domEventHandlers({
    click(event) {
      const id = event.target.closest?.("[data-passage]")?.dataset.passage;
      if (id) whenPressed(id);
    },
  });
  return [field, pressed];
}

function drawn(text, list, length) {
  const found = [];
  for (const { id, kind, start, end, isActive } of list) {
    const [from, to] = [placeOf(text, start), placeOf(text, end)];
    if (from === null || to === null || from >= to || to > length) continue;
    found.push(Decoration.mark({ class: `anchored ${kind}${isActive ? " active" : ""}`, attributes: { "data-passage": String(id) } }).range(from, to));
  }
  return { list, isComplete: found.length === list.length, decorations: Decoration.set(found, true) };
}

function placeOf(text, position) {
  const place = createAbsolutePositionFromRelativePosition(createRelativePositionFromJSON(position), text.doc);
  return place?.type === text ? place.index : null;
}

// What is chosen, as positions that stay with its first and last sign; null if nothing is.
export function passageOf(state, text) {
  const { from, to, empty } = state.selection.main;
  if (empty) return null;
  const position = (at, side) => relativePositionToJSON(createRelativePositionFromTypeIndex(text, at, side));
  const quote = state.sliceDoc(from, wholeSign(state.doc, Math.min(to, from + LONGEST_QUOTE)));
  return { start: position(from, TO_THE_RIGHT), end: position(to, TO_THE_LEFT), quote };
}
