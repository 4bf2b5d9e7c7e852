// <live-search>: results while typing. It asks for the very page that the form would lead to and puts its parts in their places, so that
// there is one answer for both, and a cache has it already. Enter and the button do the same at once; without scripts they load the page.
const PAUSE = 250; // milliseconds without a key

class LiveSearch extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    this.field = this.querySelector("[type=search]");
    this.shown = this.#address;
    this.form.addEventListener("input", () => this.#later());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#show();
    });
    this.addEventListener("keydown", (event) => this.#step(event));
  }

  disconnectedCallback() {
    clearTimeout(this.waiting);
    this.asking?.abort();
  }

  get #address() {
    const asked = new URLSearchParams(new FormData(this.form));
    asked.set("q", asked.get("q").trim());
    for (const [name, value] of [...asked]) if (!value) asked.delete(name);
    return `${this.form.getAttribute("action")}${asked.size ? `?${asked}` : ""}`;
  }

  #later() {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.#show(), PAUSE);
  }

  async #show() {
    clearTimeout(this.waiting);
    const address = this.#address;
    if (address === this.shown) return;
    this.asking?.abort();
    const asking = (this.asking = new AbortController());
    try {
      const answer = await fetch(address, { signal: asking.signal });
      if (!answer.ok) throw new Error(answer.status);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (asking.signal.aborted) return;
      this.#replace(page);
      this.shown = address;
      history.replaceState(null, "", address);
    } catch {
      // Overtaken by a newer question, or away: what is shown stays, and the next key or Enter asks again.
    }
  }

  // The element with the count stays where it is: only then do screen readers say what has changed in it.
  #replace(page) {
    document.title = page.title;
    for (const part of this.querySelectorAll("[data-part]")) {
      const made = page.querySelector(`live-search [data-part="${part.dataset.part}"]`);
      part.replaceChildren(...(made?.childNodes ?? []));
    }
  }

  // Down from the field to the results, up again; within them as the arrows say.
  #step(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const stops = [this.field, ...this.querySelectorAll(".entry-title a")];
    const at = stops.indexOf(document.activeElement);
    if (!step || at < 0 || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || !stops[at + step]) return;
    event.preventDefault();
    stops[at + step].focus();
  }
}

customElements.define("live-search", LiveSearch);
