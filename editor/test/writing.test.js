import assert from "node:assert/strict";
import { test } from "node:test";
import { EditorState } from "@codemirror/state";
import { insertBlock } from "../src/writing/blocks.js";
import { dialect } from "../src/writing/dialect.js";
import { goOn } from "../src/writing/lists.js";

// As much of an editor as commands need, with this text and the cursor at its end.
function writer(doc) {
  return {
    state: EditorState.create({ doc, selection: { anchor: doc.length }, extensions: [dialect] }),
    dispatch(step) {
      this.state = step.state ?? this.state.update(step).state;
    },
  };
}

function blockOf(name) {
  const view = writer("");
  insertBlock(view, name);
  return view.state.doc.toString();
}

test("a block is written with its places to fill in", () => {
  assert.equal(blockOf("callout"), "> [!NOTE]\n> ");
  assert.equal(blockOf("picture"), "![what it shows](address)");
  assert.equal(blockOf("details"), '??? "summary"\n    ');
});

test("Enter goes on with a list, and where it ends an empty line parts it from what follows", () => {
  const after = (doc) => {
    const view = writer(doc);
    goOn({ state: view.state, dispatch: (step) => view.dispatch(step) });
    return view.state.doc.toString();
  };
  assert.equal(after("- one"), "- one\n- ");
  assert.equal(after("- one\n- "), "- one\n\n");
  assert.equal(after("1. one\n2. two\n3. "), "1. one\n2. two\n\n");
  assert.equal(after("- [x] one\n- [ ] "), "- [x] one\n\n");
  assert.equal(after("- one\n  - two\n  - "), "- one\n  - two\n- ");
  assert.equal(after("> - one\n> - "), "> - one\n>\n> ");
  assert.equal(after("> one\n>\n> "), "> one\n\n");
  assert.equal(after("above\n\n- "), "above\n\n");
});
