"""The library: what is in it for whom, folders, what is done to several files at once, and the end of what is in the trash."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from cms.content.folding import fold
from cms.db.session import Database
from cms.errors import Conflict, Forbidden, InvalidInput, NotFound
from cms.models import Asset, AssetTag, Folder, Job
from cms.policy import Actor, Capability
from cms.schemas.library import FolderInput, LibraryBulk, LibraryQuery
from cms.services import folders, library, library_acts
from cms.services.library import LibrarySlice
from cms.services.library_acts import Report
from tests import watching
from tests.factories import asset_row, draft, person, published

MB = 1024 * 1024


async def brought(database: Database, owner: Actor, **files: Mapping[str, Any]) -> dict[str, int]:
    """Numbers by name; "_" stands for the dot."""
    numbers = {}
    async with database.transaction() as work:
        for n, (name, given) in enumerate(files.items(), 1):
            values: dict[str, Any] = {"created_at": work.now + timedelta(seconds=n), "created_by_id": owner.user_id, **given}
            asset = asset_row(digest=f"{owner.user_id or 0:032x}{n:032x}", name=name.replace("_", "."), **values)
            asset.folded = fold(f"{asset.name} {asset.alt} {asset.caption}")
            work.session.add(asset)
            await work.session.flush()
            numbers[name] = asset.id
    return numbers


async def listed(database: Database, actor: Actor, **asked: Any) -> LibrarySlice:
    async with database.read() as session:
        return await library.list_assets(session, actor, LibraryQuery.model_validate(asked))


async def names(database: Database, actor: Actor, **asked: Any) -> list[str]:
    return [row.asset.name for row in (await listed(database, actor, **asked)).rows]


async def bulk(database: Database, actor: Actor, act: str, ids: list[int], **given: Any) -> Report:
    return await library_acts.apply(database.run, actor, LibraryBulk.model_validate({"act": act, "id": ids, **given}))


async def made(database: Database, actor: Actor, name: str, parent: int = 0) -> Folder:
    async with database.transaction() as work:
        return await folders.create(work, actor, FolderInput(name=name, parent=parent))


async def paths(database: Database) -> list[str]:
    async with database.read() as session:
        return [branch.path for branch in await folders.tree(session)]


async def test_list_is_narrowed_searched_and_sorted(database: Database) -> None:
    ana, edna = await person(database, "author"), await person(database, "editor")
    mine = await brought(
        database,
        ana,
        harbour_jpg={"alt": "Boats at the quày", "size": 3 * MB},
        gull_png={"is_decorative": True, "size": 2},
        tide_pdf={"kind": "file"},
    )
    hers = await brought(database, edna, wreck_jpg={"caption": "The wreck"})
    assert (await bulk(database, ana, "add_tags", [mine["gull_png"]], tags=["Sea Birds"])).done
    await draft(database, ana, text=f"![](/media/{hers['wreck_jpg']}/wreck.jpg)")
    assert (await names(database, ana))[0] == "tide.pdf"
    for asked, expected in (
        ({"sort": "name"}, ["gull.png", "harbour.jpg", "tide.pdf", "wreck.jpg"]),
        ({"sort": "name", "reverse": True}, ["wreck.jpg", "tide.pdf", "harbour.jpg", "gull.png"]),
        ({"kind": "file"}, ["tide.pdf"]),
        ({"by": edna.user_id}, ["wreck.jpg"]),
        ({"tag": "sea birds"}, ["gull.png"]),
        ({"q": "QUAY boats"}, ["harbour.jpg"]),
        ({"q": "birds"}, ["gull.png"]),
        ({"q": "%"}, []),
        ({"large": True}, ["harbour.jpg"]),
        ({"without_alt": True}, ["wreck.jpg"]),
        ({"unused": True, "sort": "name"}, ["gull.png", "harbour.jpg", "tide.pdf"]),
        ({"since": "2100-01-01"}, []),
        ({"pick": "picture", "kind": "file", "sort": "name"}, ["gull.png", "harbour.jpg", "wreck.jpg"]),
    ):
        assert await names(database, ana, **asked) == expected, asked
    assert (await names(database, ana, sort="size"))[0] == "harbour.jpg"
    found = await listed(database, ana)
    assert found.kinds["picture"] == (3, 3 * MB + 3)
    assert [row.may_change for row in (await listed(database, ana, sort="name")).rows] == [True, True, True, False]
    with pytest.raises(Forbidden):
        await listed(database, await person(database, "contributor"))
    async with database.read() as session:
        assert await library.without_alt(session, ana) == 0
        assert await library.without_alt(session, edna) == 1
        assert [(room.kind.value, room.number) for room in await library.room(session, ana)] == [("picture", 3), ("file", 1)]


async def test_screens_and_questions_do_not_grow(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "PER_SCREEN", 4)
    ana, asked = await person(database, "author"), []
    await brought(database, ana, **{f"number-{n}_png": {} for n in range(6)})
    for page in (1, 2, 9):
        with watching.questions(database) as sent:
            found = await listed(database, ana, page=page, sort="name")
        asked.append(len(sent))
        assert (found.page, found.pages, found.total) == (min(page, 2), 2, 6)
        assert len(found.rows) == (4 if page == 1 else 2)
    assert asked[0] == asked[1] <= 7


async def test_folders_are_a_tree_without_rings(database: Database) -> None:
    edna, ana = await person(database, "editor"), await person(database, "author")
    figures = await made(database, edna, "Figures")
    maps = await made(database, edna, "Maps", figures.id)
    old = await made(database, edna, "Old", maps.id)
    await made(database, ana, "Ana's")
    assert await paths(database) == ["Ana's", "Figures", "Figures › Maps", "Figures › Maps › Old"]

    async def save(actor: Actor, folder: Folder, name: str, parent: int) -> None:
        async with database.transaction() as work:
            await folders.save(work, actor, folder.id, FolderInput(name=name, parent=parent))

    for parent in (figures.id, maps.id, old.id):
        with pytest.raises(InvalidInput, match="cannot lie in itself"):
            await save(edna, figures, "Figures", parent)
    with pytest.raises(InvalidInput, match="of this name"):
        await made(database, edna, "FIGÜRES".replace("Ü", "u"))
    with pytest.raises(Forbidden):
        await save(ana, maps, "Mine", 0)
    with pytest.raises(InvalidInput):
        await save(edna, maps, "Maps", 999)
    await save(edna, old, "Older", figures.id)
    assert await paths(database) == ["Ana's", "Figures", "Figures › Maps", "Figures › Older"]
    numbers = await brought(database, edna, a_png={"folder_id": maps.id}, b_png={"folder_id": figures.id}, c_png={})
    found = await listed(database, ana, folder=figures.id, sort="name")
    assert [row.asset.name for row in found.rows] == ["a.png", "b.png"]
    assert (found.counts[0], found.counts[figures.id], found.counts[maps.id], found.counts[old.id]) == (3, 2, 1, 0)
    with pytest.raises(NotFound):
        await listed(database, ana, folder=999)
    async with database.transaction() as work:
        await folders.delete(work, edna, figures.id)
    assert await paths(database) == ["Ana's", "Maps", "Older"]
    async with database.read() as session:
        places = dict((await session.execute(select(Asset.id, Asset.folder_id))).all())
    assert places == {numbers["a_png"]: maps.id, numbers["b_png"]: None, numbers["c_png"]: None}


async def test_folder_takes_the_place_of_the_one_it_lay_in(database: Database) -> None:
    edna = await person(database, "editor")
    outer = await made(database, edna, "Same")
    inner = await made(database, edna, "Same", outer.id)
    await made(database, edna, "Other", outer.id)
    clash = await made(database, edna, "Other")
    with pytest.raises(InvalidInput, match="two folders “Other”"):
        async with database.transaction() as work:
            await folders.delete(work, edna, outer.id)
    async with database.transaction() as work:
        await folders.delete(work, edna, clash.id)
    async with database.transaction() as work:
        await folders.delete(work, edna, outer.id)
    assert await paths(database) == ["Other", "Same"]
    async with database.read() as session:
        assert (await folders.get(session, inner.id)).parent_id is None


async def test_each_role_does_what_it_may_and_is_told_what_was_left(database: Database) -> None:
    ana, edna, cem = [await person(database, role) for role in ("author", "editor", "contributor")]
    mine, hers = await brought(database, ana, a_png={}), await brought(database, edna, b_png={})
    folder = await made(database, ana, "Things")
    both = [mine["a_png"], hers["b_png"], 999]
    for act, given in (
        ("move", {"to_folder": folder.id}),
        ("add_tags", {"tags": ["Sea"]}),
        ("trash", {}),
        ("restore", {}),
        ("trash", {}),
        ("delete", {}),
    ):
        report = await bulk(database, ana, act, both, **given)
        assert (report.done, report.refused.keys()) == ([mine["a_png"]], {hers["b_png"], 999}), act
        report = await bulk(database, cem, act, both, **given)
        assert not report.done, act
    async with database.read() as session:
        left = (await session.scalars(select(Asset))).one()
        assert (left.id, left.folder_id, left.trashed_at) == (hers["b_png"], None, None)
    assert (await bulk(database, edna, "restore", [hers["b_png"]])).refused == {hers["b_png"]: "This is not in the trash."}
    assert (await bulk(database, edna, "move", [hers["b_png"]], to_folder=folder.id)).done
    for act, given in (("trash", {"id": []}), ("add_tags", {"tags": []})):
        with pytest.raises(InvalidInput):
            await library_acts.apply(database.run, edna, LibraryBulk.model_validate({"act": act, "id": both, **given}))


async def test_tags_keep_the_spelling_of_the_first(database: Database) -> None:
    ana = await person(database, "author")
    numbers = list((await brought(database, ana, a_png={}, b_png={})).values())
    await bulk(database, ana, "add_tags", numbers[:1], tags=["Sea", "Mud"])
    await bulk(database, ana, "add_tags", numbers, tags=["SEA", "mud"])
    async with database.read() as session:
        assert set(await session.scalars(select(AssetTag.name))) == {"Sea", "Mud"}
    await bulk(database, ana, "remove_tags", numbers, tags=["sea"])
    async with database.read() as session:
        assert (await library.choices(session)).tags == ["Mud"]


async def test_names_of_letters_that_are_many_are_kept(database: Database) -> None:
    ana, long = await person(database, "author"), "ﷺ" * 80
    number = (await brought(database, ana, a_png={}))["a_png"]
    for _ in range(2):
        await bulk(database, ana, "add_tags", [number], tags=[long])
    assert [row.tags for row in (await listed(database, ana, tag=long)).rows] == [(long,)]
    await made(database, ana, long)
    with pytest.raises(InvalidInput, match="of this name"):
        await made(database, ana, long)


async def test_what_is_shown_goes_to_the_trash_only_with_the_places_known(database: Database) -> None:
    ana = await person(database, "author")
    number = (await brought(database, ana, a_png={}))["a_png"]
    post = await published(database, ana, title="Mud", text=f"![](/media/{number}/a.png)")

    async def asks(**given: Any) -> list[str]:
        wanted = LibraryBulk.model_validate({"act": "trash", "id": [number], **given})
        async with database.read() as session:
            found = await library_acts.in_use(session, ana, wanted)
        return [place.title for _, uses in found for place in uses.places]

    assert await asks() == ["Mud"]
    assert (await bulk(database, ana, "trash", [number])).refused == {number: "It is in use."}
    known = {"is_confirmed": True, "knowing": [post.post_id]}
    assert await asks(**known) == []
    other = await published(database, ana, title="Sand", text=f"![](/media/{number}/a.png)")
    assert sorted(await asks(**known)) == ["Mud", "Sand"], "readers see it in another text by now"
    assert not (await bulk(database, ana, "trash", [number], **known)).done
    assert (await bulk(database, ana, "trash", [number], is_confirmed=True, knowing=[post.post_id, other.post_id])).done == [number]
    found = await listed(database, ana)
    assert (found.total, found.trashed) == (0, 1)
    assert await names(database, ana, trash=True) == ["a.png"]
    assert await names(database, await person(database, "author", "Otto"), trash=True) == []
    async with database.read() as session:
        assert [job.payload for job in await session.scalars(select(Job).where(Job.name == "renew_media"))] == [{"asset": number}]


async def test_trash_is_emptied_and_the_bytes_are_left_to_jobs(database: Database) -> None:
    edna = await person(database, "editor")
    numbers = await brought(database, edna, old_png={"shown_digest": "f" * 64}, new_png={}, kept_png={})
    await bulk(database, edna, "trash", [numbers["old_png"], numbers["new_png"]])
    async with database.transaction() as work:
        await work.session.execute(update(Asset).where(Asset.id == numbers["old_png"]).values(trashed_at=work.now - timedelta(days=31)))
    await library_acts.prune(database)
    await library_acts.prune(database)
    assert await names(database, edna, trash=True) == ["new.png"]
    async with database.read() as session:
        jobs = await session.scalars(select(Job).where(Job.name == "forget_file"))
        assert {job.payload["digest"] for job in jobs} == {f"{edna.user_id:032x}{1:032x}", "f" * 64}


async def test_what_is_in_the_trash_is_not_changed_there(database: Database) -> None:
    ana = await person(database, "author")
    number = (await brought(database, ana, a_png={}))["a_png"]
    await bulk(database, ana, "trash", [number])
    assert (await bulk(database, ana, "add_tags", [number], tags=["Sea"])).refused == {number: "This is in the trash; take it out first."}
    with pytest.raises(Conflict):
        async with database.transaction() as work:
            await library.hold(work, ana, number, Capability.MEDIA_EDIT)
