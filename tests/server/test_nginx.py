"""The real nginx with ``deploy/nginx.conf`` in front of the program: pages, the editor's socket, events, and a large file."""

import asyncio
import os
import re
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import select
from tornado.httpclient import HTTPRequest
from tornado.testing import bind_unused_port
from tornado.websocket import websocket_connect

from cms.cli.nginx import configuration
from cms.models import Asset, AuditEntry
from cms.rendering import Renderer
from tests import factories
from tests.collaboration.writers import Writer
from tests.conftest import Templates
from tests.streams import Stream
from tests.web import Site, running_site

ROOT = Path(__file__).resolve().parents[2]
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
LARGE = 100 * 1024 * 1024  # bytes
AROUND = """
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
{user}
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/squall.conf;
}}
"""

pytestmark = pytest.mark.skipif(NGINX is None, reason="needs nginx")


class Front:
    """nginx, on ``port`` for HTTPS. ``trust``: whoever trusts its certificate."""

    def __init__(self, folder: Path, port: int, plain: int) -> None:
        self.port, self.plain, self.certificate = port, plain, str(folder / "cert.pem")
        self.trust = ssl.create_default_context(cafile=self.certificate)

    async def ask(self, head: str, body: bytes = b"", **headers: str) -> tuple[int, dict[str, str], bytes]:
        async with self.asking(head, body, Connection="close", **headers) as reader:
            answer, _, content = (await reader.read()).partition(b"\r\n\r\n")
        first, *lines = answer.decode().split("\r\n")
        return int(first.split()[1]), {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}, content

    @asynccontextmanager
    async def asking(self, head: str, body: bytes = b"", **headers: str) -> AsyncIterator[asyncio.StreamReader]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=self.trust)
        headers = {"Host": f"localhost:{self.port}", **headers, **({"Content-Length": str(len(body))} if body else {})}
        lines = [f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items()]
        writer.write(f"{head} HTTP/1.1\r\n{''.join(lines)}\r\n".encode() + body)
        try:
            yield reader
        finally:
            writer.close()


Fronted = tuple[Site, Front]


@contextmanager
def nginx(folder: Path, upstream: int, pages: str) -> Iterator[Front]:
    """As the file says, but for its addresses, its name and its certificate. ``pages``: what `squall nginx` prints, put where the
    documentation says."""
    sockets = [bind_unused_port() for _ in range(2)]
    (_, port), (_, plain) = sockets
    make_certificate(folder)
    written = (ROOT / "deploy/nginx.conf").read_text()
    written = re.sub(r" *listen \[::\].*\n", "", written)
    for old, new in {
        "listen 443": f"listen 127.0.0.1:{port}",
        "listen 80": f"listen 127.0.0.1:{plain}",
        "127.0.0.1:8888": f"127.0.0.1:{upstream}",
        "server_name example.org": "server_name localhost",
        "/etc/letsencrypt/live/example.org/fullchain.pem": f"{folder}/cert.pem",
        "/etc/letsencrypt/live/example.org/privkey.pem": f"{folder}/key.pem",
    }.items():
        assert old in written, old
        written = written.replace(old, new)
    if pages:
        (folder / "squall-pages.conf").write_text(pages)
        block = "    location / {\n        proxy_pass http://squall;\n    }\n"
        assert block in written
        written = written.replace(block, documented().replace("/etc/nginx", str(folder)))
    (folder / "squall.conf").write_text(written)
    (folder / "nginx.conf").write_text(AROUND.format(folder=folder, user="user root;" if os.geteuid() == 0 else ""))
    for bound, _ in sockets:
        bound.close()
    assert NGINX
    command = [NGINX, "-p", folder, "-c", folder / "nginx.conf", "-e", folder / "error.log", "-g", "daemon off;"]
    process = subprocess.Popen(command)
    try:
        yield Front(folder, port, plain)
    finally:
        process.terminate()
        process.wait()


def documented() -> str:
    """What takes the place of the block for all pages, when they come from the folder."""
    found = re.search(r"```nginx\n( *include /etc/nginx/squall-pages.conf;\n.*?)```", (ROOT / "docs/operations.md").read_text(), re.DOTALL)
    assert found
    return found[1]


def make_certificate(folder: Path) -> None:
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - timedelta(1), now + timedelta(1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


@pytest.fixture
async def fronted(request: pytest.FixtureRequest, templates: Templates, tmp_path: Path, renderer: Renderer) -> AsyncIterator[Fronted]:
    """One database is enough: what is in front knows nothing of it. With "pages" as parameter they come from the folder."""
    options = {"site_url": "https://localhost", "trusted_proxies": "127.0.0.1"}
    if getattr(request, "param", "") == "pages":
        options["pages_folder"] = str(tmp_path / "pages")
    async with templates.on("sqlite", tmp_path) as url, running_site(url, tmp_path / "data", renderer=renderer, **options) as site:
        (tmp_path / "nginx").mkdir()
        printed = configuration(site.application.parts.settings) if "pages_folder" in options else ""
        with nginx(tmp_path / "nginx", int(site.url.rpartition(":")[2]), printed) as front:
            async with asyncio.timeout(20):
                while not await _answers(front):
                    await asyncio.sleep(0.05)
            yield site, front


async def _answers(front: Front) -> bool:
    try:
        return (await front.ask("GET /healthz"))[0] == 200
    except OSError:
        return False


async def test_pages_sockets_events_and_files_pass(fronted: Fronted) -> None:
    site, front = fronted
    browser = await site.signed_in("editor")
    cookies = {**browser.cookies, "__Host-xsrf": browser.cookies["xsrf"]}
    session = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()), "Origin": "https://localhost"}

    # pages
    status, headers, page = await front.ask("GET /login")
    assert status == 200
    assert "max-age" in headers["strict-transport-security"]
    assert b"</html>" in page
    reader, writer = await asyncio.open_connection("127.0.0.1", front.plain)
    writer.write(b"GET /about?a=b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert b"Location: https://localhost/about?a=b\r\n" in await reader.read()
    writer.close()

    # where somebody comes from
    body = f"_xsrf={cookies['xsrf']}&title=Tide&text=Mud.".encode()
    form = {"Content_Type": "application/x-www-form-urlencoded", "X_Forwarded_For": "203.0.113.9", **session}
    status, headers, _ = await front.ask("POST /admin/posts", body, **form)
    assert status == 303
    async with site.database.read() as database:
        addresses = set(await database.scalars(select(AuditEntry.address)))
    assert "203.0.113.9" in addresses, "whom nginx names is believed, here down to the last one"

    # the editor's socket
    post = await factories.draft(site.database, await factories.person(site.database, "editor"), text="Mud.")
    address = f"wss://127.0.0.1:{front.port}/live/posts/{post.id}"
    wanted = HTTPRequest(address, headers={**session, "Host": "localhost"}, ca_certs=front.certificate)
    ana = Writer(await websocket_connect(wanted))
    await ana.until(lambda: ana.is_whole)
    ana.type("Mud, mostly.")
    await ana.kept()
    ana.socket.close()
    await ana.end()

    # events, each as it comes
    async with front.asking("GET /live/events", **session) as listening:
        stream = Stream(listening)
        assert await stream.event() == ("notifications", 0)
        await factories.edited(site.database, await factories.person(site.database, "editor"), post.id, title="High tide")
        assert (await stream.event())[0] == "posts"

    # a large file, which nginx does not keep first
    field = '--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n'
    parts = field % "_xsrf" + cookies["xsrf"] + "\r\n" + field.replace("\r\n\r\n", '; filename="zeros.pdf"\r\n\r\n') % "files"
    body = parts.encode() + b"%PDF-1.7\n" + bytes(LARGE) + b"%%EOF\r\n--x--\r\n"
    status, _, answer = await front.ask("POST /admin/media", body, Content_Type="multipart/form-data; boundary=x", **session)
    assert status == 200, answer
    async with site.database.read() as database:
        sizes = list(await database.scalars(select(Asset.size)))
    assert sizes == [LARGE + 14]


@pytest.mark.parametrize("fronted", ["pages"], indirect=True)
async def test_the_folder_takes_the_place_that_the_documentation_says(fronted: Fronted) -> None:
    site, front = fronted
    editor = await site.signed_in("editor")
    author = await factories.person(site.database, "editor")
    await factories.published(site.database, author, title="Low tide", text="Mud.", slug="low-tide")
    counts = site.application.parts.pages.counts

    _, _, page = await front.ask("GET /low-tide")
    asked = counts["hits"] + counts["misses"]
    status, headers, file = await front.ask("GET /low-tide")
    assert (status, file, counts["hits"] + counts["misses"]) == (200, page, asked), "nginx answers by itself"
    assert b"Mud." in file
    assert "max-age" in headers["strict-transport-security"]

    session = {"Cookie": "; ".join(f"{name}={value}" for name, value in editor.cookies.items()), "Origin": "https://localhost"}
    async with front.asking("GET /live/events", **session) as listening:
        assert await Stream(listening).event() == ("notifications", 0)
    assert (await front.ask("GET /admin/posts", **session))[0] == 200
    assert (await front.ask("GET /login"))[0] == 200
