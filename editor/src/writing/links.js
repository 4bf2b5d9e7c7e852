// Links: a picker of one's own posts and of addresses (Ctrl-K), and titles that complete themselves after "[[".
import { syntaxTree } from "@codemirror/language";
import { EditorSelection, Facet, StateEffect, StateField } from "@codemirror/state";
import { showTooltip } from "@codemirror/view";
import { element } from "./dom.js";

const PAUSE = 150; // milliseconds without a key before the server is asked
const ADDRESS = /^(?:https?:\/\/|mailto:|tel:|\/|#)\S+$|^www\.\S+$/i;
const TITLE = /\[\[[^[\]|\n]*$/;

const open = StateEffect.define();
const source = Facet.define({ combine: ([first]) => first });

// Where the picker is: over the link the cursor is in, else over what is chosen. {from, to, words, address} or null.
const picker = StateField.define({
  create: () => null,
  update(value, transaction) {
    const given = transaction.effects.find((effect) => effect.is(open));
    if (given) return given.value && linkAt(transaction.state);
    if (!value || !transaction.docChanged) return value;
    return { ...value, from: transaction.changes.mapPos(value.from, 1), to: transaction.changes.mapPos(value.to, -1) };
  },
  provide: (field) => showTooltip.compute([field, source], (state) => {
    const value = state.field(field);
    return value && { pos: value.from, above: false, create: state.facet(source).create };
  }),
});

export const linkPicker = (links, words) => [picker, source.of({ create: (view) => ({ dom: new Picker(view, links, words).form, mount() { view.dom.querySelector(".linker input").select(); } }) })];

export function openLinkPicker(view) {
  if (view.state.readOnly || !view.state.field(picker, false) === undefined) return false;
  view.dispatch({ effects: open.of(true) });
  return true;
}

function linkAt(state) {
  const { from, to } = state.selection.main;
  for (let node = syntaxTree(state).resolveInner(from, 1); node; node = node.parent) {
    if (node.name !== "Link" || node.to < to) continue;
    const marks = node.getChildren("LinkMark");
    const url = node.getChild("URL");
    if (marks.length < 2) break;
    return { from: node.from, to: node.to, words: state.sliceDoc(marks[0].to, marks[1].from), address: url ? state.sliceDoc(url.from, url.to) : "" };
  }
  return { from, to, words: state.sliceDoc(from, to), address: "" };
}

class Picker {
  constructor(view, links, words) {
    Object.assign(this, { view, links, words, at: 0, options: [] });
    const { address } = view.state.field(picker);
    this.list = element("ul", { role: "listbox", id: "linker-list", "aria-label": words.link });
    this.input = element("input", {
      role: "combobox", "aria-label": words.findPost, placeholder: words.findPost, "aria-controls": "linker-list", "aria-expanded": "false",
      "aria-autocomplete": "list", autocomplete: "off", spellcheck: "false", value: address,
    });
    this.form = element("div", { class: "linker", role: "dialog", "aria-label": words.link }, this.input, this.list);
    this.input.addEventListener("input", () => this.#later());
    this.form.addEventListener("keydown", (event) => this.#key(event));
    this.form.addEventListener("focusout", (event) => { if (!this.form.contains(event.relatedTarget)) this.#close(); });
    this.list.addEventListener("mousedown", (event) => event.preventDefault()); // the field keeps the focus
    this.list.addEventListener("click", (event) => this.#choose(this.options[[...this.list.children].indexOf(event.target.closest("[role=option]"))]));
    this.#ask();
  }

  #later() {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.#ask(), PAUSE);
  }

  async #ask() {
    const typed = this.input.value.trim();
    const isAddress = ADDRESS.test(typed);
    const found = isAddress ? [] : await Promise.resolve(this.links(typed)).catch(() => []);
    if (typed !== this.input.value.trim()) return; // a newer one is on its way
    const { address } = this.view.state.field(picker) ?? {};
    this.options = [
      ...(isAddress ? [{ title: this.words.useAddress, path: typed, isTyped: true }] : found),
      ...(address ? [{ title: this.words.unlink, isNone: true }] : []),
    ];
    this.at = 0;
    this.#draw();
  }

  #draw() {
    const lines = this.options.map(({ title, path, isNone }, number) => element(
      "li", { role: "option", id: `linker-${number}`, "aria-selected": String(number === this.at) },
      element("span", {}, title), ...(isNone ? [] : [element("span", { class: "quiet" }, path || this.words.draft)]),
    ));
    this.list.replaceChildren(...lines);
    this.list.hidden = !lines.length;
    this.input.setAttribute("aria-expanded", String(lines.length > 0));
    if (lines.length) this.input.setAttribute("aria-activedescendant", `linker-${this.at}`);
    else this.input.removeAttribute("aria-activedescendant");
    this.list.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }

  #key(event) {
    if (event.isComposing) return;
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by && this.options.length) {
      this.at = (this.at + by + this.options.length) % this.options.length;
      this.#draw();
    } else if (event.key === "Enter") this.#choose(ADDRESS.test(this.input.value.trim()) ? { path: this.input.value.trim(), isTyped: true } : this.options[this.at]);
    else if (event.key === "Escape" || event.key === "Tab") this.#leave();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #choose(option) {
    if (!option) return;
    const { from, to, words } = this.view.state.field(picker);
    const insert = option.isNone ? words : linkOf(option, words);
    this.view.dispatch({ changes: { from, to, insert }, selection: EditorSelection.cursor(from + insert.length), effects: open.of(false), userEvent: "input.link", scrollIntoView: true });
    this.view.focus();
  }

  #leave() {
    this.#close();
    this.view.focus();
  }

  #close() {
    clearTimeout(this.waiting);
    if (this.view.state.field(picker)) this.view.dispatch({ effects: open.of(false) });
  }
}

// What has no address yet is linked by its title, and found when it has one.
function linkOf({ title, path, isTyped }, words) {
  if (!path) return words && words !== title ? `[[${title}|${words}]]` : `[[${title}]]`;
  const address = /^www\./i.test(path) ? `https://${path}` : path;
  if (isTyped && !words && /^https?:/.test(address)) return `<${address}>`;
  return `[${words || (isTyped ? address : title.replace(/[[\]]/g, "\\$&"))}](${address})`;
}

export const titleLinks = (links) => async (context) => {
  const call = context.matchBefore(TITLE);
  if (!call) return null;
  const found = await links(call.text.slice(2)).catch(() => []);
  return { from: call.from + 2, filter: false, options: found.map(({ title, path }) => ({ label: title, detail: path, apply: closing(title) })) };
};

const closing = (title) => (view, _completion, from, to) => {
  const isClosed = view.state.sliceDoc(to, to + 2) === "]]";
  view.dispatch({ changes: { from, to, insert: title + (isClosed ? "" : "]]") }, selection: { anchor: from + title.length + 2 }, userEvent: "input.complete" });
};
