// "Is it still you?": when the session is over, signing in again without leaving the text. A password is sent from here; whoever needs a passkey
// or a second factor does that in a window of its own, and is noticed on coming back.
import { words } from "../words.js";

export class Again {
  /** `reminder`: a button that opens it again; `back()`: tries to go on, and whoever signed in meanwhile, the server says. Who said "not now" is left in peace. */
  constructor(dialog, reminder, back) {
    Object.assign(this, { dialog, reminder, back, form: dialog.querySelector("form"), error: dialog.querySelector(".error") });
    this.form.addEventListener("submit", (event) => { event.preventDefault(); this.#signIn(); });
    dialog.querySelector("[data-later]").addEventListener("click", () => dialog.close());
    reminder.addEventListener("click", () => this.#show());
    for (const kind of ["focus", "pageshow"]) addEventListener(kind, () => { if (this.isNeeded) back(); });
  }

  open(reason = "") {
    if (this.isNeeded && reason === this.reason) return;
    Object.assign(this, { isNeeded: true, reason });
    this.reminder.hidden = false;
    this.#show(reason);
  }

  async close() {
    if (!this.isNeeded) return;
    this.isNeeded = false;
    this.reminder.hidden = true;
    this.form.reset();
    this.dialog.close();
    takeKey(await pageAt(location.pathname));
  }

  async #signIn() {
    const button = this.form.querySelector(".primary");
    button.disabled = true;
    try {
      const data = new URLSearchParams(new FormData(this.form));
      data.set("next", location.pathname);
      const answer = await fetch(this.form.action, { method: "POST", body: data });
      this.#judge(new URL(answer.url).pathname, parsed(await answer.text()));
    } catch {
      this.#say(words.again);
    } finally {
      button.disabled = false;
    }
  }

  #judge(path, page) {
    takeKey(page);
    if (path === location.pathname) this.back();
    else if (path.startsWith("/login/")) this.#say(words.secondStep);
    else this.#say(page.querySelector(".error")?.textContent.trim() || words.wrong);
  }

  #show(reason = "") {
    this.#say(reason);
    if (!this.dialog.open) this.dialog.showModal();
  }

  #say(sentence) {
    this.error.hidden = !sentence;
    this.error.querySelector("span").textContent = sentence;
    if (sentence) this.form.elements.password.focus();
  }
}

/** Forms of this page go on with the key that the browser has now. */
function takeKey(page) {
  const key = page.querySelector("[name=_xsrf]")?.value;
  if (key) for (const field of document.querySelectorAll("[name=_xsrf]")) field.value = key;
}

export async function pageAt(address) {
  const answer = await fetch(address);
  return parsed(await answer.text());
}

export function parsed(html) {
  return new DOMParser().parseFromString(html, "text/html");
}
