"""Uploads as readers get them: whole, in part, or not again; and harmless whatever is in them."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from cms.errors import StorageAway
from cms.models import Asset
from cms.rendering import Renderer
from cms.services import media
from tests import factories, s3
from tests.handlers.admin.test_profile import photo, portrait_of, save
from tests.web import Site, running_site

BYTES = bytes(range(256)) * 4


async def upload(site: Site, name: str = "Tide chart.png", content: bytes = BYTES) -> Asset:
    digest = factories.digest_of(content)
    await site.application.parts.storage.put(media.storage_name(digest), content)
    actor = await factories.person(site.database, "editor")
    async with site.database.transaction() as work:
        return await factories.asset(work, actor, name=name, digest=digest, size=len(content))


async def test_a_picture_is_sent_whole_and_kept_for_ever(site: Site) -> None:
    asset = await upload(site)
    answer = await site.browser().get(asset.path)
    assert (answer.status, answer.body) == (200, BYTES)
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert answer.headers["Content-Disposition"].startswith("inline")
    assert "Set-Cookie" not in answer.headers


async def test_what_a_storage_breaks_off_is_broken_off_for_its_reader_too_and_over_for_us(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asset, parts = await upload(site), site.application.parts

    async def breaks_off(*_given: Any) -> AsyncIterator[bytes]:
        yield BYTES[:100]
        raise StorageAway

    monkeypatch.setattr(parts.storage, "read", breaks_off)
    with pytest.raises(ConnectionError, match="100 bytes of 1024"):
        await site.browser().get(asset.path)
    assert parts.under_way == 0, "nobody waits for it at the end"
    assert not [line for line in caplog.records if line.name.startswith("tornado")]


async def test_the_same_is_not_sent_again(site: Site) -> None:
    asset = await upload(site)
    browser = site.browser()
    etag = (await browser.get(asset.path)).headers["Etag"]
    answer = await browser.get(asset.path, **{"If-None-Match": etag})
    assert (answer.status, answer.body) == (304, b"")
    assert answer.headers["Etag"] == etag


async def test_head_tells_the_size(site: Site) -> None:
    asset = await upload(site)
    for asked in (dict[str, str](), {"Range": "bytes=0-9"}):  # of which only GET gets a part (RFC 9110, 14.2)
        answer = await site.browser().send("HEAD", asset.path, headers=asked)
        assert (answer.status, answer.body, answer.headers["Content-Length"]) == (200, b"", "1024")


async def test_a_part_can_be_asked_for(site: Site) -> None:
    asset = await upload(site)
    for wanted, start, end in (
        ("bytes=0-0", 0, 1), ("bytes=10-19", 10, 20), ("bytes=1000-", 1000, 1024), ("bytes=-24", 1000, 1024),
        ("bytes=1000-9999", 1000, 1024), ("bytes=-9999", 0, 1024), ("bytes=0-", 0, 1024),
    ):  # fmt: skip
        answer = await site.browser().get(asset.path, Range=wanted)
        assert (answer.status, answer.body) == (206, BYTES[start:end]), wanted
        assert answer.headers["Content-Range"] == f"bytes {start}-{end - 1}/1024"


async def test_a_part_that_is_not_there_is_refused(site: Site) -> None:
    asset = await upload(site)
    for wanted in ("bytes=1024-", "bytes=5000-6000", "bytes=-0"):
        answer = await site.browser().get(asset.path, Range=wanted)
        assert (answer.status, answer.headers["Content-Range"]) == (416, "bytes */1024"), wanted


async def test_what_is_no_range_gets_everything(site: Site) -> None:
    asset = await upload(site)
    for wanted in ("bytes=5-4", "bytes=-", "bytes=a-b", "pages=1-2", "bytes=0-1,3-4", "bytes=1", "bytes=" + "9" * 40 + "-"):
        answer = await site.browser().get(asset.path, Range=wanted)
        assert (answer.status, len(answer.body)) == (200, 1024), wanted


async def test_a_part_of_something_else_gets_everything(site: Site) -> None:
    asset = await upload(site)
    answer = await site.browser().get(asset.path, **{"Range": "bytes=0-1", "If-Range": '"other"'})
    assert (answer.status, len(answer.body)) == (200, 1024)


@pytest.mark.parametrize(
    ("name", "shown"), [("a.html", False), ("a.pdf", False), ("a.svg", True), ("a.js", False), ("a.mp4", True), ("a.xyz", False)]
)
async def test_what_could_act_is_handed_out_as_a_file(site: Site, name: str, shown: bool) -> None:
    asset = await upload(site, name, b"<script>alert(1)</script>" * 100)
    answer = await site.browser().get(asset.path, **{"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Disposition"].startswith("inline" if shown else "attachment")
    assert answer.headers["Content-Security-Policy"].startswith("sandbox;")
    assert answer.headers["Content-Length"] == "2500"
    assert "script-src" not in answer.headers["Content-Security-Policy"]


async def test_an_empty_file_is_sent_too(site: Site) -> None:
    asset = await upload(site, "empty.png", b"")
    answer = await site.browser().get(asset.path)
    assert (answer.status, answer.body) == (200, b"")


async def test_the_short_address_leads_to_the_present_one(site: Site) -> None:
    asset = await upload(site)
    answer = await site.browser().get(f"/media/{asset.id}/{asset.name}")
    assert (answer.status, answer.location) == (302, asset.path)


async def test_wrong_addresses_are_not_found_in_the_site_s_dress(site: Site) -> None:
    await site.person("owner")
    asset = await upload(site)
    browser = site.browser()
    for path in (
        f"/media/{asset.id}/000000000000/{asset.name}",
        f"/media/999/{asset.digest[:12]}/{asset.name}",
        asset.path + "x",
        "/media/999/x",
        f"/media/{asset.id}/x",
    ):
        answer = await browser.get(path)
        assert answer.status == 404
        assert "style-src 'self'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-cache"


async def test_a_row_without_its_bytes_is_not_found(site: Site) -> None:
    asset = await upload(site)
    (site.application.parts.storage.folder / media.storage_name(asset.digest)).unlink()
    assert (await site.browser().get(asset.path)).status == 404


async def test_a_site_keeps_its_files_in_a_bucket_and_goes_on_when_that_is_away(
    database_url: str, tmp_path: Path, renderer: Renderer
) -> None:
    with s3.Server() as server:
        settings = {name.removeprefix("SQUALL_").lower(): value for name, value in server.new_bucket().items()}
        async with running_site(database_url, tmp_path / "data", renderer=renderer, **settings) as site:
            writer, reader = await site.signed_in("author"), site.browser()
            assert (await save(writer, photo())).status == 303
            source = await portrait_of(writer)
            whole = await reader.get(source)
            assert (whole.status, whole.headers["Content-Type"], whole.body[:4]) == (200, "image/webp", b"RIFF")
            part = await reader.get(source, Range="bytes=4-99")
            assert (part.status, part.body) == (206, whole.body[4:100])
            assert not (tmp_path / "data" / "media").exists()

            server.stop()
            away, unsaved = await reader.get(source), await save(writer, photo(colour="tomato"), name="Ana & Co")
            assert (away.status, unsaved.status, away.headers["Retry-After"]) == (503, 503, "5")
            assert "storage" not in away.words
            assert "The storage of files cannot be used: Connection refused. Everything you typed is here." in unsaved.words
            assert (await reader.get("/")).status == 200
            assert await portrait_of(writer) == source, "nothing was changed"
