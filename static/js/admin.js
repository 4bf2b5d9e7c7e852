// Makes quicker what works without it: light and dark, the help, single keys.
const root = document.documentElement;
const remember = (name, value) => { document.cookie = `${name}=${value}; path=/; max-age=31536000; samesite=lax`; };
const recall = (name) => document.cookie.split("; ").find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
const help = document.getElementById("help");
const letters = help?.querySelector("[data-letters]");

for (const part of document.querySelectorAll("[data-scripted]")) part.hidden = false;

// The server draws the page in the chosen colours (cookie); the site itself reads the other store.
const nextScheme = () => {
  const now = root.dataset.scheme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  root.dataset.scheme = now === "dark" ? "light" : "dark";
  remember("scheme", root.dataset.scheme);
  try { localStorage.setItem("scheme", root.dataset.scheme); } catch { /* a private window keeps nothing */ }
};

if (letters) {
  letters.checked = recall("letters") !== "off";
  letters.addEventListener("change", () => remember("letters", letters.checked ? "on" : "off"));
}

document.addEventListener("click", (event) => {
  const pressed = event.target.closest("[data-open], [data-scheme-next]");
  if (!pressed) return;
  pressed.closest("[popover]")?.hidePopover();
  if ("schemeNext" in pressed.dataset) nextScheme();
  else if (pressed.dataset.open === "palette") document.querySelector("command-palette").show();
  else document.getElementById(pressed.dataset.open).showModal();
});

// Texts on this device go with whoever wrote them, once the server has them.
const leaving = document.querySelector("form.person");
leaving?.addEventListener("submit", async (event) => {
  event.preventDefault();
  try { await (await import("./kept-texts.js")).forgetStored(); } finally { leaving.submit(); }
});

// A file that nothing here takes would be shown in place of the page, and of what was typed in it.
for (const kind of ["dragover", "drop"]) {
  addEventListener(kind, (event) => {
    if (event.defaultPrevented || !event.dataTransfer?.types.includes("Files") || event.target.closest?.("[type=file]")) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "none";
  });
}

const isTyping = (element) => element.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (isTyping(event.target) || !letters?.checked || document.querySelector("dialog[open]")) return;
  if (event.key === "?") help.showModal();
  else if (event.key === "D") nextScheme();
  else if (event.key === "n") document.querySelector("[data-new]")?.click();
  else if (event.key === "u") document.querySelector("[data-back], .back")?.click();
  else if (event.key === "/") document.querySelector("main [type=search]")?.focus();
  else if (!document.dispatchEvent(new CustomEvent("letter", { detail: event.key, cancelable: true }))) event.preventDefault();
  if (event.key === "/") event.preventDefault();
});

// What can be taken back for a while is not offered any longer.
for (const offer of document.querySelectorAll("[data-for]")) setTimeout(() => offer.remove(), 1000 * Number(offer.dataset.for));

// Of all that there is at the side, where one is is in sight, above what stays at its foot.
const place = document.querySelector(".side li [aria-current]");
const hidden = place?.getBoundingClientRect().bottom - document.querySelector(".side .person")?.getBoundingClientRect().top;
if (hidden > 0) place.closest(".side").scrollTop += hidden + 8;

// Of many states in a narrow row, the current one is, too.
const tab = document.querySelector(".tabs [aria-current]");
if (tab) tab.parentElement.scrollLeft = tab.offsetLeft - (tab.parentElement.clientWidth - tab.offsetWidth) / 2;

// What the page says of itself at the start is said again, as live regions are only heard when they change.
for (const note of document.querySelectorAll(".callout[role=status]")) {
  const words = [...note.childNodes];
  note.replaceChildren();
  setTimeout(() => note.replaceChildren(...words), 100);
}
