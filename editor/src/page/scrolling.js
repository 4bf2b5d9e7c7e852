// Text and preview show the same place: whoever scrolls one moves the other. Headings are the fixed points, and between them it goes in proportion.
const OWN = 150; // milliseconds in which the other side's answer to our own scrolling is not taken for somebody's

export class Scrolling {
  /** `scroller`: what scrolls the text; `preview`: the element that says when it has `shown` another page in its frame. */
  constructor(writer, scroller, preview) {
    Object.assign(this, { writer, scroller, frame: preview.querySelector("iframe"), led: null });
    preview.addEventListener("shown", () => this.#from("text"));
    this.frame.addEventListener("load", () => this.#listen());
    scroller.addEventListener("scroll", () => this.#from("text"), { passive: true });
    this.#listen();
  }

  #listen() {
    this.frame.contentWindow?.addEventListener("scroll", () => this.#from("page"), { passive: true });
    this.#move("text");
  }

  #from(side) {
    if (this.led && this.led !== side) return;
    this.led = side;
    clearTimeout(this.leading);
    this.leading = setTimeout(() => { this.led = null; }, OWN);
    this.#move(side);
  }

  #move(side) {
    const page = this.frame.contentDocument?.scrollingElement;
    if (!page || this.frame.offsetParent === null || this.scroller.offsetParent === null) return;
    const points = this.#points(page);
    const [from, to] = side === "text" ? [this.scroller, page] : [page, this.scroller];
    const pairs = side === "text" ? points : points.map(([text, shown]) => [shown, text]);
    to.scrollTo({ top: between(pairs, from.scrollTop), behavior: "instant" });
  }

  /** [height in the text, height in the page] of what stands in both, from top to bottom. */
  #points(page) {
    const view = this.writer.view;
    const start = view.contentDOM.getBoundingClientRect().top - this.scroller.getBoundingClientRect().top + this.scroller.scrollTop;
    const shown = [...page.ownerDocument.querySelectorAll(".prose :is(h1, h2, h3, h4, h5, h6)")];
    const written = this.writer.outline();
    const inBoth = written.length === shown.length ? written.map((heading, n) => [
      start + view.lineBlockAt(heading.at).top,
      shown[n].getBoundingClientRect().top + page.scrollTop,
    ]) : [];
    const ends = [this.scroller, page].map((side) => side.scrollHeight - side.clientHeight);
    const before = inBoth.filter(([text, read]) => text < ends[0] && read < ends[1]);
    return [[0, 0], ...before, ends];
  }
}

/** Where a height of the first column lies in the second. */
function between(pairs, height) {
  const next = Math.max(1, pairs.findIndex(([from], n) => n > 0 && from >= height));
  const [[from, to], [fromEnd, toEnd]] = [pairs[next - 1], pairs[next]];
  return fromEnd > from ? to + ((height - from) / (fromEnd - from)) * (toEnd - to) : to;
}
