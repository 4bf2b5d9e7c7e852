// <live-page>: parts of a page that show posts (data-live, with an id), or what data-on names, stay true while it is open. What is told
// of them says only that it is worth looking: the page is fetched again, and parts that say something else now take the place of the old.
//
// Nothing moves under somebody's hands: a part in which rows are chosen or words marked, that has the focus or an open menu, stays as it
// is, and a line says how many rows have changed and offers to show them. The choice, the focus and the place on the page are kept then.
import { pageAnew } from "../anew.js";

const SOON = 300; // milliseconds; several things often happen together
const REST = 5000; // and then not again for so long

class LivePage extends HTMLElement {
  connectedCallback() {
    this.note = this.querySelector(".news");
    this.lookedAt = -REST;
    for (const name of (this.dataset.on ?? "news").split(" ")) document.addEventListener(name, this);
    document.addEventListener("visibilitychange", this);
    this.addEventListener("focusin", (event) => { this.at = keyOf(event.target) ?? this.at; });
    this.note.querySelector("button").addEventListener("click", () => this.#show());
  }

  disconnectedCallback() {
    clearTimeout(this.timer);
    for (const name of [...(this.dataset.on ?? "news").split(" "), "visibilitychange"]) document.removeEventListener(name, this);
  }

  // Of windows that nobody sees, each looks when somebody comes back to it.
  handleEvent(event) {
    if (event.type !== "visibilitychange") this.isStale = true;
    if (!this.isStale || document.hidden || this.timer) return;
    this.timer = setTimeout(() => this.#look(), Math.max(SOON, this.lookedAt + REST - performance.now()));
  }

  async #look() {
    this.isStale = false;
    const page = await pageAnew(); // when the server comes back, the stream tells to look again
    if (page) this.#compare(page);
    this.timer = undefined;
    this.lookedAt = performance.now();
    if (this.isStale) this.handleEvent(new Event("news"));
  }

  #compare(page) {
    this.waiting = [];
    for (const old of this.querySelectorAll("[data-live]")) {
      const now = page.getElementById(old.id);
      if (now && plain(old) === plain(now)) continue;
      if (!now || isInUse(old)) this.waiting.push([old, now]);
      else replace(old, now);
    }
    const number = new Set(this.waiting.flatMap(([old, now]) => now ? changed(old, now) : [])).size;
    const words = this.note.dataset[number === 1 ? "one" : number ? "many" : "some"].replace("%d", number);
    this.note.hidden = !this.waiting.length;
    const place = this.note.querySelector("[role=status]");
    if (place.textContent !== words) setTimeout(() => { place.textContent = words; }, 100); // it is heard only if it changes while it shows
  }

  #show() {
    this.note.hidden = true;
    if (this.waiting.some(([, now]) => !now)) return location.reload(); // the page has other parts now
    const top = scrollY;
    for (const [old, now] of this.waiting) replace(old, now);
    const row = this.at && this.querySelector(`[data-post="${this.at}"]`);
    (row?.querySelector("a, input, button") ?? document.getElementById("page")).focus({ preventScroll: true });
    scrollTo({ top, behavior: "instant" });
  }
}

const keyOf = (element) => element.closest("[data-post]")?.dataset.post;

const isInUse = (part) => {
  const marked = getSelection();
  return part.contains(document.activeElement) || (!marked.isCollapsed && part.contains(marked.anchorNode))
    || Boolean(part.querySelector("[name=id]:checked, :popover-open"))
    || [...part.querySelectorAll("input[maxlength]")].some((field) => field.value !== field.defaultValue);
};

// Without what is another each time: how long ago something was, the key of a form, what a script added.
const plain = (element) => {
  const copy = element.cloneNode(true);
  for (const time of copy.querySelectorAll("time")) time.replaceWith(time.dateTime);
  for (const each of copy.querySelectorAll("[title]")) each.removeAttribute("title");
  for (const each of copy.querySelectorAll("[name=_xsrf]")) each.remove();
  for (const each of copy.querySelectorAll("[data-scripted]")) each.removeAttribute("hidden");
  for (const each of [copy, ...copy.querySelectorAll(".fresh, .at")]) {
    each.classList.remove("fresh", "at");
    if (!each.classList.length) each.removeAttribute("class");
  }
  return copy.outerHTML;
};

const rows = (part) => {
  const found = new Map();
  for (const row of part.querySelectorAll("[data-post]")) found.set(row.dataset.post, (found.get(row.dataset.post) ?? "") + plain(row));
  return found;
};

// Posts that are another in the new part, or in one of the two only.
const changed = (old, now) => {
  const before = rows(old), after = rows(now);
  return [...new Set([...before.keys(), ...after.keys()])].filter((key) => before.get(key) !== after.get(key));
};

const replace = (old, now) => {
  const fresh = new Set(changed(old, now));
  const chosen = new Set([...old.querySelectorAll("[name=id]:checked")].map((box) => box.value));
  const part = document.adoptNode(now.cloneNode(true));
  for (const row of part.querySelectorAll("[data-post]")) row.classList.toggle("fresh", fresh.has(row.dataset.post));
  for (const box of part.querySelectorAll("[name=id]")) box.checked = chosen.has(box.value);
  for (const each of part.querySelectorAll("[data-scripted]")) each.hidden = false;
  old.replaceChildren(...part.childNodes);
  old.querySelector("[name=id]")?.dispatchEvent(new Event("change", { bubbles: true })); // whoever counts what is chosen counts again
};

customElements.define("live-page", LivePage);
