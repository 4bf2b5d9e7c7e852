// One edit that makes one text of another.

/** {at, removed, inserted} in UTF-16 units, never through the middle of a character (Yjs and yrs divide over half of one), or null. */
export function difference(before, after) {
  if (before === after) return null;
  const shorter = Math.min(before.length, after.length);
  let at = 0;
  while (at < shorter && before.charCodeAt(at) === after.charCodeAt(at)) at += 1;
  if (isHalved(before, at) || isHalved(after, at)) at -= 1;
  let end = 0;
  while (end < shorter - at && before.charCodeAt(before.length - 1 - end) === after.charCodeAt(after.length - 1 - end)) end += 1;
  if (isHalved(before, before.length - end) || isHalved(after, after.length - end)) end -= 1;
  return { at, removed: before.length - end - at, inserted: after.slice(at, after.length - end) };
}

/** Do to a shared text what somebody did to a copy of it, `before` → `after`, wherever the place stands by now. */
export function carryOver(text, before, after) {
  const edit = difference(before, after);
  if (!edit) return;
  const now = text.toString();
  const meanwhile = difference(before, now);
  const place = meanwhile ? moved(edit, meanwhile, now) : edit;
  text.doc.transact(() => {
    if (place.removed) text.delete(place.at, place.removed);
    text.insert(place.at, edit.inserted);
  });
}

/** Where an edit belongs after another one. What both changed is left as the other made it, and ours stands behind it. */
function moved(edit, other, now) {
  const end = other.at + other.removed;
  if (edit.at + edit.removed <= other.at) return edit;
  if (edit.at >= end) return { at: edit.at + other.inserted.length - other.removed, removed: edit.removed };
  return { at: Math.min(now.length, other.at + other.inserted.length), removed: 0 };
}

function isHalved(text, at) {
  const [before, after] = [text.charCodeAt(at - 1), text.charCodeAt(at)];
  return before >= 0xd800 && before < 0xdc00 && after >= 0xdc00 && after < 0xe000;
}
