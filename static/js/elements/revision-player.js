// <revision-player>: steps through the revisions by a slider, or by itself. Each step is the page that its link leads to; without scripts
// those links and the list do the same.
const PAUSE = 1500; // milliseconds between steps
const CALM = 4000; // for those who asked for little motion

class RevisionPlayer extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    this.select = this.querySelector("select");
    this.options = [...this.select.options];
    this.kept = new Map();
    this.slider = this.#made("input", { type: "range", min: 0, max: this.options.length - 1, value: this.select.selectedIndex, ariaLabel: this.dataset.label });
    this.button = this.#made("button", { type: "button", className: "button primary", textContent: this.dataset.play, hidden: this.options.length < 2 });
    this.form.querySelector("button").replaceWith(this.button);
    this.form.append(this.slider);
    this.#name();
    this.slider.addEventListener("input", () => { this.#stop(); this.#show(this.slider.valueAsNumber); });
    this.select.addEventListener("change", () => { this.#stop(); this.#show(this.select.selectedIndex); });
    this.button.addEventListener("click", () => (this.playing ? this.#stop() : this.#play()));
    this.addEventListener("click", (event) => this.#follow(event));
  }

  disconnectedCallback() {
    this.#stop();
  }

  #made(name, properties) {
    return Object.assign(document.createElement(name), properties);
  }

  // "Before" and "Next" without leaving the page.
  #follow(event) {
    const step = { prev: -1, next: 1 }[event.target.closest("a[rel]")?.rel];
    if (!step || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.#stop();
    this.#show(this.slider.valueAsNumber + step, event.target.closest("a").rel);
  }

  #play() {
    const last = this.options.length - 1;
    const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.playing = true;
    this.button.textContent = this.dataset.pause;
    const step = async (place) => {
      await this.#show(place);
      if (!this.playing) return;
      if (place >= last) this.#stop();
      else this.waiting = setTimeout(() => step(place + 1), isCalm ? CALM : PAUSE);
    };
    step(this.slider.valueAsNumber >= last ? 0 : this.slider.valueAsNumber + 1);
  }

  #stop() {
    clearTimeout(this.waiting);
    this.playing = false;
    this.button.textContent = this.dataset.play;
  }

  async #show(place, focused) {
    this.slider.value = place;
    this.select.selectedIndex = place;
    this.#name();
    const address = `${this.form.action}?at=${this.options[place].value}`;
    const step = await this.#step(address);
    if (this.slider.valueAsNumber !== place) return; // somebody is further by now
    if (!step) { location.assign(address); return; } // signed out, or forgotten: the page says so
    this.querySelector("[data-step]").replaceWith(step.cloneNode(true));
    history.replaceState(null, "", address);
    if (focused) (this.querySelector(`a[rel=${focused}]`) ?? this.slider).focus();
  }

  async #step(address) {
    if (!this.kept.has(address)) {
      const answer = await fetch(address).catch(() => null);
      const page = answer?.ok ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
      const step = page?.querySelector("[data-step]");
      if (!step) return null;
      this.kept.set(address, document.adoptNode(step));
    }
    return this.kept.get(address);
  }

  #name() {
    this.slider.setAttribute("aria-valuetext", this.options[this.slider.valueAsNumber].textContent);
  }
}

customElements.define("revision-player", RevisionPlayer);
