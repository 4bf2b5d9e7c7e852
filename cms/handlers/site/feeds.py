"""For programs: feeds with the whole text, the sitemap, robots.txt."""

from typing import Any, ClassVar

from cms.handlers.site.base import SiteHandler
from cms.models.site import Frame
from cms.page_cache import marks
from cms.page_cache.marks import Marks
from cms.services import reading, shown
from cms.ui.feeds import absolute_html, entry_id, iso_date, rss_date, xml_text


class XmlHandler(SiteHandler):
    def get_template_namespace(self) -> dict[str, Any]:
        ours = {"xml_text": xml_text, "absolute_html": absolute_html, "entry_id": entry_id, "rss_date": rss_date, "iso_date": iso_date}
        return {**super().get_template_namespace(), **ours}

    def shown_of(self, frame: Frame) -> Marks:
        return shown.FEED_FRAME


class FeedHandler(XmlHandler):
    template: ClassVar[str]
    content_type: ClassVar[str]

    async def get(self) -> None:
        async with self.read() as session:
            frame, articles = await reading.feed(session)
        self.shows(shown.entries("home", articles, reading.FEED_LENGTH))
        self.set_header("Content-Type", f"{self.content_type}; charset=utf-8")
        self.set_header("Cross-Origin-Resource-Policy", "cross-origin")
        updated_at = max((article.updated_at for article in articles), default=None)
        self.show(self.template, frame, articles=articles, updated_at=updated_at)


class RssHandler(FeedHandler):
    template = "feeds/rss.xml"
    content_type = "application/rss+xml"


class AtomHandler(FeedHandler):
    template = "feeds/atom.xml"
    content_type = "application/atom+xml"


class SitemapHandler(XmlHandler):
    async def get(self) -> None:
        async with self.read() as session:
            lines = await reading.sitemap(session)
        self.shows(Marks.of(marks.SITEMAP))
        self.set_header("Content-Type", "application/xml; charset=utf-8")
        self.render("feeds/sitemap.xml", lines=lines)


class RobotsHandler(SiteHandler):
    async def get(self) -> None:
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.render("feeds/robots.txt")
