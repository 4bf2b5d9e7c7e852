// <alt-fields>: in the list of files without an alternative text, Enter in a field saves that one and goes to the next. The form in it
// sends all that are left.
class AltFields extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    document.addEventListener("keydown", this);
  }

  disconnectedCallback() {
    document.removeEventListener("keydown", this);
  }

  handleEvent(event) {
    const field = event.target;
    if (event.key !== "Enter" || event.isComposing || field.form !== this.form || !field.name.startsWith("alt-")) return;
    event.preventDefault();
    this.#next(field).focus();
    if (field.value.trim() && field.value !== field.defaultValue) this.#save(field);
  }

  #next(field) {
    const fields = [...this.form.elements].filter((each) => each.name.startsWith("alt-"));
    return fields[fields.indexOf(field) + 1] ?? this.form.querySelector("button");
  }

  async #save(field) {
    const sent = field.value, said = this.form.querySelector("[role=status]");
    said.textContent = "";
    const answer = await fetch(`${this.dataset.at}/${field.name.slice(4)}`, {
      method: "POST",
      headers: { Accept: "application/json", "X-Xsrftoken": this.form.elements._xsrf.value },
      body: new URLSearchParams({ alt: sent }),
    }).catch(() => null);
    if (!answer?.ok) return void (said.textContent = (await answer?.json().catch(() => null))?.error ?? this.dataset.away);
    field.defaultValue = sent; // the form may send it once more, which changes nothing
    said.textContent = this.dataset.saved;
  }
}

customElements.define("alt-fields", AltFields);
