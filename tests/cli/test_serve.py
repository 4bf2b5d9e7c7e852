"""``squall serve`` as a process: how it starts, how it refuses to, what it says, how it ends."""

import asyncio
import contextlib
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from cms.cli.serving import together
from cms.db.session import Database
from cms.models import Job
from cms.services import jobs
from cms.telemetry import Metrics
from cms.worker import loop, tasks
from tests import postgresql
from tests.cli.program import PATIENCE, ROOT, Squall
from tests.factories import means


def test_first_start_says_where_it_is_and_how_to_become_its_owner(squall: Squall) -> None:
    with squall.serving(is_first=True) as site:
        assert f"is running at http://localhost:{site.port}" in site.out
        link = re.search(r"http://localhost:\d+(/setup/\S+)", site.out)
        assert link
        assert site.get(link[1]).status == 200
        assert site.get("/setup/" + "x" * 43).status == 404
        assert "terminal" in site.get("/").text
        assert (squall.data / "secret.key").stat().st_mode & 0o777 == 0o600
        assert squall.data.stat().st_mode & 0o777 == 0o700
        assert site.end() == 0


def test_second_start_has_no_link_and_the_same_key(squall: Squall) -> None:
    squall.owner()
    keys = []
    for _ in range(2):
        with squall.serving() as site:
            assert "/setup/" not in site.out
            assert site.get("/").status == 200
            keys.append((squall.data / "secret.key").read_text())
            assert site.end() == 0
    assert keys[0] == keys[1]


def test_run_is_another_word_for_serve(squall: Squall) -> None:
    assert "--port" in squall.ok("run", "--help").out


def test_taken_port_is_one_sentence_and_nothing_is_made(squall: Squall) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = squall("serve", "--host", "127.0.0.1", "--port", str(taken.getsockname()[1]))
    assert "is taken" in done.sentence
    assert "--port" in done.sentence
    assert not squall.data.exists()


def test_foreign_address_is_one_sentence(squall: Squall) -> None:
    assert "--host" in squall("serve", "--host", "192.0.2.1", "--port", "0").sentence


def test_closed_data_folder_is_one_sentence(ordinary: Squall) -> None:
    closed = ordinary.folder / "closed"
    closed.mkdir(mode=0o555)
    done = ordinary("serve", "--port", "0", "--data", closed)
    assert "cannot be written" in done.sentence
    assert str(closed) in done.sentence
    for arguments in (("serve", "--port", "0"), ("db", "upgrade"), ("user", "list"), ("doctor",)):
        assert ordinary(*arguments, "--data", closed / "below").code == 1


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"SQUALL_PROT": "80"}, "SQUALL_PROT is not a setting"),
        ({"SQUALL_LOG_LEVEL": "loud"}, "SQUALL_LOG_LEVEL is wrong"),
        ({"SQUALL_SITE_URL": "example.org"}, "SQUALL_SITE_URL is an address like"),
        ({"SQUALL_DATABASE_URL": "mysql://example.org/squall"}, "SQUALL_DATABASE_URL begins with"),
        ({"SQUALL_SECRET_KEYS": "hunter2"}, "SQUALL_SECRET_KEYS is wrong"),
    ],
)
def test_wrong_setting_is_named_and_nothing_is_made(squall: Squall, settings: dict[str, str], named: str) -> None:
    done = squall("serve", "--port", "0", **settings)
    assert named in done.sentence
    assert "hunter2" not in done.err
    assert not squall.data.exists()


def test_folder_for_uploads_that_is_none_is_one_sentence_and_no_database_is_made(squall: Squall) -> None:
    for arguments in (("serve", "--port", "0"), ("db", "upgrade")):
        assert "/etc/passwd is not a folder" in squall(*arguments, SQUALL_MEDIA_URL="file:///etc/passwd").sentence
    assert not (squall.data / "squall.db").exists()


def test_folder_for_pages_that_is_somebody_elses_is_one_sentence(squall: Squall) -> None:
    assert "The folder /etc has other things in it" in squall("serve", "--port", "0", SQUALL_PAGES_FOLDER="/etc").sentence


def test_wrong_setting_in_a_file_is_named_with_its_file(squall: Squall) -> None:
    (squall.folder / "squall.toml").write_text("prot = 80\n")
    assert "`prot` in squall.toml" in squall("serve", "--port", "0").sentence
    squall.folder.joinpath("squall.toml").write_text("port = \n")
    assert "squall.toml is not valid TOML" in squall("serve", "--port", "0").sentence


def test_newer_database_is_refused(squall: Squall) -> None:
    squall.migrate()
    with contextlib.closing(sqlite3.connect(squall.data / "squall.db")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = 'ffff'")
    for arguments in (
        ("serve", "--port", "0"),
        ("serve", "--port", "0", "--no-migrate"),
        ("user", "list"),
        ("db", "current"),
        ("db", "check"),
        ("db", "upgrade"),
    ):
        assert "newer than this program" in squall(*arguments).sentence
    assert "only the newer Squall restores this backup" in squall.ok("backup", "create").out, "it can be saved all the same"


def test_migrating_can_be_switched_off(squall: Squall) -> None:
    assert "squall db upgrade" in squall("serve", "--port", "0", "--no-migrate").sentence
    assert "squall db upgrade" in squall("serve", "--port", "0", SQUALL_MIGRATE="false").sentence
    squall.migrate()
    with squall.serving("--no-migrate") as site:
        assert site.get("/readyz").status == 200


def test_version(squall: Squall) -> None:
    assert re.fullmatch(r"squall \d+\.\d+\S*\n", squall.ok("--version").out)


# --- ending ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_ends_on_a_signal_without_a_word(squall: Squall, number: int) -> None:
    with squall.serving() as site:
        site.get("/static/css/site.css")
        assert site.end(number) == 0
        assert "Traceback" not in site.err


async def test_whatever_is_done_beside_readers_is_waited_for() -> None:
    ended = []

    async def work(name: str, turns: int) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            for _ in range(turns):
                await asyncio.sleep(0)
            ended.append(name)

    background = asyncio.ensure_future(together([work("acts", 0), work("jobs", 20)]))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    background.cancel()
    await asyncio.wait([background])
    assert ended == ["acts", "jobs"]


def test_form_that_is_being_sent_is_still_answered(squall: Squall) -> None:
    """A text is a large body on a slow line: what somebody typed is not lost to a restart."""
    body = b"email=" + b"a" * 200_000
    with squall.serving() as site, socket.create_connection(("127.0.0.1", site.port), timeout=PATIENCE) as line:
        line.sendall(b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body) + body[:1000])
        wait_for(lambda: site.get("/healthz").status == 200)  # the head of the other request was read meanwhile
        site.send(signal.SIGTERM)
        site.wait_until(lambda: '"stopping"' in site.err)
        line.sendall(body[1000:])
        answer = everything(line)
        assert answer.startswith(b"HTTP/1.1 4"), answer[:200]  # it has no token; what matters is that somebody read it
        assert site.process.wait(PATIENCE) == 0


def test_slow_reader_gets_the_whole_page(squall: Squall) -> None:
    squall.ok("demo")
    with contextlib.closing(sqlite3.connect(squall.data / "squall.db")) as database, database:
        path, post_id = database.execute("SELECT path, post_id FROM published WHERE kind = 'post' LIMIT 1").fetchone()
        database.execute("UPDATE published SET html = ? WHERE post_id = ?", ("<p>ebb and flow</p>" * 600_000 + "<p>the end</p>", post_id))
    with squall.serving() as site, socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.settimeout(PATIENCE)
        line.connect(("127.0.0.1", site.port))
        line.sendall(f"GET /{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        answer = line.recv(1000)
        site.send(signal.SIGTERM)
        site.wait_until(lambda: '"stopping"' in site.err)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_000_000)  # awake now
        answer += everything(line)
        assert b"<p>the end</p>" in answer
        assert answer.rstrip().endswith(b"</html>")
        assert site.process.wait(PATIENCE) == 0


def test_new_connections_are_refused_while_it_ends(squall: Squall) -> None:
    with squall.serving() as site, socket.create_connection(("127.0.0.1", site.port), timeout=PATIENCE) as line:
        line.sendall(b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nemail")
        site.get("/healthz")
        site.send(signal.SIGTERM)
        site.wait_until(lambda: '"stopping"' in site.err)
        with pytest.raises(ConnectionRefusedError):
            site.get("/healthz")
        line.sendall(b"=mail")
        assert everything(line)
        assert site.process.wait(PATIENCE) == 0


def test_silent_connection_does_not_hold_it_up(squall: Squall) -> None:
    with squall.serving() as site, socket.create_connection(("127.0.0.1", site.port), timeout=PATIENCE) as line:
        line.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert line.recv(100).startswith(b"HTTP/1.1 200")
        assert site.end() == 0
        took = [json.loads(text)["timestamp"] for text in site.err.splitlines() if '"stopping"' in text]
        assert took, "it said when it began to end"


async def test_job_under_way_comes_to_its_end(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction that is cancelled half way is rolled back, and makes a noise in the log."""
    begun, ended = asyncio.Event(), asyncio.Event()

    async def slow(given: tasks.Means, payload: dict[str, Any]) -> None:
        async with given.database.transaction() as work:
            begun.set()
            await asyncio.sleep(0.2)
            await jobs.enqueue(work, "keep_house", key="made by the slow one", due_at=work.now + timedelta(days=1))
        ended.set()

    monkeypatch.setitem(tasks.TASKS, "keep_house", slow)
    working = asyncio.create_task(loop.run(means(database, tmp_path), Metrics()))
    await begun.wait()
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert ended.is_set()
    async with database.read() as session:
        rows = await session.execute(select(Job.key, Job.finished_at.is_not(None)).where(Job.name == "keep_house"))
        finished = dict(rows.all())
    assert sorted(finished.values()) == [False, True]
    assert not finished["made by the slow one"]


async def test_endless_job_does_not_hold_up_the_end(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = asyncio.Event()

    async def endless(given: tasks.Means, payload: dict[str, Any]) -> None:
        begun.set()
        await asyncio.Event().wait()

    monkeypatch.setitem(tasks.TASKS, "keep_house", endless)
    monkeypatch.setattr(loop, "GRACE", 0.05)
    working = asyncio.create_task(loop.run(means(database, tmp_path), Metrics()))
    await begun.wait()
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working


TOUCHES_UPLOADS = """
import asyncio, pathlib, sys
import cms.cli
from cms.media.storage import Folder

async def touch():
    storage = Folder(pathlib.Path("media"))
    await storage.put("aa", b"a")
    return [name async for name in storage.list()]

def command(**options):
    print("said")
    asyncio.run(touch())

cms.cli.app, sys.argv = command, ["squall", "serve"]
cms.cli.main()
"""


def test_program_that_touched_uploads_ends_quietly(squall: Squall) -> None:
    """The storage's own threads may still be about to say they are done; torn down with Python, they would abort the process."""
    options = {**squall.options({}), "env": {**os.environ, "PYTHONPATH": str(ROOT)}}
    for _ in range(8):  # every third was ended by SIGABRT
        done = subprocess.run([sys.executable, "-c", TOUCHES_UPLOADS], capture_output=True, text=True, timeout=PATIENCE, **options)
        assert (done.returncode, done.stdout, done.stderr) == (0, "said\n", "")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
def test_killed_program_leaves_no_process(squall: Squall) -> None:
    with squall.serving() as site:
        site.wait_until(
            lambda: len(descendants(site.process.pid)) >= 2
        )  # the one that renders, and multiprocessing's own, which is told first
        left = descendants(site.process.pid)
        site.process.send_signal(signal.SIGKILL)
        site.process.wait(PATIENCE)
        wait_for(lambda: not any(is_alive(pid) for pid in left))


# --- for operators ---------------------------------------------------------------------------------------------------------


def test_whole_address_in_the_request_is_its_path_and_its_host(squall: Squall) -> None:
    with squall.serving() as site:
        for address in (f"http://localhost:{site.port}/", f"HTTP://localhost:{site.port}", "http://127.0.0.1/?a=b", "http://localhost?a=b"):
            assert site.get(address).body == site.get("/").body, address
        assert site.get("http://localhost/nothing").status == 404
        assert site.get("http://elsewhere.example/").status == 421
        assert site.get("http://localhost/", Host="elsewhere.example").status == 200, "what Host says does not count then"


def test_health_is_answered_under_any_name(squall: Squall) -> None:
    with squall.serving() as site:
        for path in ("/healthz", "/readyz"):
            assert site.get(path, Host="10.1.2.3").status == 200
            assert site.get(path, "HEAD").status == 200
            assert site.get(path).headers["Cache-Control"] == "no-store"
        assert json.loads(site.get("/readyz").text)["status"] == "ready"
        assert site.get("/", Host="evil.example").status == 421
        assert site.get("/login", Host="evil.example").status == 421
        assert site.get("/static/css/site.css", Host="evil.example").status == 421
        assert site.get("/", Host=f"localhost:{site.port}").status == 200


def test_metrics_without_a_token_are_for_this_machine(squall: Squall) -> None:
    with squall.serving() as site:
        site.get("/")
        assert site.get("/metrics", Host="blog.example.org").status == 403, "a proxy that only passes on the name"
        answer = site.get("/metrics")
        assert answer.status == 200
        assert 'squall_requests_total{face="site",method="GET",status="200"} 1.0' in answer.text
        for header in ("X-Forwarded-For", "Forwarded", "Via", "X-Real-Ip"):
            assert site.get("/metrics", **{header: "192.0.2.7"}).status == 403


def test_metrics_with_a_token(squall: Squall) -> None:
    with squall.serving(SQUALL_METRICS_TOKEN="a-long-token") as site:
        assert site.get("/metrics").status == 403
        assert site.get("/metrics", Authorization="Bearer another").status == 403
        assert site.get("/metrics", Authorization="Bearer a-long-token", X_Forwarded_For="192.0.2.7").status == 200


# --- PostgreSQL ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def server() -> Iterator[postgresql.Server]:
    """One of its own, that may go away."""
    try:
        server = postgresql.Server()
    except postgresql.Missing as missing:
        pytest.skip(str(missing))
    with server:
        yield server


def test_database_that_is_away_at_start_is_one_sentence(squall: Squall, server: postgresql.Server) -> None:
    squall.settings["SQUALL_DATABASE_URL"] = server.url("nothing")
    assert "nothing" in squall("serve", "--port", "0").sentence
    server.stop()
    squall.settings["SQUALL_DATABASE_URL"] = server.url()
    for arguments in (
        ("serve", "--port", "0"),
        ("serve", "--port", "0", "--no-migrate"),
        ("db", "check"),
        ("db", "current"),
        ("user", "list"),
    ):
        assert "cannot be reached" in squall(*arguments).sentence


def test_encryption_of_the_database_is_asked_for_in_an_option(squall: Squall, server: postgresql.Server) -> None:
    url = server.url()
    squall.ok("db", "current", SQUALL_DATABASE_URL=f"{url}&sslmode=prefer")
    assert "sslmode" in squall("serve", "--port", "0", SQUALL_DATABASE_URL=f"{url}&sslmode=perhaps").sentence


def test_database_that_goes_away_and_comes_back(squall: Squall, server: postgresql.Server) -> None:
    squall.settings["SQUALL_DATABASE_URL"] = server.url()
    squall.owner()
    with squall.serving() as site:
        assert site.get("/").status == 200
        server.stop("immediate")
        assert site.get("/").status == 200, "kept"
        for path in ("/page/2", "/archive", "/nothing-there"):
            answer = site.get(path)
            assert (path, answer.status) == (path, 503)
            assert int(answer.headers["Retry-After"]) > 0
        assert site.get("/healthz").status == 200
        assert site.get("/readyz").status == 503
        server.start()
        wait_for(lambda: site.get("/readyz").status == 200)
        assert site.get("/").status == 200
        assert site.end() == 0
        assert "Traceback" not in site.err


# --- aids ---------------------------------------------------------------------------------------------------------------


def everything(line: socket.socket) -> bytes:
    """Until the other end closes."""
    received = []
    while piece := line.recv(1_000_000):
        received.append(piece)
    return b"".join(received)


def wait_for(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def descendants(pid: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found, waiting = [], [pid]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
