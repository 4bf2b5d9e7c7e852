"""SiteHandler: what readers get is the same for everybody, and nothing in it runs that we did not write."""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote_to_bytes

from tornado import locale
from tornado.web import HTTPError

from cms.errors import NotFound
from cms.handlers.base import BaseHandler
from cms.models.site import Frame
from cms.ui.errors import explain
from cms.ui.words import direction, href, words_of

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: https:; font-src 'self'; connect-src 'self'; "
    "media-src 'self' https:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'"
)
MAX_KEPT_QUERY = 1000  # characters that a redirect carries along

# A letter, digit, "-", ".", "_", "~" or "/" that was encoded without need. Other signs are left as they come: proxies re-code
# them, and a redirect to our spelling would never end.
_NEEDLESSLY_ENCODED = re.compile(r"%(?:2[d-f]|3[0-9]|[46][1-9a-f]|[57][0-9a]|5f|7e)", re.IGNORECASE)


class SiteHandler(BaseHandler):
    """Sets no cookie and knows no actor, so that a page made for one reader is every reader's."""

    SUPPORTED_METHODS = ("GET", "HEAD")
    face = "site"
    near: Sequence[tuple[str, str]] = ()  # title and path of what somebody who is lost may have meant
    content_policy = CONTENT_POLICY

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.set_header("Cache-Control", "no-cache")  # ask again each time; the ETag makes that cheap

    async def head(self, *arguments: str) -> None:
        """What GET would say; Tornado leaves the body out."""
        answering = self.get(*arguments)
        if answering is not None:
            await answering

    def decode_argument(self, value: bytes, name: str | None = None) -> str:
        text = super().decode_argument(value, name)
        if "\x00" in text:  # no address has it, and PostgreSQL refuses the question
            raise HTTPError(404)
        return text

    # --- where we are ---

    @property
    def asked_path(self) -> str:
        """The path as text. Raises ``NotFound`` if it is none."""
        try:
            path = unquote_to_bytes(self.request.path.encode("latin-1")).decode()
        except UnicodeError:
            raise NotFound from None
        if "\x00" in path:
            raise NotFound
        return path

    def is_at(self, path: str) -> bool:
        """Whether the request named this path, in the one right spelling."""
        return self.asked_path == path and not _NEEDLESSLY_ENCODED.search(self.request.path)

    def move_to(self, path: str) -> None:
        """301 to a path of this site, taking the query along."""
        query = self.request.query
        kept = f"?{query}" if query and query.isascii() and len(query) <= MAX_KEPT_QUERY else ""
        self.redirect(href("/" + path.lstrip("/")) + kept, status=301)

    # --- pages ---

    def show(self, template: str, frame: Frame, **values: Any) -> None:
        self.parts.last_frame = frame
        self.render(template, **values)

    def get_user_locale(self) -> locale.Locale | None:
        """The site's, not the browser's: a page is the same for everybody."""
        return locale.get(self.parts.last_frame.language)

    def get_template_namespace(self) -> dict[str, Any]:
        namespace = super().get_template_namespace()
        return {**namespace, "words": words_of(self.parts.last_frame), "href": href, "direction": direction}

    def write_error_page(self, status: int, message: str) -> None:
        """Needs no database: the frame is the last one that was seen."""
        if status == 405:
            self.set_header("Allow", ", ".join(self.SUPPORTED_METHODS))
        self.set_header("Content-Security-Policy", CONTENT_POLICY)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.render("errors/error.html", status=status, explanation=explain(status), near=self.near, request_id=self.request_id)
