// One file on its way to the library: in pieces, which go on after a lost network from what has arrived. `at`: where uploads begin; `key()`: of
// the page's forms; `fields`: what is said with the name. tell({state, sent, why}) is called as it goes: "sending", "ending", "away", "paused";
// `why`: what the server says of it.
const FIRST = 1000; // milliseconds until it is tried again, twice as long each time
const LONGEST = 30_000;
const PASSING = new Set([0, 408, 409, 429, 500, 502, 503, 504]); // what may be otherwise in a moment
const GONE = 404;

/** The server's own sentence. */
export class Refused extends Error {
  constructor(status, sentence) {
    super(sentence);
    this.status = status;
  }
}

export class Sending {
  #ended = new AbortController();
  #piece = null; // on its way
  #awake = () => {};

  constructor(file, { at, key, fields = {}, tell = () => {} }) {
    Object.assign(this, { file, at, key, fields, tell, id: "", received: 0, isPaused: false });
  }

  /** Resolves with the asset. Rejects with `Refused`, or "AbortError" after abandon(); whatever had arrived is used when it is called again. */
  run() {
    return inTurn(() => this.#tryOn());
  }

  async #tryOn() {
    this.#ended.signal.throwIfAborted();
    for (let tries = 0; ; tries += 1) {
      try {
        if (this.isPaused) await this.#rest("paused", Infinity);
        return await this.#go(() => { tries = 0; });
      } catch (error) {
        this.#ended.signal.throwIfAborted();
        if (error.status === GONE && this.id) this.id = "";
        else if (!this.isPaused && !PASSING.has(error.status ?? 0)) throw error;
        if (!this.isPaused) await this.#rest("away", Math.min(FIRST * 2 ** tries, LONGEST), error.status ? error.message : "");
      }
    }
  }

  pause() {
    this.isPaused = true;
    this.#piece?.abort();
  }

  resume() {
    this.isPaused = false;
    this.#awake();
  }

  async abandon() {
    this.#ended.abort();
    this.#piece?.abort();
    this.#awake();
    if (this.id) await this.#ask("DELETE", `/${this.id}`).catch(() => {});
  }

  async #go(moved) {
    const there = await this.#ask(...(this.id ? ["GET", `/${this.id}`] : ["POST", "", this.#said()]));
    if (there.asset) return there.asset;
    Object.assign(this, { id: there.id, received: there.received });
    while (this.received < this.file.size) {
      this.#ended.signal.throwIfAborted();
      if (this.isPaused) throw new Refused(0, "");
      this.#say("sending");
      ({ received: this.received } = await this.#put(this.file.slice(this.received, this.received + there.piece)));
      moved();
    }
    this.#say("ending");
    return this.#ask("POST", `/${this.id}/completion`);
  }

  #said() {
    return new URLSearchParams({ name: this.file.name, size: this.file.size, ...this.fields });
  }

  #say(state, sent = this.received) {
    this.tell({ state, sent });
  }

  async #ask(method, path, body) {
    const answer = await fetch(this.at + path, { method, body, headers: { "X-Xsrftoken": this.key() } });
    const told = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Refused(answer.status, told.error ?? "");
    return told;
  }

  // The one way in which browsers say how much of it they have sent.
  #put(piece) {
    const request = this.#piece = new XMLHttpRequest();
    return new Promise((resolve, reject) => {
      request.open("PUT", `${this.at}/${this.id}?offset=${this.received}`);
      request.setRequestHeader("X-Xsrftoken", this.key());
      request.setRequestHeader("Content-Type", "application/octet-stream");
      request.responseType = "json";
      request.upload.addEventListener("progress", ({ loaded }) => this.#say("sending", this.received + loaded));
      request.addEventListener("load", () => {
        if (request.status === 200 && request.response) resolve(request.response);
        else reject(new Refused(request.status, request.response?.error ?? ""));
      });
      for (const end of ["error", "abort", "timeout"]) request.addEventListener(end, () => reject(new Refused(0, "")));
      request.send(piece);
    }).finally(() => { this.#piece = null; });
  }

  #rest(state, milliseconds, why = "") {
    this.tell({ state, sent: this.received, why });
    return new Promise((resolve) => {
      this.#awake = resolve;
      addEventListener("online", resolve, { once: true });
      if (milliseconds !== Infinity) setTimeout(resolve, milliseconds);
    });
  }
}

const AT_ONCE = 2;
const waiting = [];
let busy = 0;

// A few go at a time, whoever asks.
async function inTurn(act) {
  if (busy >= AT_ONCE) await new Promise((resolve) => { waiting.push(resolve); });
  busy += 1;
  try {
    return await act();
  } finally {
    busy -= 1;
    waiting.shift()?.();
  }
}
