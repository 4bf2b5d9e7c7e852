"""Which marks a page carries for what it shows: readers' values (``reading``) in the words of the page cache."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cms.models.address import normalise_path
from cms.models.site import Frame
from cms.page_cache import marks
from cms.page_cache.marks import NEWEST, OLDEST, Marks, Span
from cms.services.reading import Archive, Article, Card, Listing, Place

AROUND = ("name", "language", "time_zone", "footer", "menu", "footer_menu", "links", "logo", "accent_hue", "home_path")
FEED_FRAME = Marks.of(*marks.frame("name", "description", "language"))


def around(frame: Frame) -> Marks:
    """What every page for people shows of the site; its description only where there is no footer."""
    return Marks.of(*marks.frame(*AROUND, *(() if frame.footer else ("description",))))


def place(path: str, found: Place) -> Marks:
    """What is at an address: something, where it went, that it is gone, or nothing."""
    here = Marks.of(marks.at(normalise_path(path)))
    if found.post_id is not None:
        return here | Marks.of(marks.post(found.post_id, "path"))
    return here if found.state else here | Marks.of(marks.TITLES)


def article(shown: Article) -> Marks:
    return Marks.of(marks.post(shown.post_id, "page"), *_authors(shown.authors))


def listing(shown: Listing) -> Marks:
    return Marks.of(marks.listing(shown.name), *marks.frame("posts_per_page")) | _stretch(shown) | cards(shown.cards)


def cards(shown: Iterable[Card], view: str = "card") -> Marks:
    tags = [tag for card in shown for tag in (marks.post(card.post_id, view), *_authors(card.authors))]
    return Marks.of(*tags)


def featured(links: Iterable[Mapping[str, Any]]) -> Marks:
    return Marks.of(marks.listing("featured"), *(marks.post(link["id"], "line") for link in links))


def archive(shown: Archive) -> Marks:
    """The posts of a period and how many they are, and of all the months which there are."""
    lines = [marks.post(card.post_id, "line") for card in shown.cards]
    if not shown.period:
        return Marks.of(marks.MONTHS, marks.listing("home"), *lines, spans=[Span("home", NEWEST, OLDEST)])
    return Marks.of(marks.MONTHS, *lines, spans=_months(shown))


def entries(name: str, shown: Sequence[Article], most: int) -> Marks:
    """A feed of at most so many: what comes after its last one is not its business."""
    oldest = _ends(shown)[1] if len(shown) == most else OLDEST
    tags = [tag for each in shown for tag in (marks.post(each.post_id, "entry"), *_authors(each.authors))]
    return Marks.of(*tags, spans=[Span(name, NEWEST, oldest)])


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
