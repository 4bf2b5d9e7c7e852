// Work that is under way: looks again every second until it is done, without moving what somebody reads.
import { pageAnew } from "../anew.js";

const EVERY = 1000; // milliseconds

class UnderWay extends HTMLElement {
  connectedCallback() {
    if (this.hasAttribute("busy")) this.timer = setTimeout(() => this.look(), EVERY);
  }

  disconnectedCallback() {
    clearTimeout(this.timer);
  }

  async look() {
    const page = await pageAnew(), now = page?.querySelector("under-way");
    if (now && !now.hasAttribute("busy")) return document.querySelector("main").replaceWith(document.adoptNode(page.querySelector("main")));
    if (now) this.replaceChildren(...document.adoptNode(now).childNodes);
    this.timer = setTimeout(() => this.look(), EVERY);
  }
}

customElements.define("under-way", UnderWay);
