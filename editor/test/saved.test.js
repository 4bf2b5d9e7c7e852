import assert from "node:assert/strict";
import test from "node:test";
import { stateOf } from "../src/page/saved.js";

const AT_REST = { isDirty: false, isConnected: true, isKept: true, refusal: "", readOnly: "" };
const said = (facts) => stateOf({ ...AT_REST, ...facts }).join(": ");

test("nothing is called saved that is not on the server's disk", () => {
  assert.equal(said({}), "saved: Saved");
  assert.equal(said({ isDirty: true }), "saving: Saving…");
  assert.equal(said({ isDirty: true, isConnected: false }), "offline: Offline: kept on this device");
  assert.equal(said({ isDirty: true, isConnected: false, isKept: false }), "error: Cannot save: no connection, and this browser keeps nothing");
  assert.equal(said({ isDirty: true, refusal: "The disk is full." }), "error: Cannot save: the disk is full");
});

test("who may only read is told so, and that words of his own are not saved", () => {
  assert.equal(said({ readOnly: "50 people write here." }), "reading: Reading along");
  assert.equal(said({ readOnly: "This is in the trash.", isDirty: true }), "error: Cannot save: this is in the trash");
});
