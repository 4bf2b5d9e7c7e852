"""The trash of what is neither text nor file: out of it, everything is as it was, down to the last row."""

import asyncio
import contextlib
import itertools
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, select, update
from sqlalchemy import text as sql

from cms.db.session import Database, Work
from cms.errors import Conflict, Forbidden, InvalidInput, NotFound
from cms.models import (
    Address,
    Asset,
    Base,
    Category,
    CustomField,
    Folder,
    PassedOn,
    Post,
    PostCategory,
    PostSeries,
    PostTag,
    PostTemplate,
    Published,
    Redirect,
    Revision,
    SearchDocument,
    Series,
    Snippet,
    Tag,
    TakenOut,
    TrashedThing,
    WorkingCopy,
)
from cms.models.address import TargetKind
from cms.models.desk import TrashKind
from cms.models.post import Visibility
from cms.policy import Actor
from cms.schemas.fields import NewFieldInput
from cms.schemas.library import FolderInput
from cms.schemas.redirects import RedirectInput
from cms.schemas.snippets import SnippetInput
from cms.schemas.terms import TermInput
from cms.services import (
    bringing_back,
    catalogue,
    custom_fields,
    folders,
    passing_on,
    post_templates,
    publishing,
    redirects,
    restoring,
    site,
    snippets,
    taxonomies,
    trashed_terms,
    trashed_things,
    visibility,
)
from cms.telemetry import Metrics
from cms.worker import loop
from tests import factories
from tests.factories import asset_row, draft, edited, person, publish, published
from tests.watching import orders

TAG, CATEGORY, SERIES = TargetKind.TAG, TargetKind.CATEGORY, TargetKind.SERIES
# Whatever may say something about a thing, but for what counts changes and looks at the clock.
TABLES: tuple[type[Base], ...] = (
    Address, Category, Tag, Series, PassedOn, PostTag, PostCategory, PostSeries, PostTemplate, Published, Revision, SearchDocument,
    WorkingCopy, TakenOut, TrashedThing, Snippet, CustomField, Redirect, Folder, Asset,
)  # fmt: skip
CHANGING = {"version", "updated_at", "updated_by_id", "created_at"}
GIVEN_ANEW = {Address, Snippet, PostTemplate, CustomField, Redirect, Folder}  # their numbers


async def act(database: Database, function: Any, *arguments: Any) -> Any:
    async with database.transaction() as work:
        return await function(work, *arguments)


async def work_off(database: Database, folder: Path) -> None:
    while await loop.run_next(factories.means(database, folder), Metrics()):
        pass


async def everything(database: Database) -> dict[str, list[str]]:
    async with database.read() as session:
        found = {}
        for table in TABLES:
            left_out = CHANGING | ({"id", "folder_id", "parent_id"} if table in GIVEN_ANEW or table is Asset else set())
            names = [column.key for column in inspect(table).column_attrs if column.key not in left_out]
            rows = [{name: _plain(name, getattr(row, name)) for name in names} for row in await session.scalars(select(table))]
            found[table.__tablename__] = sorted(map(str, rows))
        return found


def assert_same(now: dict[str, list[str]], before: dict[str, list[str]]) -> None:
    """But for old addresses that came in between, of what stood elsewhere while another was away."""
    for name, rows in before.items():
        assert set(rows) - set(now[name]) == set(), name
        assert {row for row in set(now[name]) - set(rows) if "'moved'" not in row} == set(), name


def _plain(name: str, value: Any) -> Any:
    return sorted(set(value.split())) if name == "marks" else dict(sorted(value.items())) if isinstance(value, dict) else value


async def tag_id(database: Database, name: str) -> int:
    async with database.transaction() as work:
        return (await taxonomies.ensure_tags(work, [name]))[0]


async def a_publication(database: Database, editor: Actor) -> dict[TargetKind, int]:
    """A tag, a category with one below it, and a series, which texts name in every way they can; by kind."""
    coast = await act(database, catalogue.create, editor, CATEGORY, TermInput(name="Coast"))
    await act(database, catalogue.create, editor, CATEGORY, TermInput(name="North", parent=coast.id))
    named: dict[str, Any] = {"tags": ("Ebb", "Sea", "Mud"), "category": coast.id, "series": "Tides"}
    one = await published(database, editor, title="One", **named)
    await published(database, editor, title="Two", **{**named, "tags": ("Sea", "Old")})
    await draft(database, editor, title="Three", **named)
    bare = await published(database, editor, title="Four")
    tag = await tag_id(database, "Sea")
    await edited(database, editor, one.post_id, tags=(), category=None, series="", part=None)  # readers still have them
    await edited(database, editor, bare.post_id, tags=("Sea",), category=coast.id)  # readers do not have them yet
    await act(database, post_templates.take, editor, one.post_id)
    async with database.transaction() as work:
        series = (await work.session.scalars(select(Series))).one()
        template = (await work.session.scalars(select(PostTemplate))).one()
        template.fields = {"tags": [tag], "category": coast.id}
    await act(database, catalogue.merge, editor, TAG, [await tag_id(database, "Old")], tag)
    for kind, number, name in ((TAG, tag, "The sea"), (CATEGORY, coast.id, "The coast"), (SERIES, series.id, "The tides")):
        await act(database, catalogue.save, editor, kind, number, TermInput(name=name))
    return {TAG: tag, CATEGORY: coast.id, SERIES: series.id}


@pytest.mark.parametrize("slice", [1, 100])
async def test_category_tag_and_series_come_back_with_all_that_named_them(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slice: int
) -> None:
    editor = await person(database, "editor")
    of = await a_publication(database, editor)
    await work_off(database, tmp_path)
    for module in (passing_on, bringing_back):
        monkeypatch.setattr(module, "SLICE", slice)
    for kind, number in of.items():
        before = await everything(database)
        thing, is_done = await act(database, trashed_terms.delete, editor, kind, number)
        assert is_done is (slice == 100)
        if not is_done:
            with pytest.raises(Conflict, match=r"still being taken out"):
                await act(database, restoring.restore, editor, thing.id)
        await work_off(database, tmp_path)
        async with database.read() as session:
            assert await session.get(passing_on.SHELVES[kind].table, number) is None
            row = await trashed_things.get(session, editor, thing.id)
            assert (await trashed_things.count_texts(session, row.thing), row.who) == ({TAG: 4, CATEGORY: 4, SERIES: 3}[kind], editor.name)
        _, is_done = await act(database, restoring.restore, editor, thing.id)
        assert is_done is (slice == 100)
        if not is_done:
            with pytest.raises(InvalidInput, match="brought back at this moment"):
                await act(database, trashed_terms.delete, editor, kind, number)
        await work_off(database, tmp_path)
        assert_same(await everything(database), before)


async def test_what_became_of_texts_meanwhile_stays(database: Database) -> None:
    editor = await person(database, "editor")
    coast, inland = [await act(database, catalogue.create, editor, CATEGORY, TermInput(name=name)) for name in ("Coast", "Inland")]
    moved = await published(database, editor, title="Moved", category=coast.id, tags=("Sea",))
    gone = await published(database, editor, title="Gone", category=coast.id, tags=("Sea",))
    left = await published(database, editor, title="Left", tags=("Sea",))
    await edited(database, editor, left.post_id, tags=("Mud",))
    tag = await tag_id(database, "Sea")
    trashed = [(await act(database, trashed_terms.delete, editor, kind, number))[0] for kind, number in ((CATEGORY, coast.id), (TAG, tag))]
    await edited(database, editor, moved.post_id, category=inland.id)
    await publish(database, editor, moved.post_id)
    await publish(database, editor, left.post_id)
    await factories.trash(database, editor, gone.post_id)
    for thing in trashed:
        await act(database, restoring.restore, editor, thing.id)
    async with database.read() as session:
        public = (await session.scalars(select(Published).order_by(Published.post_id))).all()
        assert [[each["name"] for each in row.tags] for row in public] == [["Sea"], ["Mud"]]
        assert [(row.category or {}).get("name") for row in public] == ["Inland", None]
        assert not (await session.get_one(Post, moved.post_id)).has_changes
        copies = dict((await session.execute(select(WorkingCopy.post_id, WorkingCopy.fields))).all())
        assert (copies[moved.post_id]["category"], copies[moved.post_id]["tags"]) == (inland.id, [tag])
        assert (copies[gone.post_id]["category"], copies[gone.post_id]["tags"]) == (coast.id, [tag])
        assert not (await session.scalars(select(TakenOut))).all()


async def test_another_of_its_name_keeps_it_in_the_trash_and_one_at_its_address_gives_it_another(database: Database) -> None:
    editor = await person(database, "editor")
    sea = (await act(database, catalogue.create, editor, TAG, TermInput(name="Sea"))).id
    thing, _ = await act(database, trashed_terms.delete, editor, TAG, sea)
    other = await act(database, catalogue.create, editor, TAG, TermInput(name="Sea"))
    before = await everything(database)
    with pytest.raises(Conflict, match=r"“Sea” stays in the trash. There is one of this name already"):
        await act(database, restoring.restore, editor, thing.id)
    assert await everything(database) == before
    await act(database, catalogue.save, editor, TAG, other.id, TermInput(name="Seas", slug="sea"))
    await act(database, restoring.restore, editor, thing.id)
    async with database.read() as session:
        wanted = select(Address.path, Address.target_id).where(Address.target_kind == TAG).order_by(Address.path)
        assert [tuple(row) for row in await session.execute(wanted)] == [("tag/sea", other.id), ("tag/sea-2", sea)]


async def categories(database: Database, editor: Actor) -> list[tuple[str, int, str]]:
    async with database.read() as session:
        return [(row.term.name, row.depth, row.path) for row in await catalogue.list_tree(session, editor)]


async def test_what_stood_below_each_other_does_again_in_whatever_order_it_went_and_comes(database: Database) -> None:
    editor = await person(database, "editor")
    lists: dict[TargetKind | None, list[int]] = {CATEGORY: [], None: []}
    for name in ("Top", "Upper", "Middle", "Lower", "Lowest"):
        above = {kind: numbers[-1] if numbers else None for kind, numbers in lists.items()}
        lists[CATEGORY].append((await act(database, catalogue.create, editor, CATEGORY, TermInput(name=name, parent=above[CATEGORY]))).id)
        lists[None].append((await act(database, folders.create, editor, FolderInput(name=name, parent=above[None] or 0))).id)
        await act(database, _add_file, lists[None][-1])
    before = await categories(database, editor), await in_folders(database)
    for out, back in itertools.product(itertools.permutations(range(1, 4)), [(1, 2, 3), (3, 2, 1), (2, 1, 3)]):
        things = {each: await _both_out(database, editor, lists, each) for each in out}
        for each in back:
            for thing in things[each]:
                await act(database, restoring.restore, editor, thing)
        assert (await categories(database, editor), await in_folders(database)) == before, (out, back)


async def _add_file(work: Work, folder_id: int) -> None:
    work.session.add(asset_row(f"{folder_id:064}", name=f"{folder_id}.png", created_at=work.now, folder_id=folder_id))


async def _both_out(database: Database, editor: Actor, lists: dict[TargetKind | None, list[int]], each: int) -> list[int]:
    category, _ = await act(database, trashed_terms.delete, editor, CATEGORY, lists[CATEGORY][each])
    return [category.id, (await act(database, folders.delete, editor, lists[None][each])).id]


async def test_a_category_comes_back_below_the_one_its_own_became_and_at_the_top_if_that_is_gone_for_good(database: Database) -> None:
    editor = await person(database, "editor")

    async def make(name: str, parent: int | None = None) -> int:
        made: Category = await act(database, catalogue.create, editor, CATEGORY, TermInput(name=name, parent=parent))
        return made.id

    old, new, gone = await make("Old"), await make("New"), await make("Gone")
    things = [await act(database, trashed_terms.delete, editor, CATEGORY, await make(*each)) for each in (("One", old), ("Two", gone))]
    await act(database, catalogue.merge, editor, CATEGORY, [old], new)
    for_good, _ = await act(database, trashed_terms.delete, editor, CATEGORY, gone)
    await act(database, trashed_things.forget, editor, for_good.id)
    for thing, _ in things:
        await act(database, restoring.restore, editor, thing.id)
    assert await categories(database, editor) == [("New", 0, "category/new"), ("One", 1, "category/new/one"), ("Two", 0, "category/two")]


async def test_another_folder_that_has_a_number_by_now_is_not_taken_for_the_one_that_had_it(database: Database) -> None:
    editor = await person(database, "editor")
    above = await act(database, folders.create, editor, FolderInput(name="Above"))
    inside = await act(database, folders.create, editor, FolderInput(name="Inside", parent=above.id))
    things = [await act(database, folders.delete, editor, folder.id) for folder in (inside, above)]
    await act(database, folders.create, editor, FolderInput(name="Other"))
    for thing in things:
        await act(database, restoring.restore, editor, thing.id)
    async with database.read() as session:
        assert [branch.path for branch in await folders.tree(session)] == ["Above", "Above › Inside", "Other"]


async def test_a_name_that_meant_it_means_the_new_tag_of_that_name(database: Database) -> None:
    editor = await person(database, "editor")
    sea, old, older = [await tag_id(database, name) for name in ("Sea", "Old", "Older")]
    await act(database, catalogue.merge, editor, TAG, [old, older], sea)
    thing, _ = await act(database, trashed_terms.delete, editor, TAG, sea)
    new = await tag_id(database, "Old")
    await act(database, restoring.restore, editor, thing.id)
    assert [await tag_id(database, name) for name in ("Sea", "Old", "Older")] == [sea, new, sea]


async def test_a_tag_whose_texts_are_coming_back_is_not_unused(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bringing_back, "SLICE", 1)
    editor = await person(database, "editor")
    for title in ("One", "Two"):
        await published(database, editor, title=title, tags=("Sea",))
    thing, _ = await act(database, trashed_terms.delete, editor, TAG, await tag_id(database, "Sea"))
    await act(database, restoring.restore, editor, thing.id)
    assert await act(database, trashed_terms.delete_unused_tags, editor) == 0
    await work_off(database, tmp_path)
    async with database.read() as session:
        assert [public.tags[0]["name"] for public in await session.scalars(select(Published))] == ["Sea", "Sea"]


@pytest.mark.parametrize("path", ["/what%3F", "/100%25", "/a%2541", "/x%23y", "/Über (2019)/<b>&amp;", "/" + "% " * 199 + "x"])
async def test_a_redirect_from_any_address_comes_back_and_goes_into_the_trash_once(database: Database, path: str) -> None:
    admin = await person(database, "administrator")
    rule = await act(database, redirects.save, admin, RedirectInput(path=path, target="/archive"))
    tries = await asyncio.gather(*(act(database, redirects.remove, admin, rule.id) for _ in range(3)), return_exceptions=True)
    (thing,) = [each for each in tries if isinstance(each, TrashedThing)]
    await act(database, restoring.restore, admin, thing.id)
    async with database.read() as session:
        assert (await session.scalars(select(Redirect.path))).all() == [rule.path]


async def _snippet(work: Work, admin: Actor) -> Any:
    kept = await snippets.create(work, admin, SnippetInput(name="Note", text="*High* at noon.", version=0))
    return lambda work: snippets.delete(work, admin, kept.id)


async def _template(work: Work, admin: Actor) -> Any:
    kept = PostTemplate(kind="post", name="Walk", content="## Way", fields={"language": "de"}, updated_at=work.now)
    work.session.add(kept)
    await work.session.flush()
    return lambda work: post_templates.delete(work, admin, kept.id)


async def _field(work: Work, admin: Actor) -> Any:
    await custom_fields.define(work, admin, NewFieldInput(label="First"))
    kept = await custom_fields.define(work, admin, NewFieldInput(label="Sky", type="choice", choices="clear\ngrey", help="Look up."))
    await custom_fields.define(work, admin, NewFieldInput(label="Last"))
    await custom_fields.change(work, admin, kept.id, NewFieldInput(label="Skies", choices="clear\ngrey", is_required=True))
    return lambda work: custom_fields.delete(work, admin, kept.id)


async def _redirect(work: Work, admin: Actor) -> Any:
    kept = await redirects.save(work, admin, RedirectInput(path="/old", target="/archive?a=b", match="prefix"))
    kept.hits, kept.hit_at = 7, work.now
    return lambda work: redirects.remove(work, admin, kept.id)


async def _folder(work: Work, admin: Actor) -> Any:
    above = await folders.create(work, admin, FolderInput(name="Films"))
    kept = await folders.create(work, admin, FolderInput(name="Tides", parent=above.id))
    await folders.create(work, admin, FolderInput(name="Tides", parent=kept.id))
    work.session.add(asset_row(created_at=work.now, folder_id=kept.id))
    return lambda work: folders.delete(work, admin, kept.id)


Maker = Callable[[Work, Actor], Awaitable[Callable[[Work], Awaitable[TrashedThing]]]]


@pytest.mark.parametrize("make", [_snippet, _template, _field, _redirect, _folder])
async def test_all_else_comes_back_as_it_was(database: Database, make: Maker) -> None:
    admin, cem = await person(database, "administrator"), await person(database, "contributor")
    delete = await act(database, make, admin)
    before, places = await everything(database), await in_folders(database)
    thing = await act(database, delete)
    assert await everything(database) != before
    with pytest.raises((NotFound, Forbidden)):
        await act(database, restoring.restore, cem, thing.id)
    await act(database, restoring.restore, admin, thing.id)
    assert_same(await everything(database), before)
    assert await in_folders(database) == places
    with pytest.raises(NotFound):
        await act(database, restoring.restore, admin, thing.id)


async def in_folders(database: Database) -> list[str]:
    """Folders and files with the names of the folders they lie in."""
    async with database.read() as session:
        branches = await folders.tree(session)
        paths = {branch.folder.id: branch.path for branch in branches}
        files = [
            f"{paths.get(folder_id or 0, '')}: {name}" for folder_id, name in await session.execute(select(Asset.folder_id, Asset.name))
        ]
        return [*paths.values(), *sorted(files)]


async def test_each_sees_what_he_may_make_and_of_folders_an_author_those_he_deleted(database: Database) -> None:
    admin, editor, author, cem = [await person(database, role) for role in ("administrator", "editor", "author", "contributor")]
    for make in (_snippet, _redirect, _folder):
        await act(database, await act(database, make, admin))
    own = await act(database, folders.create, author, FolderInput(name="Mine"))
    await act(database, folders.delete, author, own.id)
    async with database.read() as session:
        seen = {actor.name: (await trashed_things.list_of(session, actor)).rows for actor in (admin, editor, author, cem)}
    names = {name: [row.thing.name for row in rows] for name, rows in seen.items()}
    assert list(names.values()) == [["Mine", "Tides", "/old", "Note"], ["Mine", "Tides", "Note"], ["Mine"], []]
    redirect = seen[admin.name][2].thing.id
    for try_it in (trashed_things.forget, restoring.restore):
        with pytest.raises(NotFound):
            await act(database, try_it, editor, redirect)
    assert await act(database, trashed_things.empty, author) == 1
    assert await act(database, trashed_things.empty, editor, TrashKind.SNIPPET) == 1
    async with database.read() as session:
        assert (await trashed_things.list_of(session, admin)).numbers == {TrashKind.FOLDER: 1, TrashKind.REDIRECT: 1}


async def test_it_is_emptied_by_itself_after_the_days_of_the_site(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trashed_things, "AT_ONCE", 1)
    editor = await person(database, "editor")
    await published(database, editor, tags=("Old", "Older", "New"))
    for name in ("Old", "Older", "New"):
        await act(database, trashed_terms.delete, editor, TAG, await tag_id(database, name))
    old = update(TrashedThing).where(TrashedThing.name != "New")
    await act(database, lambda work: work.session.execute(old.values(at=work.now - timedelta(days=30, seconds=1))))
    await trashed_things.prune(database)
    async with database.read() as session:
        assert list(await session.scalars(select(TrashedThing.name))) == ["New"]
        assert len((await session.scalars(select(TakenOut))).all()) == 1


async def test_what_is_in_the_trash_has_no_number_that_another_had_there(database: Database) -> None:
    admin = await person(database, "administrator")
    for make, leave in ((_snippet, restoring.restore), (_redirect, trashed_things.forget), (_folder, restoring.restore)):
        thing = await act(database, await act(database, make, admin))
        await act(database, leave, admin, thing.id)
        other, _ = await act(database, trashed_terms.delete, admin, TAG, await tag_id(database, "Sea"))
        with pytest.raises(NotFound):
            await act(database, leave, admin, thing.id)
        await act(database, trashed_things.forget, admin, other.id)


async def test_who_publishes_at_that_moment_waits_and_nobody_waits_for_the_other(database: Database) -> None:
    if database.dialect.name == "sqlite":
        pytest.skip("one writer at a time")
    editor = await person(database, "editor")
    text = await published(database, editor, tags=("Sea",))
    tag = await tag_id(database, "Sea")
    async with database.transaction() as work:
        await site.hold(work)
        going = await waiting(database, publish(database, editor, text.post_id))
        await trashed_terms.delete(work, editor, TAG, tag)
        await work.session.execute(update(Post).values(folded_author="x"))  # as whoever takes it out again sorts texts
    with contextlib.suppress(Conflict):
        await going
    async with database.read() as session:
        assert [row.tags for row in await session.scalars(select(Published))] == [[]]
    assert not going.exception() or type(going.exception()) is Conflict


@pytest.mark.parametrize(
    "take_away",
    [publishing.withdraw, publishing.trash, lambda *who: visibility.choose(*who, Visibility.UNLISTED, None)],
    ids=["withdraw", "trash", "unlist"],
)
async def test_and_so_does_who_takes_it_from_readers(database: Database, take_away: Any) -> None:
    if database.dialect.name == "sqlite":
        pytest.skip("one writer at a time")
    editor = await person(database, "editor")
    text = await published(database, editor)
    async with database.transaction() as work:
        await site.hold(work)
        going = await waiting(database, act(database, take_away, editor, text.post_id))
        await work.session.execute(update(Post).values(folded_author="x"))
    await going


async def waiting(database: Database, coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    """It, waiting for somebody else's lock."""
    locked = sql("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
    going = asyncio.create_task(coroutine)
    while not await act(database, lambda other: other.session.scalar(locked)):
        assert not going.done()
    return going


async def test_deleted_for_good_while_its_texts_are_taken_out_leaves_nothing(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passing_on, "SLICE", 1)
    editor = await person(database, "editor")
    for title in ("One", "Two", "Three"):
        await published(database, editor, title=title, tags=("Sea",))
    thing, _ = await act(database, trashed_terms.delete, editor, TAG, await tag_id(database, "Sea"))
    await act(database, trashed_things.forget, editor, thing.id)
    await work_off(database, tmp_path)
    async with database.read() as session:
        assert not (await session.scalars(select(TakenOut))).all()
        assert not (await session.scalars(select(Tag))).all()


async def test_unused_tags_go_a_few_hundred_at_once_in_few_statements_and_each_comes_back(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trashed_terms, "AT_ONCE", 30)
    editor = await person(database, "editor")
    async with database.transaction() as work:
        await taxonomies.ensure_tags(work, [f"Tag {number:02}" for number in range(40)])
    await act(database, catalogue.save, editor, TAG, await tag_id(database, "Tag 07"), TermInput(name="Tag 07", slug="seven"))
    before = await everything(database)
    with orders(database) as sent:
        assert await act(database, trashed_terms.delete_unused_tags, editor) == 30
    assert len([each for each, _ in sent if not each.startswith("INSERT")]) < 25
    assert await act(database, trashed_terms.delete_unused_tags, editor) == 10
    async with database.read() as session:
        assert not (await session.scalars(select(Tag))).all()
        things = [row.thing.id for row in (await trashed_things.list_of(session, editor)).rows]
    for thing in things:
        await act(database, restoring.restore, editor, thing)
    assert_same(await everything(database), before)
