// Who wrote what: read off the items of a Yjs text, each of which knows the client that made it.
//
// https://github.com/yjs/yjs/blob/main/INTERNALS.md describes the list of items. GET /admin/posts/ID/writers says whose a client is.

/**
 * The text in stretches, one after the other: {from, to, client}, in the units of Y.Text (UTF-16). Neighbours of one client are one.
 * @param {import("yjs").Text} text
 */
export function stretches(text) {
  const found = [];
  let at = 0;
  for (let item = text._start; item !== null; item = item.right) {
    if (item.deleted || !item.countable) continue;
    const last = found.at(-1);
    if (last?.client === item.id.client) last.to += item.length;
    else found.push({ from: at, to: at + item.length, client: item.id.client });
    at += item.length;
  }
  return found;
}

/**
 * The same by people: {from, to, person}. `writers`: client → {id, name, colour}; person is null for a client that nobody knows.
 * Several windows of one person are one.
 */
export function authorship(text, writers) {
  const found = [];
  for (const { from, to, client } of stretches(text)) {
    const person = writers[client] ?? null;
    const last = found.at(-1);
    if (last && last.person?.id === person?.id) last.to = to;
    else found.push({ from, to, person });
  }
  return found;
}

/** Who wrote what stands at a place, or null. */
export function authorAt(text, writers, place) {
  return authorship(text, writers).find(({ from, to }) => from <= place && place < to)?.person ?? null;
}
