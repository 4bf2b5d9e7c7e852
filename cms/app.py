"""Squall, the application: builds every long-lived object and introduces them to each other. No globals; two can live in one process."""

import asyncio
import base64
import hashlib
import hmac
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from tornado.httputil import HTTPHeaders, HTTPServerRequest, ParseBodyConfig, ParseMultipartConfig, parse_cookie, set_parse_body_config
from tornado.routing import URLSpec
from tornado.web import Application, RequestHandler, decode_signed_value

from cms.collaboration.rooms import Rooms
from cms.db import migrations
from cms.db.session import Clock, Database, utc_now
from cms.errors import Unavailable
from cms.events import Event, SiteChanged
from cms.handlers.base import KNOWN_COOKIE_DAYS, SESSION_COOKIE_DAYS, BaseHandler, Parts, known_cookie_name, session_cookie_name
from cms.handlers.compression import Compression
from cms.handlers.news import News
from cms.handlers.previews import Previews
from cms.handlers.site.base import page_headers
from cms.handlers.site.posts import PlaceHandler
from cms.handlers.site.remaking import Remaking
from cms.imaging import Imaging
from cms.mail import mailer_for
from cms.media.storage import open_storage
from cms.openid import OpenID
from cms.page_cache.cache import PageCache
from cms.page_cache.folder import PageFolder
from cms.page_cache.marks import changed_by
from cms.page_cache.observed import PageCacheCollector
from cms.rendering import Renderer
from cms.routes import refuse_undeclared, routes, rules
from cms.sealing import Sealer
from cms.services import accounts, outbox, purges, site
from cms.services.passwords import Passwords
from cms.settings import SecretKeys, Settings, data_folder, secret_keys
from cms.static_files import StaticFiles
from cms.telemetry import AccessLog, Metrics, log
from cms.ui import UI_MODULES, theme
from cms.ui.module import Loader

HEARS_WITHIN = 5.0  # seconds; whoever cannot be heard then is waited for while readers are served
MOST_FIELDS = 1000  # in one form
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


class Squall(Application):
    """The web application with its parts. ``start`` before the first request, ``close`` after the last.

    ``renderer``, ``imaging``: those that several applications share, closed by whoever made them. ``passwords``: with another
    cost than the usual. ``templates``: that were read already.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock = utc_now,
        renderer: Renderer | None = None,
        imaging: Imaging | None = None,
        passwords: Passwords | None = None,
        templates: Loader | None = None,
    ) -> None:
        self._routes = routes()
        self._named = {route.name: route.matcher for route in self._routes}
        refuse_undeclared(self._routes)
        self._owns_renderer, self._owns_imaging = renderer is None, imaging is None
        self.keys = secret_keys(settings)
        self.access_log = AccessLog(settings.access_log)
        self._folder = PageFolder(settings.pages_folder, page_headers(settings)) if settings.pages_folder else None
        database = Database(settings.database, clock=clock, sharers=settings.processes)
        renderer, metrics = renderer or Renderer(), Metrics()
        self.parts = Parts(
            settings=settings,
            database=database,
            renderer=renderer,
            imaging=imaging or Imaging(),
            guests=Previews(database, renderer, settings.public_url),
            news=News(database),
            passwords=passwords or Passwords.of(settings),
            sealer=Sealer(self.keys),
            mailer=mailer_for(settings),
            storage=open_storage(settings),
            metrics=metrics,
            rooms=Rooms(database, metrics),
            pages=PageCache(settings.page_cache * 1024 * 1024, self._folder),
            static=StaticFiles(data_folder("static"), theme.Stylesheets()),
            openid=OpenID(settings) if settings.oidc_issuer else None,
        )
        super().__init__(
            rules(),
            parts=self.parts,
            default_handler_class=PlaceHandler,
            hosts=frozenset({*LOOPBACK, _host(settings.public_url)}),
            template_loader=templates or Loader(str(data_folder("templates"))),
            ui_modules=UI_MODULES,
            transforms=[Compression],
            log_function=log_request,
            trusted_origins=[settings.public_url],
            **_cookies(settings, self.keys),
        )
        set_parse_body_config(ParseBodyConfig(multipart=ParseMultipartConfig(max_parts=MOST_FIELDS)))  # Tornado's for other forms
        self.parts.metrics.registry.register(PageCacheCollector(self.parts.pages))
        purges.follow(self.parts.database, settings)
        self._remaking = Remaking(self, self.parts.pages)
        self.parts.database.listen(self._count)
        self.parts.database.listen(self._purge)

    _is_closing = False

    def reverse_url(self, name: str, *args: Any) -> str:
        """Tornado looks for the name in each group of rules, and a page of the desk has hundreds of addresses."""
        return self._named[name].reverse(*args) or ""

    def has_session(self, headers: HTTPHeaders) -> bool:
        """Whether a request carries a session that we gave out, or the mark of one. It may have ended since: what was typed in it is
        still heard."""
        sent, settings = parse_cookie(headers.get("Cookie", "")), self.parts.settings
        return any(
            decode_signed_value(self.settings["cookie_secret"], name, sent.get(name), days, min_version=2) is not None
            for name, days in ((session_cookie_name(settings), SESSION_COOKIE_DAYS), (known_cookie_name(settings), KNOWN_COOKIE_DAYS))
        )

    @property
    def hosts(self) -> frozenset[str]:
        """Under which it answers."""
        hosts: frozenset[str] = self.settings["hosts"]
        return hosts

    def asking(self) -> Iterator[re.Pattern[str]]:
        """Paths at which the query asks for another page."""
        return (route.regex for route in self._routes if getattr(route.handler_class, "arguments", ()))

    def body_limit(self, path: str, headers: HTTPHeaders) -> int:
        """Bytes that may be sent to this address, known before any is read."""
        limit: int = self._route(path).handler_class.body_limit
        return limit if self.has_session(headers) else min(limit, BaseHandler.body_limit)

    def refuse(self, request: HTTPServerRequest, status: int) -> None:
        """Answer with an error page, in the way of whatever stands at this address."""
        route = self._route(request.path)
        route.handler_class(self, request, **(route.kwargs or {})).turn_away(status)

    def _route(self, path: str) -> URLSpec:
        return next((route for route in self._routes if route.regex.match(path.partition("?")[0])), self._routes[-1])

    async def start(self) -> None:
        """Bring up what needs the loop: the frame, and the owner's one-time link while there is no owner."""
        self._knowing = asyncio.create_task(self._get_to_know())
        self.parts.rooms.start()
        self._hears = asyncio.Event()
        self._hearing = asyncio.create_task(outbox.hear_others(self.parts.database, self._forget))
        self._watching = asyncio.ensure_future(self._folder.watch() if self._folder else asyncio.sleep(0))
        if self._folder:
            self._folder.open()
        self.parts.revision = migrations.newest()
        database = self.parts.database
        async with database.transaction() as work:
            await site.renew_frame(work)
        async with database.read() as session:
            self.parts.has_owner = await accounts.has_owner(session)
            self.parts.owner_token = owner_token(self.keys, await site.get_identity(session))
        with suppress(TimeoutError):  # what is known or kept before is asked or made again
            async with asyncio.timeout(HEARS_WITHIN):
                await self._hears.wait()
        self.parts.use_frame(await self.parts.door.frame())

    async def warm(self) -> None:
        """Start the rendering process, which takes a second: whoever writes need not wait for it, nor do readers."""
        try:
            await self.parts.renderer.start()
        except Unavailable as error:
            if not self._is_closing:
                log.warning("no rendering process yet", reason=error.message)

    async def _get_to_know(self) -> None:
        """Where the provider's door is, for the sign-in page to allow the way there."""
        if self.parts.openid:
            await self.parts.openid.get_to_know()

    async def hang_up(self) -> None:
        """End what would go on for as long as somebody looks or writes, who comes again by himself and finds another process; to be called
        before waiting for those under way."""
        await self.parts.guests.close()
        await self.parts.news.close()
        await self.parts.rooms.close()

    async def close(self) -> None:
        self._is_closing = True
        await self.hang_up()
        if self._owns_renderer:
            await self.parts.renderer.close()
        if self._owns_imaging:
            await self.parts.imaging.close()
        await self._knowing
        await self._remaking.close()
        self._hearing.cancel()
        self._watching.cancel()
        await asyncio.wait([self._hearing, self._watching])
        if self._folder:
            self._folder.close()
        self.parts.passwords.close()
        if self.parts.openid:
            self.parts.openid.close()
        await self.parts.database.dispose()

    def _forget(self) -> None:
        """What others have changed meanwhile is not known; from now on it is."""
        self.parts.door.forget()
        self.parts.pages.clear()
        self.parts.guests.missed()
        self.parts.news.missed()
        self.parts.rooms.missed()
        self._hears.set()

    def _purge(self, event: Event) -> None:
        if isinstance(event, SiteChanged):
            self.parts.door.forget()
        if isinstance(event, SiteChanged) and {"access", "access_mark", "private_media"} & set(event.aspects):
            self.parts.pages.clear()
            self.parts.use_frame(replace(self.parts.last_frame, menu=(), footer_menu=()))  # error pages ask nobody whether it is open
        self._remaking.want(self.parts.pages.purge(changed_by(event)))

    def _count(self, event: Event) -> None:
        self.parts.metrics.events.labels(type(event).__name__).inc()


def _host(url: str) -> str:
    """As it stands in a request's Host: an IPv6 address in its brackets."""
    name = urlsplit(url).hostname or ""
    return f"[{name}]" if ":" in name else name


def log_request(handler: RequestHandler) -> None:
    """One line for each answer, whoever was answered what."""
    access_log: AccessLog = handler.application.access_log  # type: ignore[attr-defined]
    path = "…" if getattr(handler, "path_is_secret", False) else handler.request.path
    number = getattr(handler, "request_id", "")  # whatever was refused before it was prepared has one, too
    if not access_log.is_off:
        access_log.note(str(handler.request.method), path, handler.get_status(), handler.request.request_time(), number)


def owner_token(keys: SecretKeys, identity: str) -> str:
    """What the owner's one-time link carries. Derived, so that all processes know it and nothing is stored; void once there is an owner."""
    digest = hmac.digest(keys.by_version[keys.newest].encode(), b"owner:" + identity.encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _cookies(settings: Settings, keys: SecretKeys) -> dict[str, Any]:
    """Names by the scheme of the site's address: ``__Host-`` cookies cannot be set by another host or over plain HTTP."""
    prefix = "__Host-" if settings.is_https else ""
    common = {"httponly": True, "samesite": "Lax", "secure": settings.is_https, "path": "/"}
    return {
        "cookie_secret": dict(keys.by_version),
        "key_version": keys.newest,
        "xsrf_cookies": True,
        "xsrf_cookie_version": 2,
        "xsrf_cookie_name": f"{prefix}xsrf",
        "xsrf_cookie_kwargs": {**common, "expires_days": 30},
        "cross_origin_protection": True,
    }
