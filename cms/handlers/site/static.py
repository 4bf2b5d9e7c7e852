"""Files that come with the program, and the stylesheet that settings make."""

from cms.handlers.site.base import SiteHandler
from cms.page_cache.cache import Page
from cms.services import site
from cms.ui.words import href

FOR_EVER = "public, max-age=31536000, immutable"
A_WHILE = "public, max-age=300"
A_DAY = "public, max-age=86400"


class StaticHandler(SiteHandler):
    """An address with the fingerprint of the file it names (``static_url`` writes it) is kept for ever."""

    content_policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
    is_kept = False
    is_open_to_all = True

    async def get(self, name: str) -> None:
        file = self.parts.static.find(name)
        bodies = await file.codings()
        is_versioned = self.get_query_argument("v", "") == file.fingerprint
        self.set_header("Content-Type", file.content_type)
        self.set_header("Cache-Control", FOR_EVER if is_versioned else A_WHILE)
        self.set_header("Cross-Origin-Resource-Policy", "cross-origin")
        page = Page(200, tuple(self.lasting_headers), bodies, digest=file.fingerprint)
        if self.request.uri == self.parts.static.address(name):
            self.parts.keep_file(self.request.uri, page)
        self.send(page)


class FaviconHandler(SiteHandler):
    """For those who ask at the old place without looking at the page."""

    is_kept = False
    is_open_to_all = True

    async def get(self) -> None:
        self.set_header("Cache-Control", A_DAY)
        async with self.read() as session:
            icon = (await site.get_frame(session)).icon
        self.redirect(href(icon) or self.static_url("icons/favicon.svg"), status=302)
