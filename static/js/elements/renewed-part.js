// A part of a page that tells how far something has come: asked for again every few seconds, as long as it says that it is busy.
// Without scripts the link in it does the same by hand.
import { pageAnew } from "../anew.js";

const PAUSE = 2000;

class RenewedPart extends HTMLElement {
  connectedCallback() {
    this.wait();
  }

  disconnectedCallback() {
    clearTimeout(this.timer);
  }

  wait() {
    if (this.querySelector("[data-busy]")) this.timer = setTimeout(() => this.renew(), PAUSE);
  }

  async renew() {
    const part = (await pageAnew(location.pathname))?.getElementById(this.id); // else what stands here was true when it was asked
    if (part) this.replaceChildren(...part.childNodes);
    this.wait();
  }
}

customElements.define("renewed-part", RenewedPart);
