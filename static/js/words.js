// How many words readers will see of a text in Markdown: counted as the server counts the finished page (cms/content/plain_text.py),
// after what only writers see was taken out. tests/content/test_words.py compares the two. No pattern looks beyond the next sign of its
// own kind, so that a text of nothing but such signs takes no longer than another.
const UNSEEN = [
  [/<!--[^]*?(?:-->|$)/g, " "],
  [/^ {0,3}(?:```|~~~).*$/gm, " "], // fences and what they say of the code
  [/^ {0,3}\*\[[^\]\n]+\]:.*$/gm, " "], // abbreviations
  [/^ {0,3}\[\^[^\]\n]+\]:/gm, " "], // the name of a note, not its words
  [/^ {0,3}\[(?!\^)[^\]\n]+\]:[ \t]*\S.*$/gm, " "], // where links lead
  [/\[\^[^\[\]\n]+\]/g, ""], // calls of notes
  [/!\[[^\[\]\n]*\](?:\([^()\n]*\)|\[[^\[\]\n]*\])?/g, ""], // pictures
  [/\[\[[^\[\]|\n]*\|([^\[\]\n]*)\]\]/g, "$1"], // links by title, with words of their own
  [/\]\((?:[^()\n]|\([^()\n]*\))*\)/g, ""], // addresses
  [/\]\[[^\[\]\n]*\]/g, ""],
  [/<\/?(?!https?:|mailto:)[a-z][^<>]*>/gi, ""],
  [/^ {0,3}\d{1,9}[.)](?=\s)/gm, " "], // numbers of a list
  [/^[ \t]*[-*+][ \t]+\[[ x]\](?=\s)/gim, " "], // ticks
  [/^ {0,3}(?:!!!|\?\?\?\+?)[ \t]+([\w-]+)[ \t]*$/gm, "$1"],
  [/^ {0,3}(?:!!!|\?\?\?\+?|===)[ \t]+(?:[\w-]+[ \t]+)?"(.*)"[ \t]*$/gm, "$1"],
  [/&(?:#\d+|#x[\da-f]+|\w+);/gi, " "],
  [/[*_]{1,3}(?=\S)|(?<=\S)[*_]{1,3}/g, ""], // emphasis, which may end inside a word
  [/[`~^=\\]+/g, ""],
];
const IDEOGRAPH = /[\u3041-\u3096\u30a1-\u30fa\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u{20000}-\u{3ffff}]/gu;
const UNSPACED = /[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]+/g;
const WORD = /[\p{L}\p{N}_]+(?:['’.-][\p{L}\p{N}_]+)*/gu;
const UNSPACED_LENGTH = 5;

export function countWords(markdown) {
  let text = UNSEEN.reduce((rest, [pattern, instead]) => rest.replace(pattern, instead), markdown);
  let number = 0;
  text = text.replace(IDEOGRAPH, () => (number += 1, " "));
  text = text.replace(UNSPACED, (run) => (number += Math.ceil(run.length / UNSPACED_LENGTH), " "));
  return number + (text.match(WORD)?.length ?? 0);
}
