// Keeps a Yjs document and the server's the same over a socket that may break at any time, and knows how much of what was typed here is on the
// server's disk. Emits "hello" (what the server said first), "synced", "change" (whether connected or dirty), "closed" ({code, reason, isOthers}: it
// does not come back by itself; somebody else is signed in), "standing", "unsaved" and "writers" (what the server told).
import { ObservableV2 } from "lib0/observable";
import { applyAwarenessUpdate, encodeAwarenessUpdate, removeAwarenessStates } from "y-protocols/awareness";
import { messageYjsSyncStep1, messageYjsSyncStep2, readSyncMessage, writeSyncStep1, writeUpdate } from "y-protocols/sync";
import { put, words } from "../words.js";
import { AWARENESS, CLOSED, IS, STORED, SYNC, TOLD, message, opened, readBytes, readNumber, readTold, writeBytes, writeNumber } from "./wire.js";

const FIRST_WAIT = 300; // milliseconds before the first new attempt; doubled with each, up to the longest
const LONGEST_WAIT = 8_000;
const SLOW_WAIT = 20_000;
const SILENCE = 25_000; // after so much of it the server is asked whether it is still there
const STEADY = 5_000; // a connection that lasted so long was a good one
const PATIENCE = 10_000; // and after so much more the connection is taken for dead
const ENDS = new Set([CLOSED.signedOut, CLOSED.forbidden, CLOSED.gone, CLOSED.unknownLineage]); // somebody has to do something first
const SLOW = new Set([CLOSED.unreadable, CLOSED.tooLarge, CLOSED.tooMany]); // the same again at once would end in the same way

export class Provider extends ObservableV2 {
  /** `address`: of the socket, without a query. `person`: whose document this is; another's session is as good as none. */
  constructor(address, { doc, awareness, person }) {
    super();
    Object.assign(this, { address, doc, awareness, person, lineage: "", mayWrite: false, socket: null, attempts: 0, hasEnded: false, refusal: "" });
    this.isGreeted = this.isAnswered = this.isSynced = false; // the server said hello; it knows all of ours; we know all of its
    this.isDirty = false; // something typed here may not be on its disk
    doc.on("update", (update, origin) => { if (origin !== this) this.#written(update); });
    awareness.on("update", ({ added, updated, removed }, origin) => { if (origin !== this) this.#announce([...added, ...updated, ...removed]); });
    addEventListener("online", () => this.wake());
    addEventListener("offline", () => this.#hangUp()); // a dead connection would be noticed much later
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.wake(); });
    addEventListener("pagehide", () => this.#drop());
    addEventListener("pageshow", (event) => { if (event.persisted) this.connect(); });
  }

  connect() {
    if (this.socket) return;
    clearTimeout(this.waiting);
    this.sent = this.stored = 0;
    const query = this.lineage ? `?lineage=${encodeURIComponent(this.lineage)}` : "";
    const socket = this.socket = new WebSocket(new URL(this.address + query, location.href.replace(/^http/, "ws")));
    socket.binaryType = "arraybuffer";
    socket.addEventListener("message", (event) => { if (socket === this.socket) this.#read(event.data); });
    socket.addEventListener("close", (event) => { if (socket === this.socket) this.#lost(event.code, event.reason); });
    this.#listen();
  }

  /** Try again at once, if an attempt is only waiting for its time. */
  wake() {
    if (this.socket || this.hasEnded) return;
    this.attempts = 0;
    this.connect();
  }

  /** Go on after the socket was closed for a reason that somebody has removed. */
  resume() {
    this.hasEnded = false;
    this.wake();
  }

  /** Resolves when everything typed here is on the server's disk; rejects with the reason when that cannot be in `patience` milliseconds. */
  whenStored(patience = navigator.onLine === false ? 0 : 10_000) {
    if (!this.isDirty && this.isSynced) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const look = () => { if (!this.isDirty && this.isSynced) end(resolve); else if (this.hasEnded) end(reject, this.refusal); };
      const timer = setTimeout(() => end(reject, this.refusal || (patience ? "" : words.noConnection)), patience);
      const end = (settle, value) => { clearTimeout(timer); this.off("change", look); settle(value); };
      this.on("change", look);
    });
  }

  // --- what comes ---

  #read(data) {
    this.#listen();
    const [kind, decoder] = opened(data);
    if (kind === SYNC) this.#sync(decoder);
    else if (kind === AWARENESS) applyAwarenessUpdate(this.awareness, readBytes(decoder), this);
    else if (kind === STORED) this.#count(readNumber(decoder));
    else if (kind === TOLD) this.#told(readTold(decoder));
  }

  #told(said) {
    if (said.kind === "hello") {
      this.#greet(said);
    } else if (said.kind === "standing" && said.mayWrite && !this.mayWrite) {
      this.#hangUp(); // what could not be written until now goes with a new beginning
    } else {
      if (said.kind === "standing") this.mayWrite = said.mayWrite;
      if (said.kind === "unsaved") this.refusal = said.why;
      this.emit(said.kind, [said]);
      this.emit("change", []);
    }
  }

  #greet(hello) {
    if (hello.person.id !== this.person) {
      this.#end(CLOSED.signedOut, put(words.somebodyElse, hello.person), true);
      return;
    }
    if (this.lineage && hello.lineage !== this.lineage) {
      this.#end(CLOSED.unknownLineage, "");
      return;
    }
    this.lineage = hello.lineage;
    this.mayWrite = hello.mayWrite;
    this.isGreeted = true;
    this.greetedAt = Date.now();
    this.refusal = "";
    this.#send(IS, (encoder) => writeNumber(encoder, this.doc.clientID));
    this.#send(SYNC, (encoder) => writeSyncStep1(encoder, this.doc));
    this.awareness.setLocalState(this.awareness.getLocalState()); // with a new clock: the old one would be ignored by those who saw us leave
    this.emit("hello", [hello]);
  }

  #sync(decoder) {
    let kind;
    const answer = message(SYNC, (encoder) => { kind = readSyncMessage(decoder, encoder, this.doc, this); });
    if (kind === messageYjsSyncStep1 && this.mayWrite) {
      this.isAnswered = true;
      this.sent += 1;
      this.socket.send(answer);
    }
    if (kind === messageYjsSyncStep2 && !this.isSynced) {
      this.isSynced = true;
      this.emit("synced", []);
      this.emit("change", []);
    }
  }

  #count(stored) {
    this.stored = stored;
    if (this.isAnswered && stored >= this.sent) {
      this.isDirty = false;
      this.refusal = "";
    }
    this.emit("change", []);
  }

  // --- what goes ---

  #written(update) {
    this.isDirty = true;
    if (this.isAnswered && this.socket?.readyState === WebSocket.OPEN) {
      this.sent += 1;
      this.#send(SYNC, (encoder) => writeUpdate(encoder, update));
    }
    this.emit("change", []);
  }

  #announce(clients) {
    this.#send(AWARENESS, (encoder) => writeBytes(encoder, encodeAwarenessUpdate(this.awareness, clients)));
  }

  #send(kind, write) {
    if (this.socket?.readyState === WebSocket.OPEN && this.isGreeted) this.socket.send(message(kind, write));
  }

  // --- when it breaks ---

  #listen() {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => {
      this.#send(SYNC, (encoder) => writeSyncStep1(encoder, this.doc));
      this.silence = setTimeout(() => this.#hangUp(), PATIENCE);
    }, SILENCE);
  }

  #hangUp() {
    if (this.socket) this.#lost(1006, "");
  }

  #lost(code, reason) {
    if (ENDS.has(code)) {
      this.#end(code, reason);
      return;
    }
    if (this.isGreeted && Date.now() - this.greetedAt > STEADY) this.attempts = 0;
    this.#drop();
    if (reason && SLOW.has(code)) this.refusal = reason;
    const longest = SLOW.has(code) ? SLOW_WAIT : Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** this.attempts);
    this.attempts += 1;
    this.waiting = setTimeout(() => this.connect(), longest * (0.5 + Math.random() / 2)); // not all at one moment after a restart
    this.emit("change", []);
  }

  #end(code, reason, isOthers = false) {
    this.#drop();
    this.hasEnded = true;
    this.refusal = reason;
    this.emit("closed", [{ code, reason, isOthers }]);
    this.emit("change", []);
  }

  #drop() {
    clearTimeout(this.silence);
    const socket = this.socket;
    this.socket = null;
    this.isGreeted = this.isAnswered = this.isSynced = false;
    socket?.close();
    const others = [...this.awareness.getStates().keys()].filter((client) => client !== this.doc.clientID);
    removeAwarenessStates(this.awareness, others, this);
  }
}
