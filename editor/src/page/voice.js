// What is said to those who do not see it: politely, the last thing only, and not more often than one can listen to.
const EVERY = 4000; // milliseconds

export class Voice {
  constructor(element) {
    this.element = element;
    this.next = 0;
  }

  say(words) {
    if (words === this.element.textContent) return;
    clearTimeout(this.waiting);
    const now = Date.now();
    this.waiting = setTimeout(() => {
      this.next = Date.now() + EVERY;
      this.element.textContent = words;
    }, Math.max(0, this.next - now));
  }
}
