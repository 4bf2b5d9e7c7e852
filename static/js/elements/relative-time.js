// <relative-time>: keeps "3 minutes ago" true while the page is open. The exact time stands in its title; a press on the time, or the switch
// "Exact times" for all of them, shows it in its place, for those who cannot point. The server draws the next page as was chosen (cookie).
const LANGUAGE = document.documentElement.lang || "en";
const DAY = 86400;
const AGAIN = 20_000;
const words = new Intl.RelativeTimeFormat(LANGUAGE, { numeric: "always" });
const all = new Set();
const button = document.querySelector("[data-times]");
let isExact = document.cookie.split("; ").includes("times=exact");

class RelativeTime extends HTMLElement {
  connectedCallback() {
    this.time = this.querySelector("time");
    this.moment = Date.parse(this.time.dateTime);
    this.addEventListener("click", this);
    all.add(this);
    this.show();
  }

  disconnectedCallback() {
    all.delete(this);
  }

  handleEvent() {
    if (this.closest("a, button, label")) return;
    this.isTurned = !this.isTurned;
    this.show();
  }

  show() {
    const said = isExact !== Boolean(this.isTurned) ? this.time.dataset.full : this.away();
    if (this.time.textContent !== said) this.time.textContent = said;
  }

  away() {
    const { near, now, full } = this.time.dataset;
    if (!now) return near; // a date stays what it is
    const seconds = (this.moment - Date.now()) / 1000;
    const size = Math.abs(seconds);
    if (size < 60) return now;
    if (size >= DAY) return full;
    const [unit, length] = size < 3600 ? ["minute", 60] : ["hour", 3600];
    return words.format(Math.sign(seconds) * Math.floor(size / length), unit);
  }
}

customElements.define("relative-time", RelativeTime);
setInterval(() => all.forEach((each) => each.show()), AGAIN);

const turn = () => {
  isExact = !isExact;
  document.cookie = `times=${isExact ? "exact" : "near"}; path=/; max-age=31536000; samesite=lax`;
  tell();
};
const tell = () => {
  button?.setAttribute("aria-pressed", isExact);
  all.forEach((each) => { each.isTurned = false; each.show(); });
};

tell();
button?.addEventListener("click", turn);
document.addEventListener("letter", (event) => {
  if (event.detail !== "T") return;
  event.preventDefault();
  turn();
});
