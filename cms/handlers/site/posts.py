"""The newest posts, and whatever stands at any other path."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from cms import policy
from cms.db.session import ReadSession
from cms.errors import Gone, NotFound
from cms.handlers.site.base import SiteHandler
from cms.models.address import AddressState, is_reserved
from cms.models.post import Kind, Visibility
from cms.page_cache import marks
from cms.page_cache.cache import Page
from cms.page_cache.marks import Marks
from cms.policy import Capability, Scope
from cms.services import accounts, lists, passes, reading, redirects, search, shown
from cms.services.lists import Listing
from cms.services.reading import Article, Branch, Place
from cms.ui.words import href


class ListingHandler(SiteHandler):
    def show_listing(self, listing: Listing, featured: Sequence[Mapping[str, Any]] = ()) -> None:
        self.shows(shown.listing(listing), shown.featured(featured), Marks.of(*marks.frame("description", "home")))
        self.show("site/home.html", listing.frame, listing=listing, featured=featured)


class HomeHandler(ListingHandler):
    """ "/": the newest posts, or the page that was chosen."""

    async def get(self) -> None:
        async with self.read() as session:
            if not await self._has_owner(session):
                self.set_header("Cache-Control", "no-store")
                self.render("site/welcome.html")
                return
            found = await lists.front(session)
            featured = await lists.featured(session) if isinstance(found, Listing) else []
        if isinstance(found, Listing):
            self.show_listing(found, featured)
        elif found.article:
            self.shows(shown.article(found.article))
            self.show("site/page.html", found.frame, article=replace(found.article, path="/"), branch=Branch(None, (), ()))

    async def _has_owner(self, session: ReadSession) -> bool:
        """Asked of the database until there is one: another process may have made it."""
        self.parts.has_owner = self.parts.has_owner or await accounts.has_owner(session)
        return self.parts.has_owner


class NewestHandler(ListingHandler):
    nowhere_marks = Marks.of(marks.listing("home"), *marks.frame("posts_per_page"))

    async def get(self, page: str) -> None:
        number = self.number(page)
        async with self.read() as session:
            listing = await lists.home(session, number)
        if self.is_at(listing.page_path(number)):
            self.show_listing(listing)
        else:
            self.shows(shown.listing(listing), shown.around(listing.frame))
            self.move_to(listing.page_path(number))


class PlaceHandler(SiteHandler):
    """A post or page; where it went; or that it is gone. Also answers for paths that no route knows."""

    branch = Branch(None, (), ())
    is_locked = False

    async def get(self, *_: str) -> None:
        path = self.asked_path
        place = await reading.find_place(self.parts.database, path)
        if not place.path and await self.is_led_elsewhere(path, place):
            return
        if place.article:
            await self.ask_for(place.article)
        if place.article and place.article.kind is Kind.PAGE:
            await self._look_around(place.article.post_id)
        self.show_place(path, place)

    async def is_led_elsewhere(self, path: str, place: Place) -> bool:
        """Whether the answer is that it is elsewhere, though nothing stands here."""
        location = await self._look_elsewhere(path, place)
        if location:
            self.shows(shown.at(path))
            self.lead_to(location)
        return bool(location)

    async def ask_for(self, article: Article) -> None:
        """For a password that this browser was not given; nobody has one that is yet to be chosen. Whoever edits all texts is not asked."""
        if article.visibility is not Visibility.PASSWORD:
            return
        self.is_private = True
        async with self.read() as session:
            lock = await passes.of_post(session, article.post_id)
        if lock is None or lock.mark not in self.opened:
            await self.load_actor()
            self.is_locked = policy.scope(self.actor, Capability.of(article.kind, "edit")) is not Scope.ANY

    async def _look_elsewhere(self, path: str, place: Place) -> str:
        """Where the list is that once stood here, or where rules lead; if nothing ever stood here, what has a name like it is noted."""
        self.shows(Marks.of(marks.REDIRECTS))
        async with self.read() as session:
            if place.state is AddressState.MOVED and (found := await lists.list_at(session, path)):
                self.shows(Marks.of(marks.TERMS))
                return href(found)
            if way := await redirects.follow(session, path):
                self.shows(shown.way(way))
                return way.elsewhere or href(way.path) + way.tail
            if place.state is None:
                self.near = await search.near_titles(session, path)
        return ""

    def is_noted(self, status: int, shown: Marks) -> bool:
        return status == 301 and bool(marks.rules_of(shown))

    def note(self, page: Page) -> None:
        """Who is led by a rule is counted each time, whoever made the answer; what the program asks itself is not."""
        if self.remote_address:
            for rule_id in marks.rules_of(page.marks):
                self.parts.hits.note(rule_id)

    async def _look_around(self, page_id: int) -> None:
        async with self.read() as session:
            self.branch = await reading.branch(session, page_id)
        self.shows(shown.branch(page_id, self.branch))

    def show_place(self, path: str, place: Place) -> None:
        self.parts.use_frame(place.frame)
        self.shows(shown.place(path, place), Marks.of(*marks.frame("home_path")))
        if place.asset_path:
            self.move_to(place.asset_path)
        elif place.article is None:
            self._nothing_at(path, place)
        elif place.path == place.frame.home_path:
            self.move_to("/")
        elif not self.is_at(place.path):
            self.move_to(place.path)
        elif self.is_locked:
            self.show_lock(place.frame, place.article.post_id)
        else:
            self.shows(shown.article(place.article))
            self.keep_from_crawlers(place.article)
            template = "site/post.html" if place.article.kind is Kind.POST else "site/page.html"
            self.show(template, place.frame, article=place.article, branch=self.branch)

    def keep_from_crawlers(self, article: Article) -> None:
        if not article.is_listed:
            self.set_header("X-Robots-Tag", "noindex")
        if self.is_private:
            self.set_header("Cache-Control", "private, no-store")

    def _nothing_at(self, path: str, place: Place) -> None:
        name = path.strip("/")
        if path != f"/{name}" and (not name or is_reserved(name)):  # the program's own addresses have no slash at the end
            self.move_to(f"/{name}")
        else:
            raise Gone if place.state in (AddressState.GONE, AddressState.MOVED) else NotFound
