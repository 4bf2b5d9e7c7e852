// What the surface says, in English; createWriter() takes others by the same names.
import { EditorState } from "@codemirror/state";

export const ENGLISH = {
  text: "Text, in Markdown",
  format: "Format the chosen words",
  bold: "Bold", italic: "Italic", strike: "Struck out", code: "Code", link: "Link", heading: "Heading", quote: "Quote", list: "List",
  // blocks
  blocks: "Blocks",
  heading2: "Heading", heading3: "Smaller heading", picture: "Picture", gallery: "Gallery", bullets: "List", numbers: "Numbered list", tasks: "Tasks",
  codeBlock: "Code block", table: "Table", callout: "Callout", details: "Details", footnote: "Footnote", card: "Card of an address", maths: "Formula",
  more: "Read-more line", rule: "Line between parts",
  // snippets
  snippet: "Snippet", findSnippet: "Words of a snippet", noSnippets: "No snippet has these words",
  // links
  findPost: "Address, or words of a title", noLinks: "No post has these words in its title", useAddress: "Use this address", unlink: "No link",
  draft: "not published",
  // find and replace
  find: "Find", replace: "Replace with", next: "Next", previous: "Previous", matchCase: "Match case", wholeWords: "Whole words",
  replaceOne: "Replace", replaceAll: "All", close: "Close", nothing: "Nothing", found: "$ found", of: "$ of $",
  replaced: "$ replaced",
};

// For what CodeMirror itself says.
export const phrases = (words) => EditorState.phrases.of({ Completions: words.blocks, "replaced $ matches": words.replaced, "replaced match on line $": words.replaced });
