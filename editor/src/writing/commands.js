// Everything that can be done to the text by a name, and the keys for it.
import { acceptCompletion } from "@codemirror/autocomplete";
import { defaultKeymap, indentLess, indentMore } from "@codemirror/commands";
import { deleteMarkupBackward } from "@codemirror/lang-markdown";
import { syntaxTree } from "@codemirror/language";
import { openSearchPanel, searchKeymap } from "@codemirror/search";
import { Prec } from "@codemirror/state";
import { EditorView, keymap } from "@codemirror/view";
import { yUndoManagerKeymap } from "y-codemirror.next";
import { callBlocks, insertBlock } from "./blocks.js";
import { focusMode, toggleFocus } from "./focus.js";
import { fence, toggleAround, toggleHeading, toggleList, toggleQuote } from "./format.js";
import { openLinkPicker } from "./links.js";
import { breakLine, goOn, indentItem, outdentItem } from "./lists.js";
import { overBar, toCell, toRow } from "./tables.js";
import { openSnippetPicker } from "./snippets.js";
import { focusToolbar } from "./toolbar.js";

// A command of CodeMirror of a function that answers what to change, or null if it has nothing to do here.
const does = (change) => ({ state, dispatch }) => {
  if (state.readOnly) return false;
  const spec = change(state);
  if (spec) dispatch(state.update(spec));
  return Boolean(spec);
};

function isInCode(state) {
  for (let node = syntaxTree(state).resolveInner(state.selection.main.head, -1); node; node = node.parent) {
    if (/^(?:FencedCode|CodeBlock)$/.test(node.name)) return true;
  }
  return false;
}

const inCode = (change) => (view) => isInCode(view.state) && change(view);
const inWords = (change) => (view) => !isInCode(view.state) && change(view);

const block = (name) => (view) => insertBlock(view, name);
const behind = (name) => (view) => { // what is chosen stays
  view.dispatch({ selection: { anchor: view.state.selection.main.to } });
  return insertBlock(view, name);
};

export const COMMANDS = {
  bold: does(toggleAround("**")),
  italic: does(toggleAround("*")),
  code: does(toggleAround("`")),
  strike: does(toggleAround("~~")),
  mark: does(toggleAround("==")),
  link: openLinkPicker,
  ...Object.fromEntries([1, 2, 3, 4].map((level) => [`heading${level}`, does(toggleHeading(level))])),
  quote: does(toggleQuote),
  bullets: does(toggleList("bullets")),
  numbers: does(toggleList("numbers")),
  tasks: does(toggleList("tasks")),
  codeBlock: does(fence),
  blocks: callBlocks,
  table: block("table"),
  footnote: block("footnote"),
  picture: behind("picture"),
  snippet: openSnippetPicker,
  comment: ({ dom }) => dom.dispatchEvent(new Event("comment", { bubbles: true })),
  undo: yUndoManagerKeymap[0].run,
  redo: yUndoManagerKeymap[1].run,
  find: openSearchPanel,
  focus: toggleFocus,
};

const KEYS = {
  "Mod-b": "bold", "Mod-i": "italic", "Mod-e": "code", "Mod-k": "link", "Mod-Shift-x": "strike",
  "Mod-Alt-1": "heading1", "Mod-Alt-2": "heading2", "Mod-Alt-3": "heading3", "Mod-Alt-4": "heading4",
  "Mod-Alt-q": "quote", "Mod-Alt-c": "codeBlock", "Mod-Shift-8": "bullets", "Mod-Shift-7": "numbers", "Mod-Shift-9": "tasks",
  "Mod-Alt-p": "picture", "Mod-Alt-m": "comment", "Mod-Alt-Shift-f": "focus",
};

export const keys = [
  Prec.high(keymap.of([
    ...Object.entries(KEYS).map(([key, name]) => ({ key, run: COMMANDS[name], preventDefault: true })),
    { key: "Alt-F10", run: focusToolbar },
    { key: "Enter", run: does(toRow) },
    { key: "Enter", run: goOn },
    { key: "Shift-Enter", run: inWords(does(breakLine)) },
    { key: "Backspace", run: deleteMarkupBackward },
    { key: "Tab", run: acceptCompletion },
    { key: "Tab", run: does((state) => toCell(state, 1)), shift: does((state) => toCell(state, -1)) },
    { key: "Tab", run: does(indentItem), shift: does(outdentItem) },
    { key: "Tab", run: inCode(indentMore), shift: inCode(indentLess) },
  ])),
  EditorView.inputHandler.of((view, _from, _to, typed) => typed === "|" && does(overBar)(view)),
  focusMode,
  keymap.of([...yUndoManagerKeymap, ...searchKeymap, ...defaultKeymap]),
];
