import assert from "node:assert/strict";
import { test } from "node:test";
import { EditorSelection, EditorState } from "@codemirror/state";
import { fence, toggleAround, toggleHeading, toggleList, toggleQuote } from "../src/writing/format.js";
import { breakLine, indentItem, outdentItem } from "../src/writing/lists.js";
import { outlineOf } from "../src/writing/outline.js";
import { wholePairs } from "../src/writing/pairs.js";
import { alignTable, overBar, tableAround, toCell, toRow } from "../src/writing/tables.js";

// "a «b» c" is a text with b chosen, "a ‸" one with the cursor at its end.
function stateOf(drawn) {
  const at = drawn.indexOf("‸");
  if (at >= 0) return EditorState.create({ doc: drawn.replace("‸", ""), selection: { anchor: at }, extensions: [wholePairs] });
  const [from, to] = [drawn.indexOf("«"), drawn.indexOf("»") - 1];
  return EditorState.create({ doc: drawn.replace(/[«»]/g, ""), selection: { anchor: from, head: to }, extensions: [wholePairs] });
}

function drawingOf(state) {
  const text = state.doc.toString();
  const { from, to, empty } = state.selection.main;
  return empty ? `${text.slice(0, from)}‸${text.slice(from)}` : `${text.slice(0, from)}«${text.slice(from, to)}»${text.slice(to)}`;
}

function after(command, drawn) {
  const state = stateOf(drawn);
  const spec = command(state);
  return spec && drawingOf(state.update(spec).state);
}

function becomes(command, pairs) {
  for (const [before, wanted] of pairs) assert.equal(after(command, before), wanted, before);
}

test("marks go around what is chosen, and away again", () => {
  becomes(toggleAround("**"), [
    ["a «b» c", "a **«b»** c"],
    ["a **«b»** c", "a «b» c"],
    ["a «**b**» c", "a «b» c"],
    ["the ha‸lf", "the **ha‸lf**"],
    ["a ‸", "a **‸**"],
    ["a **‸**", "a ‸"],
    ["*«b»*", "***«b»***"],
    ["a« b »c", "a **«b»** c"],
    ["🦀«🦀»🦀", "🦀**«🦀»**🦀"],
    ["- «one\n- two»", "- **«one**\n- **two»**"],
  ]);
  becomes(toggleAround("*"), [["**«b»**", "***«b»***"], ["***«b»***", "**«b»**"]]);
});

test("headings, quotes, lists and fences are put before lines, and away again", () => {
  becomes(toggleHeading(2), [["a‸b", "## a‸b"], ["## a‸b", "a‸b"], ["# a‸b", "## a‸b"]]);
  becomes(toggleQuote, [["«a\nb»", "> «a\n> b»"], ["> «a\n> b»", "«a\nb»"]]);
  becomes(toggleList("bullets"), [["«a\n\nb»", "- «a\n\n- b»"], ["- «a\n- b»", "«a\nb»"], ["1. a‸", "- a‸"], ["- [ ] a‸", "- a‸"]]);
  becomes(toggleList("numbers"), [["«a\nb»", "1. «a\n2. b»"]]);
  becomes(toggleList("tasks"), [["a‸", "- [ ] a‸"], ["- a‸", "- [ ] a‸"]]);
  becomes(fence, [["a‸", "```‸\na\n```"], ["«```\nb\n```»", "````‸\n```\nb\n```\n````"]]);
});

test("an item goes below the one before it, with what belongs to it, and out again", () => {
  becomes(indentItem, [
    ["- a\n- b‸\n  - c\n- d", "- a\n  - b‸\n    - c\n- d"],
    ["1. a\n2. b‸", "1. a\n   2. b‸"],
    ["- a‸", null],
    ["a‸", null],
  ]);
  becomes(outdentItem, [["- a\n  - b‸\n    more\n- d", "- a\n- b‸\n  more\n- d"], ["- a‸", null]]);
});

test("a line is broken for readers within its item or quotation", () => {
  becomes(breakLine, [
    ["roses‸ are", "roses\\\n‸ are"],
    ["- one‸", "- one\\\n  ‸"],
    ["> 10. one‸", "> 10. one\\\n>     ‸"],
    ["‸", null],
    ["- a\n\n‸", null],
    ["| a | b |\n|---|---|\n| c‸ | d |", null],
  ]);
});

const TABLE = "| a | b |\n| - | -: |\n| long word | 1‸ |";

test("tables are aligned by their gaps, and Tab goes from cell to cell", () => {
  const { doc } = stateOf(TABLE);
  const aligned = EditorState.create({ doc }).update({ changes: alignTable(doc, tableAround(doc, 1)) }).state.doc;
  assert.equal(aligned.toString(), "| a         |   b |\n| --------- | --: |\n| long word |   1 |");
  assert.deepEqual(alignTable(aligned, tableAround(aligned, 1)), [], "what is aligned stays");
  becomes((state) => toCell(state, 1), [
    [TABLE, "| a         |   b |\n| --------- | --: |\n| long word |   1 |\n| ‸          |     |"],
    ["| a‸ | b |\n|---|---|\n| c | d |", "| a   | «b»   |\n| --- | --- |\n| c   | d   |"],
    ["a‸|b\n-|-", "| a   | «b»   |\n| --- | --- |"],
    ["no | table‸", null],
  ]);
  becomes((state) => toCell(state, -1), [["| a | b |\n|---|---|\n| c‸ | d |", "| a   | «b»   |\n| --- | --- |\n| c   | d   |"]]);
  becomes(toRow, [
    ["| 日本 | b |\n|---|---|\n| c | d‸ |", "| 日本 | b   |\n| ---- | --- |\n| c    | d   |\n|      | ‸    |"],
    ["| a | b |\n|---|---|‸", "| a   | b   |\n| --- | --- |\n| ‸    |     |"],
    ["| a |\n|---|\n| b |\n|  ‸ |", "| a |\n|---|\n| b |\n\n‸"],
  ]);
});

test("the outline has all headings, and nothing of code", () => {
  const { doc } = EditorState.create({ doc: "# One *two* {#x}\n\n```\n# no\n```\n\n### [Three](/a) ##\n🦀" });
  assert.deepEqual(outlineOf(doc), [{ level: 1, text: "One two", at: 0 }, { level: 3, text: "Three", at: 32 }]);
});

test("no change cuts a sign in two", () => {
  const change = (doc, changes) => EditorState.create({ doc, extensions: [wholePairs] }).update({ changes }).changes.toJSON();
  assert.deepEqual(change("a😀b", { from: 2, to: 3, insert: "\ude01" }), [1, [2, "😁"], 1], "what browsers report of 😀 → 😁");
  assert.deepEqual(change("a😀b", { from: 2, to: 3 }), [1, [2], 1]);
  assert.deepEqual(change("ab", { from: 1, insert: "\ud83d" }), EditorState.create({ doc: "ab" }).changes([]).toJSON());
});

test("a bar typed in a row that was begun is the one that stands there", () => {
  const begun = "| a   | b   |\n| --- | --- |\n";
  becomes(overBar, [
    [`${begun}| ‸  |     |`, `${begun}| ‸  |     |`],
    [`${begun}| c ‸ |     |`, `${begun}| c  | ‸    |`],
    [`${begun}| c   | d ‸|`, `${begun}| c   | d |‸`],
    [`${begun}| c   | d |‸`, null],
    [`${begun}| c‸   | d |`, null],
    [`${begun}| c‸d | e |`, null],
    ["| a‸ | b |\n| - | - |", null],
    ["a‸", null],
  ]);
});
