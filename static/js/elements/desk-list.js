// <desk-list>: J and K go through the rows of its table, E opens the one that has the focus (Enter does anyway).
class DeskList extends HTMLElement {
  connectedCallback() {
    document.addEventListener("letter", this);
  }

  disconnectedCallback() {
    document.removeEventListener("letter", this);
  }

  handleEvent(event) {
    const step = { j: 1, k: -1 }[event.detail];
    const rows = [...this.querySelectorAll("tbody tr:has(a)")];
    const at = rows.findIndex((row) => row.contains(document.activeElement));
    const row = step ? rows[Math.min(Math.max(at + step, 0), rows.length - 1)] : event.detail === "e" && rows[at];
    if (!row) return;
    event.preventDefault();
    const link = row.querySelector("a");
    if (step) link.focus();
    else link.click();
  }
}

customElements.define("desk-list", DeskList);
