// A preview link's page follows the text while it is written: told of something newer, it fetches itself and changes only what is another.
const bar = document.querySelector(".guest[data-stream]");
let shown = []; // the blocks of the text, as the server sent them
let isFetching = false, isStale = false;

const blocksOf = (page) => [...(page.querySelector(".prose")?.children ?? [])];
const written = (page) => blocksOf(page).map((block) => block.outerHTML);

// Equal blocks at both ends stay the very elements they are, so that the browser keeps what is being read where it is.
function replaceBlocks(prose, page) {
  const now = written(page);
  const old = shown.length === prose.children.length ? shown : written(document);
  let start = 0, end = 0;
  while (start < Math.min(old.length, now.length) && old[start] === now[start]) start++;
  while (end < Math.min(old.length, now.length) - start && old.at(-1 - end) === now.at(-1 - end)) end++;
  const fresh = blocksOf(page).slice(start, now.length - end);
  const before = prose.children[old.length - end] ?? null;
  for (const block of [...prose.children].slice(start, old.length - end)) block.remove();
  for (const block of fresh) prose.insertBefore(document.adoptNode(block), before);
  shown = now;
}

function swap(page) {
  const here = document.querySelector("article.post"), there = page.querySelector("article.post");
  if (!here || !there) return;
  document.title = page.title;
  const prose = here.querySelector(".prose"), newer = there.querySelector(".prose");
  if (!prose || !newer) return;
  replaceBlocks(prose, page);
  for (const name of ["lang", "dir"]) newer.hasAttribute(name) ? prose.setAttribute(name, newer.getAttribute(name)) : prose.removeAttribute(name);
  const around = [...there.childNodes], at = around.indexOf(newer); // everything else is new: head, contents, foot
  for (const node of [...here.childNodes]) if (node !== prose) node.remove();
  prose.before(...around.slice(0, at));
  prose.after(...around.slice(at + 1));
}

async function renew() {
  isStale = true;
  if (isFetching) return;
  isFetching = true;
  try {
    while (isStale) {
      isStale = false;
      const top = scrollY;
      const answer = await fetch(location.href, { cache: "no-store", credentials: "same-origin" });
      if (answer.ok) {
        swap(new DOMParser().parseFromString(await answer.text(), "text/html"));
        if (top === 0) scrollTo(0, 0);
      }
    }
  } finally { isFetching = false; }
}

if (bar) {
  const stream = new EventSource(`${bar.dataset.stream}?seen=${encodeURIComponent(bar.dataset.version)}`);
  stream.addEventListener("changed", renew);
  stream.addEventListener("ended", () => {
    stream.close();
    bar.querySelector("p").textContent = bar.dataset.ended;
    bar.classList.add("over");
  });
  addEventListener("pagehide", () => stream.close());
}
