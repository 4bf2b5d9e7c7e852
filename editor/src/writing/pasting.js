// What is pasted: HTML as Markdown, line ends as they are kept here. Plain text in code, and wherever Ctrl-Shift-V says so.
import { syntaxTree } from "@codemirror/language";
import { EditorView } from "@codemirror/view";
import { toMarkdown, unstyled } from "./paste/index.js";

const ADDRESS = /^(?:https?:\/\/|mailto:|www\.)\S+$/;

const fromHtml = EditorView.domEventHandlers({
  paste(event, view) {
    const html = event.clipboardData?.getData("text/html");
    if (!html || view.state.readOnly || isCode(view.state)) return false;
    if (!view.state.selection.main.empty && ADDRESS.test(event.clipboardData.getData("text/plain").trim())) return false; // makes a link
    const markdown = toMarkdown(new DOMParser().parseFromString(unstyled(html), "text/html").body);
    if (markdown === null) return false;
    event.preventDefault();
    insert(view, markdown);
    return true;
  },
});

// Several blocks stand on lines of their own.
function insert(view, markdown) {
  const { doc, selection: { main: { from, to } } } = view.state;
  const [before, after] = [doc.sliceString(doc.lineAt(from).from, from), doc.sliceString(to, doc.lineAt(to).to)];
  const isBlock = markdown.includes("\n") || /^(?:#{1,6} |[-*>|] |\d+\. )/.test(markdown);
  const [above, below] = [before, after].map((beside) => (isBlock && beside.trim() ? "\n\n" : ""));
  const changes = { from, to, insert: view.state.toText(above + markdown + below) };
  view.dispatch({ changes, selection: { anchor: from + above.length + markdown.length }, userEvent: "input.paste", scrollIntoView: true });
}

function isCode(state) {
  for (let node = syntaxTree(state).resolveInner(state.selection.main.from, -1); node; node = node.parent) {
    if (/^(?:FencedCode|CodeBlock|InlineCode|MathsBlock)$/.test(node.name)) return true;
  }
  return false;
}

export const pasting = [fromHtml, EditorView.clipboardInputFilter.of((text) => text.replace(/\r\n?/g, "\n"))];
