import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { createDocument } from "@mixmark-io/domino";
import { toMarkdown, unstyled } from "../src/writing/paste/index.js";

const read = (name) => readFileSync(new URL(`clipboard/${name}`, import.meta.url), "utf8");
const pasted = (html) => toMarkdown(createDocument(unstyled(html)).body);

for (const [program, name] of [["Google Docs", "docs"], ["Word", "word"], ["a page", "page"]]) {
  test(`what ${program} puts on the clipboard becomes Markdown`, () => {
    assert.equal(`${pasted(read(`${name}.html`))}\n`, read(`${name}.md`));
  });
}

test("numbers of Word begin again behind bullets", () => {
  const item = (words, mark) => `<p class=MsoListParagraph style="mso-list:l0 level1 lfo1"><span style="mso-list:Ignore">${mark}</span>${words}</p>`;
  assert.equal(pasted(item("a", "·") + item("b", "1.") + item("c", "2.")), "- a\n1. b\n2. c");
});

test("what is of the site itself has no host", (context) => {
  globalThis.location = { origin: "https://tide.example" };
  context.after(() => delete globalThis.location);
  const html = '<p><a href="https://tide.example/low?utm_source=x#ebb">low</a> <a href="https://tide.example.org/">other</a></p><img src="https://tide.example/media/1/a.png" alt="a">';
  assert.equal(pasted(html), "[low](/low#ebb) [other](https://tide.example.org/)\n\n![a](/media/1/a.png)");
});

test("a heading comes without the sign that links to it", () => {
  assert.equal(pasted('<h2>Ebb<a href="https://tide.example/low#ebb">§</a></h2><p>at <a href="/c#">#</a> and <a href="/x">#1</a></p>'), "## Ebb\n\nat and [#1](/x)");
});

test("what says no more than plain text is left to it", () => {
  assert.equal(pasted("<div><span>## typed **elsewhere**</span></div>"), null);
  assert.equal(pasted('<div style="font-family: monospace; white-space: pre;"><span style="font-style: italic">code</span> of an editor</div>'), null);
});
