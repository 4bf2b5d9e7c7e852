"""Files that come with the program, and the stylesheet that settings make."""

from cms.content_coding import IDENTITY, best_coding
from cms.handlers.site.base import SiteHandler
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

    _etag: str | None = None

    async def get(self, name: str) -> None:
        file = self.parts.static.find(name)
        codings = await file.codings()
        coding = best_coding(self.request.headers.get("Accept-Encoding", ""), codings)
        self._transforms = []  # it is compressed already
        if coding != IDENTITY:
            self.set_header("Content-Encoding", coding)
        self.set_header("Content-Type", file.content_type)
        self.set_header("Vary", "Accept-Encoding")
        self._etag = f'"{file.fingerprint}-{coding}"'
        self.set_header("Cache-Control", FOR_EVER if self.get_query_argument("v", "") == file.fingerprint else A_WHILE)
        self.set_header("Cross-Origin-Resource-Policy", "cross-origin")
        self.finish(codings[coding])

    def compute_etag(self) -> str | None:
        """Of the file in this coding, and not of what is in the buffer."""
        return self._etag


class FaviconHandler(SiteHandler):
    """For those who ask at the old place without looking at the page."""

    is_kept = False
    is_open_to_all = True

    async def get(self) -> None:
        self.set_header("Cache-Control", A_DAY)
        async with self.read() as session:
            icon = (await site.get_frame(session)).icon
        self.redirect(href(icon) or self.static_url("icons/favicon.svg"), status=302)
