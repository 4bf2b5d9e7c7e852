"""SiteHandler: what readers get is the same for everybody, and nothing in it runs that we did not write."""

import asyncio
import json
import re
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, ClassVar
from urllib.parse import unquote_to_bytes, urlencode

from tornado.httputil import HTTPHeaders
from tornado.web import HTTPError

from cms.content_coding import CODINGS, IDENTITY, best_coding
from cms.errors import Gone, NotFound
from cms.handlers.base import STATUS, BaseHandler, security_headers, session_cookie_name
from cms.models.site import Access, Frame
from cms.page_cache.cache import Page
from cms.page_cache.marks import EVERYTHING, NOTHING, Marks, outside
from cms.services import passes, shown
from cms.settings import Settings
from cms.ui.errors import Explanation, explain
from cms.ui.languages import Language, language
from cms.ui.words import direction, href, words_of

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: https:; font-src 'self'; connect-src 'self'; "
    "media-src 'self' https:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'"
)
STALE = "stale-while-revalidate=60, stale-if-error=86400"  # RFC 5861
_ASKED_AGAIN = "no-cache"
MAX_SURROGATE_KEYS = 8000  # characters
MAX_KEPT_QUERY = 1000  # characters that a redirect carries along

# Headers that are no part of a page that is kept.
_OF_ONE_ANSWER = frozenset({"X-Request-Id", "Date", "Server", "Etag", "Content-Length", "Vary"})

# A letter, digit, "-", ".", "_", "~" or "/" that was encoded without need. Other signs are left as they come: proxies re-code
# them, and a redirect to our spelling would never end.
_NEEDLESSLY_ENCODED = re.compile(r"%(?:2[d-f]|3[0-9]|[46][1-9a-f]|[57][0-9a]|5f|7e)", re.IGNORECASE)


# What browsers load of the library; captions are read from the page's own host only.
_LOADING = re.compile(rb"""<(?:img|source|video|audio)\b(?:[^>"]|"[^"]*")*>""")
_LOADED = re.compile(rb"""(?<=\s)(?:src|srcset|poster)="[^"]*\"""")
_OURS = re.compile(rb"""(?<=[" ])/media/(?=[1-9])""")


def opened_cookie_name(settings: Settings) -> str:
    return "__Host-opened" if settings.is_https else "opened"


def keeping(settings: Settings) -> str:
    """How long a page may be kept elsewhere. Browsers ask again each time, which the ETag makes cheap."""
    return f"public, max-age=0, s-maxage={settings.cdn_seconds}, {STALE}" if settings.cdn_seconds else _ASKED_AGAIN


def page_headers(settings: Settings) -> dict[str, str]:
    """Of a page for people with nothing special, but for those that each answer has its own of."""
    return {
        **security_headers(settings),
        "Content-Security-Policy": CONTENT_POLICY,
        "Cache-Control": keeping(settings),
        "Content-Type": "text/html; charset=UTF-8",
    }


class SiteHandler(BaseHandler):
    """Sets no cookie and knows no actor, so that a page made for one reader is every reader's."""

    SUPPORTED_METHODS = ("GET", "HEAD")
    face = "site"
    requires = None  # all of it is for everybody: it does not even know who asks
    near: Sequence[tuple[str, str]] = ()  # title and path of what somebody who is lost may have meant
    content_policy = CONTENT_POLICY
    is_kept: ClassVar[bool] = True  # in the page cache
    nowhere_marks: ClassVar[Marks] = NOTHING  # of the answer that nothing is there
    arguments: ClassVar[tuple[str, ...]] = ()  # of the query, that make another page; whatever else stands there is ignored

    is_open_to_all: ClassVar[bool] = False  # also while the site is not
    is_private = False  # an answer that only some may have
    is_let_in = False  # it was asked, and may see what the site shows
    _marks: Marks = NOTHING
    _is_making = False

    def set_default_headers(self) -> None:
        """Only of a page is it known, once it was made, what it shows, and so when it is over (``_tell_cdn``)."""
        super().set_default_headers()
        self.set_header("Cache-Control", _ASKED_AGAIN)

    async def head(self, *arguments: str) -> None:
        """What GET would say; Tornado leaves the body out."""
        answering = self.get(*arguments)
        if answering is not None:
            await answering

    # --- the page cache ---

    async def prepare(self) -> None:
        """The answer, if it is one that is the same for everybody: from the cache, or made for all who wait for it."""
        await super().prepare()
        self.is_let_in = not self.is_open_to_all and await self._may_come_in()
        if not (self.is_let_in or self.is_open_to_all):
            self.show_lock(await self.parts.door.frame())
            return
        if not self.is_kept or self.request.method not in self.SUPPORTED_METHODS:
            return
        if self.parts.pages.capacity and not self._is_somebody:
            self.send(await self.parts.pages.get(self.cache_key, self._make))
        else:
            self.send(await self._make_once())

    @property
    def _is_somebody(self) -> bool:
        """Who may get other answers than everybody: whoever is signed in, or was given a password."""
        return any(self.get_cookie(name) is not None for name in self.cookies_of_somebody(self.parts.settings))

    @staticmethod
    def cookies_of_somebody(settings: Settings) -> tuple[str, str]:
        return session_cookie_name(settings), opened_cookie_name(settings)

    # --- what is not for everybody ---

    async def _may_come_in(self) -> bool:
        """Into the site: while it is open everybody is; else those with its password, and those who work at the desk."""
        frame = await self.parts.door.frame()
        if frame.is_open:
            return True
        self.is_private = True
        if frame.access_mark in self.opened:
            return True
        await self.load_actor()
        return self.actor.is_signed_in

    @property
    def opened_cookie(self) -> str:
        return opened_cookie_name(self.parts.settings)

    @property
    def opened(self) -> list[str]:
        """What this browser was given the passwords of (services/passes.py)."""
        kept = self.signed_cookie(self.opened_cookie, days=passes.DAYS)
        return [str(each) for each in json.loads(kept)] if kept else []

    def show_lock(self, frame: Frame, post_id: int | None = None, *, at: str | None = None, wrong: str = "") -> None:
        """The page that asks for a password: of a text, or of the site. ``at``: where its reader wants to go, as an address."""
        self.parts.use_frame(frame)
        is_front = frame.access == Access.COMING_SOON and self.request.path == "/"
        self.set_status(200 if is_front and not wrong else 403)
        self.set_header("X-Robots-Tag", "noindex")
        self.set_header("Cache-Control", "no-store")
        self.render("site/lock.html", post_id=post_id, access=frame.access, wrong=wrong, at=self.request.uri if at is None else at)

    @property
    def cache_key(self) -> str:
        """Path and those arguments of the query that the page depends on, in one order."""
        given = [(name, value) for name in self.arguments if (value := self.get_query_argument(name, ""))]
        return f"{self.request.path}?{urlencode(given)}" if given else self.request.path

    def shows(self, *shown: Marks) -> None:
        """Note what the page shows, so that it is made again when that changes."""
        for each in shown:
            self._marks |= each

    async def _make(self) -> Page:
        """A page to be kept, in every coding."""
        return await self._make_in(CODINGS)

    async def _make_once(self) -> Page:
        """A page for this reader alone, in the one coding that he takes."""
        coding = self._best_of(CODINGS)
        return await self._make_in(() if coding == IDENTITY else (coding,))

    async def _make_in(self, codings: Sequence[str]) -> Page:
        """Compressing takes milliseconds."""
        status, headers, body, marks = await self._make_parts()
        make = partial(Page.make, status, headers, body, marks, codings, is_noted=self.is_noted(status, marks))
        return await asyncio.to_thread(make) if codings else make()

    def _best_of(self, codings: Iterable[str]) -> str:
        return best_coding(self.request.headers.get("Accept-Encoding", ""), codings)

    async def _make_parts(self) -> tuple[int, list[tuple[str, str]], bytes, Marks]:
        """The page as GET makes it, kept from being sent. What is not there is a page like others; other errors are raised."""
        self._is_making = True
        try:
            if (making := self.get(*self.path_args)) is not None:
                await making
        except (NotFound, Gone) as error:
            self.parts.use_frame(await self.parts.door.frame())
            self.shows(self.nowhere_marks)
            self.clear()
            self.set_status(STATUS[type(error)])
            self.write_error(self.get_status(), exc_info=(type(error), error, None))
        finally:
            self._is_making = False
        self._tell_cdn()
        body, self._write_buffer = b"".join(self._write_buffer), []
        return self.get_status(), self.lasting_headers, self._with_cdn(body), self._marks

    @property
    def lasting_headers(self) -> list[tuple[str, str]]:
        """Those that are the same in each answer."""
        return [(name, value) for name, value in self._headers.get_all() if name not in _OF_ONE_ANSWER]

    def _tell_cdn(self) -> None:
        """What the page shows, and that it may be kept there; not if that cannot be told, or if nobody could tell later that it is over."""
        settings, separator = self.parts.settings, ", " if self.parts.settings.surrogate_header == "Cache-Tag" else " "
        told = separator.join(sorted({EVERYTHING, *outside(self._marks)})) if settings.surrogate_keys else ""
        is_unknown = settings.purges_addresses and (self.get_status() == 404 or bool(self.arguments))
        if is_unknown or len(told) > MAX_SURROGATE_KEYS:
            return
        if self._headers.get("Cache-Control") == _ASKED_AGAIN:  # else it says already that it is for nobody else
            self.set_header("Cache-Control", keeping(settings))
        if told:
            self.set_header(settings.surrogate_header, told)

    def _with_cdn(self, body: bytes) -> bytes:
        """Pictures, sound and films come from the CDN, if there is one; but not to those who were let in, whose pass it does not know."""
        cdn = self.parts.settings.media_cdn_url.encode()
        if not cdn or self.is_private or not self._headers.get("Content-Type", "").startswith("text/html"):
            return body
        return _LOADING.sub(lambda tag: _LOADED.sub(lambda found: _OURS.sub(cdn + b"/media/", found[0]), tag[0]), body)

    def send(self, page: Page) -> None:
        """In the best coding that the reader takes; 304 if that is there already. The fast door (server/door.py) gives the same answer."""
        if page.is_noted:
            self.note(page)
        coding = self._best_of(each for each in CODINGS if each in page.bodies)
        self.set_status(page.status)
        self._headers = HTTPHeaders({"X-Request-Id": self.request_id, "Date": self._headers["Date"]})
        for name, value in page.headers_in(coding):
            self._headers.add(name, value)
        if self.is_private:
            self.set_header("Cache-Control", "private, no-store")
        if page.status == 301:
            self.set_header("Location", self._with_query(page.location))
        self._transforms = []  # it is compressed already, or too short to be
        if page.status == 200 and self._has_already(page.etag(coding)):
            self.set_status(304)
            self.finish()
        else:
            self.finish(page.bodies[coding])

    def is_noted(self, status: int, marks: Marks) -> bool:
        """Whether something is to be noted of each answer with such a page, also of one that was kept."""
        return False

    def note(self, page: Page) -> None:
        """Of an answer with a page that is noted."""

    def _has_already(self, etag: str) -> bool:
        """In the coding that it would come in now: what is in between may have another, for other readers (RFC 9110, 13.1.2)."""
        known = self.request.headers.get("If-None-Match", "")
        return known.strip() == "*" or etag in known

    def finish(self, chunk: Any = None) -> "asyncio.Future[None]":
        if not self._is_making:
            return super().finish(chunk)
        if chunk is not None:
            self.write(chunk)
        nobody = asyncio.get_running_loop().create_future()
        nobody.set_result(None)
        return nobody

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
        self.lead_to(href("/" + path.lstrip("/")))

    def lead_to(self, location: str) -> None:
        """301 to an address, of this site or elsewhere, taking the query along."""
        self.redirect(location if self._is_making else self._with_query(location), status=301)

    def _with_query(self, location: str) -> str:
        """The request's, unless it has one of its own; a fragment comes last."""
        address, mark, fragment = location.partition("#")
        return f"{address}{'' if '?' in address else self._kept_query}{mark}{fragment}"

    @property
    def _kept_query(self) -> str:
        query = self.request.query
        return f"?{query}" if query and query.isascii() and len(query) <= MAX_KEPT_QUERY else ""

    # --- pages ---

    def show(self, template: str, frame: Frame, **values: Any) -> None:
        self.parts.use_frame(frame)
        self.shows(self.shown_of(frame))
        self.render(template, **values)

    def shown_of(self, frame: Frame) -> Marks:
        return shown.around(frame)

    def get_user_locale(self) -> Language:
        """The site's, not the browser's: a page is the same for everybody."""
        return language([self.parts.last_frame.language])

    def get_template_namespace(self) -> dict[str, Any]:
        own = {"words": words_of(self.parts.last_frame), "href": href, "direction": direction, "is_preview": False, "guest": None}
        own["is_inside"] = self.is_let_in or self.parts.last_frame.is_open  # menus are for those who may follow them
        return {**super().get_template_namespace(), **own}

    @property
    def sought(self) -> str:
        """What somebody was looking for, to be sent again when it is refused."""
        return ""

    def explain(self, status: int) -> Explanation:
        return explain(status)

    def write_error_page(self, status: int, message: str) -> None:
        """Needs no database: the frame is the last one that was seen."""
        if status == 405:
            self.set_header("Allow", ", ".join(self.SUPPORTED_METHODS))
        self.set_header("Content-Security-Policy", CONTENT_POLICY)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.shows(shown.around(self.parts.last_frame))
        self.render(
            "errors/error.html",
            status=status,
            explanation=self.explain(status),
            near=self.near,
            sought=self.sought,
            request_id=self.request_id,
        )
