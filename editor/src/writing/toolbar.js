// The bar of formats above what is chosen. Alt-F10 or Tab leads into it, the arrows along it, Escape back to the text.
import { syntaxTree } from "@codemirror/language";
import { Facet, StateField } from "@codemirror/state";
import { showTooltip } from "@codemirror/view";
import { words } from "../words.js";
import { element, icon } from "./dom.js";

const mac = /Mac|iP(?:hone|ad)/.test(globalThis.navigator?.platform ?? "") ? "Meta" : "Control";
const BUTTONS = [
  ["bold", "bold", `${mac}+B`, "StrongEmphasis"],
  ["italic", "italic", `${mac}+I`, "Emphasis"],
  ["link", "link", `${mac}+K`, "Link"],
  ["code", "code", `${mac}+E`, "InlineCode"],
  ["heading2", "heading", `${mac}+Alt+2`, "ATXHeading2"],
  ["quote", "quote", `${mac}+Alt+Q`, "Blockquote"],
  ["bullets", "list", `${mac}+Shift+8`, "BulletList"],
  ["picture", "media", `${mac}+Alt+P`],
  ["snippet", "snippet"],
  ["comment", "comment", `${mac}+Alt+M`],
];

const LEADS_ON = new Set(["link", "snippet", "comment"]); // to a field of their own

const maker = Facet.define({ combine: ([first]) => first });

const place = StateField.define({
  create: (state) => tooltip(state),
  update: (value, transaction) => (transaction.docChanged || transaction.selection ? tooltip(transaction.state) : value),
  provide: (field) => showTooltip.from(field),
});

function tooltip(state) {
  const { from, empty } = state.selection.main;
  if (empty || state.readOnly || !state.sliceDoc(from, state.selection.main.to).trim()) return null;
  return { pos: from, above: true, create: state.facet(maker) };
}

export const toolbar = (commands) => [maker.of((view) => barOf(view, commands)), place];

export function focusToolbar(view) {
  const first = view.dom.querySelector(".format button[tabindex='0']");
  first?.focus();
  return Boolean(first);
}

function barOf(view, commands) {
  const buttons = BUTTONS.map(([name, drawing, keys, node], number) => {
    const label = words[{ heading2: "heading", bullets: "list" }[name] ?? name];
    const button = element("button", {
      type: "button", class: "button plain icon", "aria-label": label, title: label, "aria-keyshortcuts": keys,
      tabindex: number ? "-1" : "0", "aria-pressed": node ? "false" : undefined,
    }, icon(drawing));
    button.addEventListener("click", () => {
      commands[name](view);
      if (!LEADS_ON.has(name)) view.focus();
    });
    return Object.assign(button, { node });
  });
  const bar = element("div", { class: "format", role: "toolbar", "aria-label": words.format }, ...buttons);
  bar.addEventListener("mousedown", (event) => event.preventDefault()); // the text keeps what is chosen
  bar.addEventListener("keydown", (event) => move(event, buttons, view));
  return { dom: bar, update: () => press(view, buttons), mount: () => press(view, buttons) };
}

function press(view, buttons) {
  const names = new Set();
  const { from, to } = view.state.selection.main;
  for (let node = syntaxTree(view.state).resolveInner(Math.floor((from + to) / 2), 1); node; node = node.parent) names.add(node.name);
  for (const button of buttons) if (button.node) button.setAttribute("aria-pressed", String(names.has(button.node)));
}

function move(event, buttons, view) {
  const at = buttons.indexOf(event.target);
  const onwards = getComputedStyle(event.target).direction === "rtl" ? -1 : 1;
  const to = { ArrowRight: at + onwards, ArrowLeft: at - onwards, Home: 0, End: buttons.length - 1 }[event.key];
  if (event.key === "Escape") view.focus();
  else if (to === undefined) return;
  else {
    const next = buttons[(to + buttons.length) % buttons.length];
    for (const button of buttons) button.tabIndex = button === next ? 0 : -1;
    next.focus();
  }
  event.preventDefault();
  event.stopPropagation();
}
