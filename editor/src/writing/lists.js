// Lists: Enter goes on with the next item, Tab and Shift-Tab take one and what stands below it under the item before or out of the one it is in.
import { insertNewlineContinueMarkupCommand } from "@codemirror/lang-markdown";
import { ChangeSet } from "@codemirror/state";
import { placeOf } from "./tables.js";

const ITEM = /^([ \t]*(?:> ?)*[ \t]*)([-*+]|\d{1,9}[.)])( +|$)(\[[ xX]\] )?/;

const spec = (changes) => ({ changes, userEvent: "input.indent", scrollIntoView: true });

// {indent: columns before the mark, inside: columns before its text} of a line that begins an item, else null.
export function itemOf(text) {
  const found = ITEM.exec(text);
  return found && { indent: found[1].length, inside: found[1].length + found[2].length + Math.max(1, found[3].length) };
}

const nextLine = insertNewlineContinueMarkupCommand({ nonTightLists: false });

export const goOn = ({ state, dispatch }) => nextLine({ state, dispatch: (step) => dispatch(parted(step)) });

// Where a list has ended, an empty line parts it from what is written next, which would belong to its last item else.
function parted(step) {
  const { newDoc: doc, newSelection: { main: { head } } } = step;
  const line = doc.lineAt(head);
  const hasEnded = doc.lines === step.startState.doc.lines && isBare(line.text) && line.number > 1 && !isBare(doc.line(line.number - 1).text);
  if (!hasEnded) return step;
  const gap = `${line.text.trimEnd()}\n`;
  const changes = step.changes.compose(ChangeSet.of({ from: line.from, insert: gap }, doc.length));
  return step.startState.update({ changes, selection: { anchor: head + gap.length }, userEvent: "input", scrollIntoView: true });
}

const isBare = (text) => !/[^\s>]/.test(text);

// A line that readers see as one of its own, in the item or quotation in which it is. Not in a table, nor where there are no words yet.
export function breakLine(state) {
  const { from, to } = state.selection.main;
  const line = state.doc.lineAt(from), words = state.sliceDoc(line.from, from);
  if (isBare(words) || placeOf(state)) return null;
  const marks = line.text.slice(0, itemOf(line.text)?.inside ?? /^[\s>]*/.exec(line.text)[0].length).replace(/[^\s>]/g, " ");
  const insert = `\\\n${marks}`;
  return { changes: { from, to, insert }, selection: { anchor: from + insert.length }, userEvent: "input", scrollIntoView: true };
}

export function indentItem(state) {
  const line = state.doc.lineAt(state.selection.main.from);
  const item = itemOf(line.text);
  if (!item) return null;
  const above = itemAbove(state.doc, line.number, (other) => other.indent <= item.indent);
  if (!above || above.inside <= item.indent) return above && above.indent < item.indent ? spec([]) : null;
  return spec(shift(state, line, item, above.inside - item.indent));
}

export function outdentItem(state) {
  const line = state.doc.lineAt(state.selection.main.from);
  const item = itemOf(line.text);
  if (!item || item.indent === 0) return null;
  const parent = itemAbove(state.doc, line.number, (other) => other.indent < item.indent);
  return spec(shift(state, line, item, (parent?.indent ?? 0) - item.indent));
}

// The nearest item above that fits, as long as the list goes on.
function itemAbove(doc, number, fits) {
  for (let at = number - 1; at > 0; at--) {
    const { text } = doc.line(at);
    const item = itemOf(text);
    if (item && fits(item)) return item;
    if (!item && text.trim() && !/^[ \t]/.test(text)) return null;
  }
  return null;
}

// The chosen lines, and those that belong to the last of them.
function shift(state, first, item, columns) {
  const { doc } = state;
  const lastChosen = doc.lineAt(state.selection.main.to).number;
  const changes = [];
  for (let at = first.number; at <= doc.lines; at++) {
    const line = doc.line(at);
    const indent = /^[ \t]*/.exec(line.text)[0].length;
    if (at > lastChosen && (!line.text.trim() ? !belongsBelow(doc, at, item) : indent <= item.indent)) break;
    if (!line.text.trim()) continue;
    if (columns > 0) changes.push({ from: line.from, insert: " ".repeat(columns) });
    else changes.push({ from: line.from, to: line.from + Math.min(-columns, indent) });
  }
  return changes;
}

function belongsBelow(doc, blank, item) {
  const next = blank < doc.lines ? doc.line(blank + 1).text : "";
  return next.trim() !== "" && /^[ \t]*/.exec(next)[0].length > item.indent;
}
