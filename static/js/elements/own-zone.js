// The time zone of whoever sits here, while none was chosen. Without scripts it is chosen from the list.
class OwnZone extends HTMLElement {
  connectedCallback() {
    const list = this.querySelector("select");
    const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
    const known = [...list.options].some((option) => option.value === timeZone);
    if (known && list.value === "UTC") list.value = timeZone;
  }
}

customElements.define("own-zone", OwnZone);
