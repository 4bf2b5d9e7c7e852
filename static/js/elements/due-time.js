// <due-time>: adds to a planned moment how far away it is, and what the viewer's own clock shows then if it differs from the site's.
import { away, here } from "../planned.js";

class DueTime extends HTMLElement {
  connectedCallback() {
    const moment = new Date(this.querySelector("time").dateTime);
    const told = [away(moment), here(moment, this.dataset.zone, this.dataset.here)].filter(Boolean);
    this.querySelector("[data-more]").textContent = told.length ? ` (${told.join(", ")})` : "";
  }
}

customElements.define("due-time", DueTime);
