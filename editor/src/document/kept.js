// The document on this device: what is typed stays here, too, until the server has it, whatever becomes of the network and of this window.
// Emits "change" when that begins or ends to be so.
import { ObservableV2 } from "lib0/observable";
import { IndexeddbPersistence } from "y-indexeddb";
import { STORED, hold } from "../../../static/js/kept-texts.js";

export class Kept extends ObservableV2 {
  /** `name`: see `nameOf` in kept-texts.js; nobody may delete what is open. */
  constructor(name, doc) {
    super();
    this.name = name;
    this.isKept = false;
    this.release = hold(name);
    this.persistence = new IndexeddbPersistence(name, doc);
    this.persistence.whenSynced.then(() => this.#is(true));
    this.whenOpen = Promise.race([this.persistence.whenSynced, new Promise((resolve) => { setTimeout(resolve, 3000); })]);
    this.persistence._db.then((database) => {
      for (const kind of ["error", "abort"]) database.addEventListener(kind, () => this.#is(false)); // no room, or the browser took it back
    }, () => this.#is(false)); // a private window
  }

  /** Whether the server has it all; then it may be deleted when somebody signs out. */
  mark(isStored) {
    if (this.isKept && this.isStored !== isStored) {
      this.isStored = isStored;
      this.persistence.set(STORED, isStored).catch(() => this.#is(false));
    }
  }

  async close() {
    await this.persistence.destroy();
    this.release();
  }

  async forget() {
    await this.persistence.clearData();
    this.release();
  }

  #is(isKept) {
    this.isKept = isKept;
    this.emit("change", []);
  }
}
