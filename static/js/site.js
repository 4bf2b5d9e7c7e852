// Journal: conveniences only. Every page reads, and every link works, without this file.
const root = document.documentElement;
const store = (value) => {
  try {
    if (value === undefined) return localStorage.getItem("scheme");
    value ? localStorage.setItem("scheme", value) : localStorage.removeItem("scheme");
  } catch { return null; }
};
const system = matchMedia("(prefers-color-scheme: dark)");
const current = () => root.dataset.scheme ?? (system.matches ? "dark" : "light");

// At once, before the first paint: the script tag is async and blocks rendering.
if (["light", "dark"].includes(store())) root.dataset.scheme = store();
if (document.readyState === "loading") await new Promise((done) => addEventListener("DOMContentLoaded", done));

// Colour scheme: a choice that equals the system's is forgotten, so the page follows the system again.
const toggle = document.querySelector("[data-scheme-toggle]");
const show = () => {
  toggle?.setAttribute("aria-pressed", String(current() === "dark"));
  for (const colour of document.querySelectorAll("meta[name=theme-color]")) colour.content = getComputedStyle(root).backgroundColor;
};
toggle?.addEventListener("click", () => {
  const next = current() === "dark" ? "light" : "dark";
  const own = next !== (system.matches ? "dark" : "light");
  store(own ? next : "");
  own ? (root.dataset.scheme = next) : delete root.dataset.scheme;
  show();
});
system.addEventListener("change", show);
show();

// A button that copies the code of its block; its words are in the markup, in the site's language.
const prose = document.querySelector(".prose[data-copy]");
for (const head of navigator.clipboard ? (prose?.querySelectorAll(".code-head") ?? []) : []) {
  const button = document.createElement("button");
  Object.assign(button, { type: "button", className: "copy", textContent: prose.dataset.copy, ariaLive: "polite" });
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(head.parentElement.querySelector("code").textContent);
    button.textContent = prose.dataset.copied;
    setTimeout(() => { button.textContent = prose.dataset.copy; }, 2000);
  });
  head.append(button);
}

// Pictures of a gallery are looked at one by one.
if (prose?.querySelector(".gallery a > :is(picture, img)")) import("./elements/light-box.js").then(({ enlarge }) => enlarge(prose));

// Footnotes open in place: the list item itself becomes the popover.
const target = (link) => document.getElementById(decodeURIComponent(link.hash.slice(1)));
for (const ref of document.querySelectorAll("a.footnote-ref")) {
  ref.addEventListener("click", (event) => {
    const note = target(ref);
    if (!note?.showPopover || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    note.popover = "auto";
    note.tabIndex = -1;
    note.addEventListener("toggle", (e) => e.newState === "closed" && note.removeAttribute("popover"));
    note.showPopover({ source: ref });
    note.focus({ preventScroll: true });
  });
}

// Tabs: details of one name, of which the browser keeps one open.
document.querySelectorAll(".tabs").forEach((tabs, number) => {
  for (const tab of tabs.querySelectorAll(":scope > details")) tab.name = `tabs-${number}`;
});

// Contents: mark the section being read.
const sections = [...document.querySelectorAll(".toc a")].map((link) => [link, target(link)]).filter(([, head]) => head);
if (sections.length) {
  const mark = () => {
    const at = sections.findLastIndex(([, head]) => head.getBoundingClientRect().top < innerHeight * 0.35);
    sections.forEach(([link], i) => (i === at ? link.setAttribute("aria-current", "location") : link.removeAttribute("aria-current")));
    const list = sections[0][0].closest(".toc");
    if (at >= 0) list.scrollTop = sections[at][0].offsetTop - list.clientHeight / 2;
  };
  const watch = new IntersectionObserver(mark, { rootMargin: "99999px 0px -65% 0px" });
  sections.forEach(([, head]) => watch.observe(head));
}
