// createWriter(): CodeMirror over a <textarea>, bound to a Y.Text.
import "./styles.js";
import { defaultKeymap } from "@codemirror/commands";
import { EditorState } from "@codemirror/state";
import { EditorView, keymap } from "@codemirror/view";
import { yCollab, yUndoManagerKeymap } from "y-codemirror.next";
import { UndoManager } from "yjs";

export function createWriter({ textarea, text, undoManager = new UndoManager(text, { trackedOrigins: new Set() }), readOnly = false }) {
  const view = new EditorView({
    state: EditorState.create({
      doc: text.toString(),
      extensions: [
        EditorState.lineSeparator.of("\n"),
        EditorState.readOnly.of(readOnly),
        EditorView.contentAttributes.of({ "aria-label": textarea.labels[0]?.textContent ?? "" }),
        EditorView.lineWrapping,
        keymap.of([...yUndoManagerKeymap, ...defaultKeymap]),
        yCollab(text, null, { undoManager }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) textarea.value = update.state.doc.toString();
        }),
      ],
    }),
  });
  textarea.hidden = true;
  textarea.after(view.dom);
  return { view, focus: () => view.focus(), destroy: () => view.destroy() };
}
