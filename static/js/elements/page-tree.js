// <page-tree>: around a <sort-rows> of pages. A page that was moved by its grip is sent to its place a moment after the last step; the page
// that comes back has the focus where it was. One that was moved just before another goes ahead. Buttons send the form as they do without
// scripts.
const PAUSE = 600; // milliseconds: several steps of one page are one move

class PageTree extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    this.ahead = Promise.resolve();
    this.addEventListener("sorted", ({ detail }) => {
      clearTimeout(this.waiting);
      const move = this.#place(detail);
      if (this.move && this.move.page !== move.page) this.#sendAhead(this.move);
      this.move = move;
      this.waiting = setTimeout(() => this.ahead.then(() => this.#send()), PAUSE);
    });
    this.addEventListener("click", (event) => event.target.closest("button[name=move]") && event.stopPropagation(), true);
    // The browser gives the focus to the link that the address names, once all is loaded; the grip beside it is where it was.
    const here = document.getElementById(location.hash.slice(1))?.closest("[data-post]")?.querySelector("[data-grip]");
    if (here) addEventListener("load", () => setTimeout(() => here.focus()), { once: true });
  }

  #place(row) {
    const level = (each) => Number(each.querySelector("[data-level-field]").value);
    const before = [...this.querySelectorAll("li")].slice(0, [...this.querySelectorAll("li")].indexOf(row)).reverse();
    const parent = before.find((each) => level(each) < level(row));
    const upTo = parent ? before.slice(0, before.indexOf(parent)) : before;
    const beside = upTo.find((each) => level(each) === level(row));
    return { page: row.dataset.post, parent: parent?.dataset.post ?? "0", after: beside?.dataset.post ?? "0" };
  }

  #sendAhead(move) {
    const body = new URLSearchParams({ _xsrf: this.form.elements._xsrf.value, ...move });
    this.ahead = this.ahead.then(() => fetch(this.form.action, { method: "POST", body })).catch(() => {}); // what comes back shows how all stands
  }

  #send() {
    for (const [name, value] of Object.entries(this.move)) {
      const field = this.form.elements[name];
      field.disabled = false;
      field.value = value;
    }
    this.form.requestSubmit();
  }
}

customElements.define("page-tree", PageTree);
