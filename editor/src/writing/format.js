// Marks around words and before lines. Each command is a function of a state that answers what to change, or null.
import { EditorSelection } from "@codemirror/state";

const LINE_MARKS = /^(?:[ \t]*(?:>|[-*+] (?:\[[ xX]\] )?|\d{1,9}[.)] |#{1,6} ))*[ \t]*/;
const LONGEST_RUN = 4; // signs of which marks are made, and one more
const HEADING = /^(#{1,6})[ \t]+/;
const QUOTE = /^> ?/;
const BULLET = /^([ \t]*)[-*+] (?:\[[ xX]\] )?/;
const NUMBER = /^([ \t]*)\d{1,9}[.)] /;
const TASK = /^([ \t]*)[-*+] \[[ xX]\] /;

const input = (spec) => ({ userEvent: "input.format", scrollIntoView: true, ...spec });

// --- around words ---

// Puts the mark around each line of what is chosen (else the word at the cursor), or takes it away if it is there.
export function toggleAround(mark) {
  return (state) =>
    input(
      state.changeByRange((range) => {
        const chosen = range.empty ? (state.wordAt(range.head) ?? range) : range;
        if (chosen.empty) return emptyPair(state, chosen.head, mark);
        const parts = partsOf(state.doc, chosen);
        const isMarked = parts.length > 0 && parts.every((part) => marksAt(state.doc, part, mark));
        const changes = parts.flatMap((part) => (isMarked ? unmark(state.doc, part, mark) : surround(part, mark)));
        const set = state.changes(changes);
        const [first, last] = [parts[0] ?? chosen, parts.at(-1) ?? chosen];
        const anchor = set.mapPos(first.from, 1), head = set.mapPos(last.to, -1);
        return { changes, range: range.empty ? EditorSelection.cursor(set.mapPos(range.head, 1)) : EditorSelection.range(anchor, head) };
      }),
    );
}

function emptyPair(state, at, mark) {
  const length = mark.length;
  const isBetween = state.sliceDoc(at - length, at) === mark && state.sliceDoc(at, at + length) === mark;
  if (isBetween) return { changes: { from: at - length, to: at + length }, range: EditorSelection.cursor(at - length) };
  return { changes: { from: at, insert: mark + mark }, range: EditorSelection.cursor(at + length) };
}

// The words of each line in the range, without the marks of the line and the spaces around.
function partsOf(doc, { from, to }) {
  const parts = [];
  for (let line = doc.lineAt(from); ; line = doc.line(line.number + 1)) {
    const start = Math.max(from, line.from + LINE_MARKS.exec(line.text)[0].length);
    const text = doc.sliceString(start, Math.max(start, Math.min(to, line.to)));
    const words = text.trim();
    if (words) parts.push({ from: start + text.indexOf(words), to: start + text.indexOf(words) + words.length });
    if (line.to >= to) return parts;
  }
}

// Where the mark stands: "inside" the part or "outside" of it. One of `**` is none of `*`.
function marksAt(doc, { from, to }, mark) {
  const length = mark.length;
  const text = doc.sliceString(from, to);
  if (text.length > 2 * length && isRun(text, 0, mark) && isRun(text, text.length - length, mark)) return "inside";
  const start = Math.max(0, from - LONGEST_RUN);
  const around = doc.sliceString(start, Math.min(doc.length, to + LONGEST_RUN));
  const [before, behind] = [from - start - length, to - start];
  return before >= 0 && isRun(around, before, mark) && isRun(around, behind, mark) ? "outside" : "";
}

function isRun(text, at, mark) {
  if (text.slice(at, at + mark.length) !== mark) return false;
  const sign = mark[0];
  let [start, end] = [at, at + mark.length];
  while (text[start - 1] === sign) start--;
  while (text[end] === sign) end++;
  return end - start === mark.length || (end - start === 3 && sign !== "`"); // *** is both
}

function unmark(doc, part, mark) {
  const shift = marksAt(doc, part, mark) === "inside" ? 0 : mark.length;
  const [from, to] = [part.from - shift, part.to + shift];
  return [{ from, to: from + mark.length }, { from: to - mark.length, to }];
}

const surround = ({ from, to }, mark) => [{ from, insert: mark }, { from: to, insert: mark }];

// --- before lines ---

function linesOf(state) {
  const { from, to } = state.selection.main;
  const lines = [];
  for (let at = state.doc.lineAt(from).number; at <= state.doc.lineAt(to).number; at++) lines.push(state.doc.line(at));
  return lines;
}

// With each line's new beginning: {length of the old one, text of the new one}.
function rewrite(state, beginning) {
  const lines = linesOf(state);
  const wanted = lines.length > 1 ? lines.filter((line) => line.text.trim()) : lines;
  const changes = wanted.map((line, number) => {
    const { length, text } = beginning(line.text, number);
    return { from: line.from, to: line.from + length, insert: text };
  });
  const set = state.changes(changes);
  const { anchor, head } = state.selection.main;
  return input({ changes: set, selection: { anchor: set.mapPos(anchor, 1), head: set.mapPos(head, 1) } });
}

export function toggleHeading(level) {
  const mark = `${"#".repeat(level)} `;
  return (state) => {
    const isThere = linesOf(state).every((line) => HEADING.exec(line.text)?.[1].length === level);
    return rewrite(state, (text) => ({ length: HEADING.exec(text)?.[0].length ?? 0, text: isThere ? "" : mark }));
  };
}

export function toggleQuote(state) {
  const isThere = linesOf(state).every((line) => !line.text.trim() || QUOTE.test(line.text));
  const found = isThere && linesOf(state).some((line) => QUOTE.test(line.text));
  return rewrite(state, (text) => (found ? { length: QUOTE.exec(text)?.[0].length ?? 0, text: "" } : { length: 0, text: "> " }));
}

export function toggleList(kind) {
  const pattern = { bullets: BULLET, numbers: NUMBER, tasks: TASK }[kind];
  const mark = (number) => ({ bullets: "- ", numbers: `${number + 1}. `, tasks: "- [ ] " })[kind];
  const isItem = (text) => pattern.test(text) && !(kind === "bullets" && TASK.test(text));
  return (state) => {
    const filled = linesOf(state).filter((line) => line.text.trim());
    const isThere = filled.length > 0 && filled.every((line) => isItem(line.text));
    return rewrite(state, (text, number) => {
      const old = TASK.exec(text) ?? BULLET.exec(text) ?? NUMBER.exec(text);
      const indent = old?.[1] ?? "";
      return { length: old?.[0].length ?? 0, text: indent + (isThere ? "" : mark(number)) };
    });
  };
}

// Fences around the lines, longer than any in them.
export function fence(state) {
  const lines = linesOf(state);
  const [from, to] = [lines[0].from, lines.at(-1).to];
  const text = state.sliceDoc(from, to);
  const longest = Math.max(2, ...[...text.matchAll(/^ {0,3}(`{3,})/gm)].map((found) => found[1].length));
  const ticks = "`".repeat(longest + 1);
  return input({ changes: [{ from, insert: `${ticks}\n` }, { from: to, insert: `\n${ticks}` }], selection: { anchor: from + ticks.length } });
}
