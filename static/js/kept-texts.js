// Texts that the editor keeps on this device (editor/src/document/kept.js), one database each: what they are called, which there are, and how
// those that the server has, too, go away when somebody signs out. Databases are laid out by y-indexeddb.
export const STORED = "isStored"; // in the store "custom"
const START = "squall";

/** `post`: an id, or "new-post", "new-page". `lineage`: of the document; two of different ones must never be merged. */
export const nameOf = (person, post, lineage) => [START, person, post, lineage].join("/");

/** Names of what is kept for a person's post; without one, of everything. */
export async function keptTexts(person, post) {
  const all = (await globalThis.indexedDB?.databases?.().catch(() => [])) ?? [];
  const start = person ? nameOf(person, post, "") : `${START}/`;
  return all.map(({ name }) => name).filter((name) => name.startsWith(start));
}

/** While a text is open, nobody deletes it; returns what lets go of it. Browsers have locks on safe origins only. */
export function hold(name) {
  let release = () => {};
  const released = new Promise((resolve) => { release = resolve; });
  navigator.locks?.request(name, { mode: "shared" }, () => released);
  return release;
}

/** Delete what the server has. What it does not have stays, for the same person to come back to. */
export async function forgetStored() {
  if (!navigator.locks) return;
  const one = (name) => navigator.locks.request(name, { signal: AbortSignal.timeout(500) }, () => forgetIfStored(name));
  await Promise.allSettled((await keptTexts()).map(one));
}

async function forgetIfStored(name) {
  const database = await answer(indexedDB.open(name));
  const isStored = await answer(database.transaction("custom").objectStore("custom").get(STORED)).finally(() => database.close());
  if (isStored) await answer(indexedDB.deleteDatabase(name));
}

function answer(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
