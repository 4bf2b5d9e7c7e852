"""The sitemap: an index, its parts by the ids of posts, and one part for lists."""

from cms.handlers.site.xml import XmlHandler
from cms.services import sitemaps
from cms.services.sitemaps import Line


class SitemapHandler(XmlHandler):
    def show_lines(self, lines: list[Line]) -> None:
        self.show_xml("feeds/sitemap.xml", "application/xml", self.parts.last_frame, lines=lines)


class SitemapIndexHandler(XmlHandler):
    async def get(self) -> None:
        async with self.read() as session:
            parts = await sitemaps.list_parts(session)
        self.show_xml("feeds/sitemap_index.xml", "application/xml", self.parts.last_frame, parts=parts)


class SitemapPartHandler(SitemapHandler):
    async def get(self, number: str) -> None:
        async with self.read() as session:
            self.show_lines(await sitemaps.list_part(session, self.number(number)))


class SitemapListsHandler(SitemapHandler):
    async def get(self) -> None:
        async with self.read() as session:
            self.show_lines(await sitemaps.list_lists(session))
