"""What the program writes down of those who use it: nothing by which somebody could be known, nothing secret, and only lines of its own."""

import asyncio
import json
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from cms.telemetry import first_line
from tests.cli.program import Serving, Squall
from tests.web import Browser

NAME, MAIL, PASSWORD, QUERY = "Zebedee Markword", "zebedee.markword@example.org", "quagmire pelican 7 lantern", "markword"
FORGED = 'x\n{"event": "forged"}\r\x1b[2J\u2028forged'


def send(port: int, content: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(content)
        line.settimeout(10)
        while line.recv(65536):
            pass


async def use(site: Serving) -> list[str]:
    """Somebody sets the site up, signs in, fails to, writes, searches, breaks things; returns the secrets that were handed out."""
    setup = re.search(r"/setup/\S+", site.out)
    assert setup
    browser = Browser(site.url)
    account = {"site_name": "Markword", "name": NAME, "email": MAIL, "password": PASSWORD}
    assert (await browser.post(setup[0], account)).status == 303
    token = browser.cookies["session"]
    await browser.post("/logout")
    for password in ("wrong-" + PASSWORD, PASSWORD):
        await browser.sign_in(MAIL, password)
    await browser.post("/admin/posts", {"title": FORGED, "text": QUERY})
    await browser.post("/admin/posts/99", {"title": NAME, "text": QUERY})
    browser.cookies["session"] += "x"
    for path in (
        f"/search?q={QUERY}",
        f"/nothing?mail={MAIL}",
        "/a%0A%7B%22event%22%3A+%22forged%22%7D",
        f"/login?next=/{QUERY}",
        f"/{setup[0]}",
    ):
        await browser.get(path)
    await browser.post("/login", {"email": MAIL}, Cookie=f"session={QUERY}", **{"X-Forwarded-For": "203.0.113.77"})
    return [token, browser.cookies["session"], browser.cookies["xsrf"], setup[0].rpartition("/")[2]]


@pytest.mark.parametrize("form", ["json", "pretty"])
async def test_logs_have_no_personal_data_no_secrets_and_no_forged_lines(migrated: Squall, form: str) -> None:
    with migrated.serving(SQUALL_LOG_FORMAT=form, SQUALL_LOG_LEVEL="debug") as site:
        secrets = await use(site)
        await asyncio.to_thread(send, site.port, f"GET /{QUERY} HTTP/1.1\r\nHost: {MAIL}\r\nBroken {QUERY}\r\n\r\n".encode())
        assert site.end() == 0
        told = re.sub(r"\x1b\[[0-9;]*m", "", site.err)  # its colours
    assert told.count("answered") > 10, "there is a log"
    for word in ("markword", "zebedee", "quagmire", "203.0.113.77", "127.0.0.1", "\x1b[2J", *secrets):
        assert word.lower() not in told.lower(), word
    lines = [line for line in told.splitlines() if line]
    if form == "json":
        assert "forged" not in {json.loads(line)["event"] for line in lines}
    else:
        assert [line for line in lines if not re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", line)] == []


async def test_a_flood_of_malformed_requests_is_one_line_a_second(squall: Squall) -> None:
    with squall.serving() as site:
        for _ in range(200):
            await asyncio.to_thread(send, site.port, b"nonsense\r\n\r\n")
        site.end()
        lines = [json.loads(line) for line in site.err.splitlines()]
    unreadable = [line for line in lines if line["event"] == "unreadable requests"]
    moments = [line["timestamp"] for line in unreadable]
    assert len({moment[:19] for moment in moments}) >= len(moments) - 1
    assert 1 <= len(unreadable) < 200
    assert len(lines) < 100


def test_a_traceback_has_the_first_line_of_each_message(tmp_path: Path) -> None:
    script = """
import io, logging, sys
from cms.telemetry import configure_logging, log
configure_logging("info", "FORM")
try:
    try:
        raise KeyError("outer")
    except KeyError as error:
        raise ValueError("violates a rule\\nDETAIL: (email)=(markword)") from error
except ValueError:
    log.exception("failed")
"""
    assert first_line("a\nb") == "a"
    squall = Squall(tmp_path)

    for form in ("json", "pretty"):
        done = subprocess.run(
            [sys.executable, "-c", script.replace("FORM", form)], capture_output=True, text=True, check=True, **squall.options({})
        )
        assert "ValueError: violates a rule" in done.stderr
        assert "KeyError: 'outer'" in done.stderr
        assert "markword" not in done.stderr


def test_an_answer_and_its_line_have_one_number_also_where_the_key_of_a_form_is_missing(migrated: Squall) -> None:
    with migrated.serving() as site:
        answer = site.get("/login", "POST")
        assert answer.status == 403
        site.wait_until(lambda: '"status": 403' in site.err)
        (line,) = [line for line in site.err.splitlines() if '"status": 403' in line]
        assert json.loads(line)["request_id"] == answer.headers["X-Request-Id"]
