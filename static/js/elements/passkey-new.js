// <passkey-new>: has the browser make a passkey, and sends what it answers with the name in an ordinary form. `challenge`: where one is
// asked for.
import { asked } from "../challenge.js";

class PasskeyNew extends HTMLElement {
  connectedCallback() {
    if (!window.PublicKeyCredential?.parseCreationOptionsFromJSON) return;
    this.form = this.querySelector("form");
    this.querySelector("[data-unable]").hidden = true;
    this.form.hidden = false;
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#make();
    });
  }

  async #make() {
    const refused = this.querySelector("[role=alert]");
    refused.hidden = true;
    try {
      const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(await asked(this.getAttribute("challenge"), this.form));
      const credential = await navigator.credentials.create({ publicKey });
      this.form.elements.credential.value = JSON.stringify(credential);
      this.form.submit();
    } catch (error) {
      if (error.message === "403") location.reload(); // the page leads to where it is confirmed who asks
      refused.textContent = error.name === "InvalidStateError" ? refused.dataset.known : refused.dataset.failed;
      refused.hidden = false;
    }
  }
}

customElements.define("passkey-new", PasskeyNew);
