// Signs beyond U+FFFF are two units in JavaScript, and half of one in a shared text divides those who share it. Browsers report what they
// changed in a line as a difference by units, which cuts through pairs whose first half is the same; so every change is widened to whole signs.
import { EditorState, Transaction } from "@codemirror/state";
import { ySyncAnnotation } from "y-codemirror.next";

const HALF = /\p{Surrogate}/u;
const HALVES = /\p{Surrogate}/gu;

const isHigh = (unit) => unit >= 0xd800 && unit < 0xdc00;
const isLow = (unit) => unit >= 0xdc00 && unit < 0xe000;

export function isInsidePair(doc, at) {
  if (at <= 0 || at >= doc.length) return false;
  const around = doc.sliceString(at - 1, at + 1);
  return isHigh(around.charCodeAt(0)) && isLow(around.charCodeAt(1));
}

// The nearest place before this one (or behind, for side 1) that is between two signs, and in the text.
export function wholeSign(doc, at, side = -1) {
  const inside = Math.max(0, Math.min(at, doc.length));
  return isInsidePair(doc, inside) ? inside + side : inside;
}

export const wholePairs = EditorState.transactionFilter.of((transaction) => {
  if (!transaction.docChanged || transaction.annotation(ySyncAnnotation)) return transaction;
  const doc = transaction.startState.doc;
  const changes = [];
  let isCut = false;
  transaction.changes.iterChanges((from, to, _from, _to, inserted) => {
    const [before, behind] = [wholeSign(doc, from), wholeSign(doc, to, 1)];
    const insert = doc.sliceString(before, from) + inserted.toString() + doc.sliceString(to, behind);
    isCut ||= before !== from || behind !== to || HALF.test(insert);
    changes.push({ from: before, to: behind, insert: insert.replace(HALVES, "") });
  });
  if (!isCut) return transaction;
  const set = transaction.startState.changes(changes);
  const selection = set.newLength === transaction.newDoc.length ? transaction.newSelection : transaction.startState.selection.map(set, 1);
  return { changes: set, selection, effects: transaction.effects, userEvent: transaction.annotation(Transaction.userEvent), scrollIntoView: true };
});
