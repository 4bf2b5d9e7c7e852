"""A parent and those that serve below it, as real processes: started, killed, replaced, and gone with whoever is gone."""

import asyncio
import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from cms.collaboration import protocol
from cms.db.session import Database
from cms.models import Job
from cms.services import jobs
from tests.cli.program import PATIENCE, Serving, Squall
from tests.collaboration.writers import writing
from tests.streams import following
from tests.web import Browser

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")

HURRIED = """
from cms.server import parent
parent.PAUSES, parent.MOST_FAILURES, parent.SILENCE = (0.0,), 2, {silence}
from cms.__main__ import main
main()
"""


HANDED_OVER = """
import os, sys
os.dup2({}, 3)
os.environ |= dict(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
os.execv(sys.argv[1], sys.argv[1:])
"""


@pytest.fixture
def below(migrated: Squall) -> Squall:
    """The program below its parent, which the other tests of the command line do without."""
    migrated.has_parent = True
    return migrated


# --- replaced --------------------------------------------------------------------------------------------------------------


def test_reload_replaces_all_of_them_and_what_cannot_start_replaces_none(squall: Squall) -> None:
    squall.has_parent = True
    with squall.serving("--workers", "2") as site:
        site.wait_until(lambda: len(workers(site)) == 2)
        assert (squall.data / "squall.pid").read_text().splitlines()[0] == str(site.process.pid)
        before = workers(site)
        (squall.data / "squall.toml").write_text('site_url = "https://example.org"\nworkers = 3\nport = 1\n')
        assert "Replaced 2 processes" in squall.ok("reload").out
        wait_for(lambda: not set(before) & set(workers(site)) and len(workers(site)) == 2)  # what was said at the start holds
        assert site.get("/", Host="example.org").status == 200, "new settings, on the socket that there is"

        now = sorted(workers(site))
        (squall.data / "squall.toml").write_text('site_url = "https://example.org/blog"\n')
        site.send(signal.SIGHUP)
        site.wait_until(lambda: lines(site, "not reloaded; those that served go on"))
        assert "site_url" in str(lines(site, "not reloaded; those that served go on")[0]["why"])
        assert sorted(workers(site)) == now
        assert site.get("/", Host="example.org").status == 200
        assert site.end() == 0
        assert "Traceback" not in site.err
    (squall.data / "squall.toml").unlink()
    assert "No Squall serves" in squall("reload").sentence


def test_nobody_who_asks_meanwhile_fails(below: Squall) -> None:
    """Some keep their connection, some come anew each time."""
    below.owner()
    with below.serving("--workers", "2") as site:
        site.wait_until(lambda: len(workers(site)) == 2)
        is_over, asked, failed = threading.Event(), [0], list[str]()
        askers = [threading.Thread(target=_ask, args=(site.port, keeps, is_over, asked, failed)) for keeps in (True, True, False)]
        for each in askers:
            each.start()
        for _ in range(3):
            below.ok("reload")
        is_over.set()
        for each in askers:
            each.join()
        assert failed == []
        assert asked[0] > 100
        assert site.end() == 0


def _ask(port: int, keeps: bool, is_over: threading.Event, asked: list[int], failed: list[str]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    while not is_over.wait(0.01):  # or those who are just starting had no processor to do it with
        try:
            connection.request("GET", ["/", "/healthz", "/static/css/site.css", "/nothing"][asked[0] % 4])
            answer = connection.getresponse()
            answer.read()
            if answer.status not in (200, 404):
                failed.append(f"{answer.status}")
        except OSError as error:
            failed.append(repr(error))
            connection.close()
        asked[0] += 1
        if not keeps:
            connection.close()
    connection.close()


async def test_whoever_writes_and_whoever_listens_come_again(squall: Squall) -> None:
    squall.has_parent = True
    await asyncio.to_thread(squall.owner)
    with squall.serving("--workers", "1") as site:
        browser, post_id = await _draft(site)
        cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        async with writing(browser, post_id) as ana, following(site.url, "/live/events", Cookie=cookies) as stream:
            assert await stream.event() == ("notifications", 0)
            ana.type("Written in the old one.")
            await ana.kept()
            await asyncio.to_thread(squall.ok, "reload")
            assert (await ana.end())[0] == protocol.GOING_AWAY
            while await stream.event() != ("", None):
                pass  # of what was written; then it ends
        async with writing(browser, post_id) as ana, following(site.url, "/live/events", Cookie=cookies) as stream:
            assert await stream.event() == ("notifications", 0)
            await ana.reads("Written in the old one.")
        assert await asyncio.to_thread(site.end) == 0


# --- killed ----------------------------------------------------------------------------------------------------------------


def test_all_are_gone_with_a_killed_parent_and_all_below_a_killed_one_with_it(squall: Squall) -> None:
    squall.has_parent = True
    with squall.serving("--workers", "2") as site:
        site.wait_until(lambda: len(workers(site)) == 2 and len(below_of(site.process.pid)) >= 4)  # each with what renders
        killed = workers(site)[0]
        lost = {killed, *below_of(killed)}
        os.kill(killed, signal.SIGKILL)
        wait_for(lambda: len(workers(site)) == 2 and not lost & parents().keys())
        (line,) = lines(site, "a worker ended")
        assert line["code"] == -signal.SIGKILL
        site.wait_until(lambda: len(below_of(site.process.pid)) >= 4)
        left = below_of(site.process.pid)
        site.kill()
        wait_for(lambda: not left & parents().keys())
        assert len(lines(site, "stopping")) == 2, "both came to their end by themselves"


async def test_work_goes_on_in_another_when_one_is_killed(below: Squall, tmp_path: Path) -> None:
    """A document that people have open, what is due, and a job that was just being done."""
    await asyncio.to_thread(below.owner)
    database = Database(below.settings.get("SQUALL_DATABASE_URL") or f"sqlite+aiosqlite:///{below.data / 'squall.db'}")
    try:
        with below.serving("--workers", "2") as site:
            browser, post_id = await _draft(site)
            async with writing(browser, post_id) as ana:
                ana.type("One. ")
                await ana.kept()
                document = ana.document
            for turn, first in enumerate(await asyncio.to_thread(_both, site)):
                async with writing(browser, post_id, document=document) as ana:
                    ana.type(f"{document.content}More of {turn}. ")
                    await ana.kept()
                    async with database.transaction() as work:
                        await jobs.enqueue(work, "keep_idle", key=f"of {turn}", due_at=work.now)
                        await work.session.execute(
                            update(Job).where(Job.key == f"of {turn}").values(lease="of one that was killed", leased_until=work.now)
                        )
                    os.kill(first, signal.SIGKILL)
                    await asyncio.to_thread(site.wait_until, lambda seen=turn: len(lines(site, "a worker ended")) > seen)
                async with asyncio.timeout(PATIENCE):  # who does it must not be killed for it next
                    while await _undone(database):
                        await asyncio.sleep(0.1)
            async with writing(browser, post_id) as ana:
                await ana.reads("One. More of 0. More of 1. ")
            assert await asyncio.to_thread(site.end) == 0
    finally:
        await database.dispose()


def test_given_up_loudly_when_none_can_live(squall: Squall) -> None:
    with hurried(squall, silence=60) as site:
        (squall.data / "squall.toml").write_text("prot = 1\n")
        os.kill(workers(site)[0], signal.SIGKILL)
        assert site.process.wait(PATIENCE) == 1
        assert "nobody serves; Squall gives up." in site.err
        assert "`prot`" in str(lines(site, "a worker ended")[-1]["why"])


def test_one_whose_loop_stands_still_is_replaced(squall: Squall) -> None:
    with hurried(squall, silence=6) as site:
        (stuck,) = workers(site)
        os.kill(stuck, signal.SIGSTOP)
        site.wait_until(lambda: stuck not in workers(site) and len(workers(site)) == 1)
        assert lines(site, "a worker is silent, and is ended")
        wait_for(lambda: site.get("/healthz").status == 200)
        assert site.end() == 0


def test_what_the_first_one_says_is_what_a_start_says(squall: Squall) -> None:
    squall.has_parent = True
    assert squall("serve", "--prot", "1").code == 2
    assert "SQUALL_PROT is not a setting" in squall("serve", "--port", "0", SQUALL_PROT="1").sentence
    assert "--workers" in squall.ok("serve", "--help").out


# --- told ------------------------------------------------------------------------------------------------------------------


def test_any_of_them_tells_the_numbers_of_all_and_lines_say_whose_they_are(squall: Squall) -> None:
    squall.has_parent = True
    with squall.serving("--workers", "2", SQUALL_LOG_LEVEL="info") as site:
        site.wait_until(lambda: len(workers(site)) == 2)
        site.get("/")

        def told() -> bool:
            text = site.get("/metrics").text
            assert text.count("# TYPE squall_requests_total counter") == 1
            return all(f'squall_rooms{{worker="{number}"}} 0.0' in text for number in (1, 2))

        wait_for(told)
        assert {line["worker"] for line in lines(site, "answered")} <= {1, 2}
        for folder in Path(os.environ.get("TMPDIR") or "/tmp").glob(f"squall-{site.process.pid}-*"):
            shutil.rmtree(folder)  # as systems do with what lies untouched for days
        assert site.end() == 0
        assert "Traceback" not in site.err


def test_systemd_hands_over_a_socket_and_hears_how_it_goes(squall: Squall, tmp_path: Path) -> None:
    squall.has_parent = True
    told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    told.settimeout(PATIENCE)
    told.bind(str(tmp_path / "notify"))
    squall.settings |= {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "2000000"}
    with told, socket.create_server(("127.0.0.1", 0)) as handed:
        squall.run_as = {"pass_fds": [handed.fileno()]}
        around = [sys.executable, "-c", HANDED_OVER.format(handed.fileno())]
        plain = squall.command
        squall.command = lambda *arguments: [*around, *plain(*arguments)]  # type: ignore[method-assign]
        with squall.serving() as site:
            assert told.recv(100) == b"READY=1"
            assert site.port == handed.getsockname()[1]
            assert told.recv(100) == b"WATCHDOG=1"
            site.send(signal.SIGHUP)
            heard = [told.recv(100) for _ in range(2)]
            while b"READY=1" not in heard:
                heard.append(told.recv(100))
            assert any(each.startswith(b"RELOADING=1\nMONOTONIC_USEC=") for each in heard)
            assert site.end() == 0
            while told.recv(100) != b"STOPPING=1":
                pass
            with pytest.raises(TimeoutError), socket.create_connection(handed.getsockname(), 0.1) as line:
                line.recv(1)  # nobody answers, and nobody is refused


# --- aids ------------------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def hurried(squall: Squall, silence: float) -> Iterator[Serving]:
    """Below a parent with less patience."""
    command = [sys.executable, "-c", HURRIED.format(silence=silence)]
    squall.has_parent = True
    squall.command = lambda *arguments: [*command, *map(str, arguments)]  # type: ignore[method-assign]
    with squall.serving() as site:
        yield site


def workers(site: Serving) -> list[int]:
    return [pid for pid, parent in parents().items() if parent == site.process.pid]


def _both(site: Serving) -> list[int]:
    site.wait_until(lambda: len(workers(site)) == 2)
    return workers(site)


def parents() -> dict[int, int]:
    """Of each process that is alive."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):  # noqa: PTH208 - asked for many times a second, of all that the machine does
        with contextlib.suppress(OSError), open(f"/proc/{pid}/stat") as stat:  # noqa: PTH123
            state, parent = stat.read().rpartition(")")[2].split()[:2]
            if state != "Z":
                found[int(pid)] = int(parent)
    return found


def below_of(pid: int) -> set[int]:
    found, waiting, known = set[int](), [pid], parents()
    while waiting:
        above = waiting.pop()
        new = {each for each, parent in known.items() if parent == above}
        found |= new
        waiting += new
    return found


def wait_for(is_so: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def lines(site: Serving, event: str) -> list[dict[str, Any]]:
    return [line for text in site.err.splitlines() if text.startswith("{") and (line := json.loads(text))["event"] == event]


async def _draft(site: Serving) -> tuple[Browser, int]:
    browser = Browser(site.url)
    assert (await browser.sign_in("owner@example.org")).status == 303
    made = await browser.post("/admin/posts", {"title": "Tide", "text": "Mud."})
    return browser, int(made.location.rsplit("/", 1)[1])


async def _undone(database: Database) -> int:
    async with database.read() as session:
        return await session.scalar(select(func.count()).select_from(Job).where(Job.key.like("of %"), Job.finished_at.is_(None))) or 0
