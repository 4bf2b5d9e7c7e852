// The headings of a text: of all of it, also where the parser has not been yet.
const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const HEADING = /^ {0,3}(#{1,6})[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$/;
const PLAIN = [
  [/\{#[^}]*\}$/, ""],
  [/!?\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])?/g, "$1"],
  [/[*_`~=]{1,3}(?=\S)|(?<=\S)[*_`~=]{1,3}/g, ""],
];

// Of a text in CodeMirror: [{level, text, at}], `at` an offset in it.
export function outlineOf(doc) {
  const found = [];
  let fence = "";
  let at = 0;
  for (const line of doc.iterLines()) {
    const ticks = FENCE.exec(line)?.[1];
    if (fence) {
      if (ticks?.startsWith(fence) && line.trim() === ticks) fence = "";
    } else if (ticks) {
      fence = ticks;
    } else {
      const heading = HEADING.exec(line);
      if (heading) found.push({ level: heading[1].length, text: plain(heading[2]), at });
    }
    at += line.length + 1;
  }
  return found;
}

const plain = (text) => PLAIN.reduce((rest, [pattern, instead]) => rest.replace(pattern, instead), text).trim();
