// Acts of the person on the post as a whole: keep a revision (Ctrl-S), go on to publishing. They are ordinary forms, sent once everything typed
// is on the server, and so without text and fields; what is not a plain success is sent as one, so that the server's page explains it.
import { words } from "../words.js";
import { parsed } from "./again.js";

const STANDING = [".state .status", ".desk-acts .menu"]; // parts of the page that say how the post stands

const MACHINERY = new Set(["_xsrf", "_method", "then", "kind", "version"]);

export class Saving {
  /** `whenStored()`: rejects with why it cannot be; `said(words)`: shows that it is done; `failed(why)`; `signedOut()`. */
  constructor(desk, form, { whenStored, said, failed, signedOut }) {
    Object.assign(this, { desk, form, whenStored, said, failed, signedOut, isLeaving: false });
    form.addEventListener("submit", (event) => this.#submit(event));
    document.addEventListener("formdata", ({ formData }) => { if (this.isActing) withoutWords(formData); }); // after the form's own
    document.addEventListener("keydown", (event) => this.#key(event));
  }

  #key(event) {
    if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
    const key = event.key.toLowerCase();
    const button = key === "s" ? "[data-save]" : key === "p" && event.shiftKey ? "[name=then][value=publish]" : "";
    if (!button) return;
    event.preventDefault();
    this.desk.querySelector(button)?.click();
  }

  async #submit(event) {
    const button = event.submitter;
    if (button?.formTarget || this.isLeaving) return; // the preview; or it is sent for good
    event.preventDefault();
    if (this.isBusy) return;
    this.isBusy = true;
    button?.setAttribute("aria-busy", "true");
    try {
      await new Promise((resolve) => { setTimeout(resolve); }); // a form that is just being sent cannot be sent again
      await this.whenStored();
      if (button?.matches("[data-save]")) await this.#keep();
      else if (this.desk.dispatchEvent(new CustomEvent("leaving", { detail: button, cancelable: true }))) this.#leave(button);
    } catch (why) {
      this.failed(typeof why === "string" ? why : "");
    } finally {
      this.isBusy = false;
      button?.removeAttribute("aria-busy");
    }
  }

  async #keep() {
    this.isActing = true;
    const data = new FormData(this.form);
    this.isActing = false;
    const answer = await fetch(this.form.action, { method: "POST", body: data });
    if (!answer.headers.has("X-Request-Id")) throw words.noServer; // a proxy's page
    if (answer.status === 401) return this.signedOut();
    const isDone = answer.ok && answer.redirected && new URL(answer.url).pathname === new URL(this.form.action).pathname;
    if (isDone) this.renew(parsed(await answer.text())), this.said(words.revisionKept);
    else this.#leave(this.desk.querySelector("[data-save]"));
  }

  #leave(button) {
    this.isLeaving = this.isActing = true;
    this.form.requestSubmit(button);
    this.isActing = false;
    setTimeout(() => { this.isLeaving = false; }, 10_000); // the answer did not come
  }

  /** Take over from the server's page how the post stands. */
  renew(page) {
    this.form.elements.version.value = page.querySelector("[name=version]")?.value ?? this.form.elements.version.value;
    for (const part of STANDING) {
      const [old, fresh] = [this.desk.querySelector(part), page.querySelector(part)];
      if (!old || !fresh || old.matches(":popover-open")) continue;
      old.className = fresh.className;
      old.replaceChildren(...fresh.childNodes);
    }
  }
}

/** Put in what another page has there and this one has not; what stands there stays, as somebody may just be pressing it. */
export function complete(place, other) {
  let last = null;
  for (const child of [...other.children]) {
    const here = [...place.children].find((each) => nameOf(each) === nameOf(child));
    if (!here) last ? last.after(child) : place.prepend(child);
    last = here ?? child;
  }
}

const nameOf = (element) => element.id || (element.hasAttribute("popovertarget") && `to ${element.getAttribute("popovertarget")}`) || element.textContent.trim();

/** Nothing was seen and nothing typed: the server keeps what its document says. */
function withoutWords(data) {
  for (const name of [...data.keys()]) if (!MACHINERY.has(name)) data.delete(name);
  data.set("text", "");
  data.set("seen", "{}");
}
