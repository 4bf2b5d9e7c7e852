// A text that is to be passed on: chosen whole when it gets the focus, copied by its button. Without scripts it is a field to copy from.
class CopyField extends HTMLElement {
  connectedCallback() {
    const field = this.querySelector("input");
    const button = this.querySelector("button");
    field.addEventListener("focus", () => field.select());
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(field.value);
      button.textContent = this.querySelector("[role=status]").textContent = button.dataset.done;
    });
  }
}

customElements.define("copy-field", CopyField);
