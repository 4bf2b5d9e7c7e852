// A field to find something by, and what is found below it, at a place in the text: for links and for snippets.
import { EditorSelection, Facet, StateEffect, StateField } from "@codemirror/state";
import { showTooltip } from "@codemirror/view";
import { element } from "./dom.js";

const PAUSE = 150; // milliseconds without a key before the server is asked

/**
 * `placeIn(state)`: {from, to, value, …} of the text that is to be replaced, and what stands in the field at first.
 * Answers the extension, given what the picker finds and does (see Picker), and the command that opens it.
 */
export function pickerAt(placeIn) {
  const toggle = StateEffect.define();
  const maker = Facet.define({ combine: ([first]) => first });
  const place = StateField.define({
    create: () => null,
    update(value, transaction) {
      const given = transaction.effects.find((effect) => effect.is(toggle));
      if (given) return given.value && placeIn(transaction.state);
      if (!value || !transaction.docChanged) return value;
      return { ...value, from: transaction.changes.mapPos(value.from, 1), to: transaction.changes.mapPos(value.to, -1) };
    },
    provide: (field) => showTooltip.compute([field, maker], (state) => {
      const value = state.field(field);
      return value && { pos: value.from, above: false, create: state.facet(maker) };
    }),
  });
  const create = (settings) => (view) => {
    const picker = new Picker(view, { place, toggle }, settings);
    return { dom: picker.form, mount: () => picker.input.select() };
  };
  return {
    extension: (settings) => [place, maker.of(create(settings))],
    open(view) {
      if (view.state.readOnly) return false;
      view.dispatch({ effects: toggle.of(true) });
      return true;
    },
  };
}

/**
 * `find(typed, place)`: a promise of options. `line(option)`: the words of one, and what stands quietly behind them. `write(option, place)`:
 * what comes into the text. `typed(text)`: what Enter chooses before anything is found, or nothing. `none`: said when nothing is found.
 */
class Picker {
  constructor(view, { place, toggle }, settings) {
    Object.assign(this, { view, place, toggle, settings, at: 0, options: [] });
    const { label, placeholder } = settings;
    this.list = element("ul", { role: "listbox", id: "linker-list", "aria-label": label });
    this.none = element("p", { class: "quiet", role: "status", hidden: true });
    this.input = element("input", {
      role: "combobox", "aria-label": placeholder, placeholder, "aria-controls": "linker-list", "aria-expanded": "false",
      "aria-autocomplete": "list", autocomplete: "off", spellcheck: "false", value: this.#place.value,
    });
    this.form = element("div", { class: "linker", role: "dialog", "aria-label": label }, this.input, this.list, this.none);
    this.input.addEventListener("input", () => this.#later());
    this.form.addEventListener("keydown", (event) => this.#key(event));
    this.form.addEventListener("focusout", (event) => { if (!this.form.contains(event.relatedTarget)) this.#close(); });
    this.list.addEventListener("mousedown", (event) => event.preventDefault()); // the field keeps the focus
    this.list.addEventListener("click", (event) => this.#choose(this.options[[...this.list.children].indexOf(event.target.closest("[role=option]"))]));
    this.#ask();
  }

  get #place() {
    return this.view.state.field(this.place);
  }

  #later() {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.#ask(), PAUSE);
  }

  get #typed() {
    return this.input.value.trim();
  }

  async #ask() {
    clearTimeout(this.waiting);
    const typed = this.#typed;
    const found = await this.settings.find(typed, this.#place).catch(() => []);
    if (typed !== this.#typed || !this.#place) return; // a newer one is on its way, or nobody waits any more
    this.answered = typed;
    this.options = found;
    this.at = 0;
    this.#draw();
  }

  #draw() {
    const lines = this.options.map((option, number) => {
      const [words, quiet] = this.settings.line(option);
      const rest = quiet === undefined ? [] : [element("span", { class: "quiet" }, quiet)];
      return element("li", { role: "option", id: `linker-${number}`, "aria-selected": String(number === this.at) }, element("span", {}, words), ...rest);
    });
    this.list.replaceChildren(...lines);
    this.list.hidden = !lines.length;
    this.none.hidden = lines.length > 0 || !this.settings.none;
    this.none.textContent = this.none.hidden ? "" : this.settings.none;
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
    } else if (event.key === "Enter") this.#enter();
    else if (event.key === "Escape" || event.key === "Tab") this.#leave();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  // Whoever types quickly means what he has typed, and not what was found for less of it.
  async #enter() {
    const typed = this.settings.typed?.(this.#typed);
    if (!typed && this.answered !== this.#typed) await this.#ask();
    if (typed || this.answered === this.#typed) this.#choose(typed ?? this.options[this.at]);
  }

  #choose(option) {
    if (!option || !this.#place) return;
    const { from, to } = this.#place;
    const insert = this.view.state.toText(this.settings.write(option, this.#place));
    this.view.dispatch({
      changes: { from, to, insert }, selection: EditorSelection.cursor(from + insert.length), effects: this.toggle.of(false), userEvent: "input.chosen",
      scrollIntoView: true,
    });
    this.view.focus();
  }

  #leave() {
    this.#close();
    this.view.focus();
  }

  #close() {
    clearTimeout(this.waiting);
    if (this.#place) this.view.dispatch({ effects: this.toggle.of(false) });
  }
}
