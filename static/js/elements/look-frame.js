// The form of the look, and a frame that shows the front page in it: whatever is chosen, its stylesheet takes the place of the one in the
// frame. Without scripts a button sends the form there.
const CHOICES = ["fonts", "width", "corners", "colours"];

class LookFrame extends HTMLElement {
  connectedCallback() {
    this.querySelector("[data-unscripted]").hidden = true;
    this.frame = this.querySelector("iframe");
    this.frame.addEventListener("load", () => this.show());
    this.addEventListener("input", () => this.show());
  }

  show() {
    const values = new FormData(this.closest("form"));
    const name = [values.get("accent_hue"), ...CHOICES.map((choice) => values.get(choice))].join("-");
    const usual = CHOICES.every((choice) => this.querySelector(`[name=${choice}]`).checked); // the first of each is
    const sheet = this.frame.contentDocument?.querySelector('link[href*="/static/theme/"]');
    const address = `/static/theme/${usual ? values.get("accent_hue") : name}.css`;
    if (sheet && !sheet.href.includes(address)) sheet.href = address;
  }
}

customElements.define("look-frame", LookFrame);
