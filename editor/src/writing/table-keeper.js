// Aligns the table that was changed here, when its writer leaves it.
import { ViewPlugin } from "@codemirror/view";
import { ySyncAnnotation } from "y-codemirror.next";
import { alignTable, tableAround } from "./tables.js";

const WAYS = ["input", "delete"]; // by which a person changes it; undoing is not meant to be done again

class TableKeeper {
  changed = null; // a place in the table that is being changed

  constructor(view) {
    this.view = view;
  }

  update({ state, transactions, changes, docChanged, selectionSet }) {
    if (this.changed !== null && docChanged) this.changed = changes.mapPos(this.changed, 1);
    const isOwn = transactions.some((each) => each.docChanged && !each.annotation(ySyncAnnotation) && WAYS.some((way) => each.isUserEvent(way)));
    const { head } = state.selection.main;
    if (isOwn && tableAround(state.doc, state.doc.lineAt(head).number)) this.changed = head;
    else if (this.changed !== null && selectionSet) this.waiting ??= setTimeout(() => this.#leave());
  }

  #leave() {
    this.waiting = undefined;
    const { doc, selection, readOnly } = this.view.state;
    const table = tableAround(doc, doc.lineAt(this.changed).number);
    const here = doc.lineAt(selection.main.head).number;
    if (table && here >= table.first && here <= table.last) return;
    this.changed = null;
    const changes = table && !readOnly ? alignTable(doc, table) : [];
    if (changes.length) this.view.dispatch({ changes, userEvent: "format.table" });
  }

  destroy() {
    clearTimeout(this.waiting);
  }
}

export const tableKeeper = ViewPlugin.fromClass(TableKeeper);
