"""Bringing files: as a form without scripts, and in pieces by a script that loses its network."""

import asyncio
import io
import json
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from PIL import Image
from sqlalchemy import func, select, update
from structlog.testing import capture_logs

from cms.errors import StorageFull, Unavailable
from cms.handlers.admin import uploads as receiving
from cms.models import Asset, Upload
from cms.services import site as sites
from cms.services import uploads
from tests.handlers.admin.pages import words
from tests.web import Answer, Browser, Site


def picture(colour: str = "teal", form: str = "PNG", size: tuple[int, int] = (60, 40)) -> bytes:
    kept = io.BytesIO()
    Image.new("RGB", size, colour).save(kept, form)
    return kept.getvalue()


def form_of(parts: list[tuple[str, str | None, bytes]]) -> bytes:
    """Field, the name of the file or None, content."""
    body = b""
    for field, name, content in parts:
        file = f'; filename="{name}"\r\nContent-Type: application/octet-stream' if name is not None else ""
        body += f'--x\r\nContent-Disposition: form-data; name="{field}"{file}\r\n\r\n'.encode() + content + b"\r\n"
    return body + b"--x--\r\n"


async def send(browser: Browser, *files: tuple[str, bytes], key: str | None = None, **fields: str) -> Answer:
    """The library's form, with these files in it."""
    sent = {"_xsrf": browser.cookies["xsrf"] if key is None else key, **fields}
    parts = [*((name, None, value.encode()) for name, value in sent.items()), *(("files", name, content) for name, content in files)]
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    return await browser._exchange("POST", "/admin/media", form_of(parts), headers)


class Script:
    """What static/js/elements/media-upload.js does."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser

    async def send(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, Any]:
        headers = {"X-Xsrftoken": self.browser.cookies["xsrf"], **headers}
        answer = await self.browser._exchange(method, f"/admin/media/uploads{path}", body, headers)
        return answer.status, json.loads(answer.body) if answer.body else None

    async def begin(self, **fields: Any) -> tuple[int, Any]:
        return await self.send("POST", "", urlencode(fields).encode())

    async def piece(self, number: str, offset: int, content: bytes) -> tuple[int, Any]:
        return await self.send("PUT", f"/{number}?offset={offset}", content, **{"Content-Type": "application/octet-stream"})


async def standing(site: Site) -> tuple[int, int, list[str]]:
    """Assets, uploads under way, and what lies in the storage."""
    async with site.database.read() as session:
        numbers = [await session.scalar(select(func.count()).select_from(table)) for table in (Asset, Upload)]
    return numbers[0], numbers[1], sorted([name async for name, _ in site.application.parts.storage.list()])


async def arrived(site: Site) -> int:
    async with site.database.read() as session:
        return await session.scalar(select(func.sum(Upload.received))) or 0


async def test_several_files_come_in_one_form_and_each_is_told_of(site: Site) -> None:
    browser = await site.signed_in("author")
    png = picture()
    refused, text = ("page.html", b"<script>alert(1)</script>"), ("a.txt", b"Low tide.")
    answer = await send(browser, ("Häfen am Morgen.jpeg", png), ("again.png", png), ("", b""), refused, text)
    assert answer.status == 200
    said = [words(row) for row in answer.page.iter("li") if row.get("class") == "stacked"]
    assert said == [
        "hafen-am-morgen.png It has no alternative text yet: say in the library what it shows.",
        "hafen-am-morgen.png was here already It has no alternative text yet: say in the library what it shows.",
        "page.htmlFiles of this kind are not taken here.",
        "a.txt",
    ]
    assert "3 files" in answer.words
    async with site.database.read() as session:
        shown, document = (await session.scalars(select(Asset).order_by(Asset.id))).all()
    assert (shown.content_type, shown.kind, shown.width, shown.height, shown.state) == ("image/png", "picture", 60, 40, "ready")
    assert (document.content_type, document.kind, document.is_ready) == ("text/plain", "file", True)
    assert (await browser.get(shown.path)).status == 200
    assets, _, names = await standing(site)
    assert (assets, [name for name in names if name.startswith("uploads/")]) == (2, []), "no piece is left"


async def test_whoever_replaced_a_file_is_told_so_on_its_page(site: Site) -> None:
    editor = await site.signed_in("editor")
    await send(editor, ("tide.png", picture()), ("other.png", picture(size=(30, 20))))
    async with site.database.read() as session:
        number = await session.scalar(select(func.min(Asset.id)))
    answer = await send(editor, ("new.png", picture(size=(90, 60))), replaces=str(number))
    assert (answer.status, answer.headers["Location"]) == (303, f"/admin/media/{number}")
    page = await editor.get(f"/admin/media/{number}")
    assert "Replaced. Texts that show it follow within a minute." in page.words
    assert "90 × 60" in page.words
    for name, content, why in (("other.png", picture(size=(30, 20)), "is in the library already"), ("a.txt", b"Low.", "something else")):
        refused = await send(editor, (name, content), replaces=str(number))
        assert refused.status == 422
        assert why in refused.words
        assert [link.get("href") for link in refused.page.iter("a") if words(link) == "Back to the file"] == [f"/admin/media/{number}"]


async def test_a_form_is_refused_before_its_files_are_read(site: Site) -> None:
    author, contributor, stranger = await site.signed_in("author"), await site.signed_in("contributor"), site.browser()
    file = ("a.png", picture(size=(400, 400)) + bytes(200_000))
    assert (await send(contributor, file)).status == 403
    stranger.cookies["xsrf"] = author.cookies["xsrf"]
    assert (await send(stranger, ("a.png", picture()))).status == 401
    lost = await send(author, file, key="2|aaaaaaaa|bbbbbbbb|1")
    assert lost.status == 403
    assert "key no longer fits" in lost.words
    assert (await send(author, file, key="")).status == 403
    body = form_of([("files", "a.png", picture()), ("_xsrf", None, author.cookies["xsrf"].encode())])
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    assert (await author._exchange("POST", "/admin/media", body, headers)).status == 403, "the key comes first"
    assert (await author._exchange("POST", "/admin/media", b"--x\r\nno form", headers)).status == 400
    headers = {"Content-Type": f"multipart/form-data; boundary={'x' * 5000}"}
    assert (await author._exchange("POST", "/admin/media", body, headers)).status == 415
    assert (await author.post("/admin/media", {"a": "b"})).status == 403, "such a form is not read"
    assert await standing(site) == (0, 0, [])


async def half_sent(site: Site, browser: Browser) -> asyncio.StreamWriter:
    """A form that has stopped in the middle."""
    body = form_of([("_xsrf", None, browser.cookies["xsrf"].encode()), ("files", "film.mp4", bytes(uploads.PIECE * 2))])
    host, port = urlsplit(browser.url).netloc.split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    head = f"POST /admin/media HTTP/1.1\r\nHost: {host}:{port}\r\nCookie: {cookies}\r\nContent-Type: multipart/form-data; boundary=x\r\n"
    writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[: uploads.PIECE + 500_000])
    await writer.drain()
    while (await arrived(site)) == 0:
        await asyncio.sleep(0.01)
    return writer


async def cut_off(site: Site, browser: Browser) -> None:
    (await half_sent(site, browser)).close()


async def test_nobody_sends_so_much_at_once_that_it_fills_the_memory(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "AT_ONCE", 1)
    browser, coming = await site.signed_in("author"), site.application.parts.receiving
    script, file = Script(browser), ("a.png", picture())
    _, upload = await script.begin(name="a.png", size=5)
    writer = await half_sent(site, browser)
    assert (await send(browser, file)).status == 429
    assert (await script.piece(upload["id"], 0, b"tides"))[0] == 429
    assert (await browser.get("/admin/media")).status == 200
    assert (await send(await site.signed_in("editor"), file)).status == 200
    writer.close()
    while coming.total():
        await asyncio.sleep(0.01)
    assert (await script.piece(upload["id"], 0, b"tides"))[0] == 200
    assert (await send(browser, file)).status == 200
    assert not coming.total()


async def test_a_storage_that_takes_its_time_is_waited_for(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "SILENCE", 0.05)
    script, storage = Script(await site.signed_in("author")), site.application.parts.storage
    _, upload = await script.begin(name="a.png", size=5)
    put = storage.put_stream

    async def late(*given: Any) -> None:
        await asyncio.sleep(0.2)
        await put(*given)

    monkeypatch.setattr(storage, "put_stream", late)
    assert (await script.piece(upload["id"], 0, b"tides"))[0] == 200


async def test_a_form_that_is_cut_off_as_the_program_ends_is_one_line_in_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    handler, begun, told = object.__new__(receiving.ReceivingHandler), asyncio.Event(), asyncio.Event()

    async def hang(_chunk: bytes) -> None:
        begun.set()
        await asyncio.Event().wait()

    async def read() -> None:
        await handler.data_received(b"tides")  # Tornado shows whatever comes out of it as a fault
        told.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(handler, "receive", hang)
    reading = asyncio.create_task(read())
    await begun.wait()
    with capture_logs() as lines:
        reading.cancel()
        await asyncio.wait([reading])
    assert told.is_set()
    assert reading.cancelled()
    assert [line["event"] for line in lines] == ["cut off"]


async def test_of_a_form_whose_connection_drops_nothing_is_left(site: Site) -> None:
    await cut_off(site, await site.signed_in("author"))
    for _ in range(500):
        if await standing(site) == (0, 0, []):
            return
        await asyncio.sleep(0.01)
    raise AssertionError(await standing(site))


async def test_what_the_storage_would_not_forget_is_found_later(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    storage, refused = site.application.parts.storage, asyncio.Event()

    async def refuse(_name: str) -> None:
        refused.set()
        raise Unavailable

    with monkeypatch.context() as broken:
        broken.setattr(storage, "delete", refuse)
        await cut_off(site, await site.signed_in("author"))
        await refused.wait()
    assert (await standing(site))[:2] == (0, 1)
    async with site.database.transaction() as work:
        await work.session.execute(update(Upload).values(active_at=work.now - 2 * uploads.KEPT))
    await uploads.prune(site.application.parts.intake)
    assert await standing(site) == (0, 0, [])


async def test_somebody_sees_what_he_has_not_finished_and_removes_it(site: Site) -> None:
    script, other = Script(await site.signed_in("author")), await site.signed_in("editor")
    _, upload = await script.begin(name="film.mp4", size=2_000_000)
    await script.piece(upload["id"], 0, bytes(500_000))
    page = await script.browser.get("/admin/media/room")
    assert "film.mp4 500 kB of 2 MB" in page.words
    assert "film.mp4" not in (await other.get("/admin/media/room")).words
    at = f"/admin/media/unfinished/{upload['id']}"
    assert any(form.get("action") == at for form in page.page.iter("form"))
    assert (await other.post(at, {"_method": "delete"})).status == 404
    assert (await script.browser.post(at, {"_method": "delete"})).location == "/admin/media/room"
    assert await standing(site) == (0, 0, [])


async def test_a_script_goes_on_where_the_network_was_lost(site: Site) -> None:
    script = Script(await site.signed_in("author"))
    content = picture() + bytes(uploads.PIECE)  # what follows a picture is no part of it
    status, upload = await script.begin(name="../../Tide chart.gif", size=len(content))
    assert (status, upload["received"], upload["piece"], upload["asset"]) == (201, 0, uploads.PIECE, None)
    number = upload["id"]
    assert (await script.send("POST", f"/{number}/completion"))[0] == 409
    assert (await script.piece(number, 0, content[: uploads.PIECE]))[1]["received"] == uploads.PIECE
    for offset in (0, 5, uploads.PIECE + 1):
        assert (await script.piece(number, offset, b"x"))[0] == 409
    assert (await script.send("GET", f"/{number}"))[1]["received"] == uploads.PIECE
    assert (await script.piece(number, uploads.PIECE, content[uploads.PIECE :] + b"x"))[0] == 413
    assert (await script.piece(number, uploads.PIECE, bytes(uploads.PIECE + 1)))[0] == 413
    assert (await script.piece(number, uploads.PIECE, content[uploads.PIECE :]))[0] == 200
    other = Script(await site.signed_in("editor"))
    for method, path in (("GET", ""), ("PUT", "?offset=1"), ("DELETE", ""), ("POST", "/completion")):
        assert (await other.send(method, f"/{number}{path}"))[0] == 404, "it is another's"
    status, asset = await script.send("POST", f"/{number}/completion")
    assert (status, asset["name"], asset["kind"], asset["is_known"]) == (200, "tide-chart.png", "picture", False)
    assert asset["markdown"] == f"![](/media/{asset['id']}/tide-chart.png)"
    seen = await script.browser.get(asset["small"])  # when its words are asked for
    assert seen.headers["Content-Type"].startswith("image/")
    assert (await script.send("POST", f"/{number}/completion"))[1] == {**asset, "is_known": True}
    assert (await script.send("GET", f"/{number}"))[1]["asset"]["id"] == asset["id"]
    _, _, names = await standing(site)
    assert [name for name in names if name.startswith("uploads/")] == []


async def test_whoever_is_refused_hears_that_the_connection_ends_and_it_does(site: Site) -> None:
    script = Script(await site.signed_in("author"))
    _, upload = await script.begin(name="a.png", size=5)
    cookies = "; ".join(f"{name}={value}" for name, value in script.browser.cookies.items())
    host = urlsplit(site.url).netloc
    head = f"PUT /admin/media/uploads/{upload['id']}?offset=3 HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1\r\nCookie: {cookies}\r\n"
    reader, writer = await asyncio.open_connection(*host.split(":"))
    writer.write(f"{head}X-Xsrftoken: {script.browser.cookies['xsrf']}\r\n\r\nx".encode())
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 409 ")
    assert answer.count(b"\r\nConnection: close\r\n") == 1


async def test_scripts_are_told_in_sentences_what_is_wrong(site: Site) -> None:
    script = Script(await site.signed_in("author"))
    assert (await script.begin(name="a.mp4", size=2_000_000_001)) == (413, {"error": "This is too large: 2,000 MB at most, please."})
    assert (await script.begin(name=""))[0] == 422
    assert (await script.begin(name="a.mp4", folder=5))[0] == 422
    assert (await script.begin(name="a.mp4", replaces=5))[0] == 404
    for content, status, sentence in (
        (b"", 422, "This file is empty."),
        (b"<script>alert(1)</script>", 415, "Files of this kind are not taken here."),
        (picture()[:-30], 422, "This picture is broken, or cut off in the middle. Please send it again."),
    ):
        _, upload = await script.begin(name="a.png")
        assert (await script.piece(upload["id"], 0, content))[0] == 200
        assert await script.send("POST", f"/{upload['id']}/completion") == (status, {"error": sentence})
        assert (await script.send("GET", f"/{upload['id']}"))[0] == 404, "it would be refused again"
    headers = {"X-Xsrftoken": ""}
    assert (await script.send("POST", "", urlencode({"name": "a"}).encode(), **headers))[0] == 403
    assert await standing(site) == (0, 0, [])


async def test_what_is_allowed_is_the_sites_to_say(site: Site) -> None:
    browser = await site.signed_in("owner")
    script = Script(browser)
    form = {"kinds": ["sound", "films"], "largest": "1", "strips_all": "on", "version": await version(site)}
    assert (await browser.post("/admin/site/media", form)).status == 303
    assert (await script.begin(name="a.mp4", size=1_000_001))[0] == 413
    assert (await send(browser, ("a.png", picture()))).status == 415
    assert (await send(browser, ("a.vtt", b"WEBVTT\n\n00:01.000 --> 00:02.000\nTide."))).status == 200
    assert (await send(browser, ("a.vtt", bytes(1_100_000)))).status == 413
    page = (await browser.get("/admin/site/media")).page
    chosen = [each.get("value") for each in page.iter("input") if each.get("name") == "kinds" and each.get("checked") is not None]
    assert chosen == ["sound", "films"]
    wrong = await browser.post("/admin/site/media", {**form, "largest": "0", "version": await version(site)})
    assert wrong.status == 422
    assert await standing(site) == (1, 1, (await standing(site))[2])


async def version(site: Site) -> str:
    async with site.database.read() as session:
        return str((await sites.get(session)).version)


async def test_nobody_has_too_many_under_way(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MOST", 2)
    script = Script(await site.signed_in("author"))
    begun = [await script.begin(name="a.mp4", size=5) for _ in range(3)]
    assert [status for status, _ in begun] == [201, 201, 429]
    assert await script.send("DELETE", f"/{begun[0][1]['id']}") == (204, None)
    assert (await script.begin(name="a.mp4", size=5))[0] == 201


@pytest.mark.parametrize(("error", "status"), [(StorageFull, 507), (Unavailable, 503)])
async def test_a_storage_that_is_full_or_away_loses_nothing(
    site: Site, monkeypatch: pytest.MonkeyPatch, error: type[Exception], status: int
) -> None:
    browser = await site.signed_in("author")
    script, storage, content = Script(browser), site.application.parts.storage, picture()
    _, upload = await script.begin(name="a.png", size=len(content))
    assert (await script.piece(upload["id"], 0, content[:20]))[0] == 200

    async def refuse(*_: Any) -> None:
        raise error

    with monkeypatch.context() as broken:
        broken.setattr(storage, "put_stream", refuse)
        broken.setattr(storage, "put_file", refuse)
        assert (await script.piece(upload["id"], 20, content[20:]))[0] == status
        assert (await send(browser, ("b.png", content))).status == status
    assert (await script.piece(upload["id"], 20, content[20:]))[0] == 200
    with monkeypatch.context() as broken:
        broken.setattr(storage, "put_file", refuse)
        assert (await script.send("POST", f"/{upload['id']}/completion"))[0] == status
        assert (await script.send("GET", f"/{upload['id']}"))[1]["received"] == len(content)
    assert (await script.send("POST", f"/{upload['id']}/completion"))[0] == 200
    assert (await standing(site))[0] == 1
