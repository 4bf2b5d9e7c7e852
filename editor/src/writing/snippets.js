// Snippets: pieces of text that are kept to be used again, found by their words and put in where the cursor is.
import { words } from "../words.js";
import { pickerAt } from "./picker.js";

const picker = pickerAt(({ selection: { main: { from, to } } }) => ({ from, to, value: "" }));

export const openSnippetPicker = picker.open;

/** `snippets(query)`: a promise of [{name, text}]. */
export const snippetPicker = (snippets) => picker.extension({
  label: words.snippet,
  placeholder: words.findSnippet,
  none: words.noSnippets,
  find: snippets,
  line: ({ name, text }) => [name, text.replace(/\s+/g, " ").slice(0, 60)],
  write: ({ text }) => text,
});
