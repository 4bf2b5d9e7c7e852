// <desk-news>: what happens while the desk is open, from one stream for all windows of a browser. It keeps the number of notifications
// right; what became of posts goes on as an event, "news", for whatever on the page shows posts, and what became of jobs and of the library as "jobs" and "media".
//
// A browser opens six connections to a host and no more (HTTP/1.1), and a stream keeps one for good: with one for each window, the
// seventh would wait for ever. So the windows agree by a lock on which of them listens, and that one passes on what it hears; when it
// goes, the lock goes to the next. A window that holds one is not put to sleep by the browser, so it may well be one that nobody sees.
// Where there are no locks (plain HTTP, but for this very machine), only windows that somebody looks at listen.
const AGAIN = 60000; // milliseconds; after a refusal, which browsers take for final
const PROMPT = 1000; // a lock that is given later was another window's until then

class DeskNews extends HTMLElement {
  connectedCallback() {
    this.name = `desk-news-${this.dataset.person}`;
    this.channel = new BroadcastChannel(this.name);
    this.channel.addEventListener("message", ({ data }) => this.#take(data));
    addEventListener("pagehide", () => this.#leave());
    addEventListener("pageshow", (event) => { if (event.persisted) this.#come({ isLate: true }); });
    if (!navigator.locks) document.addEventListener("visibilitychange", () => document.hidden ? this.#leave() : this.#come({ isLate: true }));
    this.#come({ isLate: false });
  }

  async #come({ isLate }) {
    if (!navigator.locks) return document.hidden || this.#listen(isLate);
    this.leaving = new AbortController();
    const { signal } = this.leaving, asked = performance.now();
    const held = () => new Promise((done) => {
      signal.addEventListener("abort", done);
      this.#listen(isLate || performance.now() - asked > PROMPT);
    });
    await navigator.locks.request(this.name, { signal }, held).catch(() => {}); // left before it was our turn
  }

  #leave() {
    clearTimeout(this.timer);
    this.stream?.close();
    this.leaving?.abort();
  }

  // isLate: something may have happened before, since this page was made.
  #listen(isLate) {
    const stream = this.stream = new EventSource(this.dataset.stream);
    stream.addEventListener("open", () => {
      if (isLate) for (const all of [{ posts: null }, { topic: "jobs" }]) this.#pass(all);
      isLate = true;
    });
    stream.addEventListener("posts", ({ data }) => this.#pass({ posts: JSON.parse(data) }));
    for (const topic of ["jobs", "media"]) stream.addEventListener(topic, () => this.#pass({ topic }));
    stream.addEventListener("notifications", ({ data }) => this.#pass({ unseen: JSON.parse(data) }));
    stream.addEventListener("error", () => {
      if (stream.readyState === EventSource.CLOSED) this.timer = setTimeout(() => this.#listen(true), AGAIN);
    });
  }

  #pass(news) {
    this.channel.postMessage(news);
    this.#take(news);
  }

  #take({ posts, unseen, topic }) {
    if (topic) document.dispatchEvent(new CustomEvent(topic));
    else if (unseen === undefined) document.dispatchEvent(new CustomEvent("news", { detail: posts }));
    else this.#count(unseen);
  }

  // It is said, and stands before the page's title, if there are more than before.
  #count(unseen) {
    const before = Number(this.dataset.unseen);
    if (unseen === before) return;
    this.dataset.unseen = unseen;
    const words = this.dataset[unseen === 1 ? "one" : "many"].replace("%d", unseen);
    for (const place of document.querySelectorAll("[data-bell]")) {
      place.hidden = unseen === 0;
      if (place.hasAttribute("aria-label")) place.setAttribute("aria-label", words);
      const number = place.querySelector("data") ?? place;
      number.value = unseen;
      number.firstChild.data = unseen;
    }
    document.title = (unseen > before ? `(${unseen}) ` : "") + document.title.replace(/^\(\d+\) /, "");
    if (unseen > before) this.querySelector("[role=status]").textContent = words;
    document.dispatchEvent(new CustomEvent("notified"));
  }
}

customElements.define("desk-news", DeskNews);
