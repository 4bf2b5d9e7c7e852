// <passkey-use>: lets the browser answer a challenge with a passkey, and sends the answer as an ordinary form. `challenge`: where one is
// asked for. `offered`: the browser shows passkeys among what it knows for the field of the name, too. Without a script it is not seen.
import { asked } from "../challenge.js";

const FRESH = 8 * 60 * 1000; // milliseconds; a challenge is good for ten minutes, and pages are left open

class PasskeyUse extends HTMLElement {
  connectedCallback() {
    if (!window.PublicKeyCredential?.parseRequestOptionsFromJSON) return;
    this.form = this.querySelector("form");
    this.refused = this.querySelector("[role=alert]");
    this.form.hidden = false;
    this.form.querySelector("button").addEventListener("click", () => this.#use());
    if (this.hasAttribute("offered")) this.#offer();
  }

  async #offer() {
    if (!await PublicKeyCredential.isConditionalMediationAvailable?.()) return;
    this.again = setTimeout(() => this.#offer(), FRESH);
    this.#use("conditional");
  }

  async #use(mediation) {
    this.waiting?.abort();
    const waiting = this.waiting = new AbortController();
    if (!mediation) clearTimeout(this.again);
    this.refused.hidden = true;
    try {
      const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(await asked(this.getAttribute("challenge"), this.form, waiting.signal));
      const credential = await navigator.credentials.get({ publicKey, signal: waiting.signal, ...(mediation && { mediation }) });
      this.form.elements.credential.value = JSON.stringify(credential);
      this.form.submit();
    } catch {
      this.refused.hidden = Boolean(mediation) || waiting.signal.aborted; // who did not ask need not hear of it
    }
  }
}

customElements.define("passkey-use", PasskeyUse);
