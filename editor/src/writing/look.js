// How Markdown looks while one writes it: classes on words and on lines; static/css/editor.css says the rest.
import { syntaxHighlighting, syntaxTree } from "@codemirror/language";
import { Decoration, EditorView, ViewPlugin, WidgetType } from "@codemirror/view";
import { tagHighlighter, tags } from "@lezer/highlight";
import { aside, marked } from "./dialect.js";

const CALLOUT = /^\s*(?:>\s*)+\[!(note|tip|important|warning|caution)\]/i;
const OWN_OR_SECURE = /^(?:\/(?!\/)|https:\/\/)/;

const classes = tagHighlighter([
  { tag: [tags.heading, tags.strong], class: "tok-strong" },
  { tag: tags.emphasis, class: "tok-emphasis" },
  { tag: tags.strikethrough, class: "tok-struck" },
  { tag: marked, class: "tok-marked" },
  { tag: tags.link, class: "tok-link" },
  { tag: tags.monospace, class: "tok-monospace" },
  { tag: [tags.processingInstruction, tags.labelName, aside, tags.contentSeparator], class: "tok-meta" },
  { tag: tags.url, class: "tok-url" },
  { tag: [tags.keyword, tags.operatorKeyword, tags.modifier, tags.tagName, tags.bool, tags.null], class: "tok-keyword" },
  { tag: [tags.string, tags.regexp, tags.attributeValue, tags.special(tags.string), tags.inserted], class: "tok-string" },
  { tag: [tags.comment, tags.meta], class: "tok-comment" },
  { tag: [tags.typeName, tags.className, tags.namespace, tags.number, tags.attributeName], class: "tok-type" },
  { tag: tags.deleted, class: "tok-deleted" },
]);

// The lines of a node have these classes.
const LINES = {
  SetextHeading1: "h1", SetextHeading2: "h2",
  ...Object.fromEntries([1, 2, 3, 4, 5, 6].map((level) => [`ATXHeading${level}`, `h${level}`])),
  FencedCode: "code", CodeBlock: "code", MathsBlock: "code", HTMLBlock: "html", Table: "table", Callout: "boxed", HorizontalRule: "rule", CommentBlock: "html",
};
const DEEPEST = 4;

function decorate(view) {
  const lines = new Map(); // where a line begins → its classes
  const pictures = [];
  const { doc } = view.state;
  const add = (visible, from, to, name) => {
    for (let line = doc.lineAt(Math.max(from, visible.from)); line.from <= Math.min(to, visible.to); line = doc.line(line.number + 1)) {
      lines.set(line.from, `${lines.get(line.from) ?? ""} ${name}`);
      if (line.number === doc.lines) break;
    }
  };
  for (const visible of view.visibleRanges) {
    let depth = 0;
    syntaxTree(view.state).iterate({
      ...visible,
      enter(node) {
        const { name, from, to } = node;
        if (LINES[name]) add(visible, from, to, LINES[name]);
        if (name === "Blockquote") add(visible, from, to, calloutOf(doc, from) ?? "quote");
        if (name === "ListItem") {
          depth += 1;
          add(visible, from, to, `in in-${Math.min(depth, DEEPEST)}`);
          add(visible, from, from, `item ${markOf(doc, from)}`);
        }
        if (name === "Paragraph" && isPictures(doc.sliceString(from, Math.min(to, from + 2000)))) add(visible, from, to, "picture");
        if (name === "Image") {
          const line = doc.lineAt(from);
          const address = node.node.getChild("URL");
          if (address && /(?:^| )picture/.test(lines.get(line.from) ?? "")) pictures.push([line.from, doc.sliceString(address.from, address.to)]);
        }
        if (name === "CommentBlock" && /^<!--\s*more\s*-->/.test(doc.sliceString(from, to))) add(visible, from, to, "more");
        return !/^(?:FencedCode|CodeBlock)$/.test(name);
      },
      leave(node) {
        if (node.name === "ListItem") depth -= 1;
      },
    });
  }
  const decorations = [...lines].map(([from, names]) => Decoration.line({ class: names.trim() }).range(from));
  for (const [from, address] of pictures) {
    if (OWN_OR_SECURE.test(address)) decorations.push(Decoration.widget({ widget: new Picture(address), side: -1 }).range(from));
  }
  return Decoration.set(decorations, true);
}

const isPictures = (text) => /^(?:!\[[^\]]*\]\([^)\n]*\)(?:\{[^}\n]*\})?\s*)+$/.test(text);

function calloutOf(doc, from) {
  const kind = CALLOUT.exec(doc.lineAt(from).text)?.[1].toLowerCase();
  return kind && `boxed ${kind}`;
}

function markOf(doc, from) {
  const text = doc.sliceString(from, from + 12);
  return /^[-*+] \[[ xX]\] /.test(text) ? "task" : /^\d/.test(text) ? "number" : "bullet";
}

class Picture extends WidgetType {
  constructor(address) {
    super();
    this.address = address;
  }

  eq(other) {
    return other.address === this.address;
  }

  toDOM(view) {
    const picture = new Image();
    picture.className = "cm-picture";
    picture.alt = "";
    picture.addEventListener("load", () => view.requestMeasure());
    picture.addEventListener("error", () => { picture.hidden = true; });
    picture.src = this.address;
    return picture;
  }

  ignoreEvent() {
    return false;
  }
}

const lines = ViewPlugin.define(
  (view) => ({
    decorations: decorate(view),
    update(update) {
      const isParsed = syntaxTree(update.startState) !== syntaxTree(update.state);
      if (update.docChanged || update.viewportChanged || isParsed) this.decorations = decorate(update.view);
    },
  }),
  { decorations: (plugin) => plugin.decorations },
);

export const look = [syntaxHighlighting(classes), lines, EditorView.lineWrapping, EditorView.perLineTextDirection.of(true)];
