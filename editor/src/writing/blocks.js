// The menu of blocks that "/" opens at the beginning of a line or after a space, and what each of them writes.
import { snippet } from "@codemirror/autocomplete";
import { syntaxTree } from "@codemirror/language";
import { put, words } from "../words.js";
import { icon } from "./dom.js";
import { openSnippetPicker } from "./snippets.js";

const CALL = /(?:^|\s)\/[\p{L}\p{N}-]*$/u;
const UNSEEN = /^(?:FencedCode|CodeBlock|CodeText|InlineCode|HTMLBlock|MathsBlock|URL|Link)$/;

// What is written, with the places to fill in, ${…}, and what stands there until then, {…}; the icon; other words by which it is found.
const BLOCKS = {
  heading2: ["## ${}", "heading", "title h2 ##"],
  heading3: ["### ${}", "heading", "title h3 ###"],
  picture: ["![${{whatItShows}}](${{address}})${}", "media", "image photo"],
  file: ["[${{name}}](${{address}})${}", "file", "attachment pdf sound film audio video download library"],
  gallery: ["![${{whatItShows}}](${{address}})\n![${{whatItShows}}](${{address}})${}", "media", "images photos pictures"],
  quote: ["> ${}", "quote", "quotation blockquote >"],
  bullets: ["- ${}", "list", "bullets items -"],
  numbers: ["1. ${}", "list", "ordered 1."],
  tasks: ["- [ ] ${}", "check", "todo checkbox"],
  codeBlock: ["```${{language}}\n${}\n```", "code", "program fence ```"],
  table: ["| ${{one}} | ${{two}} |\n| --- | --- |\n| ${} |  |", "table", "grid columns rows"],
  callout: ["> [!${NOTE}]\n> ${}", "warn", "note tip important warning caution box admonition"],
  details: ['??? "${{summary}}"\n    ${}', "down", "fold toggle spoiler"],
  footnote: [null, "footnote", "note reference"],
  card: ["https://${}", "external", "embed video address"],
  maths: ["$$\n${}\n$$", "maths", "formula tex math equation"],
  more: ["<!--more-->\n\n${}", "more", "excerpt fold"],
  rule: ["* * *\n\n${}", "rule", "hr separator ---"],
  snippet: [null, "snippet", "piece template again"],
};

// Blocks that are chosen from the library: of what kind, and whether several at once.
const PICKED = { picture: ["picture", false], file: ["any", false], gallery: ["picture", true] };

const all = Object.entries(BLOCKS).map(([name, [, drawing, others]]) => ({
  label: words[name],
  words: `${words[name]} ${others}`.toLowerCase().split(" "),
  drawing,
  apply: (view, _completion, from, to) => insertBlock(view, name, from - 1, to),
}));

export function blockMenu(context) {
  const call = context.matchBefore(CALL);
  if (!call || isIn(context.state, context.pos)) return null;
  const from = call.from + call.text.indexOf("/") + 1;
  const typed = context.state.sliceDoc(from, context.pos).toLowerCase();
  const rank = ({ label, words: its }) => (label.toLowerCase().startsWith(typed) ? 0 : its.some((word) => word.startsWith(typed)) ? 1 : 2);
  const options = all.filter((option) => rank(option) < 2).sort((one, other) => rank(one) - rank(other));
  return options.length ? { from, options, filter: false } : null;
}

export const drawing = {
  position: 20,
  render: (completion) => (completion.drawing ? icon(completion.drawing) : null),
};

function isIn(state, at) {
  for (let node = syntaxTree(state).resolveInner(at, -1); node; node = node.parent) if (UNSEEN.test(node.name)) return true;
  return false;
}

// As if somebody had typed the "/".
export function callBlocks(view) {
  if (view.state.readOnly) return false;
  const at = view.state.selection.main.to;
  const call = /\S/.test(view.state.sliceDoc(Math.max(0, at - 1), at)) ? " /" : "/";
  view.focus();
  view.dispatch({ changes: { from: at, insert: call }, selection: { anchor: at + call.length }, userEvent: "input.type", scrollIntoView: true });
  return true;
}

// In the place of what is between; on lines of its own, with empty ones around where there is text.
export function insertBlock(view, name, from = view.state.selection.main.from, to = view.state.selection.main.to) {
  if (view.state.readOnly) return false;
  if (name === "footnote") return insertNote(view, from, to);
  if (name === "snippet") {
    view.dispatch({ changes: { from, to }, selection: { anchor: from }, userEvent: "delete" });
    return openSnippetPicker(view);
  }
  if (PICKED[name] && pick(view, name, from, to)) return true;
  return insertLines(view, put(BLOCKS[name][0], words), from, to);
}

// Whether the page has a library to choose from: what is chosen there is written where the cursor is then.
function pick(view, name, from, to) {
  const take = (...chosen) => {
    view.focus();
    insertLines(view, `${chosen.map(({ markdown }) => markdown).join("\n")}\${}`); // one goes on writing behind it
  };
  const [kind, several] = PICKED[name];
  const asked = new CustomEvent("pick-media", { bubbles: true, cancelable: true, detail: { kind, several, take } });
  const isOffered = view.dom?.dispatchEvent(asked) === false;
  if (isOffered && to > from) view.dispatch({ changes: { from, to }, selection: { anchor: from }, userEvent: "delete" });
  return isOffered;
}

function insertLines(view, template, from = view.state.selection.main.from, to = view.state.selection.main.to) {
  if (view.state.readOnly) return false;
  const { doc } = view.state;
  const line = doc.lineAt(from);
  const before = doc.sliceString(line.from, from);
  const isBegun = before.trim() !== "";
  const isBelowText = !isBegun && line.number > 1 && doc.line(line.number - 1).text.trim() !== "";
  const end = doc.lineAt(to);
  const isAboveText = doc.sliceString(to, end.to).trim() !== "" || (end.number < doc.lines && doc.line(end.number + 1).text.trim() !== "");
  const gap = doc.sliceString(to, end.to).trim() ? "\n\n" : "\n";
  const [above, below] = [isBegun ? "\n\n" : isBelowText ? "\n" : "", isAboveText ? gap : ""];
  const start = isBegun ? from - (before.length - before.trimEnd().length) : from;
  snippet(`${above}${template}${below}`)(view, null, start, to);
  return true;
}

// Its number where the words are, its text at the end of all.
function insertNote(view, from, to) {
  const { doc } = view.state;
  const numbers = [...doc.toString().matchAll(/\[\^(\d+)\]/g)].map(([, number]) => Number(number));
  const name = `[^${Math.max(0, ...numbers) + 1}]`;
  const text = doc.toString();
  const end = text.trimEnd().length;
  const isAfterNote = /^\[\^[^\]]+\]:/.test(doc.lineAt(Math.max(0, end)).text);
  const note = `${isAfterNote ? "\n" : "\n\n"}${name}: `;
  const start = text.slice(0, from).trimEnd().length > 0 && /\s$/.test(text.slice(0, from)) && from !== doc.lineAt(from).from ? from - 1 : from;
  const changes = view.state.changes([{ from: start, to, insert: name }, { from: Math.max(end, to), to: doc.length, insert: note }]);
  view.dispatch({ changes, selection: { anchor: changes.newLength }, userEvent: "input", scrollIntoView: true });
  return true;
}
