"""Which marks a page carries for what it shows: readers' values (``reading``) in the words of the page cache."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cms.models.address import TargetKind, normalise_path
from cms.models.post import Kind
from cms.models.site import Frame
from cms.page_cache import marks
from cms.page_cache.marks import NEWEST, OLDEST, Marks, Span
from cms.services.feeds import FEED_LENGTH, OVERVIEW_LENGTH, Feed, Overview
from cms.services.lists import Archive, Listing
from cms.services.reading import Article, Branch, Card, Place
from cms.services.redirects import Way

AROUND = ("name", "language", "time_zone", "footer", "menu", "footer_menu", "links", "logo", "icon", "theme", "accent_hue", "home_path")
_AROUND = Marks.of(*marks.frame(*AROUND))
_AROUND_AND_DESCRIPTION = Marks.of(*marks.frame(*AROUND, "description"))


def around(frame: Frame) -> Marks:
    """What every page for people shows of the site; its description only where there is no footer."""
    return _AROUND if frame.footer else _AROUND_AND_DESCRIPTION


def at(path: str) -> Marks:
    return Marks.of(marks.at(normalise_path(path)))


def place(path: str, found: Place) -> Marks:
    """What is at an address: something, where it went, that it is gone, or nothing."""
    here = at(path)
    if found.post_id is not None:
        return here | Marks.of(marks.post(found.post_id, "path"))
    return here if found.state else here | Marks.of(marks.TITLES)


def way(shown: Way) -> Marks:
    """Where rules lead: each of them, and all that stands on the way, or does not."""
    ends = [marks.post(found.post_id, "path") for _, found in shown.passed if found.post_id is not None]
    return Marks.of(*map(marks.rule, shown.rules), *(marks.at(path) for path, _ in shown.passed), *ends, *marks.frame("home_path"))


def article(shown: Article) -> Marks:
    bios = [marks.bio(each["id"]) for each in shown.authors] if shown.kind is Kind.POST else ()
    return Marks.of(marks.post(shown.post_id, "page"), *_authors(shown.authors), *bios)


def listing(shown: Listing) -> Marks:
    at_its_head = [marks.profile(shown.person.user_id)] if shown.person else ()
    of_itself = (marks.listing(shown.name), marks.term(shown.name), *at_its_head, *_bio(shown.name))
    of_the_list = Marks.of(*of_itself, *marks.frame("posts_per_page"))
    return of_the_list | _stretch(shown) | cards(shown.cards)


def cards(shown: Iterable[Card], view: str = "card") -> Marks:
    tags = [tag for card in shown for tag in (marks.post(card.post_id, view), *_authors(card.authors))]
    return Marks.of(*tags)


def featured(links: Iterable[Mapping[str, Any]]) -> Marks:
    return Marks.of(marks.listing("featured"), *(marks.post(link["id"], "line") for link in links))


def branch(page_id: int, shown: Branch) -> Marks:
    links = [marks.post(link["id"], "link") for link in (*shown.beside, *shown.below)]
    spans = [Span(f"below:{above}", NEWEST, OLDEST) for above in (page_id, shown.parent_id) if above is not None]
    return Marks.of(*links, spans=spans)


def archive(shown: Archive) -> Marks:
    """The posts of a period and how many they are, and of all the months which there are."""
    lines = [marks.post(card.post_id, "line") for card in shown.cards]
    if not shown.period:
        return Marks.of(marks.MONTHS, marks.listing("home"), *lines, spans=[Span("home", NEWEST, OLDEST)])
    return Marks.of(marks.MONTHS, *lines, spans=_months(shown))


def feed(shown: Feed) -> Marks:
    of_the_site = marks.frame("name", "language", *(() if shown.title else ("description",)))
    of_itself = Marks.of(*of_the_site, marks.term(shown.name), *_bio(shown.name))
    return cards(shown.articles, "entry") | _newest_of(shown.name, shown.articles, FEED_LENGTH) | of_itself


def overview(shown: Overview) -> Marks:
    """The newest posts, and pages, wherever in the tree they stand."""
    lines = [marks.post(card.post_id, "summary") for card in (*shown.posts, *shown.pages)]
    return Marks.of(marks.PAGES, *lines, *marks.frame("name", "description")) | _newest_of("home", shown.posts, OVERVIEW_LENGTH)


def source(article: Article) -> Marks:
    return Marks.of(marks.post(article.post_id, "source"), *_authors(article.authors))


def _bio(name: str) -> Iterable[str]:
    """What an author's list says of itself."""
    kind, _, number = name.partition(":")
    return [marks.bio(int(number))] if kind == TargetKind.AUTHOR else ()


def _newest_of(name: str, shown: Sequence[Card], most: int) -> Marks:
    """Of a list of at most so many: what comes after its last one is not its business."""
    return Marks.of(spans=[Span(name, NEWEST, _ends(shown)[1] if len(shown) == most else OLDEST)])


def _stretch(shown: Listing) -> Marks:
    newest, oldest = _ends(shown.cards)
    span = Span(shown.name, newest if shown.page > 1 else NEWEST, oldest if shown.page < shown.pages else OLDEST)
    return Marks.of(spans=[span])


def _months(shown: Archive) -> list[Span]:
    return [Span(f"month:{month}", NEWEST, OLDEST) for month, _ in shown.months if month.startswith(shown.period)]


def _ends(shown: Sequence[Card]) -> tuple[marks.Place, marks.Place]:
    if not shown:
        return NEWEST, OLDEST
    first, last = shown[0], shown[-1]
    return (first.published_at.timestamp(), first.post_id), (last.published_at.timestamp(), last.post_id)


def _authors(authors: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    return (marks.author(each["id"]) for each in authors)
