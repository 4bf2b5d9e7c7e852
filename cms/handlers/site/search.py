"""Search: a page of results for whatever somebody types."""

from itertools import groupby
from typing import ClassVar
from urllib.parse import urlencode

from cms.handlers.site.base import SiteHandler
from cms.page_cache import marks
from cms.page_cache.cache import Page
from cms.page_cache.marks import Marks
from cms.schemas.search import FILTERS, SearchInput
from cms.services import search
from cms.services.search import Found

_MISSED = Marks.of("missed")


class SearchHandler(SiteHandler):
    arguments: ClassVar[tuple[str, ...]] = ("q", "page", "tag", "category", "author", "year")

    async def prepare(self) -> None:
        """What is kept costs nothing, and so it is not counted; neither is what the program asks itself."""
        if self.remote_address and self.cache_key not in self.parts.pages:
            await self.parts.searches.count(self.remote_address)
        await super().prepare()

    @property
    def sought(self) -> str:
        return SearchInput.model_validate({"q": self.get_query_argument("q", "")}).q

    async def get(self) -> None:
        asked = SearchInput.model_validate({name: self.get_query_argument(name, "") for name in self.arguments})
        async with self.read() as session:
            found = await search.find(session, asked)
        self.shows(Marks.of(marks.WORDS, marks.TERMS, *marks.frame("posts_per_page")))
        if asked.q and not asked.filters and (found.is_of_meant or not found.total):
            self.shows(_MISSED)
        self.show("site/search.html", found.frame, found=found, address=Addresses(self.reverse_url("search"), found), groupby=groupby)

    def is_noted(self, status: int, marks: Marks) -> bool:
        return _MISSED.meet(marks)

    def note(self, page: Page) -> None:
        """What people did not find is counted each time, whoever made the page."""
        self.parts.misses.note(self.get_query_argument("q", ""))

    def decode_argument(self, value: bytes, name: str | None = None) -> str:
        """Nothing that is typed is an error: what is no text is left out."""
        return value.decode(errors="replace").replace("\0", " ")


class Addresses:
    """Of pages of results near this one."""

    def __init__(self, path: str, found: Found) -> None:
        self._path = path
        self._chosen = {"q": found.asked.q, **found.asked.filters}

    def page(self, number: int) -> str:
        return self._with(page=str(number) if number > 1 else "")

    def of(self, query: str) -> str:
        return self._with(q=query)

    def narrowed(self, kind: str, value: str) -> str:
        return self._with(**{kind: value})

    def without(self, kind: str) -> str:
        return self._with(**{kind: ""})

    def everywhere(self) -> str:
        return self._with(**dict.fromkeys(FILTERS, ""))

    def _with(self, **changes: str) -> str:
        wanted = {name: value for name, value in {**self._chosen, **changes}.items() if value}
        return f"{self._path}?{urlencode(wanted)}" if wanted else self._path
