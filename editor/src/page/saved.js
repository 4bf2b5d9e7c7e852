// Whether what is typed is safe, always in sight and always true. It is read out only when that stops or begins again to be so.
import { inside, put, words } from "../words.js";

const CALM = 700; // milliseconds without a change before it says Saved, so that it does not flicker with every key
const GRACE = 2500; // a connection may be away for so long before anybody is told
const EVERY = 20_000;

/** The state as a word for the style sheet, and in words. `facts`: see SavedMark.show. */
export function stateOf({ isDirty, isConnected, isKept, refusal, readOnly }) {
  if (readOnly && !isDirty) return ["reading", words.reading]; // the note below says why
  if (refusal || readOnly) return ["error", put(words.cannotSave, { why: inside(refusal || readOnly) })];
  if (isConnected) return isDirty ? ["saving", words.saving] : ["saved", words.saved];
  if (isKept) return ["offline", words.keptHere];
  return isDirty ? ["error", put(words.cannotSave, { why: words.keptNowhere })] : ["offline", words.offline];
}

export class SavedMark {
  constructor(element, voice) {
    Object.assign(this, { element, voice, place: element.querySelector("span"), state: element.dataset.state, savedAt: 0 });
    setInterval(() => { if (this.state === "saved" && this.savedAt) this.#write("saved", savedAgo(Date.now() - this.savedAt)); }, EVERY);
  }

  /** isDirty: something is not on the server; isConnected; isKept: it is on this device; refusal, readOnly: why not, in a sentence, or "". */
  show(facts) {
    clearTimeout(this.waiting);
    this.awaySince = facts.isConnected ? 0 : this.awaySince || Date.now();
    const grace = facts.isConnected ? 0 : this.awaySince + GRACE - Date.now();
    const isPatient = grace > 0 && !this.isBad;
    const [state, said] = stateOf({ ...facts, isConnected: facts.isConnected || isPatient });
    if (isPatient) this.waiting = setTimeout(() => this.show(facts), grace);
    if (state !== "saved") this.#write(state, said);
    else if (this.state !== "saved" && !isPatient) this.waiting = setTimeout(() => this.#saved(), CALM);
  }

  /** Somebody else's words are safe, too. */
  refresh() {
    if (this.state === "saved") this.#saved();
  }

  /** Say so for a moment, in place of the time. */
  confirm(said) {
    this.savedAt = Date.now();
    this.#write("saved", said);
    this.voice.say(said);
  }

  #saved() {
    this.savedAt = Date.now();
    this.#write("saved", savedAgo(0));
  }

  #write(state, said) {
    this.isBad = state === "offline" || state === "error";
    if (this.place.textContent !== said) this.place.textContent = said;
    if (this.isBad || (this.wasBad && state === "saved")) this.voice.say(said);
    this.wasBad = this.isBad || (this.wasBad && state !== "saved");
    this.state = this.element.dataset.state = state;
    this.element.title = said;
  }
}

const savedAgo = (age) => put(words.savedAgo, { ago: ago(age) });

function ago(age) {
  const minutes = Math.floor(age / 60_000);
  if (minutes < 1) return age < 30_000 ? words.justNow : words.withinAMinute;
  return minutes < 60 ? put(words.minutesAgo, { number: minutes }) : put(words.hoursAgo, { number: Math.floor(minutes / 60) });
}
