// The real Yjs, for tests: one command in JSON on each line of stdin, one answer on each line of stdout.
// Arguments: the folder in which node_modules stands, and the Yjs client's number.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const Y = createRequire(`${process.argv[2]}/`)("yjs");
const doc = new Y.Doc();
doc.clientID = Number(process.argv[3]);
const content = doc.getText("content");
const fields = doc.getMap("fields");
let made = [];
doc.on("update", (update, origin) => origin !== "other" && made.push(update));

const hex = (bytes) => Buffer.from(bytes).toString("hex");
const bytes = (text) => new Uint8Array(Buffer.from(text, "hex"));
const PIECES = ["a", "tide ", "\n", "😀", "👩‍🚀", "é", "𝒳"];

/** A generator of numbers below 1 that anybody can run again (mulberry32). */
function numbers(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Something is put in or taken out, by whole characters; now and then a field is changed. */
function edit(next) {
  const characters = Array.from(content.toString());
  const at = Math.floor(next() * (characters.length + 1));
  const place = characters.slice(0, at).join("").length;
  if (next() < 0.4 && at < characters.length) {
    content.delete(place, characters.slice(at, at + 1 + Math.floor(next() * 4)).join("").length);
  } else {
    content.insert(place, PIECES[Math.floor(next() * PIECES.length)].repeat(1 + Math.floor(next() * 3)));
  }
  if (next() < 0.1) fields.set("excerpt", PIECES[Math.floor(next() * PIECES.length)]);
}

const DO = {
  apply: ({ data }) => Y.applyUpdate(doc, bytes(data), "other"),
  state: () => hex(Y.encodeStateVector(doc)),
  since: ({ state }) => hex(Y.encodeStateAsUpdate(doc, bytes(state))),
  insert: ({ at, words }) => content.insert(at, words),
  edit: ({ seed, times }) => {
    const next = numbers(seed);
    for (let each = 0; each < times; each++) edit(next);
  },
  read: () => ({ content: content.toString(), fields: fields.toJSON() }),
};

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  made = [];
  const answer = DO[command.do](command) ?? null;
  console.log(JSON.stringify({ answer, made: made.map(hex) }));
}
