// <media-picker>: the library's page in a dialog, to choose one of it: for a text ("pick-media", an event whose `detail.take` is given what was
// chosen; with `detail.several` one after the other, in this order, until somebody is done), or for a field (<media-choice>). Its links and forms lead on within the dialog.
class MediaPicker extends HTMLElement {
  connectedCallback() {
    this.dialog = this.querySelector("dialog");
    this.shown = this.querySelector("[data-library]");
    this.found = this.querySelector("[data-found]");
    this.done = this.querySelector("[data-put]");
    this.done.addEventListener("click", () => this.#give(...this.several.values()));
    document.addEventListener("pick-media", this);
    for (const type of ["click", "submit", "keydown", "uploaded"]) this.dialog.addEventListener(type, this);
    this.dialog.addEventListener("close", () => { this.take = undefined; this.shown.replaceChildren(); });
  }

  disconnectedCallback() { document.removeEventListener("pick-media", this); }

  handleEvent(event) {
    if (event.type === "pick-media") event.preventDefault();
    this[`on${event.type.replace("-", "")}`](event);
  }

  onpickmedia({ detail }) { this.open(detail.kind, detail.take, detail.several); }

  // `take`: called with {id, path, alt, name, markdown} of what is chosen, if something is.
  async open(kind, take, several = false) {
    this.take = take;
    this.several = several && new Map();
    this.done.parentElement.hidden = !several;
    this.done.disabled = true;
    await this.#show(`${this.dataset.at}?pick=${kind}`);
    this.dialog.showModal();
    const bring = this.dialog.querySelector(".bring");
    if (bring && this.shown.querySelector(".empty:not(.library *)")) bring.open = true; // there is nothing to choose from yet
    (this.shown.querySelector("[type=search]") ?? bring?.querySelector("[type=file]"))?.focus();
  }

  async #show(address) {
    const answer = await fetch(address, { headers: { "X-Renewal": "part" } }).catch(() => null);
    const page = answer?.ok && new DOMParser().parseFromString(await answer.text(), "text/html");
    const part = page && page.querySelector("#library, main .empty");
    if (!part) return this.shown.replaceChildren(Object.assign(document.createElement("p"), { className: "callout bad", textContent: this.dataset.away }));
    for (const each of part.querySelectorAll("[autofocus]")) each.removeAttribute("autofocus");
    this.address = address;
    const held = this.shown.contains(document.activeElement) && document.activeElement;
    this.shown.replaceChildren(document.adoptNode(part));
    this.shown.scrollTop = 0;
    this.#mark();
    this.found.textContent = this.shown.querySelector(".list-foot p, .empty h2")?.textContent ?? "";
    if (held) this.#hold(held);
  }

  // The focus comes back to the link that was followed, or what opened its menu, or goes to the first of what is shown now; somebody who
  // searched may go on.
  #hold(was) {
    const links = [...this.shown.querySelectorAll("a[href]")], menu = was.closest("[popover]")?.id;
    const same = was.href && (links.find((link) => link.href === was.href) ?? links.find((link) => link.dataset.pick));
    const opener = menu && this.shown.querySelector(`[popovertarget=${menu}]`);
    (opener || same || this.shown.querySelector("[type=search]"))?.focus();
  }

  onclick(event) {
    if (event.target === this.dialog) return this.dialog.close();
    const link = event.target.closest("a[href]");
    if (!link || !this.shown.contains(link) || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    if (link.dataset.pick) this.#chosen({ ...link.dataset, id: link.dataset.pick, name: link.textContent });
    else if (new URL(link.href).pathname === this.dataset.at) this.#show(link.href);
  }

  onsubmit(event) {
    if (!this.shown.contains(event.target)) return;
    event.preventDefault();
    this.#show(`${this.dataset.at}?${new URLSearchParams(new FormData(event.target))}`);
  }

  onkeydown(event) {
    const onwards = getComputedStyle(this).direction === "rtl" ? -1 : 1;
    const step = { ArrowRight: onwards, ArrowLeft: -onwards }[event.key], links = [...this.shown.querySelectorAll("[data-pick]")];
    const at = links.indexOf(document.activeElement);
    if (step && at >= 0) links[at + step]?.focus();
  }

  onuploaded() { this.#show(this.address); }

  #chosen(chosen) {
    if (!this.several) return this.#give(chosen);
    if (!this.several.delete(chosen.id)) this.several.set(chosen.id, chosen);
    this.#mark();
  }

  #give(...chosen) {
    const { take } = this;
    this.dialog.close();
    take?.(...chosen);
  }

  #mark() {
    if (!this.several) return;
    for (const link of this.shown.querySelectorAll("[data-pick]")) link.ariaCurrent = this.several.has(link.dataset.pick) ? "true" : null;
    this.done.disabled = !this.several.size;
    this.done.nextElementSibling.textContent = this.dataset.chosen.replace("{number}", this.several.size);
  }
}

// <media-choice>: around a select of what the library has; a button opens the library, and what is chosen there is one of the options.
class MediaChoice extends HTMLElement {
  connectedCallback() {
    const picker = document.querySelector("media-picker"), select = this.querySelector("select");
    if (!picker || !select || this.querySelector("[data-open-library]")) return;
    const button = Object.assign(document.createElement("button"), { type: "button", className: "button", textContent: picker.dataset.choose });
    button.dataset.openLibrary = "";
    button.setAttribute("aria-describedby", select.id);
    button.addEventListener("click", () => { if (!select.disabled) picker.open(this.dataset.kind, (chosen) => this.#put(select, chosen)); });
    select.after(button);
  }

  #put(select, { id, path, alt, name }) {
    let option = [...select.options].find((each) => each.value === id);
    if (!option) select.append(option = new Option(alt || name, id));
    Object.assign(option.dataset, { path, alt });
    select.value = id;
    for (const type of ["input", "change"]) select.dispatchEvent(new Event(type, { bubbles: true }));
    this.querySelector("[data-open-library]").focus();
  }
}

customElements.define("media-picker", MediaPicker);
customElements.define("media-choice", MediaChoice);
