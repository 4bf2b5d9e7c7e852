// <drag-to-folder>: the folders of the library. Files are dragged onto one of them, those that are chosen all at once, and so are folders.
// What is dropped is sent as the forms of the page send it; with the keyboard both go through these forms.
class DragToFolder extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    const here = this.querySelector("[aria-current]"), row = here?.closest("ul"); // of many in a narrow row it is in sight
    if (row) row.scrollLeft += middle(here) - middle(row);
    for (const type of ["dragstart", "dragover", "dragleave", "drop", "dragend"]) document.addEventListener(type, this);
  }

  disconnectedCallback() {
    for (const type of ["dragstart", "dragover", "dragleave", "drop", "dragend"]) document.removeEventListener(type, this);
  }

  handleEvent(event) {
    this[`on${event.type}`](event);
  }

  ondragstart(event) {
    const asset = event.target.closest?.(".asset, .library tr[data-row]"), folder = event.target.closest?.("[data-place]");
    if (folder && this.contains(folder)) this.moved = { folder };
    else if (asset?.querySelector("[name=id]")) this.moved = { ids: this.#ids(asset), rows: this.#rows(asset) };
    else return;
    event.dataTransfer.effectAllowed = "move";
    for (const row of this.moved.rows ?? []) row.classList.add("dragged");
  }

  ondragover(event) {
    const target = this.#target(event);
    if (!target) return;
    event.preventDefault();
    target.classList.add("over");
  }

  ondragleave(event) {
    event.target.closest?.("[data-folder]")?.classList.remove("over");
  }

  ondrop(event) {
    const target = this.#target(event);
    if (!target) return;
    event.preventDefault();
    const { ids, folder } = this.moved, to = target.dataset.folder;
    if (ids) this.#send(this.dataset.move, { act: "move", id: ids.join(","), to_folder: to });
    else this.#send(folder.dataset.place, { name: folder.dataset.name, parent: to });
  }

  ondragend() {
    for (const row of this.moved?.rows ?? []) row.classList.remove("dragged");
    for (const each of this.querySelectorAll(".over")) each.classList.remove("over");
    this.moved = undefined;
  }

  #target(event) {
    const target = this.moved && event.target.closest?.("[data-folder]");
    const isPlace = target && this.contains(target) && target !== this.moved.folder && target.dataset.folder !== this.moved.folder?.dataset.parent;
    return isPlace ? target : null;
  }

  #rows(asset) {
    if (!asset.querySelector("[name=id]").checked) return [asset];
    return [...document.querySelectorAll(".list-form [name=id]:checked")].map((box) => box.closest("[data-row]"));
  }

  #ids(asset) {
    return this.#rows(asset).map((row) => row.dataset.post);
  }

  #send(action, fields) {
    this.form.action = action;
    for (const [name, value] of Object.entries(fields)) {
      const field = document.createElement("input");
      Object.assign(field, { type: "hidden", name, value });
      this.form.append(field);
    }
    this.form.submit();
  }
}

function middle(element) {
  const { left, width } = element.getBoundingClientRect();
  return left + width / 2;
}

customElements.define("drag-to-folder", DragToFolder);
