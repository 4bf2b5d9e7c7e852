// Work that is under way: looks again every second until it is done, without moving what somebody reads.
const EVERY = 1000; // milliseconds

class UnderWay extends HTMLElement {
  connectedCallback() {
    if (this.hasAttribute("busy")) this.timer = setTimeout(() => this.look(), EVERY);
  }

  disconnectedCallback() {
    clearTimeout(this.timer);
  }

  async look() {
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (!answer.ok || answer.redirected) throw new Error();
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const now = page.querySelector("under-way");
      if (!now.hasAttribute("busy")) return document.querySelector("main").replaceWith(document.adoptNode(page.querySelector("main")));
      this.replaceChildren(...document.adoptNode(now).childNodes);
    } catch {
      // the next look may find it
    }
    this.timer = setTimeout(() => this.look(), EVERY);
  }
}

customElements.define("under-way", UnderWay);
