"""BaseHandler: the parts of the program, the actor, sessions and transactions, errors as statuses, headers."""

import asyncio
import contextlib
import ipaddress
import re
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, ClassVar, TypeVar, cast
from urllib.parse import quote, urlsplit

import structlog
from pydantic import BaseModel
from tornado.httputil import HTTPServerRequest
from tornado.template import BaseLoader
from tornado.web import Application, HTTPError, RequestHandler

from cms.collaboration.rooms import Rooms
from cms.content.context import Rendered
from cms.db.session import Database, ReadSession, Work
from cms.errors import (
    CMSError,
    Conflict,
    Forbidden,
    Gone,
    InvalidInput,
    NotAuthenticated,
    NotFound,
    OperatorError,
    StorageFull,
    TooLarge,
    TooManyRequests,
    Unavailable,
    WrongKind,
)
from cms.handlers.door import Door
from cms.handlers.forms import Form
from cms.handlers.news import News
from cms.handlers.previews import Previews
from cms.imaging import Imaging
from cms.mail import Mailer
from cms.media.storage import Storage
from cms.models.site import Frame
from cms.openid import OpenID
from cms.page_cache.cache import Page, PageCache
from cms.policy import ANONYMOUS, Actor, Capability
from cms.rendering import Renderer
from cms.sealing import Sealer
from cms.services import intake, sessions, throttling
from cms.services.intake import Intake
from cms.services.passwords import Passwords
from cms.services.redirects import Hits
from cms.services.renditions import Renditions
from cms.services.search import Misses
from cms.services.throttling import Tally
from cms.settings import Settings
from cms.static_files import StaticFiles
from cms.telemetry import Metrics, log
from cms.ui.languages import Language, asked_for, language
from cms.ui.module import Modules
from cms.ui.theme import stylesheet

STATUS: dict[type[CMSError], int] = {
    Gone: 410,
    NotFound: 404,
    NotAuthenticated: 401,
    Forbidden: 403,
    Conflict: 409,
    TooLarge: 413,
    WrongKind: 415,
    InvalidInput: 422,
    TooManyRequests: 429,
    StorageFull: 507,
    Unavailable: 503,
    OperatorError: 503,
}
KEPT_ERRORS = (404, 410)  # answers like others: somebody may come back for them
NOTHING_RUNS = "default-src 'none'; frame-ancestors 'none'"
_UNSAFE = re.compile(r"[^\x21-\x7e]|\\")
MOST_FILES = 500  # of the program, that are kept as answers
RETRY_AFTER = 5  # seconds, told to those who come while the database is away

Schema = TypeVar("Schema", bound=BaseModel)
Result = TypeVar("Result")


SESSION_COOKIE_DAYS = sessions.LIFETIME.days
KNOWN_COOKIE_DAYS = 400  # as long as browsers keep one


def session_cookie_name(settings: Settings) -> str:
    """By the scheme of the site's address and not of the request, which a proxy may have changed."""
    return "__Host-session" if settings.is_https else "session"


def known_cookie_name(settings: Settings) -> str:
    """Stays when a session ends: whoever worked here may send a long text, and be told to sign in for it."""
    return "__Host-known" if settings.is_https else "known"


def security_headers(settings: Settings) -> dict[str, str]:
    """Of every answer, whatever its kind."""
    return {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "strict-origin-when-cross-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Content-Security-Policy": NOTHING_RUNS,
        **({"Strict-Transport-Security": "max-age=31536000"} if settings.is_https else {}),
    }


@dataclass
class Parts:
    """The long-lived objects of one application, made in ``app.py``."""

    settings: Settings
    database: Database
    renderer: Renderer
    imaging: Imaging
    passwords: Passwords
    sealer: Sealer
    mailer: Mailer
    storage: Storage
    metrics: Metrics
    rooms: Rooms
    static: StaticFiles
    guests: Previews
    news: News
    openid: OpenID | None = None  # where people may sign in, too
    revision: str = ""  # of the database, that this program works with
    owner_token: str = ""  # what the one-time link carries; of no use once there is an owner
    has_owner: bool = False
    previews: dict[int, "asyncio.Future[Rendered]"] = field(default_factory=dict)  # being rendered, by person
    misses: Misses = field(default_factory=Misses)  # what readers looked for in vain, until it is written down
    hits: Hits = field(default_factory=Hits)  # redirects that led them, until it is written down
    under_way: int = 0  # requests that are being answered
    receiving: Counter[int | None] = field(default_factory=Counter)  # files, or pieces of them, that come at this moment, by person
    renditions: Renditions = field(init=False)
    searches: Tally = field(init=False)  # by address
    writes: Tally = field(init=False)  # at the desk, by person
    intake: Intake = field(init=False)
    door: Door = field(init=False)
    pages: PageCache = field(default_factory=lambda: PageCache(0))
    files: dict[str, Page] = field(default_factory=dict)  # of the program, as answers, by the address that never has another
    last_frame: Frame = field(default_factory=Frame)  # for error pages, which must not need the database
    drawn: dict[Hashable, Any] = field(default_factory=dict)  # of it: parts of pages that show nothing else (ui/site.py)

    def __post_init__(self) -> None:
        self.searches = Tally(self.database, throttling.SEARCHES)
        self.writes = Tally(self.database, throttling.WRITES)
        self.intake = Intake(self.database, self.storage, self.imaging, self.settings.data / intake.FOLDER)
        self.door = Door(self.database)
        self.renditions = Renditions(self.database, self.storage, self.imaging, self.intake.folder)

    def keep_file(self, address: str, answer: Page) -> None:
        """As many as anybody needs: some are made of settings, and there could be thousands of those."""
        if len(self.files) >= MOST_FILES:
            self.files.clear()
        self.files[address] = answer

    def use_frame(self, frame: Frame) -> None:
        if frame is not self.last_frame and frame != self.last_frame:
            self.last_frame, self.drawn = frame, {}


class BaseHandler(RequestHandler):
    face: ClassVar[str] = "site"
    requires: ClassVar[Capability | None]  # None: for everybody. Each face says it, or leaves it to each handler; routes.py looks
    content_policy: ClassVar[str] = NOTHING_RUNS
    body_limit: ClassVar[int] = 64 * 1024  # bytes that may be sent here by those who are signed in; others never send more than this
    answers_any_host: ClassVar[bool] = False
    path_is_secret: ClassVar[bool] = False  # kept out of the log
    is_open_before_factor: ClassVar[bool] = False  # also to those who have yet to set up the second factor that their role needs

    standing: sessions.Found | None = None  # the session that the request came with
    actor: Actor = ANONYMOUS

    # --- before the method ---

    def __init__(self, application: Application, request: HTTPServerRequest, **options: Any) -> None:
        self.parts: Parts = application.settings["parts"]
        self.request_id = secrets.token_hex(16)
        super().__init__(application, request, **options)
        self.parts.under_way += 1

    async def prepare(self) -> None:
        structlog.contextvars.bind_contextvars(request_id=self.request_id)
        if not self.answers_any_host and self.request.host_name not in self.settings["hosts"]:
            raise HTTPError(421)
        if self.request.method == "POST" and (wanted := self.get_body_argument("_method", "")):
            self._override_method(wanted)

    def _override_method(self, wanted: str) -> None:
        """HTML forms know GET and POST only; ``_method`` in the body names what was meant."""
        if wanted.upper() not in ("PUT", "PATCH", "DELETE"):
            raise HTTPError(400)
        self.request.method = wanted.upper()

    def set_default_headers(self) -> None:
        self.clear_header("Server")
        self.set_header("X-Request-Id", self.request_id)
        for name, value in {**security_headers(self.parts.settings), "Content-Security-Policy": self.content_policy}.items():
            self.set_header(name, value)

    # --- the database ---

    def read(self) -> AbstractAsyncContextManager[ReadSession]:
        return self.parts.database.read()

    def transaction(self) -> AbstractAsyncContextManager[Work]:
        return self.parts.database.transaction(self.request_id, self.remote_address)

    async def in_transaction(self, act: Callable[[Work], Awaitable[Result]]) -> Result:
        """For acts that make new things, which two people may make at one moment."""
        return await self.parts.database.run(act, self.request_id, self.remote_address)

    # --- input ---

    def form(self, schema: type[Schema]) -> Form[Schema]:
        return Form.of_request(schema, self.request.body_arguments)

    def number(self, text: str) -> int:
        """A number from an address; what cannot be an id or a page is not found."""
        if not text.isascii() or not text.isdigit() or len(text) > 18:
            raise NotFound
        return int(text)

    @property
    def remote_address(self) -> str:
        """Where the request came from; ``X-Forwarded-For`` counts only as far as our own proxies wrote it."""
        address = self.request.remote_ip or ""
        hops = [hop.strip() for hop in self.request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
        while hops and self._is_trusted(address) and _is_address(hops[-1]):
            address = hops.pop()
        return address

    def _is_trusted(self, address: str) -> bool:
        try:
            ip = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(ip in network for network in self.parts.settings.trusted_proxies)

    # --- the person ---

    async def load_actor(self) -> None:
        """Who is signed in, from the cookie's session row. Its last use is noted once an hour.

        Nobody is, where a second factor is needed and there is none yet; but for the few pages on which that is set up.
        """
        token = self.signed_cookie(self.session_cookie, days=SESSION_COOKIE_DAYS)
        if not token:
            return
        now = self.parts.database.clock()
        async with self.read() as session:
            found = await sessions.find(session, token.decode(), now)
        if found is None:
            return
        self.standing = found
        if self.is_open_before_factor or not found.lacks_factor:
            self.actor = found.user.actor
        if now - found.session.seen_at > sessions.SEEN_EVERY:
            with contextlib.suppress(Unavailable, StorageFull):  # a page must not fail for this
                async with self.transaction() as work:
                    await sessions.touch(work, found.session.id)

    def signed_cookie(self, name: str, *, days: float) -> bytes | None:
        """Not older than so many days. Only today's form of signature is read: others on this host have cookies of these names, too."""
        return self.get_signed_cookie(name, max_age_days=days, min_version=2)

    @property
    def session_cookie(self) -> str:
        return session_cookie_name(self.parts.settings)

    @property
    def cookie_flags(self) -> dict[str, Any]:
        return {"path": "/", "httponly": True, "samesite": "Lax", "secure": self.parts.settings.is_https}

    # --- output ---

    def get_user_locale(self) -> Language:
        """Each face says whom it speaks to; programs are spoken to in English."""
        return language([])

    def language_of_person(self) -> Language:
        """What the person chose, else what the browser asks for, whatever the site's is."""
        chosen = self.standing.user.locale if self.standing else ""
        return language([chosen] if chosen else asked_for(self.request.headers.get("Accept-Language", "")))

    @property
    def language(self) -> Language:
        """Tornado's ``locale``, as what it is."""
        return cast(Language, self.locale)

    def static_url(self, path: str, include_host: bool | None = None, **options: Any) -> str:
        return self.parts.static.address(path)

    def render(self, template_name: str, **values: Any) -> "asyncio.Future[None]":
        """No module of ours adds anything to the head or to the end of a page, so none is asked."""
        return self.finish(self.render_string(template_name, **values))

    def render_string(self, template_name: str, **values: Any) -> bytes:
        """What every template knows is gathered once for a page; its modules are drawn with the same (``ui/module.py``)."""
        self.known = self.get_template_namespace()
        return self.draw(template_name, values)

    def draw(self, template_name: str, values: Mapping[str, Any]) -> bytes:
        loader: BaseLoader = self.settings["template_loader"]
        return loader.load(template_name).generate(**{**self.known, **values})

    def get_template_namespace(self) -> dict[str, Any]:
        return {
            **super().get_template_namespace(),
            "_tt_modules": Modules(self),
            "_tt_utf8": self.language.encoded,
            "actor": self.actor,
            "frame": self.parts.last_frame,
            "public_url": self.public_url,
            "stylesheet": stylesheet,
        }

    @property
    def public_url(self) -> str:
        return self.parts.settings.public_url

    def redirect_to(self, name: str, *arguments: object, status: int = 303) -> None:
        self.redirect(self.reverse_url(name, *arguments), status=status)

    def redirect_to_path(self, path: str, *, status: int = 301) -> None:
        """To a stored path, which is decoded text."""
        self.redirect(quote(path, safe="/:@!$&'()*+,;=~-._"), status=status)

    # --- errors ---

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        if self._headers_written and not self._finished:
            self.request.connection.stream.close()  # type: ignore[union-attr]  # whoever reads half an answer sees that it broke off
            self.finish()
            return
        super().send_error(self._status_of(kwargs) or status_code, **kwargs)

    def _status_of(self, kwargs: Mapping[str, Any]) -> int | None:
        error = (kwargs.get("exc_info") or (None, None, None))[1]
        return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), None)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = (kwargs.get("exc_info") or (None, None, None))[1]
        message = error.message if isinstance(error, CMSError) and not isinstance(error, OperatorError) else ""
        if isinstance(error, Unavailable):
            self.set_header("Retry-After", str(RETRY_AFTER))
        if isinstance(error, TooManyRequests):
            self.set_header("Retry-After", str(error.retry_after))
        if status_code not in KEPT_ERRORS:
            self.set_header("Cache-Control", "no-store")
        self.write_error_page(status_code, message)

    def write_error_page(self, status: int, message: str) -> None:
        """Each face draws its own; this one is for programs."""
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{status} {message or self.reason(status)}\n")

    def turn_away(self, status: int) -> None:
        """Answer with an error before anything else was done: no method is called, and nothing was prepared."""
        self._transforms = []
        self.end_connection()
        self.send_error(status)

    def end_connection(self) -> None:
        """With this answer, which says so: a proxy would send somebody else's request on it. Tornado goes by what was asked for."""
        self.request.connection._disconnect_on_finish = True  # type: ignore[union-attr]

    @staticmethod
    def reason(status: int) -> str:
        try:
            return HTTPStatus(status).phrase
        except ValueError:
            return "Error"

    def log_exception(self, kind: Any, value: Any, traceback: Any) -> None:
        if isinstance(value, Unavailable):
            log.warning("unavailable", reason=type(value.__cause__).__name__ if value.__cause__ else value.message)
        elif isinstance(value, OperatorError):
            log.error("misconfigured", reason=value.message)
        elif isinstance(value, (CMSError, HTTPError)):
            return  # an answer, not a fault
        else:
            log.error("failed", method=self.request.method, handler=type(self).__name__, exc_info=(kind, value, traceback))

    def on_finish(self) -> None:
        self.parts.under_way -= 1
        method = self.request.method if self.request.method in self.SUPPORTED_METHODS else "OTHER"  # anybody can invent others
        self.parts.metrics.answers.note(self.face, method, self.get_status(), self.request.request_time())
        structlog.contextvars.clear_contextvars()


def _is_address(text: str) -> bool:
    try:
        return not getattr(ipaddress.ip_address(text), "scope_id", None)  # what follows a "%" may be anything
    except ValueError:
        return False


def safe_path(wanted: str) -> str:
    """A path of this site that somebody may be sent to, or "": no host, no scheme, nothing that a browser would read as one.

    Browsers take ``//x``, ``/\\x`` and such paths with tabs in between for another host (https://url.spec.whatwg.org/#url-parsing).
    """
    if not wanted.startswith("/") or wanted.startswith("//") or _UNSAFE.search(wanted):
        return ""
    try:
        parts = urlsplit(wanted)
    except ValueError:
        return ""
    return wanted if not parts.scheme and not parts.netloc else ""
