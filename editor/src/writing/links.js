// Links: a picker of one's own posts and of addresses (Ctrl-K), and titles that complete themselves after "[[".
import { syntaxTree } from "@codemirror/language";
import { words } from "../words.js";
import { pickerAt } from "./picker.js";

const ADDRESS = /^(?:https?:\/\/|mailto:|tel:|\/|#)\S+$|^www\.\S+$/i;
const MOST = 8; // titles, so that the list need not scroll
const TITLE = /\[\[[^[\]|\n]*$/;

const picker = pickerAt(linkAt);

export const openLinkPicker = picker.open;

export const linkPicker = (links) => picker.extension({
  label: words.link,
  placeholder: words.findPost,
  typed: (text) => (ADDRESS.test(text) ? { title: words.useAddress, path: text, isTyped: true } : null),
  find: async (text, { value }) => [
    ...(ADDRESS.test(text) ? [{ title: words.useAddress, path: text, isTyped: true }] : await Promise.resolve(links(text)).catch(() => [])),
    ...(value ? [{ title: words.unlink, isNone: true }] : []),
  ],
  none: words.nothing,
  line: ({ title, path, isNone }) => (isNone ? [title] : [title, path || words.draft]),
  write: (option, place) => (option.isNone ? place.words : linkOf(option, place.words)),
});

// Over the link the cursor is in, else over what is chosen.
function linkAt(state) {
  const { from, to } = state.selection.main;
  for (let node = syntaxTree(state).resolveInner(from, 1); node; node = node.parent) {
    if (node.name !== "Link" || node.to < to) continue;
    const marks = node.getChildren("LinkMark");
    const url = node.getChild("URL");
    if (marks.length < 2) break;
    return { from: node.from, to: node.to, words: state.sliceDoc(marks[0].to, marks[1].from), value: url ? state.sliceDoc(url.from, url.to) : "" };
  }
  return { from, to, words: state.sliceDoc(from, to), value: "" };
}

// What has no address yet is linked by its title, and found when it has one.
function linkOf({ title, path, isTyped }, words) {
  if (!path) return words && words !== title ? `[[${title}|${words}]]` : `[[${title}]]`;
  const address = /^www\./i.test(path) ? `https://${path}` : path;
  if (isTyped && !words && /^https?:/.test(address)) return `<${address}>`;
  return `[${words || (isTyped ? address : title.replace(/[[\]]/g, "\\$&"))}](${address})`;
}

export const titleLinks = (links) => async (context) => {
  const call = context.matchBefore(TITLE);
  if (!call) return null;
  const found = await links(call.text.slice(2)).catch(() => []);
  return { from: call.from + 2, filter: false, options: found.slice(0, MOST).map(({ title, path }) => ({ label: title, detail: path, apply: closing(title) })) };
};

const closing = (title) => (view, _completion, from, to) => {
  const isClosed = view.state.sliceDoc(to, to + 2) === "]]";
  view.dispatch({ changes: { from, to, insert: title + (isClosed ? "" : "]]") }, selection: { anchor: from + title.length + 2 }, userEvent: "input.complete" });
};
