// <planned-time>: says while somebody chooses a day and a time what they mean: which weekday, how far away, and when that is where he is.
import { away, here, momentOf, weekday } from "../planned.js";

class PlannedTime extends HTMLElement {
  connectedCallback() {
    this.addEventListener("input", () => this.#tell());
    this.#tell();
  }

  #tell() {
    const [day, time] = ["date", "time"].map((kind) => this.querySelector(`[type=${kind}]`).value);
    const { zone, here: words, passed } = this.dataset;
    const moment = day && time ? momentOf(`${day}T${time.slice(0, 5)}`, zone) : null;
    const told = moment ? [weekday(moment, zone), away(moment) || passed, here(moment, zone, words)] : [];
    this.querySelector("[data-told]").textContent = told.filter(Boolean).join(", ");
  }
}

customElements.define("planned-time", PlannedTime);
