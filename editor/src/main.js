// The one script of the editor: mounts the writing surface over the form's <textarea>, which works without it.
import { Doc } from "yjs";
import { createWriter } from "./writing/index.js";

const textarea = document.querySelector("#post textarea[name=text]");
const PAUSE = 150; // milliseconds without a key before the form says so, too

async function links(query) {
  const answer = await fetch(`${textarea.form.dataset.links}?${new URLSearchParams({ q: query })}`);
  return answer.ok ? (await answer.json()).links : [];
}

function mount() {
  const text = new Doc().getText("content");
  text.insert(0, textarea.value);
  const writer = createWriter({ textarea, text, readOnly: textarea.readOnly, links });
  let waiting;
  textarea.closest(".sheet").addEventListener("write", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      textarea.value = text.toString();
      textarea.dispatchEvent(new Event("input", { bubbles: true }));
    }, PAUSE);
  });
  return writer;
}

if (textarea) mount();
