// Focus mode: everything but the paragraph one is in is dimmed.
import { StateEffect, StateField } from "@codemirror/state";
import { Decoration, EditorView } from "@codemirror/view";

const LONGEST = 200; // lines to either side
const setFocus = StateEffect.define();
const line = Decoration.line({ class: "now" });

function paragraph({ doc, selection }) {
  const at = doc.lineAt(selection.main.head).number;
  const isFilled = (number) => number >= 1 && number <= doc.lines && doc.line(number).text.trim() !== "";
  let [first, last] = [at, at];
  while (isFilled(first - 1) && at - first < LONGEST) first--;
  while (isFilled(last + 1) && last - at < LONGEST) last++;
  const lines = Array.from({ length: last - first + 1 }, (_, number) => line.range(doc.line(first + number).from));
  return Decoration.set(lines);
}

export const focusMode = StateField.define({
  create: () => null,
  update(value, transaction) {
    const given = transaction.effects.find((effect) => effect.is(setFocus));
    const isOn = given ? given.value : value !== null;
    if (!isOn) return null;
    return given || transaction.docChanged || transaction.selection ? paragraph(transaction.state) : value;
  },
  provide: (field) => [
    EditorView.decorations.from(field, (value) => value ?? Decoration.none),
    EditorView.editorAttributes.from(field, (value) => ({ class: value ? "in-focus" : "" })),
  ],
});

export const isInFocus = (state) => state.field(focusMode) !== null;

export function toggleFocus(view) {
  view.dispatch({ effects: setFocus.of(!isInFocus(view.state)) });
  return true;
}
