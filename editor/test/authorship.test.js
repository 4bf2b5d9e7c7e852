import assert from "node:assert/strict";
import { test } from "node:test";
import * as Y from "yjs";
import { authorAt, authorship, stretches } from "../src/document/authorship.js";

function written(client, base = null) {
  const doc = new Y.Doc();
  doc.clientID = client;
  if (base) Y.applyUpdate(doc, Y.encodeStateAsUpdate(base));
  return [doc, doc.getText("content")];
}

const WRITERS = { 1: { id: 7, name: "Ana", colour: 1 }, 2: { id: 8, name: "Cem", colour: 2 }, 3: { id: 7, name: "Ana", colour: 1 } };

test("each stretch has its writer, and what was deleted has none", () => {
  const [first, text] = written(1);
  text.insert(0, "The 🌊 tide is low.");
  const [second, theirs] = written(2, first);
  theirs.delete(15, 3);
  theirs.insert(15, "high");
  assert.deepEqual(stretches(theirs), [{ from: 0, to: 15, client: 1 }, { from: 15, to: 19, client: 2 }, { from: 19, to: 20, client: 1 }]);
  assert.equal(theirs.toString(), "The 🌊 tide is high.");
  assert.equal(authorAt(theirs, WRITERS, 16).name, "Cem");
  assert.equal(authorAt(theirs, WRITERS, 20), null);
  second.destroy();
});

test("windows of one person are one, and strangers are nobody", () => {
  const [first, text] = written(1);
  text.insert(0, "One. ");
  const [second, more] = written(3, first);
  more.insert(5, "Two. ");
  const [, rest] = written(9, second);
  rest.insert(10, "Three.");
  assert.deepEqual(authorship(rest, WRITERS), [{ from: 0, to: 10, person: WRITERS[1] }, { from: 10, to: 16, person: null }]);
  assert.deepEqual(authorship(new Y.Doc().getText("empty"), WRITERS), []);
});
