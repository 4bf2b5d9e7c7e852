"""A running program and a browser without eyes: the real application over HTTP in this process."""

import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit
from xml.etree.ElementTree import Element

import html5lib
from tornado.testing import bind_unused_port
from tornado.web import create_signed_value

from cms.app import Squall
from cms.db.session import Clock, utc_now
from cms.handlers.base import known_cookie_name, session_cookie_name
from cms.imaging import Imaging
from cms.models import User
from cms.rendering import Renderer
from cms.schemas.account import OwnerInput, UserInput
from cms.server.http import Server
from cms.services import accounts, devices, notices, sessions, user_agents
from cms.services.passwords import Passwords
from cms.settings import Settings, data_folder
from cms.ui.module import Loader
from tests import markup
from tests.http_client import AGENT, fetch, keeping

PASSWORD = "correct horse battery"


TEMPLATES = Loader(str(data_folder("templates")))  # compiled once for all tests


@dataclass
class Answer:
    status: int
    headers: Any
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @cached_property
    def page(self) -> Element:
        """The parsed page; invalid HTML raises."""
        try:
            return markup.read(self.text)
        except markup.Unusual:
            return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(self.text)

    @property
    def words(self) -> str:
        return " ".join("".join(self.page.find("body").itertext()).split())

    @property
    def location(self) -> str:
        return self.headers.get("Location", "")


@dataclass
class Browser:
    """Keeps cookies, follows nothing by itself, sends the form token with each form."""

    url: str
    cookies: dict[str, str] = field(default_factory=dict)

    async def get(self, path: str, **headers: str) -> Answer:
        return await self.send("GET", path, headers=headers)

    async def post(self, path: str, form: dict[str, Any] | None = None, **headers: str) -> Answer:
        if "xsrf" not in self.cookies:
            await self.get("/login")
        return await self.send("POST", path, {"_xsrf": self.cookies.get("xsrf", ""), **(form or {})}, headers)

    async def send(self, method: str, path: str, form: dict[str, Any] | None = None, headers: dict[str, str] | None = None) -> Answer:
        return await self._exchange(method, path, urlencode(form, doseq=True).encode() if form is not None else None, headers or {})

    async def upload(self, path: str, form: dict[str, str], field: str, name: str, kind: str, content: bytes) -> Answer:
        """As a browser sends a form with a file in it."""
        parts = [f'--x\r\nContent-Disposition: form-data; name="{each}"\r\n\r\n{value}\r\n'.encode() for each, value in form.items()]
        head = f'--x\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\nContent-Type: {kind}\r\n\r\n'.encode()
        body = b"".join([*parts, head, content, b"\r\n--x--\r\n"])
        return await self._exchange("POST", path, body, {"Content-Type": "multipart/form-data; boundary=x"})

    async def _exchange(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        url = path if path.startswith("http") else self.url + path
        cookies = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        status, got, content = await fetch(method, url, {**cookies, **headers}, body)
        for sent in got.get_list("Set-Cookie"):
            for name, morsel in SimpleCookie(sent).items():
                if morsel.value and morsel["max-age"] != "0":
                    self.cookies[name] = morsel.value
                else:
                    self.cookies.pop(name, None)
        return Answer(status, got, content)

    async def sign_in(self, email: str, password: str = PASSWORD) -> Answer:
        return await self.post("/login", {"email": email, "password": password})


class Site:
    """The application on a port of its own, and people to sign in as: ``owner``, ``editor``, ``author``, ``contributor``."""

    def __init__(self, application: Squall, url: str) -> None:
        self.application = application
        self.database = application.parts.database
        self.url = url

    def browser(self) -> Browser:
        return Browser(self.url)

    async def signed_in(self, role: str = "owner") -> Browser:
        """A browser of a person with this role, whose address is ``ROLE@example.org``; made when first asked for. It is given what it
        would have after the form (``Browser.sign_in``), which takes as long as a short test."""
        number = await self.person(role)
        async with self.database.transaction(address="127.0.0.1") as work:
            user = await work.session.get_one(User, number)
            device = await devices.recognise(work, user, "")
            token = await sessions.start(work, user, AGENT)
            if device.is_new:
                await notices.new_device(work, user.id, user_agents.name_of(AGENT))
        settings = self.application.parts.settings
        signed = {session_cookie_name(settings): token, known_cookie_name(settings): device.carrier}
        key = f"2|{secrets.token_hex(4)}|{secrets.token_hex(16)}|{int(time.time())}"  # any mask, over any token
        return Browser(self.url, {**{name: self._sign(name, value) for name, value in signed.items()}, "xsrf": key})

    def _sign(self, name: str, value: str) -> str:
        keys, version = self.application.settings["cookie_secret"], self.application.settings["key_version"]
        return create_signed_value(keys, name, value, key_version=version).decode()

    async def person(self, role: str) -> int:
        async with self.database.read() as session:
            known = await accounts.find_by_email(session, f"{role}@example.org")
        if known:
            return known.id
        hashed = await self.application.parts.passwords.hash(PASSWORD)
        async with self.database.transaction() as work:
            if role == "owner":
                wanted = OwnerInput(site_name="The Tide Table", name="Olga Owner", email="owner@example.org", password=PASSWORD)
                user = await accounts.create_owner(work, wanted, hashed)
            else:
                from cms.policy import SYSTEM

                user = await accounts.create(
                    work, SYSTEM, UserInput(email=f"{role}@example.org", name=f"{role.title()} Person", role=role), hashed
                )
        self.application.parts.has_owner = self.application.parts.has_owner or role == "owner"
        await self.application.parts.door.frame()  # the owner named the site; whoever came before has asked
        return user.id


@asynccontextmanager
async def running_site(
    database_url: str,
    folder: Path,
    *,
    renderer: Renderer | None = None,
    imaging: Imaging | None = None,
    clock: Clock = utc_now,
    **settings: Any,
) -> AsyncIterator[Site]:
    """The program on a free port of 127.0.0.1 until the block ends. It writes no line for each request unless it is told to."""
    socket, port = bind_unused_port()
    quiet = {"access_log": "off", **settings}
    configured = Settings(data=folder, database_url=database_url, port=port, secret_keys="k" * 40, **quiet)
    cheap = Passwords(memory=64, passes=1)  # tests sign in many hundred times
    application = Squall(configured, clock=clock, renderer=renderer, imaging=imaging, passwords=cheap, templates=TEMPLATES)
    await application.start()
    server = Server(application)
    server.add_socket(socket)
    try:
        with keeping("127.0.0.1", port):
            yield Site(application, f"http://127.0.0.1:{port}")
    finally:
        server.stop()
        await server.close_all_connections()
        await application.close()


def path_of(url: str) -> str:
    return urlsplit(url).path
