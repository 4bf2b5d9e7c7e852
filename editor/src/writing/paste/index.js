// Pasted HTML as Markdown of this site: what Word, Google Docs and pages mean, and none of how they look.
import { ChangeSet, Text } from "@codemirror/state";
import { alignTable } from "../tables.js";
import { isListParagraph, wordList } from "./word.js";
import { BREAK, escapedStart, marksOf, nameOf, pictureOf, styleOf, wordsOf } from "./words.js";

const SKIPPED = /^(?:script|style|noscript|template|head|title|meta|link|svg|math|button|input|select|textarea|iframe|object|xml|o:p|#comment)$/;
const BLOCKS = /^(?:address|article|aside|blockquote|body|center|dd|details|div|dl|dt|fieldset|figcaption|figure|footer|form|h[1-6]|header|hr|html|li|main|nav|ol|p|pre|section|summary|table|tbody|td|th|thead|tr|ul)$/;
const MEANT = "h1,h2,h3,h4,h5,h6,ul,ol,table,blockquote,pre,code,img,a[href],b,strong,i,em,s,del,hr,p[class^=MsoList],p[class^=MsoTitle],[data-style*='font-weight:7'],[data-style*='font-style:italic']";
const HIDDEN = /display:\s*none|mso-hide:\s*all/i;

// HTML whose styles are only read and whose handlers are no such: the content policy complains of each, also where nobody sees it.
export function unstyled(html) {
  return html.replace(/<style\b[^]*?<\/style>/gi, "").replace(/<[a-z][^>]*>/gi, (tag) => tag.replace(/(\s)(style|on\w+)(?=\s*=)/gi, "$1data-$2"));
}

// Takes the body of an `unstyled` document. Null if it says nothing that plain text does not say, too: then what was typed elsewhere as Markdown stays Markdown.
export function toMarkdown(body) {
  const isCode = /white-space:\s*pre(?![-\w])/.test(styleOf(body.firstElementChild ?? body)); // of an editor
  if (isCode || !body.querySelector(MEANT)) return null;
  const shift = body.querySelector("h1, .MsoTitle") ? 1 : 0; // a post's title is the only heading of the first level
  return blocksOf(body, { shift, marks: {} }).join("\n\n").trim();
}

// The blocks in a node, each as Markdown. What stands between blocks makes paragraphs.
function blocksOf(node, context) {
  const blocks = [];
  let runs = [];
  const flush = () => {
    const words = escapedStart(wordsOf(runs));
    if (words) blocks.push(words);
    runs = [];
  };
  const children = [...node.childNodes];
  for (let at = 0; at < children.length; at++) {
    const child = children[at];
    if (isListParagraph(child)) {
      flush();
      const paragraphs = [child];
      while (isListParagraph(nextElement(children, at)) ) paragraphs.push(children[(at = indexOfNext(children, at))]);
      blocks.push(wordList(paragraphs, (each) => wordsOf(runsOf(each, context.marks))));
    } else if (isBlock(child)) {
      flush();
      blocks.push(...blockOf(child, context));
    } else {
      runs.push(...runsOf(child, context.marks, true));
    }
  }
  flush();
  return blocks.filter(Boolean);
}

const indexOfNext = (children, at) => children.findIndex((each, number) => number > at && each.nodeType === 1);
const nextElement = (children, at) => children[indexOfNext(children, at)];

// An inline element around blocks (Docs wraps all in <b>) is none.
function isBlock(node) {
  if (node.nodeType !== 1 || SKIPPED.test(nameOf(node))) return false;
  return BLOCKS.test(nameOf(node)) || [...node.childNodes].some(isBlock);
}

const isShown = (node) => !SKIPPED.test(nameOf(node)) && !HIDDEN.test(styleOf(node));

function blockOf(element, context) {
  if (!isShown(element)) return [];
  const name = nameOf(element);
  const heading = /^h([1-6])$/.exec(name)?.[1] ?? (/\bMsoTitle\b/.test(element.className) ? 1 : 0);
  if (heading) return [headingOf(element, Number(heading) + context.shift)];
  if (/MsoQuote|MsoIntenseQuote/.test(element.className)) return [quoted([wordsOf(runsOf(element, context.marks).map((run) => ({ ...run, emphasis: false })))])];
  const of = { ul: listOf, ol: listOf, pre: codeOf, table: tableOf, figure: figureOf, blockquote: quoteOf, hr: () => ["---"] }[name];
  return of ? of(element, context) : blocksOf(element, { ...context, marks: BLOCKS.test(name) ? context.marks : marksOf(element, context.marks) });
}

function headingOf(element, level) {
  const words = wordsOf(runsOf(element, {}).filter((run) => !run.isBreak).map((run) => ({ ...run, strong: false })));
  return words && `${"#".repeat(Math.min(level, 6))} ${words}`;
}

const quoteOf = (element, context) => [quoted(blocksOf(element, context))];
const quoted = (blocks) => blocks.join("\n\n").replace(/^(?=.)/gm, "> ").replace(/^$/gm, ">");

function codeOf(element) {
  const code = element.textContent.replace(/\n$/, "");
  const classes = [element, element.querySelector("code"), element.parentNode].map((each) => each?.getAttribute?.("class") ?? "").join(" ");
  const language = /(?:language-|lang-|highlight-source-|brush:\s*)([\w+-]+)/.exec(classes)?.[1] ?? "";
  const ticks = "`".repeat(1 + Math.max(2, ...[...code.matchAll(/`{3,}/g)].map(([run]) => run.length)));
  return [`${ticks}${language}\n${code}\n${ticks}`];
}

function figureOf(element, context) {
  const picture = element.querySelector("img");
  const caption = element.querySelector("figcaption")?.textContent.replace(/\s+/g, " ").trim() ?? "";
  return picture && !element.querySelector("pre, table, blockquote") ? [pictureOf(picture, caption)] : blocksOf(element, context);
}

// --- lists ---

function listOf(element, context) {
  const isNumbered = nameOf(element) === "ol";
  let number = Number(element.getAttribute("start") ?? 1);
  const items = [];
  for (const child of element.childNodes) {
    if (child.nodeType !== 1) continue;
    if (nameOf(child) === "li") items.push({ mark: isNumbered ? `${number++}. ` : "- ", tick: tickOf(child), blocks: blocksOf(child, context) });
    else if (items.length) items.at(-1).blocks.push(...blockOf(child, context)); // Docs puts a list into a list, and not into its item
    else items.push({ mark: "- ", tick: "", blocks: blockOf(child, context) });
  }
  const isLoose = items.some(({ blocks }) => blocks.filter((block) => !/^(?:[-*]|\d+\.) /.test(block)).length > 1);
  return [items.filter(({ blocks }) => blocks.length).map((item) => itemOf(item, isLoose)).join(isLoose ? "\n\n" : "\n")];
}

const itemOf = ({ mark, tick, blocks }, isLoose) => mark + tick + blocks.join(isLoose ? "\n\n" : "\n").replace(/\n(?=.)/g, `\n${" ".repeat(mark.length)}`);

function tickOf(item) {
  const box = item.querySelector("input[type=checkbox]");
  if (box && box.closest?.("li") !== item && box.parentNode !== item) return "";
  if (!box && item.getAttribute("role") !== "checkbox") return "";
  return box?.hasAttribute("checked") || item.getAttribute("aria-checked") === "true" ? "[x] " : "[ ] ";
}

// --- tables ---

function tableOf(element, context) {
  const rows = Array.from(element.querySelectorAll("tr")).map((row) => Array.from(row.childNodes).filter((cell) => /^t[dh]$/.test(nameOf(cell))));
  const width = Math.max(0, ...rows.map((cells) => cells.length));
  if (width <= 1) return rows.flat().flatMap((cell) => blocksOf(cell, context)); // a frame, no table
  const lines = rows.map((cells) => `| ${Array.from({ length: width }, (_, at) => cellOf(cells[at])).join(" | ")} |`);
  lines.splice(1, 0, `|${" --- |".repeat(width)}`);
  const text = Text.of(lines);
  return [ChangeSet.of(alignTable(text, { first: 1, last: text.lines }), text.length).apply(text).toString()];
}

function cellOf(cell) {
  if (!cell) return "";
  const runs = runsOf(cell, {}).map((run) => (run.isBreak ? { text: " " } : nameOf(cell) === "th" ? { ...run, strong: false } : run));
  return wordsOf(runs).replace(/\|/g, "\\|");
}

// --- words ---

// The sign beside a heading that links to it.
const isMarkOfItsPlace = (link) => /^[§¶#]$/.test(link.textContent.trim()) && (link.getAttribute("href") ?? "").includes("#");

// Of a node and all in it. Where blocks meet within a line, there is a space.
function runsOf(node, marks, isItself = false) {
  if (node.nodeType === 3) return [{ ...marks, text: node.nodeValue }];
  if (node.nodeType !== 1 || !isShown(node)) return [];
  const name = nameOf(node);
  if (name === "br") return [BREAK];
  if (name === "a" && isMarkOfItsPlace(node)) return [];
  if (name === "img") return [{ text: pictureOf(node), raw: true, link: marks.link }];
  const its = isItself || !BLOCKS.test(name) ? marksOf(node, marks) : marks;
  const runs = [...node.childNodes].flatMap((child) => runsOf(child, its, true));
  return isItself && BLOCKS.test(name) ? [{ text: " " }, ...runs, { text: " " }] : runs;
}
