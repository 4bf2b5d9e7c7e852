"""How bytes become an asset, and what is left where that breaks off: on each database, in a folder and in a bucket."""

import asyncio
import errno
import io
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import select, update

from cms.db.session import Database
from cms.errors import Conflict, Forbidden, InvalidInput, NotFound, StorageFull
from cms.imaging import Imaging
from cms.media.storage import Storage
from cms.models import Asset, Job, Rendition, Upload
from cms.policy import Actor
from cms.schemas.uploads import UploadInput
from cms.services import intake as intakes
from cms.services import media, media_check, uploads
from cms.services.intake import Brought, Intake
from cms.services.media import FORGETTING, storage_name
from cms.services.media_check import Mended
from cms.worker import tasks
from tests import factories

LATER = 2 * media_check.SETTLED


class KilledError(BaseException):
    """The process ends here."""


@pytest.fixture
def intake(database: Database, storage: Storage, imaging: Imaging, tmp_path: Path) -> Intake:
    return Intake(database, storage, imaging, tmp_path / "incoming")


def photo(colour: str = "teal") -> bytes:
    """Readers get another file: without the place."""
    exif = Image.Exif()
    exif[0x8825] = {1: "N", 2: (54.0, 19.0, 0.0)}
    kept = io.BytesIO()
    Image.new("RGB", (60, 40), colour).save(kept, "JPEG", exif=exif)
    return kept.getvalue()


async def begun(intake: Intake, actor: Actor, content: bytes, **fields: Any) -> str:
    """All has arrived, in three pieces."""
    async with intake.database.transaction() as work:
        wanted = UploadInput.model_validate({"name": "tide.jpg", "size": len(content), **fields})
        upload = await uploads.begin(work, actor, wanted)
    cut = len(content) // 3
    for start, end in ((0, cut), (cut, 2 * cut), (2 * cut, len(content))):
        await uploads.add_piece(intake, actor, upload.id, start, [content[start:end]])
    return upload.id


async def names(storage: Storage) -> set[str]:
    return {name async for name, _ in storage.list()}


async def assets(database: Database) -> list[Asset]:
    async with database.read() as session:
        return list(await session.scalars(select(Asset).order_by(Asset.id)))


async def read(storage: Storage, digest: str) -> bytes:
    return b"".join([piece async for piece in storage.read(storage_name(digest))])


async def some_time_later(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    """For the rows and for the files, which nobody touches meanwhile."""
    async with intake.database.transaction() as work:
        await work.session.execute(update(Asset).values(updated_at=work.now - LATER))
    monkeypatch.setattr(media_check, "SETTLED", timedelta(seconds=-5))


async def test_pieces_become_an_asset_once(intake: Intake) -> None:
    ana, content = await factories.person(intake.database, "author"), photo()
    taken = await uploads.finish(intake, ana, await begun(intake, ana, content))
    asset, digest = taken.asset, factories.digest_of(content)
    assert (asset.digest, asset.size, asset.width, asset.height, asset.name) == (digest, len(content), 60, 40, "tide.jpg")
    assert (asset.is_ready, asset.created_by_id, taken.is_known) == (True, ana.user_id, False)
    assert await read(intake.storage, digest) == content
    shown = await read(intake.storage, asset.shown_digest)
    assert (asset.shown_digest, asset.shown_size) == (factories.digest_of(shown), len(shown))
    assert b"GPS" not in shown
    assert await names(intake.storage) == {storage_name(digest), storage_name(asset.shown_digest)}
    ben = await factories.person(intake.database, "author", "Ben")
    again = await uploads.finish(intake, ben, await begun(intake, ben, content, name="other.png"))
    assert (again.asset.id, again.is_known) == (asset.id, True)
    assert await names(intake.storage) == {storage_name(digest), storage_name(asset.shown_digest)}
    assert (await media_check.look(intake.database, intake.storage)).is_well
    assert not list(intake.folder.iterdir())


async def test_asked_again_before_it_has_ended_it_is_brought_once(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    ana, gather = await factories.person(intake.database, "author"), uploads._gather
    upload_id = await begun(intake, ana, photo())

    async def late(*given: Any) -> None:
        monkeypatch.setattr(uploads, "_gather", gather)
        await uploads.finish(intake, ana, upload_id)
        await gather(*given)

    monkeypatch.setattr(uploads, "_gather", late)
    again = await uploads.finish(intake, ana, upload_id)
    assert (again.is_known, [asset.id for asset in await assets(intake.database)]) == (True, [again.asset.id])


async def test_two_who_bring_the_same_at_one_moment_bring_one(intake: Intake) -> None:
    people = [await factories.person(intake.database, "author", name) for name in ("Ana", "Ben")]
    taken = await asyncio.gather(*(intake.take_bytes(each, photo(), Brought("a.jpg")) for each in people))
    assert len({each.asset.id for each in taken}) == len(await assets(intake.database)) == 1
    assert (await media_check.look(intake.database, intake.storage)).is_well


async def test_bytes_that_were_lost_are_there_when_somebody_sends_them_again(intake: Intake) -> None:
    ana = await factories.person(intake.database, "author")
    asset = (await intake.take_bytes(ana, photo(), Brought("a.jpg"))).asset
    shown = await read(intake.storage, asset.shown_digest)
    for digest in (asset.digest, asset.shown_digest):
        await intake.storage.delete(storage_name(digest))
    assert (await intake.take_bytes(ana, photo(), Brought("a.jpg"))).asset.id == asset.id
    assert await read(intake.storage, asset.digest) == photo()
    assert await read(intake.storage, asset.shown_digest) == shown != photo()


async def test_the_same_bytes_come_out_of_the_trash_for_whoever_may(intake: Intake) -> None:
    ana, ben = await factories.person(intake.database, "author"), await factories.person(intake.database, "author", "Ben")
    asset = (await intake.take_bytes(ana, photo(), Brought("a.jpg"))).asset
    async with intake.database.transaction() as work:
        await work.session.execute(update(Asset).values(trashed_at=work.now))
    with pytest.raises(Forbidden, match="in the trash"):
        await intake.take_bytes(ben, photo(), Brought("a.jpg"))
    again = await intake.take_bytes(ana, photo(), Brought("a.jpg"))
    assert (again.asset.id, again.asset.is_ready, again.is_known) == (asset.id, True, True)


async def test_a_portrait_that_somebody_brings_for_all_is_in_the_library(intake: Intake) -> None:
    ana = await factories.person(intake.database, "author")
    portrait = (await intake.take_bytes(ana, photo(), Brought("", in_library=False))).asset
    assert (portrait.name, portrait.in_library) == (f"{portrait.digest[:16]}.jpg", False)
    assert (await intake.take_bytes(ana, photo(), Brought("me.jpg"))).asset.in_library


async def test_another_file_takes_its_place_and_what_is_refused_leaves_nothing(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    ana, ben = await factories.person(intake.database, "author"), await factories.person(intake.database, "author", "Ben")
    asset = (await intake.take_bytes(ana, photo(), Brought("tide.jpg"))).asset
    other = (await intake.take_bytes(ana, photo("red"), Brought("other.jpg"))).asset
    with pytest.raises(Forbidden):
        await begun(intake, ben, photo("blue"), replaces=asset.id)
    for content in (photo("red"), b"Low tide at six."):
        with pytest.raises(InvalidInput):
            await uploads.finish(intake, ana, await begun(intake, ana, content, replaces=asset.id))
    taken = await uploads.finish(intake, ana, await begun(intake, ana, photo("blue"), replaces=asset.id, name="new.jpeg"))
    now = taken.asset
    assert (now.id, now.name, now.digest, taken.is_known) == (asset.id, "tide.jpeg", factories.digest_of(photo("blue")), False)
    assert (await read(intake.storage, now.digest), now.shown_digest != asset.shown_digest) == (photo("blue"), True)
    await work_off(intake)
    kept = {storage_name(digest) for each in (now, other) for digest in (each.digest, each.shown_digest)}
    assert {name for name in await names(intake.storage) if not name.startswith("renditions/")} == kept


async def work_off(intake: Intake) -> None:
    """The jobs that delete what nothing names any more."""
    async with intake.database.transaction() as work:
        digests = [job.payload["digest"] for job in await work.session.scalars(select(Job).where(Job.name == FORGETTING))]
    for digest in digests:
        async with intake.database.read() as session:
            is_named = await media.is_named(session, digest)
        if not is_named:
            await intake.storage.delete(storage_name(digest))


async def test_what_was_put_there_just_now_is_left_to_whoever_put_it(
    intake: Intake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    means = replace(factories.means(intake.database, tmp_path), storage=intake.storage)
    name, forgotten = storage_name("a" * 64), {"digest": "a" * 64}
    await intake.storage.put(name, b"cut as it was before; the row comes in a moment")
    with pytest.raises(tasks.PutOff) as later:
        await tasks.TASKS[FORGETTING](means, forgotten)
    assert later.value.until > intake.database.clock()
    assert await names(intake.storage) == {name}
    monkeypatch.setattr(tasks, "JUST_PUT", timedelta(seconds=-5))
    for _ in range(2):
        await tasks.TASKS[FORGETTING](means, forgotten)
    assert await names(intake.storage) == set()


STEPS = ["probe", "prepare", "begin", "sent", "shown", "settle", "pieces"]


@pytest.mark.parametrize("step", STEPS)
async def test_killed_at_any_step_nothing_is_broken_and_the_check_mends(intake: Intake, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    ana, content = await factories.person(intake.database, "author"), photo()
    upload_id = await begun(intake, ana, content)
    with monkeypatch.context() as killing, pytest.raises(KilledError):
        _kill(killing, intake, step)
        await uploads.finish(intake, ana, upload_id)
    is_ready = step == "pieces"
    assert [asset.is_ready for asset in await assets(intake.database)] == [is_ready] * (step not in STEPS[:3])
    await some_time_later(intake, monkeypatch)
    found = await media_check.look(intake.database, intake.storage)
    assert (found.missing, found.of_another_size, found.without_row) == ([], [], [])
    assert len(found.unfinished) == (step in ("sent", "shown", "settle"))
    mended = await media_check.mend(intake.database, intake.storage, found)
    assert mended == {
        "sent": Mended(0, 1, 0, 0), "shown": Mended(0, 1, 1, 0), "settle": Mended(1, 0, 0, 0)
    }.get(step, Mended(0, 0, 0, 0))  # fmt: skip
    assert (await media_check.look(intake.database, intake.storage)).is_well
    taken = await uploads.finish(intake, ana, upload_id)
    assert (taken.asset.is_ready, len(await assets(intake.database))) == (True, 1)
    async with intake.database.transaction() as work:
        await work.session.execute(update(Upload).values(active_at=work.now - 2 * uploads.KEPT))
    await uploads.prune(intake)
    assert await names(intake.storage) == {storage_name(taken.asset.digest), storage_name(taken.asset.shown_digest)}


def _kill(killing: pytest.MonkeyPatch, intake: Intake, step: str) -> None:
    async def end(*_: Any, **__: Any) -> None:
        raise KilledError

    if step in ("probe", "prepare"):
        killing.setattr(intake.imaging, step, end)
    elif step in ("begin", "settle"):
        killing.setattr(intakes, f"_{step}", end)
    elif step == "pieces":
        killing.setattr(intake.storage, "delete", end)
    else:
        put, number = intake.storage.put_file, iter(("sent", "shown"))

        async def put_or_end(name: str, path: Path) -> None:
            if next(number) == step:
                raise KilledError
            await put(name, path)

        killing.setattr(intake.storage, "put_file", put_or_end)


async def test_whoever_sends_it_again_ends_what_broke_off(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    ana, ben = await factories.person(intake.database, "author"), await factories.person(intake.database, "author", "Ben")
    with monkeypatch.context() as killing, pytest.raises(KilledError):
        _kill(killing, intake, "shown")
        await intake.take_bytes(ana, photo(), Brought("a.jpg"))
    taken = await intake.take_bytes(ben, photo(), Brought("b.jpg"))
    assert (taken.asset.name, taken.asset.created_by_id, taken.asset.is_ready) == ("a.jpg", ana.user_id, True)
    assert (await media_check.look(intake.database, intake.storage)).is_well


async def test_a_disk_that_is_full_is_said_as_such(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    ana, content = await factories.person(intake.database, "author"), photo()
    upload_id = await begun(intake, ana, content)
    with monkeypatch.context() as full, pytest.raises(StorageFull):
        full.setattr(intakes, "digest_of", _full)
        await uploads.finish(intake, ana, upload_id)
    assert (await uploads.finish(intake, ana, upload_id)).asset.is_ready


def _full(_: Path) -> str:
    raise OSError(errno.ENOSPC, "No space left on device")


async def test_the_check_finds_bytes_without_rows_and_rows_without_bytes(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    ana = await factories.person(intake.database, "author")
    asset = (await intake.take_bytes(ana, photo(), Brought("a.jpg"))).asset
    storage, folder = intake.storage, f"renditions/{asset.shown_digest[:2]}/{asset.shown_digest}"
    made_too_late = f"renditions/bb/{'b' * 64}/320.webp"
    strays = [storage_name("a" * 64), f"{folder}/320.webp", made_too_late, "uploads/gone/0", ".draft-0123"]
    for name in strays:
        await storage.put(name, b"x")
    await storage.put(f"{folder}/640.webp", b"x")
    await begun(intake, ana, photo("red"))
    async with intake.database.transaction() as work:
        for name in ("640.webp", "960.webp"):
            work.session.add(Rendition(shown_digest=asset.shown_digest, name=name, size=1, made_at=work.now))
        work.session.add(Rendition(shown_digest="b" * 64, name="320.webp", size=1, made_at=work.now))
    found = await media_check.look(intake.database, storage)
    assert (found.without_row, found.without_bytes) == ([], [(asset.shown_digest, "960.webp")]), "what is new may be on its way"
    await some_time_later(intake, monkeypatch)
    found = await media_check.look(intake.database, storage)
    assert (found.without_row, found.unfinished, found.missing) == (sorted(strays), [], [])
    assert await media_check.mend(intake.database, storage, found) == Mended(0, 0, 5, 2)
    assert (await media_check.look(intake.database, storage)).is_well
    await storage.delete(storage_name(asset.digest))
    found = await media_check.look(intake.database, storage)
    assert (found.missing, found.can_be_mended) == ([f"{asset.id} ({storage_name(asset.digest)})"], 0)


async def test_pieces_that_do_not_fit_are_no_part_of_it(intake: Intake) -> None:
    ana, ben = await factories.person(intake.database, "author"), await factories.person(intake.database, "author", "Ben")
    upload_id = await begun(intake, ana, photo())
    with pytest.raises(NotFound):
        await uploads.finish(intake, ben, upload_id)
    await intake.storage.delete(f"uploads/{upload_id}/1")
    with pytest.raises((NotFound, Conflict)):
        await uploads.finish(intake, ana, upload_id)
    await uploads.abandon(intake, ana, upload_id)
    assert await names(intake.storage) == set()
    with pytest.raises(NotFound):
        await uploads.abandon(intake, ana, upload_id)
