"""What a page shows, and what an event has changed, in the same words.

Tags name a thing and a side of it: ``post/42/card``, ``author/3``, ``site/footer``, ``list/tag:7``. A page of a list holds a span besides:
the stretch of time that its posts are from, so that what comes, goes or moves in the list meets only the pages on which that is seen.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

from cms.events import (
    Event,
    Listed,
    PagesSorted,
    PostPublished,
    PostWithdrawn,
    RedirectsChanged,
    SiteChanged,
    TermChanged,
    UserChanged,
)  # fmt: skip

Place = tuple[float, int]  # where something stands in a list that is in order of time: its moment (seconds since 1970), and its id

NEWEST: Place = (math.inf, 0)
OLDEST: Place = (-math.inf, 0)

SITEMAP_PART = 5000  # posts; the part is known by the id, so that a change touches one


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a list, both ends included."""

    of: str
    newest: Place
    oldest: Place

    def overlaps(self, other: "Span") -> bool:
        return self.of == other.of and self.newest >= other.oldest and self.oldest <= other.newest


@dataclass(frozen=True, slots=True)
class Marks:
    """What a page shows, or what has changed: names of things and of their sides, and stretches of lists."""

    tags: frozenset[str] = frozenset()
    spans: tuple[Span, ...] = ()

    @classmethod
    def of(cls, *tags: str, spans: Iterable[Span] = ()) -> "Marks":
        return cls(frozenset(tags), tuple(spans))

    def __or__(self, other: "Marks") -> "Marks":
        return Marks(self.tags | other.tags, (*self.spans, *other.spans))

    def meet(self, other: "Marks") -> bool:
        return not self.tags.isdisjoint(other.tags) or any(ours.overlaps(theirs) for ours in self.spans for theirs in other.spans)


NOTHING = Marks()
EVERYTHING = "site"  # what every answer shows, for those outside


def outside(marks: Marks) -> frozenset[str]:
    """In words that fit into a header. Spans of lists have the list's name, as outside nobody counts places."""
    return frozenset(quote(tag, safe="/:-.") for tag in (*marks.tags, *(listing(span.of) for span in marks.spans)))


# --- what pages show -------------------------------------------------------------------------------------------------------

# The sides of a post that pages show, with the aspects they are made of.
_LINE = frozenset({"title", "length", "date", "path", "language"})
_CARD = _LINE | {"excerpt", "authors", "picture"}
_ENTRY = frozenset({"title", "excerpt", "body", "date", "updated", "path", "authors", "tags", "category", "language", "picture", "custom"})
VIEWS: dict[str, frozenset[str]] = {
    "page": _ENTRY | {"standfirst", "length", "trail", "previous", "following", "series", "related", "meta"},
    "card": _CARD,
    "line": _LINE,
    "link": frozenset({"title", "path"}),
    "path": frozenset({"path"}),
    "entry": _ENTRY,  # of a feed
    "summary": frozenset({"title", "excerpt", "path"}),
    "source": frozenset({"title", "source", "date", "updated", "path", "authors", "tags"}),  # the Markdown
    "found": _CARD | {"body"},  # by a search
}


def post(post_id: int, view: str) -> str:
    return f"post/{post_id}/{view}"


def at(path: str) -> str:
    """What is at an address: of an answer that would be another if something came there. ``path`` as it is stored."""
    return f"at/{path}"


def rule(rule_id: int) -> str:
    """A redirect that led there."""
    return f"{_RULE}{rule_id}"


def rules_of(marks: Marks) -> list[int]:
    """The ids of those that led there."""
    return [int(tag.removeprefix(_RULE)) for tag in marks.tags if tag.startswith(_RULE)]


def listing(name: str) -> str:
    """How many there are in a list."""
    return f"list/{name}"


def term(name: str) -> str:
    """What a list says of itself. ``name``: "tag:7"."""
    return f"term/{name}"


def author(user_id: int) -> str:
    return f"author/{user_id}"


def bio(user_id: int) -> str:
    """What somebody says about himself."""
    return f"author/{user_id}/bio"


def profile(user_id: int) -> str:
    """Picture and links, at the head of the person's own list."""
    return f"author/{user_id}/profile"


def frame(*aspects: str) -> tuple[str, ...]:
    return tuple(f"site/{aspect}" for aspect in aspects)


def sitemap_part(post_id: int) -> int:
    return (post_id - 1) // SITEMAP_PART + 1


def sitemap(part: int) -> str:
    return f"sitemap/{part}"


SITEMAP = "sitemap"  # the list of its parts
SITEMAP_LISTS = "sitemap/lists"  # when each list last changed
PAGES = "pages"  # which there are
_RULE = "redirect/"
_OF_TERMS = ("tag:", "category:", "author:", "series:")
TERMS = "terms"  # which lists have posts at all
MONTHS = "months"  # which of them have posts
TITLES = "titles"  # every title and address: what is near to a mistyped one
WORDS = "words"  # every text: what a search finds
REDIRECTS = "redirects"  # every rule that may be for an address at which nothing stands


# --- what events change ----------------------------------------------------------------------------------------------------


def changed_by(event: Event) -> Marks:
    if isinstance(event, PostPublished):
        return _published(event)
    if isinstance(event, PostWithdrawn):
        return _withdrawn(event)
    if isinstance(event, SiteChanged):
        return Marks.of(*frame(*event.aspects))
    if isinstance(event, TermChanged):
        return _term(event)
    if isinstance(event, PagesSorted):
        return Marks.of(spans=[Span(f"below:{event.parent_id or 0}", NEWEST, OLDEST)])
    if isinstance(event, UserChanged):
        return _person(event)
    if isinstance(event, RedirectsChanged):
        return Marks.of(*map(at, event.paths)) if event.paths else Marks.of(REDIRECTS)
    return NOTHING


def _person(event: UserChanged) -> Marks:
    of_aspects = {
        "name": {author(event.user_id), WORDS},
        "bio": {bio(event.user_id)},
        "links": {profile(event.user_id)},
        "picture": {profile(event.user_id)},
        "deleted": {TERMS},  # the address leads to another's list from now on
        "erased": {TERMS},  # the list has another address
    }
    return Marks.of(*(tag for aspect in event.aspects for tag in of_aspects.get(aspect, ())))


def _term(event: TermChanged) -> Marks:
    name = f"{event.kind}:{event.term_id}"
    of_aspects = {
        "name": {term(name), WORDS},
        "description": {term(name)},
        "order": {listing(name)},
        "path": {term(name), TERMS, WORDS, SITEMAP_LISTS},
        "gone": {term(name), TERMS, WORDS, SITEMAP_LISTS},
    }
    tags = {tag for aspect in event.aspects for tag in of_aspects[aspect]}
    return Marks.of(*tags, *map(at, event.paths))


def _published(event: PostPublished) -> Marks:
    aspects = frozenset(event.aspects)
    was_listed, is_listed = bool(event.before and event.before.lists), bool(event.now.lists)
    is_new = event.is_new or was_listed != is_listed  # in all places, or in none any more
    views = [view for view, parts in VIEWS.items() if is_new or parts & aspects or "visibility" in aspects]
    tags = {post(event.post_id, view) for view in views}
    if is_new or "path" in aspects:
        tags |= {at(event.path), at(event.former_path)} - {at("")}
    if is_new or aspects & {"title", "path"}:
        tags.add(TITLES)
    if is_new or aspects & VIEWS["found"]:
        tags.add(WORDS)
    in_sitemap = was_listed or is_listed
    if in_sitemap and (is_new or "updated" in aspects):
        tags |= {SITEMAP, SITEMAP_LISTS} if event.kind == "post" else {SITEMAP}
    if in_sitemap and (is_new or aspects & {"path", "updated"}):
        tags.add(sitemap(sitemap_part(event.post_id)))
    if event.kind == "page" and is_new:
        tags.add(PAGES)
    if "series" in aspects:
        tags |= {listing(name) for name in event.now.lists if name.startswith("series:")}
    if "featured" in aspects:
        tags.add(listing("featured"))
    if event.months:
        tags.add(MONTHS)
    return Marks.of(*tags) | _moved(event.post_id, event.before, event.now)


def _withdrawn(event: PostWithdrawn) -> Marks:
    tags = {post(event.post_id, view) for view in VIEWS}
    tags |= {at(event.path), TITLES, WORDS, SITEMAP, sitemap(sitemap_part(event.post_id)), listing("featured")}
    tags.add(PAGES if event.kind == "page" else SITEMAP_LISTS)
    if event.months:
        tags.add(MONTHS)
    return Marks.of(*tags) | _moved(event.post_id, event.before, None)


def _moved(post_id: int, before: Listed | None, now: Listed | None) -> Marks:
    """Lists that it came into or left have another number of posts, and all that is older moves by one; within a list that it stays in,
    what lies between its two places moves."""
    old, new = (set(listed.lists) if listed else set() for listed in (before, now))
    tags: set[str] = {listing(name) for name in old ^ new}
    spans: list[Span] = []
    for listed, names in ((before, old - new), (now, new - old)):
        if listed:
            spans += [Span(name, (listed.at, post_id), OLDEST) for name in names]
    if before and now and before.at != now.at:
        newest, oldest = max(before.at, now.at), min(before.at, now.at)
        spans += [Span(name, (newest, post_id), (oldest, post_id)) for name in old & new]
    if any(name.startswith(_OF_TERMS) for name in old ^ new):
        tags.add(TERMS)
    return Marks.of(*tags, spans=spans)
