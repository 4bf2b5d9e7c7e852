"""What is compared, each started on loopback and on the server's core; ``with server as running``."""

import getpass
import gzip
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from urllib.request import urlopen

from bench import load
from bench.performance import content, machine
from bench.performance.sampling import Server

SLOW = {"Upgrade": "none"}  # the fast door leaves a request with this to Tornado, which does not mind it
FAST_DOOR, SLOW_PATH, MADE_ANEW = "Squall, fast door", "Squall, through Tornado", "Squall, made anew"
FOLDER_TIER = "Squall’s folder, behind nginx"
NGINX, NGINX_OPEN, BARE = "nginx, a file", "nginx, a file kept open", "Tornado, bare handler"
WAGTAIL = {"Wagtail": "", "Wagtail, its pages cached by Django": "yes"}
REMEMBER = (NGINX, FOLDER_TIER, FAST_DOOR)  # what they are quick at may depend on who asks
ORDER = (NGINX, NGINX_OPEN, FOLDER_TIER, FAST_DOOR, SLOW_PATH, MADE_ANEW, BARE, *reversed(WAGTAIL))

NGINX_CONF = """\
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 20000; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        {server}
    }}
}}
"""
FILE = """\
root {folder}/files;
        gzip_static on;
        default_type text/html;"""
KEPT_OPEN = """
        open_file_cache max=1000;"""


@contextmanager
def squall(folder: Path, path: str, name: str = FAST_DOOR, **settings: str) -> Iterator[Server]:
    """With the settings as they come, but for what is given; its log is written, and thrown away."""
    port = load.free_port()
    environment = {**content.environment(folder), **{f"SQUALL_{key.upper()}": value for key, value in settings.items()}}
    command = machine.for_server([sys.executable, "-m", "cms", "serve", "--port", str(port)])
    with load.process(command, port, environment, subprocess.DEVNULL) as pid:
        yield Server(name, pid, f"http://localhost:{port}{path}")


@contextmanager
def nginx(folder: Path, body: bytes, *, is_kept_open: bool = False) -> Iterator[Server]:
    """One process that sends the page as a file, and its twin in gzip to whoever takes that; looked for each time, or kept open."""
    files, port = folder / "files", load.free_port()
    files.mkdir(parents=True)
    (files / "healthz").write_bytes(b"alive")
    (files / "page.html").write_bytes(body)
    (files / "page.html.gz").write_bytes(gzip.compress(body, 9))
    with _nginx(folder, FILE.format(folder=folder) + (KEPT_OPEN if is_kept_open else ""), port) as pid:
        yield Server(NGINX_OPEN if is_kept_open else NGINX, pid, f"http://localhost:{port}/page.html")


@contextmanager
def folder_tier(folder: Path, data: Path, path: str) -> Iterator[Server]:
    """nginx with what ``squall nginx`` prints, and Squall behind it, which is asked once for each page."""
    pages, port = folder / "pages", load.free_port()
    folder.mkdir()
    with squall(data, path, pages_folder=str(pages)) as behind:
        environment = {**os.environ, **content.environment(data), "SQUALL_PAGES_FOLDER": str(pages)}
        printed = subprocess.run([sys.executable, "-m", "cms", "nginx"], env=environment, capture_output=True, text=True, check=True).stdout
        origin = behind.url.removesuffix(path).replace("localhost", "127.0.0.1")
        passed = f"location @squall {{ proxy_pass {origin}; proxy_set_header Host $host; }}"
        with _nginx(folder, f"{printed}\n{passed}", port) as pid:
            running = Server(FOLDER_TIER, pid, f"http://localhost:{port}{path}")
            body_of(running)
            if not any(file.is_file() for file in pages.rglob("*")):
                raise RuntimeError("there are no pages in the folder")
            yield running


@contextmanager
def _nginx(folder: Path, server: str, port: int) -> Iterator[int]:
    configuration = NGINX_CONF.format(folder=folder, server=server, port=port)
    user = f"user {getpass.getuser()};\n" if os.geteuid() == 0 else ""  # else its worker may not look into our folder
    folder.joinpath("nginx.conf").write_text(user + configuration)
    command = [machine.tool(machine.NGINX), "-e", str(folder / "error.log"), "-p", str(folder), "-c", str(folder / "nginx.conf")]
    with load.process(machine.for_server(command), port, {}) as pid:
        yield pid


@contextmanager
def bare(folder: Path, body: bytes) -> Iterator[Server]:
    """A ``RequestHandler`` that does nothing but send the page."""
    folder.mkdir()
    (folder / "page.html").write_bytes(body)
    port = load.free_port()
    command = machine.for_server([sys.executable, "-m", "bench.bare", str(port), str(folder)])
    with load.process(command, port, {}) as pid:
        yield Server(BARE, pid, f"http://localhost:{port}/page.html")


def wagtail(python: str, folder: Path, body: bytes) -> dict[str, AbstractContextManager[Server]]:
    """A site of one page of about this size, as it is and with its pages cached by Django: a process of gunicorn each, with threads."""
    return {name: _wagtail(python, folder / f"cached-{is_cached}", body, name, is_cached) for name, is_cached in WAGTAIL.items()}


@contextmanager
def _wagtail(python: str, folder: Path, body: bytes, name: str, is_cached: str) -> Iterator[Server]:
    folder.mkdir(parents=True)
    (folder / "body.html").write_bytes(body[: -len(body) // 50])  # about what stands around it
    module = "bench.performance.wagtail_site"
    environment = {"BENCH_FOLDER": str(folder), "BENCH_CACHED": is_cached, "DJANGO_SETTINGS_MODULE": f"{module}.settings"}
    make = [python, "-m", f"{module}.make", str(folder / "body.html")]
    subprocess.run(make, env={**os.environ, **environment}, check=True)
    port = load.free_port()
    command = [python, "-m", "gunicorn", "--workers=1", "--worker-class=gthread", "--threads=8", "--keep-alive=60"]
    command += [f"--bind=127.0.0.1:{port}", "--log-level=warning", f"{module}.wsgi"]
    with load.process(machine.for_server(command), port, environment, subprocess.DEVNULL) as pid:
        yield Server(name, pid, f"http://localhost:{port}/page/")


def wagtail_versions(python: str) -> str:
    names = ("wagtail", "django", "gunicorn")
    asked = f"from importlib.metadata import version; print(*(version(name) for name in {names}))"
    try:
        said = subprocess.run([python, "-c", asked], capture_output=True, text=True, check=True).stdout.split()
    except (OSError, subprocess.CalledProcessError):
        raise machine.Missing(f"{python} is no Python that has wagtail and gunicorn.") from None
    return "".join(f", {name.capitalize()} {version}" for name, version in zip(names, said, strict=True))


def body_of(server: Server) -> bytes:
    with urlopen(server.url) as answer:
        return bytes(answer.read())
