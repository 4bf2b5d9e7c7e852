"""Files that come with the program."""

from typing import Any

from tornado.web import StaticFileHandler

from cms.handlers.site.base import SiteHandler

FOR_EVER = "public, max-age=31536000, immutable"
A_WHILE = "public, max-age=300"
A_DAY = "public, max-age=86400"


class StaticHandler(SiteHandler, StaticFileHandler):
    """An address with the version of the file it names (``static_url`` writes it) is kept for ever."""

    content_policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
    is_kept = False

    def initialize(self) -> None:  # type: ignore[override]  # the folder stands in the settings
        StaticFileHandler.initialize(self, self.settings["static_path"])

    async def get(self, path: str, include_body: bool = True) -> None:
        self.request.headers.pop("Range", None)  # of no use for small files, and wrong once they are compressed
        await StaticFileHandler.get(self, path, include_body)

    async def head(self, path: str) -> None:  # type: ignore[override]  # one argument
        await self.get(path, include_body=False)

    @classmethod
    def get_version(cls, settings: dict[str, Any], path: str) -> str | None:
        """Enough of the hash to tell versions apart."""
        version = super().get_version(settings, path)
        return version and version[:16]

    def set_extra_headers(self, path: str) -> None:
        version = self.get_query_argument("v", "")
        current = version and version == self.get_version(self.settings, path)
        for name in ("Expires", "Accept-Ranges"):
            self.clear_header(name)
        self.set_header("Cache-Control", FOR_EVER if current else A_WHILE)
        self.set_header("Cross-Origin-Resource-Policy", "cross-origin")


class FaviconHandler(SiteHandler):
    """For those who ask at the old place without looking at the page."""

    is_kept = False

    async def get(self) -> None:
        self.set_header("Cache-Control", A_DAY)
        self.redirect(self.static_url("icons/favicon.svg"), status=302)
