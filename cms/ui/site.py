"""Parts of the site's pages. They get loaded objects and only draw; their markup is in ``templates/modules/``."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from tornado.escape import xhtml_escape
from tornado.web import UIModule

from cms.content.plain_text import shorten
from cms.models.post import Kind
from cms.models.site import Frame
from cms.services.lists import Listing
from cms.services.reading import Article, Branch, Card
from cms.services.search import Found, Hit
from cms.ui.module import Module
from cms.ui.pictures import shared
from cms.ui.words import direction, href, og_locale, words_of

SPINE = 0.5  # rem a minute
ARCHIVE_SPINE = 0.4
COLUMN = 35.0  # rem: --column in site.css, where a spine ends
SIDE = 13.0  # rem: --side
CONTENTS_FROM = 3  # headings; fewer need no table of contents
DESCRIPTION = 300  # characters of a page that others show with a link to it


Made = TypeVar("Made")


class SiteModule(Module):
    """A module whose markup knows the site's words, and how to write an address."""

    @property
    def frame(self) -> Frame:
        frame: Frame = self.handler.settings["parts"].last_frame
        return frame

    def draw(self, name: str, **values: Any) -> str:
        drawn = self.render_string(f"modules/{name}.html", words=words_of(self.frame), href=href, direction=direction, **values)
        return drawn.decode()

    def kept(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """What shows nothing but the frame, and what ``key`` says besides: made once, and again when the frame is another."""
        drawn: dict[Hashable, Made] = self.handler.settings["parts"].drawn
        if key not in drawn:
            drawn[key] = make()
        return drawn[key]


class Linked(SiteModule):
    """What belongs to every page: stylesheets, the script, icons, feeds. No script in a preview, which may not run it. ``theme``: the name
    of the stylesheet that settings make."""

    def render(self, theme: str, *, is_preview: bool) -> str:
        return self.kept(("linked", theme, is_preview), lambda: self.draw("linked", theme=theme))


class Navigation(SiteModule):
    """The menu and the tools beside it, with the place marked where the page stands in them."""

    def render(self) -> str:
        here = self.request.path if self.request.path in self.kept("places", self._places) else ""
        return self.kept(("navigation", here), lambda: self.draw("navigation", here=here))

    def _places(self) -> frozenset[str]:
        links = [*self.frame.menu]
        for link in links:  # those below are added at its end
            links.extend(link.children)
        own = (self.frame.posts_path, self.handler.reverse_url("archive"), self.handler.reverse_url("search"))
        return frozenset([*own, *(href(link.path) for link in links)])


class Colophon(SiteModule):
    """The foot of every page."""

    def render(self) -> str:
        return self.kept("colophon", lambda: self.draw("colophon"))


class Meta(SiteModule):
    """What machines read of a page: description, its one address, and the card that others show for a link to it.

    https://ogp.me; what cards need beyond that: https://developer.x.com/en/docs/x-for-websites/cards
    """

    def render(self, path: str, title: str, description: str = "", *, article: Article | None = None) -> str:
        return self.draw(
            "meta",
            at=path,
            title=title,
            description=shorten(description, DESCRIPTION),
            shared=shorten(article.share_description if article else description, DESCRIPTION),
            article=article,
            is_post=article is not None and article.kind is Kind.POST,
            picture=shared(article.picture) if article and article.picture else None,
            og_locale=og_locale,
        )


class LeadCard(SiteModule):
    """The newest post, large."""

    def render(self, card: Card) -> str:
        return self.draw("lead_card", card=card)


class PostCard(SiteModule):
    """A post in a list. ``level`` is that of its heading; an author's own list does not repeat the author.

    A compact one has titles only.
    """

    def render(self, card: Card, level: int = 2, *, show_authors: bool = True, is_compact: bool = False) -> str:
        return self.draw("post_card", card=card, level=level, show_authors=show_authors, is_compact=is_compact)


class ArchiveLine(SiteModule):
    """A post as one line of the archive."""

    def render(self, card: Card) -> str:
        return self.draw("archive_line", card=card)


class Spine(SiteModule):
    """A rule as long as the reading. Hidden from those who hear the number anyway; ``label`` gives it a name."""

    def render(self, minutes: int, *, label: str = "") -> str:
        per_minute, longest = (ARCHIVE_SPINE, SIDE) if label else (SPINE, COLUMN)
        name = f'role="img" aria-label="{xhtml_escape(label)}"' if label else 'aria-hidden="true"'
        return f'<svg class="spine" width="{min(minutes * per_minute, longest):g}rem" height="3" {name}></svg>\n'


class Authors(SiteModule):
    """Their names, each leading to what they wrote, joined as the site's language joins words."""

    def render(self, authors: Sequence[dict[str, Any]]) -> str:
        joints = words_of(self.handler.settings["parts"].last_frame).joints(len(authors))
        return self.draw("authors", authors=authors, joints=joints).rstrip("\n")


class Byline(SiteModule):
    def render(self, article: Article) -> str:
        return self.draw("byline", article=article)


class Trail(SiteModule):
    """The pages above a page."""

    def render(self, trail: Sequence[dict[str, str]]) -> str:
        return self.draw("trail", trail=trail)


class SeriesBox(SiteModule):
    """Which part of its series a post is, the parts beside it, and all of them."""

    def render(self, article: Article) -> str:
        if article.series is None or len(article.series["parts"]) < 2:
            return ""
        parts = article.series["parts"]
        here = next((index for index, part in enumerate(parts) if part["id"] == article.post_id), 0)
        return self.draw(
            "series",
            article=article,
            series=article.series,
            number=here + 1,
            width=f"{100 * (here + 1) / len(parts):g}%",
            before=parts[here - 1] if here else None,
            after=parts[here + 1] if here + 1 < len(parts) else None,
        )


class Steps(SiteModule):
    """The posts before and after it by date."""

    def render(self, article: Article) -> str:
        return self.draw("steps", article=article) if article.previous or article.following else ""


class Tree(SiteModule):
    """The pages below a page, and those beside it."""

    def render(self, page_id: int, branch: Branch) -> str:
        _ = self.locale.translate
        beside = branch.beside if len(branch.beside) > 1 else ()  # a page alone has nobody beside it
        parts = [("pages-below", _("Below this page"), branch.below), ("pages-beside", _("Beside this page"), beside)]
        shown = [part for part in parts if part[2]]
        return self.draw("tree", page_id=page_id, parts=shown) if shown else ""


class Band(SiteModule):
    """A few posts beside each other: those to read on, those that are featured."""

    def render(self, id: str, heading: str, links: Sequence[dict[str, Any]], *, after: bool = False) -> str:
        dated = [{**link, "published_at": datetime.fromisoformat(link["published_at"])} for link in links]
        return self.draw("band", id=id, heading=heading, links=dated, after=after) if dated else ""


@dataclass(slots=True)
class Entry:
    id: str
    text: str
    children: list["Entry"] = field(default_factory=list)


class Toc(SiteModule):
    """The two highest levels of headings. Nothing for a text with few."""

    def render(self, article: Article) -> str:
        entries = contents(article.toc) if len(article.toc) >= CONTENTS_FROM else []
        return self.draw("toc", entries=entries, language=article.language) if entries else ""


class Pagination(SiteModule):
    def render(self, listing: Listing) -> str:
        if listing.pages < 2:
            return ""
        return self.draw("pagination", listing=listing, numbers=page_numbers(listing.page, listing.pages))


class SearchHit(SiteModule):
    """A result: as in a list, with the place in the text where the words stand."""

    def render(self, hit: Hit) -> str:
        return self.draw("search_hit", card=hit.card, snippet=hit.snippet)


class SearchPagination(SiteModule):
    def render(self, found: Found, address: Callable[[int], str]) -> str:
        if found.pages < 2:
            return ""
        return self.draw("search_pagination", found=found, address=address, numbers=page_numbers(found.page, found.pages))


def contents(toc: Sequence[dict[str, Any]]) -> list[Entry]:
    top = min(heading["level"] for heading in toc)
    entries: list[Entry] = []
    for heading in toc:
        entry = Entry(heading["id"], heading["text"])
        if heading["level"] == top or not entries:
            entries.append(entry)
        elif heading["level"] == top + 1:
            entries[-1].children.append(entry)
    return entries


def page_numbers(page: int, pages: int) -> list[int | None]:
    """The first, the last and those around this one; None stands for what is left out."""
    shown = sorted({1, pages, *range(max(1, page - 1), min(pages, max(page + 1, 3)) + 1)})
    numbers: list[int | None] = []
    for before, number in zip([0, *shown], shown, strict=False):
        if number - before == 2:
            numbers.append(number - 1)
        elif number - before > 2:
            numbers.append(None)
        numbers.append(number)
    return numbers


MODULES: dict[str, type[UIModule]] = {
    module.__name__: module
    for module in (
        *(ArchiveLine, Authors, Band, Byline, Colophon, LeadCard, Linked, Meta, Navigation, Pagination, PostCard),
        *(SearchHit, SearchPagination, SeriesBox, Spine, Steps, Toc, Trail, Tree),
    )
}
