"""Search: a page of results for whatever somebody types."""

from typing import ClassVar
from urllib.parse import urlencode

from cms.handlers.site.base import SiteHandler
from cms.schemas.search import FILTERS, SearchInput
from cms.services import search
from cms.services.search import Found


class SearchHandler(SiteHandler):
    arguments: ClassVar[tuple[str, ...]] = ("q", "page", "tag", "category", "author", "year")

    async def get(self) -> None:
        asked = SearchInput.model_validate({name: self.get_query_argument(name, "") for name in self.arguments})
        async with self.read() as session:
            found = await search.find(session, asked)
        if asked.q and not asked.filters and (found.is_of_meant or not found.total):
            self.parts.misses.note(asked.q)
        self.show("site/search.html", found.frame, found=found, address=Addresses(self.reverse_url("search"), found))

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
