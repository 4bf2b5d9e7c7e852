"""An asset changes, and every text that shows it with it."""

import asyncio
import hashlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import delete, select

from cms.content.context import RenderContext, Rendered
from cms.db.session import Database
from cms.errors import Conflict, Forbidden, InvalidInput
from cms.events import PostPublished
from cms.models import Asset, AssetAddress, Job, LinkCard, PostCard, Published, Rendition
from cms.models.media import MediaKind
from cms.policy import Actor
from cms.rendering import Renderer
from cms.schemas.library import LibraryBulk
from cms.services import library_acts, link_cards, media, media_changes, media_edits, renewing, site
from cms.services.intake import Brought, Intake
from cms.services.media_changes import Sent, Shown
from cms.telemetry import Metrics
from cms.worker import loop
from cms.worker.tasks import TASKS
from tests.factories import asset_row, draft, means, person, publish, published
from tests.media import made
from tests.services.test_media_uses import brought

URL = "https://tides.example"
PATIENCE = 10  # seconds; only a hang takes so long


async def shown(database: Database, renderer: Renderer, editor: Actor, asset: Asset, text: str = "![]({path})") -> int:
    """A public post with the asset in it and above it."""
    post = await draft(database, editor, text=text.format(path=asset.path), picture=asset.id)
    await publish(database, editor, post.id)
    await renewing.renew_users(database, renderer, URL, asset.id)
    return post.id


async def live(database: Database, post_id: int) -> Published:
    async with database.read() as session:
        return await session.get_one(Published, post_id)


async def has_logo(database: Database) -> bool:
    async with database.read() as session:
        return (await site.get_frame(session)).logo is not None


async def jobs_of(database: Database) -> list[tuple[str, dict[str, object]]]:
    async with database.read() as session:
        rows = await session.execute(select(Job.name, Job.payload).where(Job.name.in_(("renew_media", "make_renditions", "forget_file"))))
        return sorted((name, dict(payload)) for name, payload in rows)


async def test_texts_and_the_frame_follow_what_happens_in_the_library_at_once(
    database: Database, renderer: Renderer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cms.worker.loop.PAUSE", 3600.0)
    editor, (asset,) = await person(database, "editor"), await brought(database, "a.png")
    post_id = await shown(database, renderer, editor, asset)
    async with database.transaction() as work:
        await site.configure(work, logo_id=asset.id)
    working = asyncio.create_task(loop.run(means(database, tmp_path, renderer=renderer), Metrics()))
    async with asyncio.timeout(PATIENCE):
        for act, is_shown in (("trash", False), ("restore", True), ("trash", False)):
            known = LibraryBulk.model_validate({"act": act, "id": [asset.id], "is_confirmed": True, "knowing": [post_id]})
            assert (await library_acts.apply(database.run, editor, known)).done == [asset.id]
            while ((await live(database, post_id)).picture is not None, await has_logo(database)) != (is_shown, is_shown):
                await asyncio.sleep(0.01)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)


async def test_alternative_text_is_in_every_text_when_the_job_is_done(database: Database, renderer: Renderer) -> None:
    editor, (asset,) = await person(database, "editor"), await brought(database, "a.png")
    post_id = await shown(database, renderer, editor, asset)
    async with database.transaction() as work:
        await media_changes.describe(work, editor, asset.id, {"alt": "Mud at low tide"}, asset.version)
    assert await jobs_of(database) == [("renew_media", {"asset": asset.id})]
    heard: list[object] = []
    database.listen(heard.append)
    before = await live(database, post_id)
    await renewing.renew_users(database, renderer, URL, asset.id)
    now = await live(database, post_id)
    assert now.picture is not None
    assert now.picture["alt"] == "Mud at low tide"
    assert (now.updated_at, now.published_at, now.revision_id) == (before.updated_at, before.published_at, before.revision_id)
    aspects = {aspect for event in heard if isinstance(event, PostPublished) for aspect in event.aspects}
    assert aspects == {"body", "picture"}, "the text has no words of its own for it"


async def test_whose_it_is_stands_below_it_everywhere_when_the_job_is_done(database: Database, renderer: Renderer) -> None:
    editor, (asset,) = await person(database, "editor"), await brought(database, "a.png")
    post_id = await shown(database, renderer, editor, asset)
    async with database.transaction() as work:
        await media_changes.describe(work, editor, asset.id, {"credit": "Ana Rey", "licence": "CC0"})
    await renewing.renew_users(database, renderer, URL, asset.id)
    now = await live(database, post_id)
    assert "<small>Ana Rey, CC0</small>" in now.html
    assert now.picture is not None
    assert (now.picture["rights"], "caption" in now.picture) == ("Ana Rey, CC0", False)


async def test_what_stays_the_same_is_announced_to_nobody(database: Database, renderer: Renderer) -> None:
    editor, (asset,) = await person(database, "editor"), await brought(database, "a.png")
    await shown(database, renderer, editor, asset)
    heard: list[object] = []
    database.listen(heard.append)
    await renewing.renew_users(database, renderer, URL, asset.id)
    assert not [event for event in heard if isinstance(event, PostPublished)]


async def test_another_file_takes_its_place_and_the_old_address_stays_known(database: Database, renderer: Renderer) -> None:
    editor, (asset,) = await person(database, "editor"), await brought(database, "a.png")
    post_id, old = await shown(database, renderer, editor, asset), asset.path
    sent = Sent("e" * 64, 9, MediaKind.PICTURE, "image/jpeg", "jpg", 1, None, Shown("f" * 64, 8, 40, 30))
    async with database.transaction() as work:
        replaced = await media_changes.replace(work, editor, asset.id, sent)
    assert replaced.path == f"/media/{asset.id}/{'f' * 12}/a.jpg"
    await renewing.renew_users(database, renderer, URL, asset.id)
    assert old not in (now := await live(database, post_id)).html
    assert replaced.path in now.html
    async with database.read() as session:
        assert [(row.mark, row.name) for row in await session.scalars(select(AssetAddress))] == [(asset.mark, "a.png")]
        for mark, name, is_known in ((asset.mark, "a.png", True), ("", "a.png", True), ("f" * 12, "a.jpg", True),
                                     ("1" * 12, "a.png", False), ("", "b.png", False)):  # fmt: skip
            assert await media.knows_address(session, replaced, mark, name) is is_known
    assert ("make_renditions", {"asset": asset.id}) in await jobs_of(database)
    assert ("forget_file", {"digest": asset.digest}) in await jobs_of(database)


async def test_file_of_another_kind_or_of_another_asset_is_refused(database: Database) -> None:
    editor, (one, two) = await person(database, "editor"), await brought(database, "a.png", "b.png")
    film = Sent("e" * 64, 9, MediaKind.VIDEO, "video/mp4", "mp4", 1, 2.5, Shown("e" * 64, 9, None, None))
    same = Sent(two.digest, 1, MediaKind.PICTURE, "image/png", "png", 1, None, Shown(two.digest, 1, 4, 3))
    for sent in (film, same):
        with pytest.raises(InvalidInput):
            async with database.transaction() as work:
                await media_changes.replace(work, editor, one.id, sent)


async def test_author_changes_what_he_brought_and_nothing_else(database: Database) -> None:
    ana = await person(database, "author")
    (asset,) = await brought(database, "a.png")
    with pytest.raises(Forbidden):
        async with database.transaction() as work:
            await media_changes.describe(work, ana, asset.id, {"alt": "Mine"})
    async with database.transaction() as work:
        (await work.session.get_one(Asset, asset.id)).created_by_id = ana.user_id
    async with database.transaction() as work:
        assert (await media_changes.describe(work, ana, asset.id, {"alt": "Mine", "name": "Übersicht.png"})).name == "ubersicht.png"


async def test_of_two_who_change_it_the_second_is_told(database: Database) -> None:
    editor, (asset,) = await person(database, "editor"), await brought(database, "a.png")
    async with database.transaction() as work:
        await media_changes.describe(work, editor, asset.id, {"credit": "Ana"}, asset.version)
    with pytest.raises(Conflict):
        async with database.transaction() as work:
            await media_changes.describe(work, editor, asset.id, {"credit": "Otto"}, asset.version)


async def test_what_was_there_before_an_upgrade_is_made_as_if_it_came_now(
    database: Database, renderer: Renderer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The place where it was taken goes, and texts that show it have it in all sizes; addresses become cards. Each text is made once."""
    editor, tools = await person(database, "editor"), means(database, tmp_path, renderer=renderer)
    photograph = made.saved(made.corners((800, 600)), "JPEG", exif=made.camera(6))
    broken = b"no picture"
    ids = []
    async with database.transaction() as work:
        for content in (photograph, broken):
            digest = hashlib.sha256(content).hexdigest()
            await tools.storage.put(media.storage_name(digest), content)
            asset = asset_row(digest=digest, name="a.jpg", content_type="image/jpeg", width=600, height=800, created_at=work.now)
            work.session.add(asset)
            await work.session.flush()
            ids.append(asset.id)
    post = await draft(database, editor, text=f"![](/media/{ids[0]}/a.jpg)")
    await publish(database, editor, post.id)
    await published(database, editor, title="Plain", text="Words.")
    linking = await published(database, editor, title="Linking", text="https://else.example/a")
    async with database.transaction() as work:
        for table in (LinkCard, Job):
            await work.session.execute(delete(table))
    made_again, render = list[str](), renderer.render

    async def noted(source: str, context: RenderContext) -> Rendered:
        made_again.append(source)
        return await render(source, context)

    monkeypatch.setattr(renderer, "render", noted)
    await TASKS["catch_up_media"](tools, {})
    async with database.read() as session:
        assert (await session.scalars(select(PostCard.post_id))).all() == [linking.post_id]
        left_to_do = set(await session.scalars(select(Job.name)))
    assert made_again == [f"![](/media/{ids[0]}/a.jpg)", "https://else.example/a"]
    assert left_to_do == {link_cards.JOB, media.FORGETTING}
    async with database.read() as session:
        asset, left = await session.get_one(Asset, ids[0]), await session.get_one(Asset, ids[1])
        sizes = sorted(await session.scalars(select(Rendition.name).where(Rendition.shown_digest == asset.shown_digest)))
    assert asset.shown_digest != asset.digest
    assert (asset.width, asset.height) == (600, 800)
    assert left.shown_digest == left.digest
    shown = b"".join([piece async for piece in tools.storage.read(media.storage_name(asset.shown_digest))])
    assert made.GPS not in Image.open(io.BytesIO(shown)).getexif()
    assert sizes == [f"{width}.{form}" for width in (320, 480) for form in ("avif", "jpg", "webp")]
    assert asset.path in (await live(database, post.id)).html
    await tools.imaging.close()


async def test_what_is_replaced_while_it_is_made_anew_stays_replaced(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor, tools, make = await person(database, "editor"), means(database, tmp_path), media_edits._made
    before, after = (made.saved(made.lying(turned), "JPEG", exif=made.camera(turned)) for turned in (6, 3))
    digest = hashlib.sha256(before).hexdigest()
    await tools.storage.put(media.storage_name(digest), before)
    async with database.transaction() as work:
        work.session.add(
            asset := asset_row(digest=digest, name="a.jpg", content_type="image/jpeg", width=60, height=40, created_at=work.now)
        )

    async def make_while_somebody_replaces(intake: Intake, known: Asset, edits: Mapping[str, Any]) -> Shown:
        shown = await make(intake, known, edits)
        if known.digest == digest:
            await intake.take_bytes(editor, after, Brought("b.jpg", replaces_id=known.id))
        return shown

    monkeypatch.setattr(media_edits, "_made", make_while_somebody_replaces)
    await media_edits.make_all_again(tools.intake)
    async with database.read() as session:
        now = await session.get_one(Asset, asset.id)
    replaced = await make(tools.intake, now, {})
    assert (now.digest, now.shown_digest) == (hashlib.sha256(after).hexdigest(), replaced.digest)
    await tools.imaging.close()
