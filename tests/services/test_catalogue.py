"""Categories, tags and series at the desk: renamed, moved, merged and deleted, with every text that shows them."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from cms.db.session import Database
from cms.errors import Forbidden, InvalidInput
from cms.models import (
    Address,
    Category,
    Job,
    PassedOn,
    Post,
    PostCategory,
    PostTag,
    PostTemplate,
    Published,
    Revision,
    Series,
    Tag,
    WorkingCopy,
)
from cms.models.address import TargetKind
from cms.models.post import Reason, Side
from cms.policy import Actor
from cms.schemas.terms import TermInput
from cms.services import catalogue, lists, passing_on, post_templates, reading, revisions, site, taxonomies, trashed_terms, working_copies
from cms.services.inspection import INSPECTIONS
from cms.telemetry import Metrics
from cms.worker import loop
from tests import factories
from tests.factories import draft, edited, person, publish, published

TAG, CATEGORY, SERIES = TargetKind.TAG, TargetKind.CATEGORY, TargetKind.SERIES


async def act(database: Database, function: Any, *arguments: Any) -> Any:
    async with database.transaction() as work:
        return await function(work, *arguments)


async def tag_id(database: Database, name: str) -> int:
    async with database.transaction() as work:
        return (await taxonomies.ensure_tags(work, [name]))[0]


async def category(database: Database, editor: Actor, name: str, parent: int | None = None) -> int:
    made = await act(database, catalogue.create, editor, CATEGORY, TermInput(name=name, parent=parent))
    return int(made.id)


async def document(database: Database, post_id: int) -> Published:
    async with database.read() as session:
        return (await session.scalars(select(Published).where(Published.post_id == post_id))).one()


async def fields(database: Database, table: Any, post_id: int) -> list[dict[str, Any]]:
    async with database.read() as session:
        return list(await session.scalars(select(table.fields).where(table.post_id == post_id)))


async def at(database: Database, path: str) -> str:
    """Where the list that once stood at an address is now."""
    async with database.read() as session:
        kind, _, rest = path.partition("/")
        return (await lists.find_subject(session, TargetKind(kind), rest))[0].path


async def nothing_is_wrong(database: Database) -> None:
    async with database.read() as session:
        for inspection in INSPECTIONS:
            assert (await inspection.look(session)).number == 0, inspection


async def test_renamed_tag_keeps_its_old_address_and_is_named_anew_in_every_text(database: Database) -> None:
    editor = await person(database, "editor")
    post = await published(database, editor, tags=("Sea", "Mud"))
    sea = await tag_id(database, "Sea")
    wanted = TermInput(name="The Sea", slug="the-sea", description="Salt.")
    assert await act(database, catalogue.save, editor, TAG, sea, wanted)
    assert (await document(database, post.post_id)).tags[0] == {"id": sea, "name": "The Sea", "path": "/tag/the-sea"}
    assert await at(database, "tag/sea") == "/tag/the-sea"
    for name, slug, wrong in (("MUD", "", "name"), ("Mire", "mud", "slug"), ("!!!", "", "name")):
        with pytest.raises(InvalidInput) as refused:
            await act(database, catalogue.save, editor, TAG, sea, TermInput(name=name, slug=slug))
        assert set(refused.value.errors) == {wrong}
    with pytest.raises(Forbidden):
        await act(database, catalogue.save, await person(database, "author"), TAG, sea, wanted)


async def test_what_two_change_of_a_term_is_both_kept_and_of_one_field_the_second_is_told(database: Database) -> None:
    editor = await person(database, "editor")
    coast, world = await category(database, editor, "Coast"), await category(database, editor, "World")
    seen = {"name": "Coast", "slug": "coast", "description": "", "parent": None}
    theirs = TermInput(name="Coast", slug="coast", description="Cliffs.", parent=world, seen=seen)
    await act(database, catalogue.save, editor, CATEGORY, coast, theirs)
    await act(database, catalogue.save, editor, CATEGORY, coast, TermInput(name="Shore", slug="coast", seen=seen))
    async with database.read() as session:
        now = catalogue.shown((await catalogue.get(session, editor, CATEGORY, coast)).term)
    assert now == {"name": "Shore", "slug": "coast", "description": "Cliffs.", "parent": world}
    with pytest.raises(InvalidInput) as refused:
        await act(database, catalogue.save, editor, CATEGORY, coast, TermInput(name="Beach", slug="coast", seen=seen))
    assert refused.value.errors == {"name": "Somebody else has written “Shore” here meanwhile. Saving now replaces it."}
    await act(database, catalogue.save, editor, CATEGORY, coast, TermInput(name="Shore", slug="coast", seen=seen))


async def test_moved_category_takes_those_below_it_along_and_never_below_itself(database: Database) -> None:
    editor = await person(database, "editor")
    coast = await category(database, editor, "Coast")
    north = await category(database, editor, "North", coast)
    world = await category(database, editor, "World")
    await act(database, partial(site.configure, permalink="/{category}/{slug}"))
    post = await published(database, editor, category=north)
    assert post.category
    assert post.category["path"] == "/category/coast/north"
    await act(database, catalogue.save, editor, CATEGORY, coast, TermInput(name="Shore", slug="shore", parent=world))
    now = (await document(database, post.post_id)).category
    assert now
    assert now["path"] == "/category/world/shore/north"
    assert now["above"] == [{"name": "World", "path": "/category/world"}, {"name": "Shore", "path": "/category/world/shore"}]
    assert await at(database, "category/coast/north") == "/category/world/shore/north"
    async with database.read() as session:
        assert (await reading.find_place(session, "coast/north/low-tide")).path == "/world/shore/north/low-tide"
    for below in (world, north):
        with pytest.raises(InvalidInput) as refused:
            await act(database, catalogue.save, editor, CATEGORY, world, TermInput(name="World", slug="world", parent=below))
        assert refused.value.errors == {"parent": "A category cannot stand below itself."}


async def test_category_does_not_stand_where_the_list_of_another_goes_on(database: Database) -> None:
    editor = await person(database, "editor")
    coast = await category(database, editor, "Coast")
    page = await category(database, editor, "Page", coast)
    await category(database, editor, "2", page)
    top = (await act(database, taxonomies.ensure_category, editor, "Page")).id
    await category(database, editor, "2", top)
    async with database.read() as session:
        paths = set(await session.scalars(select(Address.path).where(Address.target_kind == CATEGORY)))
    assert paths == {"category/coast", "category/coast/page", "category/coast/page/2-2", "category/page", "category/page/2"}
    sea = await category(database, editor, "Sea")
    typed, moved = TermInput(name="Two", slug="2", parent=page), TermInput(name="Page", parent=sea)
    for function, arguments, path in (
        (catalogue.create, (CATEGORY, typed), "category/coast/page/2"),
        (catalogue.save, (CATEGORY, top, moved), "category/sea/page/2"),
    ):
        with pytest.raises(InvalidInput, match=f"/{path} is used by Squall itself; choose another address.") as refused:
            await act(database, function, editor, *arguments)
        assert set(refused.value.errors) == {"slug"}


async def test_merged_tags_are_one_wherever_they_are_named(database: Database) -> None:
    """In what readers see, in texts that somebody is writing, in versions that wait for their time, and in words typed later."""
    editor = await person(database, "editor")
    js, script, other = [await tag_id(database, name) for name in ("JS", "JavaScript", "Other")]
    both = await published(database, editor, title="Both", tags=("JS", "Other", "JavaScript"))
    open_one = await published(database, editor, title="Open", tags=("JS",))
    await act(database, working_copies.open_document, open_one.post_id)
    waiting = await draft(database, editor, title="Waiting", tags=("JS",))
    old = (await act(database, keep_now, waiting.id)).id
    await edited(database, editor, waiting.id, tags=())
    with pytest.raises(InvalidInput):
        await act(database, catalogue.merge, editor, TAG, [js, script], script)
    assert await act(database, catalogue.merge, editor, TAG, [js], script)
    assert [tag["id"] for tag in (await document(database, both.post_id)).tags] == [other, script]
    for table in (WorkingCopy, Revision):
        assert [each["tags"] for each in await fields(database, table, open_one.post_id)] == [[script]]
    async with database.read() as session:
        stored = await working_copies.read_document(session, open_one.post_id)
        changed = await session.scalar(select(Post.has_changes).where(Post.id == open_one.post_id))
        assert stored is not None
        assert stored.is_ahead is False
        assert changed is False
        assert await session.get(Tag, js) is None
    assert await at(database, "tag/js") == "/tag/javascript"
    assert await tag_id(database, "js") == script
    await act(database, revisions.restore, editor, waiting.id, old)
    assert (await fields(database, WorkingCopy, waiting.id))[0]["tags"] == [script]
    assert await tag_id(database, "Newest") > other  # a number is never given twice
    await nothing_is_wrong(database)
    await act(database, stale_copy, waiting.id, js)
    assert [tag["id"] for tag in (await publish(database, editor, waiting.id)).tags] == [script]


async def keep_now(work: Any, post_id: int) -> Revision:
    kept = await working_copies.keep(work, [await working_copies.project(work, post_id)], Reason.SAVED, None)
    return kept[post_id]


async def stale_copy(work: Any, post_id: int, tag: int) -> None:
    """As a version is that was pinned before, of a text that had the tag no more when it was merged."""
    now = (await work.session.get_one(WorkingCopy, post_id)).fields
    await work.session.execute(update(WorkingCopy).where(WorkingCopy.post_id == post_id).values(fields={**now, "tags": [tag, 999]}))


async def test_many_texts_are_given_over_in_slices_while_the_old_list_answers(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passing_on, "SLICE", 2)
    editor = await person(database, "editor")
    for number in range(5):
        await published(database, editor, title=f"Tide {number}", tags=("Old",))
    old, new = await tag_id(database, "Old"), await tag_id(database, "New")
    assert not await act(database, catalogue.merge, editor, TAG, [old], new)
    assert await at(database, "tag/old") == "/tag/old"
    assert await tag_id(database, "old") == new  # whoever types it means the other already
    with pytest.raises(InvalidInput):
        await act(database, catalogue.save, editor, TAG, old, TermInput(name="Older"))
    while await loop.run_next(factories.means(database, tmp_path), Metrics()):
        pass
    assert await at(database, "tag/old") == "/tag/new"
    async with database.read() as session:
        job = (await session.scalars(select(Job).where(Job.name == passing_on.JOB))).one()
        assert (job.progress, job.error) == ({"done": 5, "of": 5, "words": ""}, None)
        assert len((await session.scalars(select(PostTag.post_id).where(PostTag.tag_id == new, PostTag.side == Side.LIVE))).all()) == 5
    assert not await act(database, catalogue.save, editor, TAG, new, TermInput(name="Newest"))
    while await loop.run_next(factories.means(database, tmp_path), Metrics()):
        pass
    assert (await document(database, 5)).tags[0]["name"] == "Newest"
    await nothing_is_wrong(database)


async def test_templates_follow_what_is_renamed_merged_and_deleted(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passing_on, "SLICE", 2)
    editor = await person(database, "editor")
    coast, world = await category(database, editor, "Coast"), await category(database, editor, "World")
    for number in range(3):  # more than are done at once
        text = await published(database, editor, title=f"Tide {number}", tags=("Old", "Kept", "New"), category=coast)
    template = await act(database, post_templates.take, editor, text.post_id)
    old, kept, new = [await tag_id(database, name) for name in ("Old", "Kept", "New")]

    async def begins() -> tuple[list[str], int | None]:
        async with database.read() as session:
            start = await post_templates.start(session, template.id)
            assert [await tag_id(database, name) for name in start.tags] == list(start.fields.tags)
            return list(start.tags), start.fields.category

    await act(database, catalogue.save, editor, TAG, kept, TermInput(name="Kept well"))
    assert await begins() == (["Old", "Kept well", "New"], coast)
    assert not await act(database, catalogue.merge, editor, TAG, [old], new)
    assert not await act(database, catalogue.merge, editor, CATEGORY, [coast], world)
    assert await begins() == (["New", "Kept well"], world), "before the job is done, too"
    while await loop.run_next(factories.means(database, tmp_path), Metrics()):
        pass
    assert await begins() == (["Kept well", "New"], world)
    async with database.read() as session:
        said = (await session.scalars(select(PostTemplate.fields))).one()
    assert (said["tags"], said["category"]) == ([kept, new], world)
    await act(database, trashed_terms.delete, editor, TAG, kept)
    while await loop.run_next(factories.means(database, tmp_path), Metrics()):
        pass
    assert await begins() == (["New"], world)


async def test_deleted_category_leaves_its_posts_or_gives_them_to_another(database: Database) -> None:
    editor = await person(database, "editor")
    coast, world = await category(database, editor, "Coast"), await category(database, editor, "World")
    north = await category(database, editor, "North", coast)
    post = await published(database, editor, category=coast)
    for heir in (coast, north):
        with pytest.raises(InvalidInput):
            await act(database, catalogue.merge, editor, CATEGORY, [coast], heir)
    await act(database, catalogue.merge, editor, CATEGORY, [coast], world)
    assert ((await document(database, post.post_id)).category or {})["path"] == "/category/world"
    assert await at(database, "category/coast") == "/category/world"
    async with database.read() as session:
        assert (await session.get_one(Category, north)).parent_id == world
        paths = set(await session.scalars(select(Address.path).where(Address.target_kind == CATEGORY, Address.target_id == north)))
    assert paths == {"category/coast/north", "category/world/north"}
    await act(database, trashed_terms.delete, editor, CATEGORY, world)
    assert (await document(database, post.post_id)).category is None
    assert [each["category"] for each in await fields(database, WorkingCopy, post.post_id)] == [None]
    async with database.read() as session:
        assert not (await session.scalars(select(PostCategory))).all()
        assert not (await session.scalars(select(PassedOn).where(PassedOn.term_id == world))).all()
    await nothing_is_wrong(database)


async def test_series_is_sorted_for_the_desk_and_for_readers_at_once(database: Database) -> None:
    editor = await person(database, "editor")
    one, two, three = [await published(database, editor, title=title, series="Tides") for title in ("One", "Two", "Three")]
    async with database.read() as session:
        tides = (await session.scalars(select(Series.id))).one()
    await act(database, catalogue.sort_series, editor, tides, [three.post_id, 999, one.post_id])
    parts = (await document(database, one.post_id)).series["parts"]  # type: ignore[index]
    assert [part["title"] for part in parts] == ["Three", "One", "Two"]
    async with database.read() as session:
        assert [part.post.title for part in await catalogue.parts(session, tides)] == ["Three", "One", "Two"]
        assert not (await session.scalars(select(Post.id).where(Post.has_changes.is_(True)))).all()
    await act(database, trashed_terms.delete, editor, SERIES, tides)
    assert (await document(database, two.post_id)).series is None
    assert [each["series"] for each in await fields(database, Revision, three.post_id)] == [None]


async def test_unused_tags_go_at_once_and_those_in_the_trash_are_used(database: Database) -> None:
    editor = await person(database, "editor")
    trashed = await published(database, editor, tags=("Kept",))
    await factories.trash(database, editor, trashed.post_id)
    await tag_id(database, "Lone")
    async with database.read() as session:
        found = await catalogue.list_tags(session, editor, unused=True)
        assert ([row.term.name for row in found.rows], found.unused) == (["Lone"], 1)
    assert await act(database, trashed_terms.delete_unused_tags, editor) == 1
    async with database.read() as session:
        assert set(await session.scalars(select(Tag.name))) == {"Kept"}
        assert set(await session.scalars(select(Address.path).where(Address.target_kind == TAG))) == {"tag/kept"}
