// The words of pasted HTML as runs of equal marks, and those as Markdown.
const BOLD = /font-weight:\s*(?:bold|[6-9]00)/i;
const NOT_BOLD = /font-weight:\s*(?:normal|[1-4]00)/i;
const ITALIC = /font-style:\s*italic/i;
const STRUCK = /text-decoration[^;]*line-through/i;
const FIXED = /font-family:[^;]*(?:courier|consolas|menlo|monaco|mono)/i;
const TRACKING = /^(?:utm_\w+|fbclid|gclid|mc_[ce]id|igshid)$/;
const SIGNS = { strong: "**", emphasis: "*", struck: "~~", marked: "==", raised: "^", lowered: "~" };
const ORDER = ["link", ...Object.keys(SIGNS), "code"];

export const styleOf = (element) => element.getAttribute?.("data-style") ?? "";
export const nameOf = (element) => element.nodeName.toLowerCase();
export const BREAK = { text: "\n", isBreak: true };

// The marks that an element adds to those it stands in.
export function marksOf(element, marks) {
  const name = nameOf(element), style = styleOf(element);
  const its = { ...marks };
  if ((/^(?:b|strong)$/.test(name) || BOLD.test(style)) && !NOT_BOLD.test(style)) its.strong = true;
  else if (NOT_BOLD.test(style)) its.strong = false;
  if (/^(?:i|em|cite|dfn)$/.test(name) || ITALIC.test(style)) its.emphasis = !/font-style:\s*normal/i.test(style);
  if (/^(?:s|del|strike)$/.test(name) || STRUCK.test(style)) its.struck = true;
  if (name === "mark") its.marked = true;
  if (name === "sup" || /vertical-align:\s*super/i.test(style)) its.raised = true;
  if (name === "sub" || /vertical-align:\s*sub\b/i.test(style)) its.lowered = true;
  if (/^(?:code|tt|samp)$/.test(name) || FIXED.test(style)) its.code = true;
  if (name === "a") its.link = addressOf(element.getAttribute("href")) || marks.link;
  return its;
}

// Where a link leads to without whoever wants to know that it was followed; "" for what leads nowhere outside of its page.
export function addressOf(href) {
  if (!href || !/^(?:https?:|mailto:|tel:|\/)/i.test(href.trim())) return "";
  try {
    const url = new URL(href.trim(), "relative:///");
    if (url.protocol === "relative:") return href.trim();
    if (/(?:^|\.)google\.\w+$/.test(url.hostname) && url.pathname === "/url") return addressOf(url.searchParams.get("q") ?? url.searchParams.get("url"));
    const kept = [...url.searchParams.keys()].filter((name) => TRACKING.test(name));
    for (const name of kept) url.searchParams.delete(name);
    return atHome(kept.length ? url.href : href.trim());
  } catch {
    return "";
  }
}

// What is of this very site is found there wherever it moves.
function atHome(address) {
  const home = globalThis.location?.origin;
  return home && address.startsWith(`${home}/`) ? address.slice(home.length) : address;
}

export function pictureOf(element, caption = "") {
  const source = element.getAttribute("src") ?? "";
  const isPixel = [element.getAttribute("width"), element.getAttribute("height")].some((size) => size === "1" || size === "0");
  if (isPixel || !/^(?:https?:|\/)/i.test(source)) return "";
  const alternative = (element.getAttribute("alt") ?? "").replace(/[[\]]/g, "\\$&").replace(/\s+/g, " ");
  return `![${alternative}](${inBrackets(atHome(source))}${caption ? ` "${caption.replace(/"/g, '\\"')}"` : ""})`;
}

const inBrackets = (address) => (/[\s()<>]/.test(address) ? `<${address.replace(/[<>\n]/g, encodeURIComponent)}>` : address);

// --- runs to Markdown ---

export function wordsOf(runs) {
  return lines(collapsed(runs)).map((line) => marked(line, ORDER).trim()).join("\\\n").replace(/^(?:\\\n)+|(?:\\\n)+$/g, "");
}

// White space as browsers show it: one space, also across runs.
function collapsed(runs) {
  let isSpaced = true;
  return runs.map((run) => {
    if (run.isBreak) return (isSpaced = true), run;
    let text = run.text.replace(/[ \t\n\r\f]+/g, " ");
    if (isSpaced) text = text.replace(/^ /, "");
    if (text) isSpaced = text.endsWith(" ");
    return { ...run, text };
  });
}

function lines(runs) {
  const found = [[]];
  for (const run of runs) run.isBreak ? found.push([]) : found.at(-1).push(run);
  return found;
}

function marked(runs, [mark, ...others]) {
  if (!mark) return runs.map((run) => (run.raw ? run.text : escaped(run.text))).join("");
  const groups = [];
  for (const run of runs) {
    if (groups.at(-1)?.value === (run[mark] ?? "")) groups.at(-1).runs.push(run);
    else groups.push({ value: run[mark] ?? "", runs: [run] });
  }
  return groups.map(({ value, runs: same }) => (value ? around(mark, value, same, others) : marked(same, others))).join("");
}

// The mark close to the words: spaces stay outside.
function around(mark, value, runs, others) {
  const inner = mark === "code" ? runs.map((run) => run.text).join("") : marked(runs, others);
  const [, before, words, behind] = /^(\s*)([^]*?)(\s*)$/.exec(inner);
  if (!words) return inner;
  if (mark === "code") return before + ticked(words) + behind;
  if (mark === "link") return `${before}${linked(words, value)}${behind}`;
  return before + SIGNS[mark] + words + SIGNS[mark] + behind;
}

function linked(words, address) {
  const plain = words.replace(/\\(?=[^\w\s])/g, "");
  return plain === address && /^https?:/.test(address) ? `<${address}>` : `[${words}](${inBrackets(address)})`;
}

export function ticked(code) {
  const ticks = "`".repeat(1 + Math.max(0, ...[...code.matchAll(/`+/g)].map(([run]) => run.length)));
  const gap = /^`|`$/.test(code) ? " " : "";
  return ticks + gap + code + gap + ticks;
}

// Only what would be read as a mark.
export function escaped(text) {
  return text
    .replace(/\u00a0/g, " ")
    .replace(/\\(?=[!-/:-@[-`{-~])|[*`]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])|~~|==|<(?=[a-z/!?])|&(?=#?\w+;)|\[(?=[^\]]*\][[(:])|\[(?=[[^])/giu, "\\$&");
}

// What would begin a block, at the beginning of a paragraph's line.
export const escapedStart = (text) => text.replace(/^(?:#{1,6}(?=\s)|>|[-+](?=\s)|(?:---+|===+)$|!!!|\?\?\?|:(?=\s))/gm, "\\$&").replace(/^(\d{1,9})([.)])(?=\s)/gm, "$1\\$2");
