"""The newest posts, and whatever stands at any other path."""

from cms.db.session import ReadSession
from cms.errors import Gone, NotFound
from cms.handlers.site.base import SiteHandler
from cms.models.address import AddressState, is_reserved
from cms.models.post import Kind
from cms.services import accounts, reading, search
from cms.services.reading import Place


class HomeHandler(SiteHandler):
    async def get(self, page: str = "1") -> None:
        number = self.number(page)
        async with self.read() as session:
            if not await self._has_owner(session):
                self.set_header("Cache-Control", "no-store")
                self.render("site/welcome.html")
                return
            listing = await reading.home(session, number)
        if self.is_at(listing.page_path(number)):
            self.show("site/home.html", listing.frame, listing=listing)
        else:
            self.move_to(listing.page_path(number))

    async def _has_owner(self, session: ReadSession) -> bool:
        """Asked of the database until there is one: another process may have made it."""
        self.parts.has_owner = self.parts.has_owner or await accounts.has_owner(session)
        return self.parts.has_owner


class PlaceHandler(SiteHandler):
    """A post or page; where it went; or that it is gone. Also answers for paths that no route knows."""

    async def get(self, *_: str) -> None:
        path = self.asked_path
        async with self.read() as session:
            place = await reading.find_place(session, path)
            if place.state is None:
                self.near = await search.near_titles(session, path)
        self.parts.last_frame = place.frame
        if place.asset_path:
            self.move_to(place.asset_path)
        elif place.article is None:
            self._nothing_at(path, place)
        elif not self.is_at(place.path):
            self.move_to(place.path)
        else:
            template = "site/post.html" if place.article.kind is Kind.POST else "site/page.html"
            self.show(template, place.frame, article=place.article)

    def _nothing_at(self, path: str, place: Place) -> None:
        name = path.strip("/")
        if path != f"/{name}" and (not name or is_reserved(name)):  # the program's own addresses have no slash at the end
            self.move_to(f"/{name}")
        else:
            raise Gone if place.state in (AddressState.GONE, AddressState.MOVED) else NotFound
