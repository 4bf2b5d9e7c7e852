"""The sitemap: an index, its parts by the ids of posts, and one part for lists."""

from cms.handlers.site.xml import XmlHandler
from cms.page_cache import marks
from cms.page_cache.marks import Marks
from cms.services import sitemaps
from cms.services.sitemaps import Line


class SitemapHandler(XmlHandler):
    def show_lines(self, lines: list[Line]) -> None:
        self.show_xml("feeds/sitemap.xml", "application/xml", self.parts.last_frame, lines=lines)


class SitemapIndexHandler(XmlHandler):
    async def get(self) -> None:
        async with self.read() as session:
            parts = await sitemaps.list_parts(session)
        self.shows(Marks.of(marks.SITEMAP))
        self.show_xml("feeds/sitemap_index.xml", "application/xml", self.parts.last_frame, parts=parts)


class SitemapPartHandler(SitemapHandler):
    async def get(self, number: str) -> None:
        part = self.number(number)
        self.shows(Marks.of(marks.sitemap(part), *marks.frame("home_path")))
        async with self.read() as session:
            self.show_lines(await sitemaps.list_part(session, part))


class SitemapListsHandler(SitemapHandler):
    async def get(self) -> None:
        async with self.read() as session:
            self.shows(Marks.of(marks.SITEMAP_LISTS, marks.TERMS))
            self.show_lines(await sitemaps.list_lists(session))
