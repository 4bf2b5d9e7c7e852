// <post-news>: on a page of one post, says what somebody does to it meanwhile, and what to do about it. In the editor the badges of the
// state and the word on the button are renewed by themselves; the text is anyway.
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
  #take({ act, by, by_id, status, work, is_public }) {
    const isNew = status !== undefined && `${status} ${work}` !== this.dataset.state;
    if (isNew) this.#renew(status, work, is_public);
    const words = this.dataset[act ? `did_${act}` : ""];
    if (words && (isNew || String(by_id) !== this.dataset.person)) this.#say(words.replace("%s", by || this.dataset.somebody));
  }

  #renew(status, work, isPublic) {
    this.dataset.state = `${status} ${work}`;
    const place = document.querySelector("[data-badges]");
    const named = new Set([status, ...(["in_review", "approved"].includes(work) ? [work] : [])]);
    place?.replaceChildren(...[...named].map((name) => this.querySelector(`template[data-status="${name}"]`).content.cloneNode(true)));
    const button = document.querySelector("[data-publishes]");
    if (button) button.textContent = button.dataset[isPublic ? "later" : "first"];
  }

  // A dialog makes everything behind it silent, so it is said in there.
  #say(words) {
    (document.querySelector("dialog[open]") ?? this).append(this.note);
    this.note.hidden = false;
    setTimeout(() => { this.note.querySelector("[role=status]").textContent = words; }, 100); // it is heard only if it changes while it shows
  }

  // Something may have happened while nobody listened.
  async #look() {
    const answer = await fetch(location.href, { headers: { Accept: "text/html", "X-Renewal": "1" } }).catch(() => null);
    if (!answer?.ok || answer.redirected) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const now = page.querySelector("post-news")?.dataset;
    if (!now || now.state === this.dataset.state) return;
    this.#renew(...now.state.split(" "), "public" in now);
    this.#say(this.dataset.changed);
  }
}

customElements.define("post-news", PostNews);
