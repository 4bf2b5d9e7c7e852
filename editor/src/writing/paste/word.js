// Word's lists are paragraphs that say their level and number in their style: `mso-list:l0 level2 lfo1`, and show a mark of their own.
import { styleOf } from "./words.js";

const LEVEL = /mso-list:[^;]*\blevel(\d)/i;
const IGNORED = /mso-list:\s*ignore/i;

export const isListParagraph = (node) => node?.nodeType === 1 && /^(?:P|H[1-6])$/i.test(node.nodeName) && LEVEL.test(styleOf(node));

// `words`: what a paragraph says, as Markdown, without its mark.
export function wordList(paragraphs, words) {
  const inside = []; // by level: the columns before the text of its items
  const numbers = []; // by level: {isNumbered, number} of the item before
  return paragraphs.map((paragraph) => {
    const level = Number(LEVEL.exec(styleOf(paragraph))[1]) - 1;
    const isNumbered = /[\p{L}\p{N}]+[.)]/u.test(takeMark(paragraph));
    numbers.length = level + 1;
    numbers[level] = { isNumbered, number: numbers[level]?.isNumbered === isNumbered ? numbers[level].number + 1 : 1 };
    const mark = isNumbered ? `${numbers[level].number}. ` : "- ";
    const indent = level ? (inside[level - 1] ?? 0) : 0;
    inside[level] = indent + mark.length;
    return " ".repeat(indent) + mark + words(paragraph);
  }).join("\n");
}

function takeMark(paragraph) {
  const mark = Array.from(paragraph.querySelectorAll("span")).find((span) => IGNORED.test(styleOf(span)));
  const text = mark?.textContent ?? "";
  mark?.parentNode.removeChild(mark);
  return text;
}
