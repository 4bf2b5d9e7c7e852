// <media-upload>: around the form that brings files without it. What is chosen, or dropped anywhere on the page or in the dialog that it is
// in, goes up in pieces, a few files at a time, each in a row with its progress; after a lost network by itself. What is dropped onto a
// folder is brought there. Of each picture that arrived it asks what it shows. Says "uploaded" with the asset.
import { Refused, Sending } from "../uploading.js";

const FOR_GOOD = new Set([413, 415, 422]); // too large, of another kind, broken: the same file is not taken a second time
const WAITS = new Set(["away", "paused"]);
const DRAGS = ["dragstart", "dragend", "dragenter", "dragover", "dragleave", "drop"];

class MediaUpload extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    this.list = this.querySelector(".sent");
    this.under = new Set();
    this.querySelector("[data-plain]").hidden = true;
    const files = this.form.elements.files;
    files.addEventListener("change", () => { this.send(files.files); files.value = ""; });
    this.around = this.closest("dialog") ?? document;
    this.target = Object.assign(document.createElement("p"), { className: "drop-here", hidden: true });
    (this.around.body ?? this.around).append(this.target);
    for (const kind of DRAGS) this.around.addEventListener(kind, this);
    addEventListener("beforeunload", (event) => { if (this.under.size) event.preventDefault(); });
  }

  disconnectedCallback() {
    for (const kind of DRAGS) this.around.removeEventListener(kind, this);
    this.target.remove();
  }

  handleEvent(event) {
    if (event.type === "dragstart" || event.type === "dragend") this.isOwn = event.type === "dragstart"; // what is on the page already
    else if (event.type === "dragleave") this.target.hidden ||= !this.around.contains(event.relatedTarget);
    else if (!this.isOwn && event.dataTransfer?.types.includes("Files")) this.#offer(event);
  }

  #offer(event) {
    event.preventDefault();
    const folder = event.target.closest?.("[data-folder]"), words = this.dataset[folder ? "dropInto" : "drop"];
    this.target.hidden = event.type === "drop";
    this.target.textContent = words.replace("{folder}", folder?.querySelector("span").textContent);
    if (event.type !== "drop") return;
    this.closest("details").open = true;
    this.scrollIntoView({ block: "nearest" });
    this.send(event.dataTransfer.files, folder?.dataset.folder);
  }

  send(files, folder = this.form.elements.folder?.value) {
    for (const file of files) new Row(this, file, Number(folder) ? { folder } : {});
  }

  get key() { return this.form.elements._xsrf.value; }

  say(words) { this.querySelector("[data-said]").textContent = words; }
}

class Row {
  constructor(place, file, fields) {
    this.place = place;
    this.row = place.querySelector("template").content.firstElementChild.cloneNode(true);
    this.row.querySelector(".name").textContent = file.name;
    this.row.addEventListener("click", ({ target }) => target.dataset.act && this[target.dataset.act]());
    place.list.hidden = false;
    place.list.append(this.row);
    this.size = file.size;
    this.sending = new Sending(file, { at: place.dataset.at, key: () => place.key, fields, tell: (how) => this.#show(how) });
    this.#show({ state: "waits", sent: 0 });
    this.#run();
  }

  async #run() {
    const { place } = this;
    place.under.add(this);
    try {
      this.#arrived(await this.sending.run());
    } catch (error) {
      if (error.name !== "AbortError") this.#failed(error);
    } finally {
      place.under.delete(this);
    }
  }

  pause() { this.sending.pause(); this.#offer("resume", "abandon"); }

  resume() { this.sending.resume(); this.#offer("pause", "abandon"); }

  again() { this.#offer("pause", "abandon"); this.#run(); }

  abandon() { this.sending.abandon(); this.#leave(); }

  #leave() {
    if (this.row.contains(document.activeElement)) this.place.form.elements.files.focus();
    this.row.remove();
    this.#tell(this.place.dataset.removed);
  }

  #show({ state, sent, why }) {
    const words = state === "sending" ? "" : why || this.place.dataset[state];
    const isNews = WAITS.has(state) && this.#said.textContent !== words;
    this.#said.textContent = words || `${Math.floor((100 * sent) / (this.size || 1))} %`;
    this.#mark(false);
    this.row.querySelector("progress").value = this.size ? sent / this.size : 0;
    if (isNews) this.#tell();
  }

  get #said() { return this.row.querySelector(".state"); }

  // The focus does not go with the button that has it.
  #offer(...acts) {
    const buttons = [...this.row.querySelectorAll("[data-act]")], held = buttons.find((button) => button === document.activeElement);
    for (const button of buttons) button.hidden = !acts.includes(button.dataset.act);
    if (held?.hidden) (buttons.find((button) => !button.hidden) ?? this.place.form.elements.files).focus();
  }

  #tell(words = this.#said.textContent) { this.place.say(`${this.row.querySelector(".name").textContent}: ${words}`); }

  #mark(isWrong) {
    this.#said.classList.toggle("error", isWrong);
    this.#said.classList.toggle("quiet", !isWrong);
    this.row.querySelector("progress").hidden = isWrong;
  }

  #failed(error) {
    this.#offer(...(FOR_GOOD.has(error.status) ? [] : ["again"]), "abandon");
    this.#said.textContent = (error instanceof Refused && error.message) || this.place.dataset.failed;
    this.#mark(true);
    this.#tell();
  }

  #arrived(asset) {
    const { place } = this;
    this.#offer();
    this.row.querySelector("progress").remove();
    this.row.querySelector(".name").textContent = asset.name;
    this.#said.textContent = asset.is_known ? place.dataset.known : place.dataset.done;
    if (asset.kind === "picture" && !asset.alt && !asset.is_decorative) this.#ask(asset);
    this.#tell();
    place.dispatchEvent(new CustomEvent("uploaded", { bubbles: true, detail: asset }));
  }

  #ask(asset) {
    const form = this.row.querySelector(".alt"), answer = form.querySelector("[data-answer]");
    form.prepend(Object.assign(new Image(), { src: asset.small, alt: "" }));
    form.ariaLabel = asset.name;
    form.hidden = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const headers = { "X-Xsrftoken": this.place.key, Accept: "application/json" };
      const sent = await fetch(`${this.place.dataset.assets}/${asset.id}`, { method: "POST", headers, body: new URLSearchParams(new FormData(form)) }).catch(() => null);
      answer.textContent = sent?.ok ? this.place.dataset.saved : ((await sent?.json().catch(() => null))?.error ?? this.place.dataset.failed);
      this.#tell(answer.textContent);
      if (sent?.ok) this.#leaveOff(form);
    });
  }

  // On to what is asked of the next one.
  #leaveOff(form) {
    const hadFocus = form.contains(document.activeElement);
    for (const field of form.elements) field.disabled = true;
    if (hadFocus) (this.place.querySelector(".sent form:not([hidden]) input:enabled") ?? this.place.form.elements.files).focus();
  }
}

customElements.define("media-upload", MediaUpload);
