// A part of a page that tells how far something has come: asked for again every few seconds, as long as it says that it is busy.
// Without scripts the link in it does the same by hand.
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
    try {
      const answer = await fetch(location.pathname, { headers: { Accept: "text/html" } });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const part = answer.ok && page.getElementById(this.id);
      if (part) this.replaceChildren(...part.childNodes);
    } catch {
      // away for a moment; what stands here was true when it was asked
    }
    this.wait();
  }
}

customElements.define("renewed-part", RenewedPart);
