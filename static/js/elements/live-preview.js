// <live-preview>: shows what is typed after a pause. The first time the form itself goes into the frame, as it does without scripts;
// later only the page's body is put in its place, so that the frame neither flickers nor scrolls, and Back leads where it should.
const PAUSE = 70; // milliseconds without a key

class LivePreview extends HTMLElement {
  connectedCallback() {
    this.frame = this.querySelector("iframe");
    this.button = this.querySelector("button");
    this.form = this.button.form;
    this.frame.addEventListener("load", () => this.#keepInside());
    document.addEventListener("input", (event) => { if (event.target.form === this.form) this.#later(); });
    new ResizeObserver(() => this.#later(0)).observe(this); // it has come into view, by a choice or by a wider window
    this.button.addEventListener("click", (event) => {
      if (!this.#isLoaded) return;
      event.preventDefault();
      this.#show();
    });
  }

  get #isVisible() {
    return this.offsetParent !== null;
  }

  get #isLoaded() {
    return this.frame.contentDocument?.URL.endsWith("/preview");
  }

  #later(pause = PAUSE) {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => { if (this.#isVisible) this.#show(); }, pause);
  }

  async #show() {
    const sent = new FormData(this.form);
    const typed = new URLSearchParams(sent).toString();
    if (typed === this.shown) return;
    this.shown = typed;
    if (!this.#isLoaded) {
      this.form.requestSubmit(this.button);
      return;
    }
    this.asking?.abort();
    this.asking = new AbortController();
    try {
      const answer = await fetch(this.button.formAction, { method: "POST", body: sent, signal: this.asking.signal });
      if (answer.status === 409) return; // another window of this person's has asked since
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      this.#replace(page);
    } catch {
      this.shown = ""; // away, or overtaken by a newer one: the next pause tries again
    }
  }

  #replace(page) {
    const here = this.frame.contentDocument;
    const top = this.frame.contentWindow.scrollY;
    here.body.replaceWith(here.adoptNode(page.body));
    this.#dress(here, page);
    this.frame.contentWindow.scrollTo(0, top);
    this.#keepInside();
    this.dispatchEvent(new Event("shown"));
  }

  // A page of one sentence has other styles than an article.
  #dress(here, page) {
    const styles = (of) => [...of.querySelectorAll("link[rel=stylesheet]")];
    const known = styles(here).map((link) => link.getAttribute("href"));
    const wanted = styles(page).map((link) => link.getAttribute("href"));
    for (const link of styles(page)) if (!known.includes(link.getAttribute("href"))) here.head.append(here.adoptNode(link));
    for (const link of styles(here)) if (!wanted.includes(link.getAttribute("href"))) link.remove();
  }

  // Links of the preview would lead the frame away from what is being written; those within the page go on working.
  #keepInside() {
    this.frame.contentDocument?.addEventListener("click", (event) => {
      const link = event.target.closest?.("a[href]");
      if (link && !link.getAttribute("href").startsWith("#")) event.preventDefault();
    }, { capture: true });
  }
}

customElements.define("live-preview", LivePreview);
