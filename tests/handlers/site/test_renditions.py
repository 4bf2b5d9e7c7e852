"""Smaller pictures, made when the first reader asks; addresses that were; files that not everybody may have."""

import asyncio
import errno
import hashlib
import io
from pathlib import Path
from urllib.parse import quote

import pytest
from PIL import Image
from sqlalchemy import select, update

from cms.content.renditions import Spec, path
from cms.db.session import Database
from cms.models import Asset, PreviewLink, Rendition
from cms.models.media import MediaKind
from cms.models.site import Access
from cms.policy import SYSTEM
from cms.rendering import Renderer
from cms.services import media, media_changes, renditions
from cms.services import site as sites
from cms.services.media_changes import Sent, Shown
from tests import factories, s3
from tests.handlers.admin.pages import saved, written
from tests.handlers.site.test_preview_links import link
from tests.web import Site, running_site


def picture(width: int = 800, height: int = 600, colour: str = "teal", format: str = "PNG") -> bytes:
    """Its left half in one colour, its right half black."""
    image = Image.new("RGB", (width, height))
    image.paste(colour, (0, 0, width // 2, height))
    kept = io.BytesIO()
    image.save(kept, format)
    return kept.getvalue()


async def brought(site: Site, content: bytes | None = None, **values: object) -> Asset:
    content = content or picture()
    digest = hashlib.sha256(content).hexdigest()
    await site.application.parts.storage.put(media.storage_name(digest), content)
    async with site.database.transaction() as work:
        asset = factories.asset_row(
            digest=digest, created_at=work.now, **{"name": "harbour.png", "width": 800, "height": 600, "shown_size": len(content), **values}
        )
        work.session.add(asset)
    return asset


async def made(database: Database) -> list[str]:
    async with database.read() as session:
        return sorted(await session.scalars(select(Rendition.name)))


async def test_rendition_is_made_for_the_first_reader_and_kept(site: Site) -> None:
    asset = await brought(site)
    address, browser = path(asset.path, Spec(320, "webp")), site.browser()
    answers = await asyncio.gather(*(browser.get(address) for _ in range(5)))
    for answer in (*answers, await browser.get(address)):
        assert (answer.status, answer.headers["Content-Type"]) == (200, "image/webp")
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert Image.open(io.BytesIO(answer.body)).size == (320, 240)
    assert await made(site.database) == ["320.webp"]
    part = await browser.get(address, Range="bytes=0-3")
    assert (part.status, part.body) == (206, b"RIFF")


async def test_crop_keeps_the_focus_and_its_address_says_it(site: Site) -> None:
    asset = await brought(site)
    browser, middle = site.browser(), path(asset.path, Spec(320, "png", "square"))
    assert (await browser.get(middle)).status == 200
    async with site.database.transaction() as work:
        asset = await media_changes.describe(work, SYSTEM, asset.id, {"focus_x": 0})
    led = await browser.get(middle)
    assert (led.status, led.location) == (302, path(asset.path, Spec(320, "png", "square", (0, 50))))
    cropped = Image.open(io.BytesIO((await browser.get(led.location)).body)).convert("RGB")
    assert cropped.size == (320, 320)
    assert cropped.getpixel((160, 160)) == (0, 128, 128)


async def test_nothing_is_made_that_is_not_on_the_list(site: Site) -> None:
    asset = await brought(site)
    shown = asset.path.rpartition("/")[0]
    for wrong in ("321/harbour.webp", "320/harbour.gif", "320/other.webp", "tall-320-50-50/harbour.webp", "320/harbour.webp/x"):
        assert (await site.browser().get(f"{shown}/{wrong}")).status == 404
    assert await made(site.database) == []


async def test_what_is_no_picture_has_none(site: Site) -> None:
    asset = await brought(site, b"not a picture")
    assert (await site.browser().get(path(asset.path, Spec(320, "webp")))).status == 404
    assert await made(site.database) == []


async def test_what_the_storage_lost_is_made_again(site: Site) -> None:
    asset = await brought(site)
    spec = Spec(320, "webp")
    address = path(asset.path, spec)
    first = await site.browser().get(address)
    await site.application.parts.storage.delete(renditions.storage_name(asset.shown_digest, spec.file_name))
    again = await site.browser().get(address)
    assert (again.status, again.body) == (200, first.body)


async def test_all_are_made_beforehand_by_the_job(site: Site) -> None:
    asset = await brought(site)
    await site.application.parts.renditions.make_all(asset.id)
    assert await made(site.database) == [f"{width}.{format}" for width in (320, 480, 640) for format in ("avif", "png", "webp")]


async def test_addresses_of_a_replaced_and_renamed_file_lead_to_the_present_one(site: Site) -> None:
    asset = await brought(site)
    old, new = asset.path, picture(colour="orange", format="JPEG")
    old_rendition = path(old, Spec(320, "webp"))
    digest = hashlib.sha256(new).hexdigest()
    await site.application.parts.storage.put(media.storage_name(digest), new)
    async with site.database.transaction() as work:
        await media_changes.describe(work, SYSTEM, asset.id, {"name": "quay"})
        sent = Sent(digest, len(new), MediaKind.PICTURE, "image/jpeg", "jpg", 1, None, Shown(digest, len(new), 800, 600))
        asset = await media_changes.replace(work, SYSTEM, asset.id, sent)
    assert asset.name == "quay.jpg"
    for former, now in (
        (old, asset.path),
        (f"/media/{asset.id}/harbour.png", asset.path),
        (old_rendition, path(asset.path, Spec(320, "webp"))),
    ):
        answer = await site.browser().get(former)
        assert (answer.status, answer.location) == (302, now)
    assert (await site.browser().get(asset.path)).body == new


async def test_name_in_other_letters_is_an_address_like_others(site: Site) -> None:
    asset = await brought(site, name="港口-бухта.png")
    for address in (asset.path, path(asset.path, Spec(320, "webp"))):
        sent = await site.browser().get(quote(address))
        assert (sent.status, sent.headers["Content-Type"][:6]) == (200, "image/")
        led = await site.browser().get(quote(address).replace("-", "%2D"))
        assert (led.status, led.location) == (302, quote(address))
    assert (await site.browser().get(quote(f"/media/{asset.id}/港口-бухта.png"))).location == quote(asset.path)


async def test_private_file_is_for_those_at_the_desk_until_readers_see_it(site: Site) -> None:
    asset = await brought(site)
    addresses = (asset.path, f"/media/{asset.id}/harbour.png", path(asset.path, Spec(320, "webp")))
    async with site.database.transaction() as work:
        await sites.configure(work, media={"is_private": True})
    author, contributor = await site.signed_in("author"), await site.signed_in("contributor")
    for address in addresses:
        assert (await site.browser().get(address)).status == 404
        assert (await contributor.get(address)).status == 404
        assert (await author.get(address)).status in (200, 302)
    assert (await author.get(asset.path)).headers["Cache-Control"].startswith("private")
    actor = await factories.person(site.database, "editor")
    await factories.published(site.database, actor, text=f"![]({asset.path})")
    assert [(await site.browser().get(address)).status for address in addresses] == [200, 302, 200]
    assert (await site.browser().get(asset.path)).headers["Cache-Control"].startswith("public")


@pytest.mark.parametrize("is_closed", [False, True])
async def test_preview_shows_its_files_as_long_as_it_lasts(site: Site, is_closed: bool) -> None:
    owner, guest = await site.signed_in("owner"), site.browser()
    asset, other = await brought(site), await brought(site, picture(colour="red"), name="other.png")
    async with site.database.transaction() as work:
        await sites.configure(work, media={"is_private": not is_closed})
        if is_closed:
            await sites.choose_access(work, SYSTEM, Access.PRIVATE, "hash")
    text = f"[whole](/media/{asset.id}/harbour.png)\n\n![a]({asset.path})"
    post_id = await written(owner, text=text)
    at = await link(owner, post_id)
    page = (await guest.get(at)).page
    shown = {each.get("src") or "" for each in page.iter("img")} | {
        each.split()[0] for source in page.iter("source") for each in (source.get("srcset") or "").split(",")
    }
    passed = sorted({each for each in shown if each.startswith(f"/media/{asset.id}/")})
    assert len(passed) > 3
    mark = passed[0].partition("?")[2]
    to_whole = next(each.get("href") or "" for each in page.iter("a") if "/media/" in (each.get("href") or ""))
    for address in passed[:2] + passed[-1:] + [f"{asset.path}?{mark}"]:
        answer = await guest.get(address)
        assert (answer.status, answer.headers["Cache-Control"]) == (200, "private, no-store")
    assert to_whole == f"{asset.path}?{mark}"
    assert (await guest.get(f"/media/{asset.id}/harbour.png?{mark}")).location == to_whole
    closed = 403 if is_closed else 404
    refused = (asset.path, f"{other.path}?{mark}", f"{asset.path}?{mark}0", f"{asset.path}?preview=x", f"{asset.path}?preview=9-{'0' * 32}")
    assert [(await guest.get(address)).status for address in refused] == [closed] * len(refused)
    if is_closed:
        assert (await guest.get(f"/?{mark}")).status == 403
    await saved(owner, post_id, text="It shows nothing any more.")
    assert (await guest.get(f"{asset.path}?{mark}")).status == closed
    await saved(owner, post_id, text=text)
    assert (await guest.get(f"{asset.path}?{mark}")).status == 200
    async with site.database.transaction() as work:
        await work.session.execute(update(PreviewLink).values(revoked_at=work.now))
    assert (await guest.get(f"{asset.path}?{mark}")).status == closed


async def test_files_of_a_text_are_seen_by_whoever_sees_it_at_the_desk(site: Site) -> None:
    asset, film = await brought(site), await brought(site, b"film", name="ebb.mp4", kind="video", content_type="video/mp4")
    still = await brought(site, picture(colour="red"), name="still.png")
    async with site.database.transaction() as work:
        await sites.configure(work, media={"is_private": True})
        (await work.session.get_one(Asset, film.id)).poster_id = still.id
    owner, contributor = await site.signed_in("owner"), await site.signed_in("contributor")
    text, addresses = f"![a]({asset.path})\n\n![b]({film.path})", (asset.path, film.path, still.path, path(asset.path, Spec(320, "webp")))
    await written(owner, text=text)
    assert [(await contributor.get(address)).status for address in addresses] == [404] * 4
    await written(contributor, text=text)
    for address in addresses:
        answer = await contributor.get(address)
        assert (answer.status, answer.headers["Cache-Control"]) == (200, "private, max-age=31536000, immutable")
        assert (await site.browser().get(address)).status == 404


async def test_no_cache_in_between_keeps_where_a_file_is_or_that_there_is_none(
    database_url: str, tmp_path: Path, renderer: Renderer
) -> None:
    async with running_site(database_url, tmp_path, renderer=renderer, cdn_seconds=300) as site:
        asset = await brought(site)
        async with site.database.transaction() as work:
            await sites.configure(work, media={"is_private": True})
        author = await site.signed_in("author")
        for address in (asset.path, f"/media/{asset.id}/harbour.png", path(asset.path, Spec(320, "webp"))):
            refused = await site.browser().get(address)
            assert (refused.status, refused.headers["Cache-Control"]) == (404, "no-cache"), "readers may see it in a moment"
        led = await author.get(f"/media/{asset.id}/harbour.png")
        assert (led.status, led.headers["Cache-Control"]) == (302, "no-cache")


async def test_a_disk_that_is_full_is_said_and_what_was_begun_is_where_it_is_pruned(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    asset, parts, begun = await brought(site), site.application.parts, list[Path]()

    async def fill_the_disk(_picture: Path, out: Path, _spec: Spec) -> None:
        begun.append(out)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(parts.imaging, "rendition", fill_the_disk)
    assert (await site.browser().get(path(asset.path, Spec(320, "webp")))).status == 507
    assert begun[0].parents[1] == parts.intake.folder
    assert not list(parts.intake.folder.iterdir())


async def test_trashed_file_is_not_there(site: Site) -> None:
    asset = await brought(site)
    async with site.database.transaction() as work:
        (await work.session.get_one(Asset, asset.id)).trashed_at = work.now
    for address in (asset.path, path(asset.path, Spec(320, "webp")), f"/media/{asset.id}/harbour.png"):
        assert (await site.browser().get(address)).status == 404


async def test_pages_have_pictures_of_the_cdn_and_links_of_their_own(database_url: str, tmp_path: Path, renderer: Renderer) -> None:
    async with running_site(database_url, tmp_path, renderer=renderer, media_cdn_url="https://cdn.example.org") as site:
        await site.person("owner")
        asset = await brought(site)
        actor = await factories.person(site.database, "editor")
        text = f'[![A "/media/1/x" > b]({asset.path})](/media/{asset.id}/harbour.png) `src="/media/1/a"`'
        await factories.published(site.database, actor, text=text, slug="a")
        page = (await site.browser().get("/a")).text
        assert f'src="https://cdn.example.org{asset.path}"' in page
        assert f'href="/media/{asset.id}/harbour.png"' in page
        assert "https://cdn.example.org/media/1/x" not in page
        assert "https://cdn.example.org/media/1/a" not in page
        async with site.database.transaction() as work:
            await sites.choose_access(work, SYSTEM, Access.PRIVATE, "hash")
        author = await site.signed_in("author")
        assert "cdn.example.org" not in (await author.get("/a")).text


async def test_storage_elsewhere_sends_by_an_address_that_ends(
    database_url: str, tmp_path: Path, renderer: Renderer, s3_server: s3.Server
) -> None:
    bucket = {name.removeprefix("SQUALL_").lower(): value for name, value in s3_server.new_bucket().items()}
    async with running_site(database_url, tmp_path, renderer=renderer, media_signed=True, **bucket) as site:
        asset = await brought(site)
        for address in (asset.path, path(asset.path, Spec(320, "webp"))):
            answer = await site.browser().get(address)
            assert answer.status == 302
            assert "X-Amz-Signature" in answer.location
            assert answer.headers["Cache-Control"] == "private, max-age=1800"
            answer = await site.browser().send("HEAD", address)
            assert answer.status == 200, "a bucket would refuse it, as an address is signed for GET alone"
        words = await brought(site, b"WEBVTT\n", name="words.vtt", kind="captions", content_type="text/vtt")
        assert (await site.browser().get(words.path)).body == b"WEBVTT\n"  # another host's are not shown by browsers
        drawing = await brought(site, b"<svg/>", name="map.svg", content_type="image/svg+xml")
        answer = await site.browser().get(drawing.path)
        assert answer.body == b"<svg/>"
        assert answer.headers["Content-Security-Policy"].startswith("sandbox"), "a bucket would send none"
