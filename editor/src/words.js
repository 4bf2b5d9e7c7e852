// What the editor says: as the page has it, in the language of whoever sits at the desk; else in English.
import ENGLISH from "../../static/js/editor-words.json" with { type: "json" };

const page = globalThis.document;

export const words = { ...ENGLISH, ...JSON.parse(page?.querySelector("post-editor")?.dataset.words ?? "{}") };

/** Values in their places: put("{name} left.", { name }). A name that has none stays as it is. */
export const put = (sentence, values) => sentence.replace(/\{(\w+)\}/g, (place, name) => values[name] ?? place);

/** A sentence after a colon. English begins small there; other languages may not. */
export function inside(sentence) {
  const end = sentence.replace(/\.$/, "");
  return (page?.documentElement.lang ?? "en").startsWith("en") ? end.charAt(0).toLowerCase() + end.slice(1) : end;
}
