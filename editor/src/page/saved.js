// Whether what is typed is safe, always in sight and always true. It is read out only when that stops or begins again to be so.
const CALM = 700; // milliseconds without a change before it says Saved, so that it does not flicker with every key
const GRACE = 2500; // a connection may be away for so long before anybody is told
const EVERY = 20_000;

/** The state as a word for the style sheet, and in words. `facts`: see SavedMark.show. */
export function stateOf({ isDirty, isConnected, isKept, refusal, readOnly }) {
  if (readOnly && !isDirty) return ["reading", "Reading along"]; // the note below says why
  if (refusal || readOnly) return ["error", `Cannot save: ${lowered(refusal || readOnly)}`];
  if (isConnected) return isDirty ? ["saving", "Saving…"] : ["saved", "Saved"];
  if (isKept) return ["offline", "Offline: kept on this device"];
  return isDirty ? ["error", "Cannot save: no connection, and this browser keeps nothing"] : ["offline", "Offline"];
}

export class SavedMark {
  constructor(element, voice) {
    Object.assign(this, { element, voice, words: element.querySelector("span"), state: element.dataset.state, savedAt: 0 });
    setInterval(() => { if (this.state === "saved" && this.savedAt) this.#write("saved", `Saved ${ago(Date.now() - this.savedAt)}`); }, EVERY);
  }

  /** isDirty: something is not on the server; isConnected; isKept: it is on this device; refusal, readOnly: why not, in a sentence, or "". */
  show(facts) {
    clearTimeout(this.waiting);
    this.awaySince = facts.isConnected ? 0 : this.awaySince || Date.now();
    const grace = facts.isConnected ? 0 : this.awaySince + GRACE - Date.now();
    const isPatient = grace > 0 && !this.isBad;
    const [state, words] = stateOf({ ...facts, isConnected: facts.isConnected || isPatient });
    if (isPatient) this.waiting = setTimeout(() => this.show(facts), grace);
    if (state !== "saved") this.#write(state, words);
    else if (this.state !== "saved" && !isPatient) this.waiting = setTimeout(() => this.#saved(), CALM);
  }

  /** Somebody else's words are safe, too. */
  refresh() {
    if (this.state === "saved") this.#saved();
  }

  /** Say so for a moment, in place of the time. */
  confirm(words) {
    this.savedAt = Date.now();
    this.#write("saved", words);
    this.voice.say(words);
  }

  #saved() {
    this.savedAt = Date.now();
    this.#write("saved", `Saved ${ago(0)}`);
  }

  #write(state, words) {
    this.isBad = state === "offline" || state === "error";
    if (this.words.textContent !== words) this.words.textContent = words;
    if (this.isBad || (this.wasBad && state === "saved")) this.voice.say(words);
    this.wasBad = this.isBad || (this.wasBad && state !== "saved");
    this.state = this.element.dataset.state = state;
    this.element.title = words;
  }
}

function lowered(sentence) {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1).replace(/\.$/, "");
}

function ago(age) {
  const minutes = Math.floor(age / 60_000);
  if (minutes < 1) return age < 30_000 ? "just now" : "less than a minute ago";
  return minutes < 60 ? `${minutes} min ago` : `${Math.floor(minutes / 60)} h ago`;
}
