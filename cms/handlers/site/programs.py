"""What programs ask of a site as a whole: whether they may read it, how to search it, what it is called, whom to tell of a weakness."""

import json
from typing import ClassVar

from cms.errors import NotFound
from cms.handlers.site.base import SiteHandler
from cms.handlers.site.xml import XmlHandler
from cms.models.site import Frame
from cms.page_cache import marks
from cms.page_cache.marks import Marks
from cms.services import feeds, shown, site
from cms.ui import programs
from cms.ui.crawlers import robots

TEXT = "text/plain; charset=utf-8"


class ProgramHandler(SiteHandler):
    aspects: ClassVar[tuple[str, ...]] = ("name", "description", "language")  # of the frame, that are shown

    async def frame(self) -> Frame:
        self.shows(Marks.of(*marks.frame(*self.aspects)))
        async with self.read() as session:
            return await site.get_frame(session)

    def answer(self, content_type: str, text: str) -> None:
        self.set_header("Content-Type", content_type)
        self.finish(text)


class RobotsHandler(ProgramHandler):
    aspects = ("crawlers", "access")
    is_open_to_all = True

    async def get(self) -> None:
        self.answer(TEXT, robots(await self.frame(), self.public_url + self.reverse_url("sitemap")))


class SecurityHandler(ProgramHandler):
    is_open_to_all = True
    is_kept = False  # it names a day by which to ask again

    async def get(self) -> None:
        frame = await self.frame()
        if not frame.security_contact:
            raise NotFound
        canonical = self.public_url + self.reverse_url("security")
        self.answer(TEXT, programs.security(frame, canonical, self.parts.database.clock()))


class ManifestHandler(ProgramHandler):
    aspects = (*ProgramHandler.aspects, "accent_hue", "icon")

    async def get(self) -> None:
        manifest = programs.manifest(await self.frame(), self.static_url("icons/favicon.svg"))
        self.answer("application/manifest+json", json.dumps(manifest, ensure_ascii=False))


class LlmsHandler(ProgramHandler):
    async def get(self) -> None:
        async with self.read() as session:
            overview = await feeds.overview(session)
        self.shows(shown.overview(overview))
        self.answer(TEXT, programs.llms(overview, self.public_url))


class OpenSearchHandler(XmlHandler):
    async def get(self) -> None:
        async with self.read() as session:
            frame = await site.get_frame(session)
        self.shows(Marks.of(*marks.frame("name", "description", "language")))
        self.show_xml("feeds/opensearch.xml", "application/opensearchdescription+xml", frame)
