// <hue-field>: while its range is moved, the whole desk is shown in that hue. Without a script the colour is seen after saving.
class HueField extends HTMLElement {
  connectedCallback() {
    this.addEventListener("input", this);
    this.handleEvent();
  }

  handleEvent() {
    document.documentElement.style.setProperty("--hue", this.querySelector("input").value);
  }
}

customElements.define("hue-field", HueField);
