// <copy-text>: a button that copies what its text says. Without scripts the text is there to be chosen.
class CopyText extends HTMLElement {
  connectedCallback() {
    const [text, button] = [this.querySelector("textarea"), this.querySelector("button")];
    if (!button) return;
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(text.value);
      button.textContent = button.dataset.done;
    });
  }
}

customElements.define("copy-text", CopyText);
