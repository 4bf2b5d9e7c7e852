// Tables: kept aligned by changing the gaps around what cells say and never the words, so that two people in one table merge.
import { ChangeSet } from "@codemirror/state";

const DELIMITER = /^[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/;
const WIDE = /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
const LONGEST = 60; // columns a cell is padded to; longer ones stand as they are

// The lines of the table around a line, {first, last} by number; null if there is none.
export function tableAround(doc, number) {
  if (!isRow(doc.line(number).text)) return null;
  let [first, last] = [number, number];
  while (first > 1 && isRow(doc.line(first - 1).text)) first--;
  while (last < doc.lines && isRow(doc.line(last + 1).text)) last++;
  if (last <= first || !DELIMITER.test(doc.line(first + 1).text)) return null;
  return { first, last };
}

const isRow = (text) => /^ {0,3}\S/.test(text) && text.includes("|");

// Cells of a row; a bar in code parts them, too, as it does for readers: [{from, to}] of what they say within the line, {start, end} of their whole room between the bars.
export function cellsOf(text) {
  const bars = [];
  for (let at = 0; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === "|") bars.push(at);
  }
  const edges = [...bars];
  if (!bars.length || text.slice(0, bars[0]).trim()) edges.unshift(-1);
  if (text.slice(bars.at(-1) + 1).trim()) edges.push(text.length);
  return edges.slice(1).map((end, number) => {
    const start = edges[number] + 1;
    const room = text.slice(start, end);
    const words = room.trim();
    const from = words ? start + room.indexOf(words) : Math.min(start + 1, end);
    return { start, end, from, to: from + words.length, text: words };
  });
}

export function widthOf(text) {
  let width = 0;
  for (const { segment } of new Intl.Segmenter().segment(text)) width += WIDE.test(segment) ? 2 : 1;
  return width;
}

// Changes that align the table {first, last} of the document.
export function alignTable(doc, { first, last }) {
  const rows = [];
  for (let number = first; number <= last; number++) rows.push({ line: doc.line(number), cells: cellsOf(doc.line(number).text) });
  const aligned = rows[1].cells.map((cell) => alignmentOf(cell.text));
  const widths = aligned.map((_, column) =>
    Math.max(3, ...rows.filter((_, number) => number !== 1).map((row) => widthOf(row.cells[column]?.text ?? "")).filter((width) => width <= LONGEST)),
  );
  return rows.flatMap((row, number) => row.cells.flatMap((cell, column) => {
    const isLast = column === row.cells.length - 1;
    const wanted = number === 1 ? dashes(aligned[column] ?? "", widths[column] ?? 3) : cell.text;
    const gaps = number === 1 ? [" ", " "] : gapsFor(cell.text, widths[column] ?? 3, aligned[column] ?? "");
    return changesOfCell(row.line, cell, wanted, gaps, column === 0, isLast);
  }));
}

const alignmentOf = (text) => (text.startsWith(":") ? ":" : "") + "-" + (text.length > 1 && text.endsWith(":") ? ":" : "");

function dashes(alignment, width) {
  const [left, right] = [alignment.startsWith(":") ? ":" : "", alignment.length > 1 && alignment.endsWith(":") ? ":" : ""];
  return left + "-".repeat(Math.max(1, width - left.length - right.length)) + right;
}

function gapsFor(text, width, alignment) {
  const spare = Math.max(0, width - widthOf(text));
  if (alignment === "-:") return [" ".repeat(spare + 1), " "];
  if (alignment === ":-:") return [" ".repeat(Math.floor(spare / 2) + 1), " ".repeat(Math.ceil(spare / 2) + 1)];
  return [" ", " ".repeat(spare + 1)];
}

function changesOfCell(line, cell, wanted, [before, behind], isFirst, isLast) {
  const changes = [];
  const put = (from, to, insert) => {
    if (line.text.slice(from, to) !== insert) changes.push({ from: line.from + from, to: line.from + to, insert });
  };
  const hasBar = isFirst ? line.text[cell.start - 1] === "|" : true;
  const isClosed = line.text[cell.end] === "|";
  if (!cell.text && !wanted) {
    put(cell.start, cell.end, (hasBar ? "" : "| ") + before + behind + (isClosed ? "" : "|"));
    return changes;
  }
  put(cell.start, cell.from, (hasBar ? "" : "|") + before);
  put(cell.from, cell.to, wanted);
  put(cell.to, cell.end, behind + (isLast && !isClosed ? "|" : ""));
  return changes;
}

// --- from cell to cell ---

// Where the cursor is: {table, number, column, columns}, the number of its line, behind the last cell in one more column; null outside of tables.
export function placeOf(state) {
  const line = state.doc.lineAt(state.selection.main.head);
  const table = tableAround(state.doc, line.number);
  if (!table) return null;
  const at = state.selection.main.head - line.from;
  const cells = cellsOf(line.text);
  const column = cells.findIndex((cell) => at <= cell.end);
  return { table, number: line.number, column: column < 0 ? cells.length : column, columns: cellsOf(state.doc.line(table.first + 1).text).length };
}

// What Tab (by 1) and Shift-Tab (by -1) do: align the table and choose the next cell; behind the last one a row is begun.
export function toCell(state, by) {
  const place = placeOf(state);
  if (!place) return null;
  let [number, column] = [place.number, place.column + by];
  if (column >= place.columns) [number, column] = [below(place, number), 0];
  if (column < 0) [number, column] = [above(place, number), place.columns - 1];
  if (number < place.table.first) return null;
  return alignedWith(state, place, number, column);
}

// What Enter does: the cell below, and behind the last one the first of the next row; in an empty last row, out of the table.
export function toRow(state) {
  const place = placeOf(state);
  if (!place || !state.selection.main.empty) return null;
  const line = state.doc.line(place.number);
  const isEmpty = cellsOf(line.text).every((cell) => !cell.text);
  if (place.number === place.table.last && place.number > place.table.first + 1 && isEmpty) {
    // An empty line parts what is written next from the table, of which it would be a row else.
    return { changes: { from: line.from, to: line.to, insert: "\n" }, selection: { anchor: line.from + 1 }, userEvent: "input", scrollIntoView: true };
  }
  return alignedWith(state, place, below(place, place.number), place.column < place.columns ? place.column : 0);
}

// What a bar does that somebody types who writes rows by hand: in a row that was begun for him it is the one that stands there, as closing brackets are.
export function overBar(state) {
  const place = placeOf(state);
  if (!place || !state.selection.main.empty || place.number <= place.table.first + 1) return null;
  const line = state.doc.line(place.number), at = state.selection.main.head - line.from;
  const cells = cellsOf(line.text), cell = cells[place.column], next = cells[place.column + 1];
  if (place.column === 0 && at >= cell.start && cells.every(({ text }) => !text)) return { userEvent: "input" };
  if (!cell?.text || at < cell.to || at > cell.end || line.text[cell.end] !== "|" || next?.text) return null;
  return { selection: { anchor: line.from + (next ? next.from : cell.end + 1) }, userEvent: "input" };
}

const below = ({ table }, number) => (number <= table.first + 1 ? table.first + 2 : number + 1);
const above = ({ table }, number) => (number === table.first + 2 ? table.first : number - 1);

function alignedWith(state, { table, columns }, number, column) {
  const begun = number > table.last ? [{ from: state.doc.line(table.last).to, insert: `\n|${"   |".repeat(columns)}` }] : [];
  const extended = state.changes(begun);
  const doc = extended.apply(state.doc);
  const rows = { first: table.first, last: Math.max(table.last, number) };
  const aligned = extended.compose(ChangeSet.of(alignTable(doc, rows), doc.length));
  const line = aligned.apply(state.doc).line(number);
  const cell = cellsOf(line.text)[column] ?? cellsOf(line.text).at(-1);
  return { changes: aligned, selection: { anchor: line.from + cell.from, head: line.from + cell.to }, userEvent: "input.table", scrollIntoView: true };
}

