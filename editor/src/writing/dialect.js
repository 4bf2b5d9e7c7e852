// What of the site's Markdown CodeMirror has to know besides CommonMark and GitHub's tables, tasks and struck words: as docs/guide/writing.md has it.
import { markdownLanguage, pasteURLAsLink } from "@codemirror/lang-markdown";
import { Language } from "@codemirror/language";
import { Tag, tags } from "@lezer/highlight";
import { parseCode } from "@lezer/markdown";
import { codeParser, tagParser } from "./languages.js";

const SPECIAL = { "=": 61, "[": 91, "\\": 92, "$": 36 };
const CALLOUT = /^(?:(?:!!!|\?\?\?\+?) ?[\w-]*(?: +[\w-]+)*(?: +"[^"]*")?|===[!+]* +"[^"]*")[ \t]*$/;
const NOTE = /^\[\^[^\]\s]+\]:[ \t]*/;
const INSIDE = 4; // columns before what belongs to a callout or a note

export const marked = Tag.define();
export const aside = Tag.define();

const mark = { resolve: "Marked", mark: "MarkedMark" };

const words = {
  defineNodes: [
    { name: "Marked", style: { "Marked/...": marked } },
    { name: "MarkedMark", style: tags.processingInstruction },
    { name: "NoteCall", style: tags.url },
    { name: "TitleLink", style: { "TitleLink/...": tags.link } },
    { name: "TitleLinkMark", style: tags.processingInstruction },
    { name: "Maths", style: tags.monospace },
  ],
  parseInline: [
    {
      name: "Marked",
      after: "Emphasis",
      parse(inline, next, at) {
        if (next !== SPECIAL["="] || inline.char(at + 1) !== SPECIAL["="] || inline.char(at + 2) === SPECIAL["="]) return -1;
        const [before, behind] = [inline.slice(at - 1, at), inline.slice(at + 2, at + 3)];
        return inline.addDelimiter(mark, at, at + 2, /\S/.test(behind), /\S/.test(before));
      },
    },
    span("NoteCall", "[", /^\[\^[^\]\s]+\]/),
    {
      name: "TitleLink",
      before: "Link",
      parse(inline, next, at) {
        const found = next === SPECIAL["["] && /^\[\[[^[\]\n]+\]\]/.exec(inline.slice(at, inline.end));
        if (!found) return -1;
        const end = at + found[0].length;
        const marks = [inline.elt("TitleLinkMark", at, at + 2), inline.elt("TitleLinkMark", end - 2, end)];
        return inline.addElement(inline.elt("TitleLink", at, end, marks));
      },
    },
    span("Maths", "\\", /^\\\([^\n]+?\\\)/, "Escape"),
    span("DisplayMaths", "$", /^\$\$[^$]+\$\$/, "Escape"),
  ],
};

function span(name, first, pattern, before = "Link") {
  return {
    name,
    before,
    parse(inline, next, at) {
      const found = next === SPECIAL[first] && pattern.exec(inline.slice(at, inline.end));
      return found ? inline.addElement(inline.elt(name === "DisplayMaths" ? "Maths" : name, at, at + found[0].length)) : -1;
    },
  };
}

// Both go on as long as what follows is indented: its Markdown is read, and not taken for code.
const indented = (name) => ({
  name,
  block: true,
  composite(_, line) {
    if (line.pos >= line.text.length) return true;
    if (line.indent < line.baseIndent + INSIDE) return false;
    line.moveBaseColumn(line.baseIndent + INSIDE);
    return true;
  },
});

const blocks = {
  defineNodes: [
    indented("Callout"),
    indented("Note"),
    { name: "CalloutMark", style: aside },
    { name: "NoteMark", style: tags.processingInstruction },
    { name: "MathsBlock", block: true, style: tags.monospace },
  ],
  parseBlock: [
    beginning("Callout", "CalloutMark", CALLOUT),
    beginning("Note", "NoteMark", NOTE),
    {
      name: "MathsBlock",
      before: "LinkReference",
      parse(block, line) {
        if (!/^\$\$\s*$/.test(line.text.slice(line.pos))) return false;
        const from = block.lineStart + line.pos;
        while (block.nextLine() && !/\$\$\s*$/.test(line.text)) /* the formula */;
        const end = block.lineStart + line.text.length;
        block.addElement(block.elt("MathsBlock", from, end));
        block.nextLine();
        return true;
      },
    },
  ],
};

function beginning(name, markName, pattern) {
  return {
    name,
    before: "LinkReference",
    parse(block, line) {
      const found = pattern.exec(line.text.slice(line.pos));
      if (!found) return false;
      const from = block.lineStart + line.pos;
      block.startComposite(name, line.pos);
      block.addElement(block.elt(markName, from, from + found[0].trimEnd().length));
      line.moveBase(line.pos + found[0].length);
      return null;
    },
    endLeaf: (_, line) => pattern.test(line.text.slice(line.pos)),
  };
}

const parser = markdownLanguage.parser.configure([{ remove: ["Emoji"] }, words, blocks, parseCode({ codeParser, htmlParser: tagParser })]);

export const dialect = [new Language(markdownLanguage.data, parser, [], "markdown"), pasteURLAsLink];
