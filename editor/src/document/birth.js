// A new post gets its row with the first key, so that from then on it is like any other.
import { parsed } from "../page/again.js";

const FIRST_WAIT = 1000; // milliseconds
const LONGEST_WAIT = 20_000;

/** Make one of these fields; resolves with {address, page}. Raises Refused when the server says no, TypeError when it cannot be reached. */
export async function create(form, fields = {}) {
  const data = new FormData();
  const given = { title: "", text: "", version: 0, _xsrf: form.elements._xsrf.value, kind: form.elements.kind.value, ...fields };
  for (const [name, value] of Object.entries(given)) data.set(name, value);
  const answer = await fetch(form.dataset.create, { method: "POST", body: data });
  if (!answer.headers.has("X-Request-Id")) throw new TypeError("a proxy's page"); // nobody of ours read it
  const page = parsed(await answer.text());
  if (!answer.ok || !answer.redirected) throw new Refused(answer.status, page);
  return { address: new URL(answer.url).pathname, page };
}

/** The same until it works; `waiting(sentence)` is told why it does not yet. */
export async function createAtLast(form, waiting) {
  for (let wait = FIRST_WAIT; ; wait = Math.min(LONGEST_WAIT, wait * 2)) {
    try {
      return await create(form);
    } catch (error) {
      waiting(error);
    }
    await Promise.race([new Promise((resolve) => { setTimeout(resolve, wait); }), happens("online"), happens("try-again")]);
  }
}

function happens(kind) {
  return new Promise((resolve) => { addEventListener(kind, resolve, { once: true }); });
}

export class Refused extends Error {
  constructor(status, page) {
    super(page.querySelector("main h1, h1")?.textContent.trim() ?? "");
    this.status = status;
  }
}
