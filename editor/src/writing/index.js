// createWriter(): CodeMirror over a <textarea>, bound to a Y.Text. The textarea stays in the form, and is what the text is whenever the form is read.
import "./styles.js";
import { autocompletion, completionKeymap } from "@codemirror/autocomplete";
import { Compartment, EditorState } from "@codemirror/state";
import { drawSelection, dropCursor, EditorView, keymap, placeholder, tooltips } from "@codemirror/view";
import { yCollab, ySyncAnnotation } from "y-codemirror.next";
import { UndoManager } from "yjs";
import { words } from "../words.js";
import { authors, showAuthors } from "./authors.js";
import { blockMenu, drawing } from "./blocks.js";
import { COMMANDS, keys } from "./commands.js";
import { cursors } from "./cursors.js";
import { dialect } from "./dialect.js";
import { finder } from "./find.js";
import { isInFocus, toggleFocus } from "./focus.js";
import { linkPicker, titleLinks } from "./links.js";
import { look } from "./look.js";
import { outlineOf } from "./outline.js";
import { wholePairs, wholeSign } from "./pairs.js";
import { passageOf, passages, setPassages } from "./passages.js";
import { pasting } from "./pasting.js";
import { snippetPicker } from "./snippets.js";
import { tableKeeper } from "./table-keeper.js";
import { toolbar } from "./toolbar.js";
import { uploads } from "./uploads.js";

const EDGE = 8; // pixels between the edge of the window and what floats over the text

/**
 * `text`: a Y.Text. `awareness`: of y-protocols, or nothing. `links(query)`: a promise of [{title, path}], the path "" for what has none yet.
 * `snippets(query)`: a promise of [{name, text}]. `upload(file, tell)`: what sends a file (static/js/uploading.js), or null for those who may not.
 *
 * On the sheet around the textarea: `write` after each change, `caret` when the cursor moved ({from, to}), `passage` when one was pressed ({id}),
 * `comment` when somebody wants to say something about what is chosen, `focus-mode` when that begins or ends ({isOn}).
 */
export function createWriter({
  textarea, text, awareness = null, undoManager = new UndoManager(text, { trackedOrigins: new Set() }),
  readOnly = false, language = "", direction = "auto", links = async () => [], snippets = async () => [], upload = null,
}) {
  const sheet = textarea.closest(".sheet") ?? textarea.parentElement;
  const tell = (name, detail) => sheet.dispatchEvent(new CustomEvent(name, { detail }));
  const changeable = new Compartment(), spoken = new Compartment();

  const view = new EditorView({
    state: EditorState.create({
      doc: text.toString(),
      extensions: [
        EditorState.lineSeparator.of("\n"), // as the shared text counts
        changeable.of(EditorState.readOnly.of(readOnly)),
        spoken.of(inLanguage(language, direction)),
        EditorView.contentAttributes.of({ id: textarea.id, "aria-label": words.text }),
        placeholder(textarea.placeholder),
        tooltips({ tooltipSpace: () => ({ left: EDGE, top: 0, right: innerWidth - EDGE, bottom: innerHeight }) }),
        EditorState.phrases.of({ Completions: words.blocks, "replaced $ matches": words.replaced.replace("{number}", "$"), "replaced match on line $": words.replaced.replace("{number}", "$") }),
        wholePairs,
        dialect,
        look,
        drawSelection(),
        dropCursor(),
        autocompletion({ override: [blockMenu, titleLinks(links)], icons: false, addToOptions: [drawing], defaultKeymap: false, tooltipClass: () => "blocks" }),
        keymap.of(completionKeymap.filter(({ key }) => key !== "Ctrl-Space")),
        keys,
        uploads(upload),
        pasting,
        tableKeeper,
        finder,
        toolbar(COMMANDS),
        linkPicker(links),
        snippetPicker(snippets),
        passages(text, (id) => tell("passage", { id })),
        authors,
        awareness ? cursors(text, awareness) : [],
        yCollab(text, null, { undoManager }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) tell("write");
          if (isInFocus(update.state) !== isInFocus(update.startState)) tell("focus-mode", { isOn: isInFocus(update.state) });
          if (update.selectionSet) tell("caret", { from: update.state.selection.main.from, to: update.state.selection.main.to });
        }),
      ],
    }),
    dispatchTransactions(transactions, itself) {
      const isStep = transactions.some(isStepOfItsOwn);
      if (isStep) undoManager.stopCapturing();
      itself.update(transactions);
      if (isStep) undoManager.stopCapturing();
    },
  });
  const uncover = cover(textarea, view);

  const choose = (from, to) => {
    const [anchor, head] = [wholeSign(view.state.doc, from), wholeSign(view.state.doc, to)];
    view.dispatch({ selection: { anchor, head }, effects: EditorView.scrollIntoView(anchor, { y: "center" }) });
    view.focus();
  };
  return {
    view,
    focus: () => view.focus(),
    goTo: (offset) => choose(offset, offset),
    select: choose,
    outline: () => outlineOf(view.state.doc),
    insert: (markdown) => view.dispatch(view.state.replaceSelection(markdown.replace(/\r\n?/g, "\n")), { userEvent: "input", scrollIntoView: true }),
    run: (name) => COMMANDS[name](view),
    setReadOnly: (isFixed) => view.dispatch({ effects: changeable.reconfigure(EditorState.readOnly.of(isFixed)) }),
    setLanguage: (code, dir) => view.dispatch({ effects: spoken.reconfigure(inLanguage(code, dir)) }),
    showPassages: (list) => view.dispatch({ effects: setPassages.of(list) }),
    showAuthors: (list) => showAuthors(view, list),
    passage: () => passageOf(view.state, text),
    toggleFocus: () => toggleFocus(view),
    destroy() {
      uncover();
      view.destroy();
    },
  };
}

// To be undone by itself, and not with what was typed just before.
const isStepOfItsOwn = (transaction) =>
  transaction.docChanged && !transaction.annotation(ySyncAnnotation) && !transaction.isUserEvent("input.type") && !transaction.isUserEvent("delete");

const inLanguage = (code, dir) => EditorView.contentAttributes.of({ spellcheck: "true", autocapitalize: "sentences", ...(code && { lang: code }), ...(dir && { dir }) });

// Out of sight, not out of the form: whoever sends or reads the form gets the text. It has no place on the page, as browsers would break a
// megabyte into lines there with each key; the surface has its name, for whoever goes to it.
function cover(textarea, view) {
  const covered = new AbortController();
  const { signal } = covered;
  const { id } = view.contentDOM;
  const sync = () => (textarea.value = view.state.doc.toString());
  textarea.form?.addEventListener("formdata", ({ formData }) => formData.set(textarea.name, sync()), { signal });
  textarea.form?.addEventListener("submit", sync, { signal, capture: true });
  textarea.classList.add("covered");
  textarea.removeAttribute("id");
  textarea.after(view.dom);
  return () => {
    sync();
    covered.abort();
    textarea.classList.remove("covered");
    textarea.id = id;
  };
}
