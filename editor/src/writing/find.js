// Find and replace, as the desk looks.
import { closeSearchPanel, findNext, findPrevious, getSearchQuery, replaceAll, replaceNext, search, SearchQuery, setSearchQuery } from "@codemirror/search";
import { put, words } from "../words.js";
import { element, icon } from "./dom.js";

const MOST = 999; // matches that are counted
const LONGEST_COUNT = 20_000; // and of longer texts only after a pause
const PAUSE = 200;

export const finder = search({ top: true, literal: true, createPanel: (view) => new Finder(view) });

class Finder {
  top = true;

  constructor(view) {
    this.view = view;
    this.find = this.#field("find", { "main-field": "true" });
    this.replace = this.#field("replace");
    this.number = element("span", { class: "quiet", role: "status" });
    this.matchCase = this.#toggle("Aa", words.matchCase);
    this.wholeWords = this.#toggle("ab|", words.wholeWords);
    const isFixed = view.state.readOnly;
    const close = this.#button(words.close, closeSearchPanel, "close");
    this.dom = element(
      "div", { class: "finder", role: "search" },
      this.find,
      element("div", {}, this.matchCase, this.wholeWords, this.#button(words.previous, findPrevious, "up"), this.#button(words.next, findNext, "down"), close),
      ...(isFixed ? [] : [this.replace, element("div", {}, this.#button(words.replaceOne, replaceNext), this.#button(words.replaceAll, replaceAll))]),
      this.number,
    );
    this.dom.addEventListener("input", () => this.#changed());
    this.dom.addEventListener("keydown", (event) => this.#key(event));
    this.#take(getSearchQuery(view.state));
  }

  #field(name, more = {}) {
    return element("input", { type: "text", "aria-label": words[name], placeholder: words[name], autocomplete: "off", spellcheck: "false", name: `finder-${name}`, form: "", ...more });
  }

  #button(label, run, drawing) {
    const button = element("button", drawing ? { type: "button", class: "button plain icon", "aria-label": label, title: label } : { type: "button", class: "button" }, drawing ? icon(drawing) : label);
    button.addEventListener("click", () => run(this.view));
    return button;
  }

  #toggle(sign, label) {
    const button = element("button", { type: "button", class: "button plain icon mono", "aria-label": label, title: label, "aria-pressed": "false", "data-sign": sign });
    button.addEventListener("click", () => {
      button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
      this.#changed();
    });
    return button;
  }

  #changed() {
    const query = new SearchQuery({
      search: this.find.value, replace: this.replace.value, literal: true,
      caseSensitive: this.matchCase.getAttribute("aria-pressed") === "true", wholeWord: this.wholeWords.getAttribute("aria-pressed") === "true",
    });
    if (!query.eq(getSearchQuery(this.view.state))) this.view.dispatch({ effects: setSearchQuery.of(query) });
  }

  #take(query) {
    if (this.find.value !== query.search) this.find.value = query.search;
    if (this.replace.value !== query.replace) this.replace.value = query.replace;
    this.matchCase.setAttribute("aria-pressed", String(query.caseSensitive));
    this.wholeWords.setAttribute("aria-pressed", String(query.wholeWord));
    this.#count(query);
  }

  #key(event) {
    if (event.isComposing) return;
    if (event.key === "Enter" && event.target === this.find) (event.shiftKey ? findPrevious : findNext)(this.view);
    else if (event.key === "Enter" && event.target === this.replace) replaceNext(this.view);
    else if (event.key === "Escape") {
      closeSearchPanel(this.view);
      this.view.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #count(query) {
    clearTimeout(this.counting);
    if (this.view.state.doc.length <= LONGEST_COUNT) this.#tell(query);
    else this.counting = setTimeout(() => this.#tell(query), PAUSE);
  }

  #tell(query) {
    let number = 0, at = 0;
    const { main } = this.view.state.selection;
    if (query.valid) {
      for (const cursor = query.getCursor(this.view.state); number <= MOST; number++) {
        const { done, value } = cursor.next();
        if (done) break;
        if (value.from === main.from && value.to === main.to) at = number + 1;
      }
    }
    const all = number > MOST ? `${MOST}+` : String(number);
    const said = !query.search ? "" : number === 0 ? words.nothing : put(at ? words.of : words.found, { at, number: all });
    if (this.number.textContent !== said) this.number.textContent = said;
  }

  mount() {
    this.find.select();
  }

  update(update) {
    const query = getSearchQuery(update.state);
    if (update.transactions.some((transaction) => transaction.effects.some((effect) => effect.is(setSearchQuery)))) this.#take(query);
    else if (update.docChanged || update.selectionSet) this.#count(query);
  }

  destroy() {
    clearTimeout(this.counting);
  }
}
