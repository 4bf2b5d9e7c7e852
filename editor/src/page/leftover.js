// A text on this device that can no longer become part of the one here: the server began that one anew, or a new post never reached it.
// It is offered as a copy; two beginnings merged would stand there twice.
import * as Y from "yjs";
import { Kept } from "../document/kept.js";
import { keptTexts } from "../../../static/js/kept-texts.js";

/** Put a note into `place` for each. `known`: texts that are here anyway; `create(data)`: makes a post and resolves with its address. */
export async function offerLeftovers({ place, template, person, post, open, known, create }) {
  for (const name of await keptTexts(person, post)) {
    if (name === open?.name || await isOpenElsewhere(name)) continue;
    const leftover = await load(name);
    if (!leftover.text.trim() || leftover.text === known()) await leftover.kept.forget();
    else place.append(note(template, leftover, create));
  }
}

async function isOpenElsewhere(name) {
  const held = (await navigator.locks?.query())?.held ?? [];
  return held.some((lock) => lock.name === name);
}

async function load(name) {
  const doc = new Y.Doc();
  const kept = new Kept(name, doc);
  await kept.whenOpen;
  return { kept, text: doc.getText("content").toString(), title: doc.getMap("fields").get("title") ?? "" };
}

function note(template, { kept, text, title }, create) {
  const element = template.content.firstElementChild.cloneNode(true);
  const start = (title || text).trim().slice(0, 120);
  element.querySelector("q").textContent = start + (start.length < (title || text).trim().length ? "…" : "");
  element.addEventListener("click", async (event) => {
    const act = event.target.closest("button")?.dataset.act;
    if (act === "copy") await navigator.clipboard.writeText(text);
    if (act === "new") {
      const address = await create({ title, text });
      if (!address) return;
      await kept.forget();
      location.assign(address);
    }
    if (act === "forget") {
      await kept.forget();
      element.remove();
    }
  });
  return element;
}
