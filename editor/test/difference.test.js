import assert from "node:assert/strict";
import test from "node:test";
import * as Y from "yjs";
import { carryOver, difference } from "../src/page/difference.js";

const applied = (text, { at, removed, inserted }) => text.slice(0, at) + inserted + text.slice(at + removed);

test("one edit makes one text of the other, and cuts no character in half", () => {
  const texts = ["", "tide", "the tide", "tides", "🌊", "🌋", "a🌊b", "a🌋b", "🌊🌊", "🌊", "aaaa", "aaa"];
  for (const before of texts) {
    for (const after of texts) {
      const edit = difference(before, after);
      if (before === after) assert.equal(edit, null);
      else assert.equal(applied(before, edit), after);
      if (edit) assert.ok(edit.inserted.isWellFormed() && before.slice(edit.at, edit.at + edit.removed).isWellFormed(), `${before} → ${after}`);
    }
  }
});

test("what was typed into a copy comes into the text, and what others wrote stays", () => {
  for (const [before, typed, meanwhile, both] of [
    ["One. Two.", "One. Two. Three.", "Zero. One. Two.", "Zero. One. Two. Three."],
    ["One. Two.", "Zero. One. Two.", "One. Two. Three.", "Zero. One. Two. Three."],
    ["One. Two.", "Two.", "One. Two. 🌊", "Two. 🌊"],
    ["One two three", "One 2 three", "One TWO three", "One TWO2 three"],
  ]) {
    const text = new Y.Doc().getText("content");
    text.insert(0, meanwhile);
    carryOver(text, before, typed);
    assert.equal(text.toString(), both);
  }
});
