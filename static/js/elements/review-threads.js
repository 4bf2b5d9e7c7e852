// What is said about the text, at the editor's side: passages are marked in the text, and what others say comes by itself.
// Without scripts its forms lead to the page of threads. The editor tells of its writer ("writer"), and of news ("threads").
class ReviewThreads extends HTMLElement {
  connectedCallback() {
    this.desk = this.closest("post-editor");
    this.desk.addEventListener("writer", ({ detail }) => this.#write(detail));
    this.desk.addEventListener("threads", () => this.renew());
    this.desk.addEventListener("passage", ({ detail }) => this.open(detail.id), true);
    this.desk.addEventListener("comment", () => { this.desk.reveal(this); this.#begin(); });
    this.number = this.desk.querySelector("[data-comments]");
    this.number.addEventListener("click", () => this.open(this.list.firstElementChild.dataset.thread));
    this.#count();
    this.addEventListener("submit", (event) => this.#send(event));
    this.addEventListener("focusin", ({ target }) => this.#mark(target.closest("[data-thread]")?.dataset.thread));
    if (this.desk.writer) this.#write(this.desk.writer);
  }

  get list() { return this.querySelector(".threads"); }

  #write(writer) {
    this.writer = writer;
    this.#mark();
    const begin = this.querySelector("[data-begin]");
    begin.hidden = false;
    begin.addEventListener("mousedown", (event) => event.preventDefault()); // what is chosen in the text stays chosen
    begin.addEventListener("click", () => this.#begin());
    this.querySelector("[data-leave]").addEventListener("click", () => this.#leave());
  }

  #mark(active) {
    const anchored = [...this.querySelectorAll("[data-anchor]")];
    this.writer?.showPassages(anchored.map(({ dataset }) => ({
      id: dataset.thread, kind: dataset.kind, isActive: dataset.thread === active, ...JSON.parse(dataset.anchor),
    })));
  }

  open(id) {
    const thread = this.querySelector(`[data-thread="${CSS.escape(id)}"]`);
    if (!thread) return;
    this.desk.reveal(this);
    thread.focus();
    this.#mark(id);
  }

  /** How many are open stands below the text, too, and leads to them. */
  #count() {
    const count = this.list.childElementCount;
    const { one, many } = this.number.dataset;
    this.number.hidden = !count;
    this.number.textContent = count === 1 ? one : many.replace("%d", count);
    this.querySelector("[data-none]").hidden = count > 0;
    this.closest("details").querySelector("summary small").textContent = count ? this.dataset.number.replace("%d", count) : "";
  }

  #begin() {
    const form = this.querySelector("form[data-new]"), { view } = this.writer, passage = this.writer.passage();
    const { from, to } = view.state.selection.main;
    form.elements.anchor.value = passage ? JSON.stringify({ start: passage.start, end: passage.end }) : "";
    form.elements.quote.value = passage ? view.state.sliceDoc(from, to) : "";
    form.elements.replacement.value = form.elements.quote.value;
    form.querySelector("q").textContent = passage?.quote ?? "";
    form.querySelector("q").hidden = form.querySelector("details").hidden = !passage;
    form.hidden = false;
    form.elements.text.focus();
  }

  #leave() {
    const form = this.querySelector("form[data-new]");
    form.reset();
    form.querySelector("details").open = false;
    form.hidden = true;
  }

  async #send(event) {
    event.preventDefault();
    const form = event.target, data = new FormData(form, event.submitter);
    if (form.dataset.new !== undefined) {
      const isSuggestion = form.querySelector("details").open;
      data.set("kind", isSuggestion ? "suggestion" : "comment");
      if (!isSuggestion) data.delete("replacement");
    }
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(data) }).catch(() => null);
    const page = answer && new DOMParser().parseFromString(await answer.text(), "text/html");
    if (answer?.ok) {
      form.dataset.new === undefined ? this.#clear(form.elements.text?.id) : this.#leave();
      this.#say("");
      this.#replace(page);
    } else {
      const why = page?.querySelector("[role=alert], .error-summary, .error, main p");
      this.#say(why?.textContent.trim() || this.dataset.away);
      if (answer?.status === 409) this.#replace(page);
    }
  }

  /** What has been said; its thread may have been drawn again meanwhile. */
  #clear(id) {
    const field = id && document.getElementById(id);
    if (field) field.value = "";
  }

  #say(words) {
    const note = this.querySelector("[data-note]");
    note.hidden = !words;
    note.textContent = words;
  }

  async renew() {
    const answer = await fetch(this.dataset.at).catch(() => null);
    if (answer?.ok) this.#replace(new DOMParser().parseFromString(await answer.text(), "text/html"));
  }

  /** The open ones as the page has them; what somebody is typing below one of them stays, also if it was dealt with meanwhile. */
  #replace(page) {
    if (!page.querySelector("main .section")) return;
    const typed = new Map([...this.list.querySelectorAll("textarea")].map((field) => [field.id, field.value]));
    const focused = this.list.contains(document.activeElement) ? document.activeElement.id : "";
    const open = [...page.querySelectorAll(".thread:not(.over)")].map((thread) => document.adoptNode(thread));
    const kept = [...this.list.children].filter(({ id }) => typed.get(`answer-${id.slice("thread-".length)}`) && !open.some((thread) => thread.id === id));
    this.list.replaceChildren(...open, ...kept);
    for (const field of this.list.querySelectorAll("textarea")) field.value = typed.get(field.id) ?? "";
    if (focused) document.getElementById(focused)?.focus();
    this.#count();
    this.#mark();
  }
}

customElements.define("review-threads", ReviewThreads);
