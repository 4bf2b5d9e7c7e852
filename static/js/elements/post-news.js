// <post-news>: on a page of one post, says what somebody does to it meanwhile, and what to do about it. In the editor the badges of the
// state and the word on the button are renewed by themselves; the text is anyway.
import { pageAnew } from "../anew.js";

class PostNews extends HTMLElement {
  connectedCallback() {
    this.note = this.querySelector(".news");
    document.addEventListener("news", ({ detail }) => {
      if (!detail) this.#look();
      else for (const each of detail) if (String(each.id) === this.#post) this.#take(each);
    });
    this.querySelector("[data-close]").addEventListener("click", () => { this.note.hidden = true; });
    this.querySelector("[data-reload]").addEventListener("click", () => location.reload());
  }

  // A new post has its number with the first key.
  get #post() { return this.dataset.post || this.closest("post-editor").dataset.post; }

  // What this page does itself is told, too; a page that is made afterwards shows it already.
  #take({ act, by, by_id, status, work }) {
    const isNew = status !== undefined && `${status} ${work}` !== this.dataset.state;
    if (isNew) {
      this.dataset.state = `${status} ${work}`;
      this.#renew();
    }
    const words = this.dataset[act ? `did_${act}` : ""];
    if (words && (isNew || String(by_id) !== this.dataset.person)) this.#say(words.replace("%s", by || this.dataset.somebody));
  }

  // A dialog makes everything behind it silent, so it is said in there.
  #say(words) {
    (document.querySelector("dialog[open]") ?? this).append(this.note);
    this.note.hidden = false;
    setTimeout(() => { this.note.querySelector("[role=status]").textContent = words; }, 100); // it is heard only if it changes while it shows
  }

  // Something may have happened while nobody listened.
  async #look() {
    const state = await this.#renew();
    if (!state || state === this.dataset.state) return;
    this.dataset.state = state;
    this.#say(this.dataset.changed);
  }

  // What says on this page how the post stands; how it does.
  async #renew() {
    const page = await pageAnew();
    if (!page) return "";
    for (const old of document.querySelectorAll("[data-stands]")) {
      const now = page.querySelector(`[data-stands="${old.dataset.stands}"]`);
      if (now) old.replaceChildren(...document.adoptNode(now).childNodes);
    }
    return page.querySelector("post-news")?.dataset.state;
  }
}

customElements.define("post-news", PostNews);
