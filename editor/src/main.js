// The one script of the editor: mounts the writing surface over the form's <textarea>, which works without it.
import { Doc } from "yjs";
import { createWriter } from "./writing/index.js";

const textarea = document.querySelector("#post textarea[name=text]");

if (textarea) {
  const text = new Doc().getText("content");
  text.insert(0, textarea.value);
  createWriter({ textarea, text, readOnly: textarea.readOnly });
}
