"""Lists: of a tag, a category, an author, a series; and everything by date."""

from itertools import groupby
from typing import ClassVar

from cms.db.session import ReadSession
from cms.handlers.site.base import SiteHandler
from cms.page_cache import marks
from cms.page_cache.marks import Marks
from cms.services import lists, shown
from cms.services.lists import Archive, Listing
from cms.services.reading import Card
from cms.ui.words import words_of


class TermHandler(SiteHandler):
    """The list's own address may have moved since: ``Listing.path`` says where it is now."""

    kind: ClassVar[str]
    nowhere_marks = Marks.of(marks.TERMS, *marks.frame("posts_per_page"))

    async def get(self, term: str, page: str = "1") -> None:
        number = self.number(page)
        async with self.read() as session:
            listing = await self.find(session, term, number)
        self.shows(shown.listing(listing))
        if self.is_at(listing.page_path(number)):
            self.show("site/listing.html", listing.frame, listing=listing, kind=self.kind)
        else:
            self.move_to(listing.page_path(number))

    async def find(self, session: ReadSession, term: str, page: int) -> Listing:
        raise NotImplementedError


class TagHandler(TermHandler):
    kind = "tag"

    async def find(self, session: ReadSession, term: str, page: int) -> Listing:
        return await lists.by_tag(session, term, page)


class CategoryHandler(TermHandler):
    kind = "category"

    async def find(self, session: ReadSession, term: str, page: int) -> Listing:
        return await lists.by_category(session, term, page)


class AuthorHandler(TermHandler):
    kind = "author"

    async def find(self, session: ReadSession, term: str, page: int) -> Listing:
        return await lists.by_author(session, term, page)


class SeriesHandler(TermHandler):
    kind = "series"

    async def find(self, session: ReadSession, term: str, page: int) -> Listing:
        return await lists.by_series(session, term, page)


class ArchiveHandler(SiteHandler):
    nowhere_marks = Marks.of(marks.MONTHS)

    async def get(self, *period: str) -> None:
        async with self.read() as session:
            archive = await lists.archive(session, "-".join(period))
        self.shows(shown.archive(archive))
        path = "/".join(["/archive", *period])
        if self.is_at(path):
            self.show("site/archive.html", archive.frame, archive=archive, path=path, groups=_groups(archive))
        else:
            self.move_to(path)


def _groups(archive: Archive) -> list[tuple[str, list[Card]]]:
    """Everything by year, a year by month ("2026-11"), a month in one piece."""
    if len(archive.period) == len("2026-11"):
        return [("", list(archive.cards))]
    words = words_of(archive.frame)
    unit = "%Y-%m" if archive.period else "%Y"
    return [(key, list(cards)) for key, cards in groupby(archive.cards, lambda card: words.local(card.published_at).strftime(unit))]
