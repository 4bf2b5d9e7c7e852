// One picture of a gallery alone and large, and from it to the others. Without this file a picture is a link to the whole of it.
const SWIPE = 48; // CSS pixels

customElements.define("light-box", class extends HTMLElement {
  #dialog = document.createElement("dialog");
  #picture = new Image();
  #place = document.createElement("span");
  #caption = document.createElement("span");
  #words = {};
  #links = [];
  #at = 0;
  #from = null; // where a finger was put down

  // `words`: close, earlier, later, and place with {number} and {all}.
  begin(words) {
    this.#words = words;
    const figure = document.createElement("figure");
    const below = document.createElement("figcaption");
    below.ariaLive = "polite";
    below.append(this.#place, this.#caption);
    figure.append(this.#picture, below);
    const buttons = { close: () => this.#dialog.close(), earlier: () => this.#show(this.#at - 1), later: () => this.#show(this.#at + 1) };
    this.#dialog.append(...Object.entries(buttons).map(([name, act]) => this.#button(name, act)), figure);
    this.#dialog.className = "ui";
    this.#picture.draggable = false;
    this.#listen();
    this.append(this.#dialog);
  }

  open(links, at) {
    this.#links = links;
    this.#show(at);
    this.#dialog.showModal();
  }

  #button(name, act) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: name, ariaLabel: this.#words[name] });
    button.addEventListener("click", act);
    return button;
  }

  #listen() {
    const dialog = this.#dialog;
    dialog.addEventListener("keydown", (event) => this.#press(event));
    dialog.addEventListener("click", ({ target }) => target.closest("button, img, figcaption") || dialog.close());
    dialog.addEventListener("close", () => this.#links[this.#at].focus());
    dialog.addEventListener("pointerdown", ({ clientX, isPrimary }) => { this.#from = isPrimary ? clientX : null; });
    dialog.addEventListener("pointerup", ({ clientX }) => this.#swipe(clientX));
  }

  #show(wanted) {
    const all = this.#links.length;
    this.#at = (wanted + all) % all;
    const link = this.#links[this.#at];
    const caption = link.closest("figure")?.querySelector("figcaption");
    this.#picture.src = link.href;
    this.#picture.alt = link.querySelector("img").alt;
    this.#dialog.ariaLabel = this.#place.textContent = this.#words.place.replace("{number}", this.#at + 1).replace("{all}", all);
    this.#caption.replaceChildren(...(caption?.cloneNode(true).childNodes ?? []));
    for (const near of [1, all - 1]) new Image().src = this.#links[(this.#at + near) % all].href;
  }

  get #isForwardLeft() { return getComputedStyle(this).direction === "rtl"; }

  #press(event) {
    const [back, forward] = this.#isForwardLeft ? ["ArrowRight", "ArrowLeft"] : ["ArrowLeft", "ArrowRight"];
    const wanted = { [back]: this.#at - 1, [forward]: this.#at + 1, Home: 0, End: this.#links.length - 1 }[event.key];
    if (wanted === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.#show(wanted);
  }

  #swipe(to) {
    const way = this.#from === null ? 0 : to - this.#from;
    this.#from = null;
    if (Math.abs(way) >= SWIPE) this.#show(this.#at + (way < 0 === this.#isForwardLeft ? -1 : 1));
  }
});

// The galleries of a text. A link to elsewhere around a picture stays one.
export function enlarge(prose) {
  const { close, earlier, later, place } = prose.dataset;
  const box = document.createElement("light-box");
  box.begin({ close, earlier, later, place });
  const looks = Object.assign(document.createElement("link"), { rel: "stylesheet", href: new URL("../../css/light-box.css", import.meta.url) });
  document.head.append(looks);
  document.body.append(box);
  for (const gallery of prose.querySelectorAll(".gallery")) {
    const links = [...gallery.querySelectorAll("a[href^='/media/']:has(img)")];
    links.forEach((link, at) => link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      box.open(links, at);
    }));
  }
}
