// <page-tree>: around a <sort-rows> of pages. A page that was moved by its grip is sent to its place a moment after the last step; the page
// that comes back has the focus where it was. Buttons send the form as they do without scripts.
const PAUSE = 600; // milliseconds: several steps of one page are one move

class PageTree extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    this.addEventListener("sorted", ({ detail }) => {
      clearTimeout(this.waiting);
      this.waiting = setTimeout(() => this.#send(detail), PAUSE);
    });
    this.addEventListener("click", (event) => event.target.closest("button[name=move]") && event.stopPropagation(), true);
    // The browser gives the focus to the link that the address names, once all is loaded; the grip beside it is where it was.
    const here = document.getElementById(location.hash.slice(1))?.closest("[data-post]")?.querySelector("[data-grip]");
    if (here) addEventListener("load", () => setTimeout(() => here.focus()), { once: true });
  }

  #send(row) {
    const level = (each) => Number(each.querySelector("[data-level-field]").value);
    const before = [...this.querySelectorAll("li")].slice(0, [...this.querySelectorAll("li")].indexOf(row)).reverse();
    const parent = before.find((each) => level(each) < level(row));
    const upTo = parent ? before.slice(0, before.indexOf(parent)) : before;
    const beside = upTo.find((each) => level(each) === level(row));
    this.#set("page", row.dataset.post);
    this.#set("parent", parent?.dataset.post ?? "0");
    this.#set("after", beside?.dataset.post ?? "0");
    this.form.requestSubmit();
  }

  #set(name, value) {
    const field = this.form.elements[name];
    field.disabled = false;
    field.value = value;
  }
}

customElements.define("page-tree", PageTree);
