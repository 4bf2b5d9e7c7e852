"""Lists at the desk: what is in them for whom, filters, words, order, screens."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from cms.db.session import Database
from cms.errors import NotFound
from cms.models import Post, User
from cms.models.post import Kind, Visibility, WorkState
from cms.services import accounts, desk_lists, posts, privacy, site, working_copies
from tests import bulk, watching
from tests.desk import counts, listed, sees
from tests.factories import draft, edited, page, person, publish, published, trash, withdraw


async def test_list_is_newest_work_first_and_in_screens(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_lists, "PER_SCREEN", 4)
    ana = await person(database, "author")
    made = [await draft(database, ana, title=f"Number {number}") for number in range(6)]
    await edited(database, ana, made[0].id, title="Touched")
    first, second = await listed(database, ana), await listed(database, ana, page=2)
    assert [row.title for row in first.rows] == ["Touched", "Number 5", "Number 4", "Number 3"]
    assert [row.title for row in second.rows] == ["Number 2", "Number 1"]
    assert (first.pages, first.total, first.rows[0].authors, second.first, second.has_next) == (2, 6, ("Ana Silva",), 5, False)
    beyond = await listed(database, ana, page=9)
    assert (beyond.page, [row.title for row in beyond.rows]) == (2, ["Number 2", "Number 1"])


@pytest.mark.parametrize("sort", ["changed", "title", "authors", "published"])
async def test_screens_beyond_numbers_begin_after_a_row(database: Database, monkeypatch: pytest.MonkeyPatch, sort: str) -> None:
    monkeypatch.setattr(desk_lists, "PER_SCREEN", 2)
    monkeypatch.setattr(desk_lists, "MOST_NUMBERED", 1)
    ana, public = await person(database, "author"), set()
    for number in range(5):
        post = await draft(database, ana, title=f"Number {number % 3}")
        if number % 2:
            public.add((await publish(database, ana, post.id)).post_id)
    for reverse in (False, True):
        seen, found = [], await listed(database, ana, sort=sort, reverse=reverse)
        assert (found.pages, len(found.rows)) == (1, 2)
        seen += [row.post.id for row in found.rows]
        while found.after:
            found = await listed(database, ana, sort=sort, reverse=reverse, after=found.after)
            seen += [row.post.id for row in found.rows]
        assert len(seen) == len(set(seen)) == 5
        if sort == "published":  # what never was stands below all that were
            is_public = [number in public for number in seen]
            assert is_public == sorted(is_public, reverse=not reverse)


async def test_list_by_author_follows_who_stands_first_and_what_he_is_called(database: Database) -> None:
    adam, edna, owner = [await person(database, role) for role in ("administrator", "editor", "owner")]
    ede, ana = await person(database, "author", "Éde Zöld"), await person(database, "author")
    made = {}
    for title, writers in (("Both", (ede, ana)), ("Second", (ana, edna)), ("Ede's", (ede,)), ("Edna's", (edna,)), ("Ana's", (ana,))):
        made[title] = await draft(database, edna, title=title, authors=[writer.user_id for writer in writers])
    nobody = await draft(database, edna, title="Nobody's")
    async with database.transaction() as work:
        await working_copies.edit(work, edna, nobody.id, fields={"authors": []})

    async def order(**asked: Any) -> list[str]:
        return [row.title for row in (await listed(database, edna, sort="authors", **asked)).rows]

    assert await order() == ["Nobody's", "Second", "Ana's", "Both", "Ede's", "Edna's"]
    assert await order(reverse=True) == ["Edna's", "Ede's", "Both", "Ana's", "Second", "Nobody's"]
    async with database.transaction() as work:
        await accounts.rename(work, adam, await work.session.get_one(User, ana.user_id), "Zoe")
    assert await order() == ["Nobody's", "Both", "Ede's", "Edna's", "Second", "Ana's"]
    async with database.transaction() as work:
        await accounts.delete(work, owner, *[await work.session.get_one(User, actor.user_id) for actor in (ede, ana)])
    assert await order() == ["Nobody's", "Edna's", "Both", "Second", "Ede's", "Ana's"]
    async with database.transaction() as work:
        await site.configure(work, former_name="Aaron")
        await privacy.erase(work, owner, ana.user_id or 0)
    assert await order() == ["Nobody's", "Both", "Second", "Ede's", "Ana's", "Edna's"]


@pytest.mark.parametrize("after", ["~", "x~1", "2026-11-29~1", "2026-11-29T00:00:00+00:00~x", "~99999999999999999999", "\0~1"])
async def test_place_that_is_none_is_not_found(database: Database, after: str) -> None:
    ana = await person(database, "author")
    with pytest.raises(NotFound):
        await listed(database, ana, after=after)


async def test_list_asks_as_often_whatever_its_length(database: Database) -> None:
    ana, asked = await person(database, "author"), []
    for _ in range(2):
        for number in range(5):
            await draft(database, ana, title=f"Number {number}", tags=("Sea", f"Tag {number}"))
        with watching.questions(database) as sent:
            await listed(database, ana)
        asked.append(len(sent))
        with watching.questions(database) as sent:
            await listed(database, ana, q="number mud", tag="Sea", language="en", sort="title")
        asked.append(len(sent))
    assert asked == [10, 14] * 2


async def test_words_are_found_in_title_and_text_as_they_are_being_written(database: Database) -> None:
    ana = await person(database, "author")
    post = await draft(database, ana, title="Café am Hafen", text="Low *tides* at the mole.")
    await draft(database, ana, title="Straße 100%", text="![Chart](/media/chart.png)")
    for typed in ("cafe", "HAFEN mole", "tide", "low  café"):
        assert await sees(database, ana, q=typed) == {"Café am Hafen"}, typed
    for typed in ("strass", "100%", "chart"):
        assert await sees(database, ana, q=typed) == {"Straße 100%"}, typed
    for typed in ("mole chart", "ide", "%", "a\0b", "'\" OR *"):
        assert await sees(database, ana, q=typed) == set(), typed
    await edited(database, ana, post.id, text="Rewritten.")
    assert await sees(database, ana, q="mole") == set()
    assert await sees(database, ana, q="rewritten") == {"Café am Hafen"}


async def test_words_that_many_texts_have_are_found_among_filters(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_lists, "MANY", 2)
    monkeypatch.setattr(desk_lists, "PER_SCREEN", 3)
    ana = await person(database, "author")
    for number in range(5):
        await draft(database, ana, title=f"Number {number}", text="mud", tags=("Sea",) if number == 1 else ())
    found = await listed(database, ana, q="mud", sort="title")
    assert [row.title for row in found.rows] == ["Number 0", "Number 1", "Number 2"]
    assert (found.total, found.has_next, found.pages) == (None, True, 2)
    assert await sees(database, ana, q="mud", sort="title", page=2) == {"Number 3", "Number 4"}
    assert await sees(database, ana, q="mud number", tag="sea") == {"Number 1"}


async def test_many_are_filtered_alike_whether_gathered_or_asked_one_by_one(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    ana, otto, editor = await person(database, "author"), await person(database, "author", "Otto Other"), await person(database, "editor")
    for title, writer, tag in (("Sea by Ana", ana, "Sea"), ("Mud by Ana", ana, "Mud"), ("Sea by Otto", otto, "Sea")):
        await published(database, writer, title=title, tags=(tag,), new_category="", series="")
    moved = await published(database, otto, title="Was sea", tags=("Sea",), new_category="", series="")
    await edited(database, otto, moved.post_id, title="Is mud", tags=("Mud",))
    for few, gathered in ((1000, 1000), (0, 1000), (0, 0)):
        monkeypatch.setattr(desk_lists, "MANY", few)
        monkeypatch.setattr(desk_lists, "MOST_COUNTED", gathered)
        assert await sees(database, ana, tag="sea") == {"Sea by Ana", "Sea by Otto", "Was sea"}
        assert await sees(database, ana, tag="sea", author=otto.user_id) == {"Sea by Otto", "Was sea"}
        assert await sees(database, otto, tag="mud", author=otto.user_id) == {"Is mud"}
        assert await sees(database, editor, tag="mud") == {"Mud by Ana", "Is mud"}


async def test_what_is_typed_together_is_found_once_it_is_in_the_working_copy(database: Database) -> None:
    ana = await person(database, "author")
    post = await draft(database, ana)
    async with database.transaction() as work:
        await working_copies.open_document(work, post.id)
        await working_copies.edit(work, ana, post.id, content="Mussels.")
    assert await sees(database, ana, q="mussel") == {"Low tide"}


async def test_filters_narrow_the_list(database: Database) -> None:
    editor, ana = await person(database, "editor"), await person(database, "author")
    await draft(database, editor, title="Plain")
    coast = await published(database, ana, title="Filed", tags=("Sea", "Mud"), new_category="", language="de", series="")
    async with database.transaction() as work:
        await work.session.execute(update(Post).where(Post.id == coast.post_id).values(visibility=Visibility.UNLISTED))
    today = f"{database.clock():%Y-%m-%d}"
    for filters in (
        {"author": ana.user_id},
        {"tag": "SEA"},
        {"language": "de"},
        {"visibility": "unlisted"},
        {"since": "2020-01-01"},
        {"until": "9999-12-31"},
    ):
        assert await sees(database, editor, **filters) == {"Filed"}, filters
    for nothing in ({"tag": "sand"}, {"category": 99}, {"series": 99}, {"since": "9999-01-01"}, {"until": "2020-01-01"}, {"author": 2**62}):
        assert await sees(database, editor, **nothing) == set(), nothing
    assert await sees(database, editor, mine=True) == {"Plain"}
    assert await sees(database, editor, language="en") == {"Plain"}
    assert await sees(database, editor, since=today, until=today) <= {"Filed"}
    found = await listed(database, editor, tag="sea")
    assert (found.total, found.counts["all"], found.rows[0].tags, found.rows[0].path) == (1, 2, ("Sea", "Mud"), "/filed")


async def test_category_has_what_is_filed_below_it(database: Database) -> None:
    editor = await person(database, "editor")
    await draft(database, editor, title="Above", new_category="Coast")
    below = await draft(database, editor, title="Below", new_category="Bays")
    async with database.transaction() as work:
        coast, bays = [(await posts.taxonomies.ensure_category(work, editor, name)) for name in ("Coast", "Bays")]
        bays.parent_id = coast.id
    assert await sees(database, editor, category=coast.id) == {"Above", "Below"}
    assert await sees(database, editor, category=bays.id) == {"Below"}
    assert (await listed(database, editor, category=bays.id)).rows[0].category == "Bays"
    assert below.id


async def test_nobody_learns_from_filters_what_others_are_writing(database: Database) -> None:
    ana, cem, otto = await person(database, "author"), await person(database, "contributor"), await person(database, "author", "Otto Other")
    editor = await person(database, "editor")
    public = await published(database, ana, title="Known", text="Public words.", tags=("Sea",))
    await edited(database, ana, public.post_id, title="Embargoed", text="Secret words.", tags=("Leak",), language="de")
    async with database.transaction() as work:
        await posts.refile(work, editor, public.post_id, lambda _: {"authors": (ana.user_id, otto.user_id)})
        (await work.session.get_one(Post, public.post_id)).work = WorkState.IN_REVIEW
    for unknown in (
        {"q": "secret"},
        {"q": "embargoed"},
        {"tag": "leak"},
        {"language": "de"},
        {"author": otto.user_id},
        {"status": "in_review"},
        {"status": "changed"},
    ):
        assert await sees(database, cem, **unknown) == set(), unknown
        assert await sees(database, editor, **unknown) == {"Embargoed"}, unknown
    for known in ({"q": "public"}, {"q": "known"}, {"tag": "sea"}, {"language": "en"}, {"author": ana.user_id}, {"status": "published"}):
        assert await sees(database, cem, **known) == {"Known"}, known
    row = (await listed(database, cem)).rows[0]
    assert (row.authors, row.tags, row.status, row.work) == (("Ana Silva",), ("Sea",), "published", "")
    assert (await listed(database, editor)).rows[0].work == "in_review"
    assert (await counts(database, cem))["published"] == 1


async def test_posts_and_pages_are_listed_apart(database: Database) -> None:
    editor = await person(database, "editor")
    await draft(database, editor, title="Post")
    top = await page(database, editor, title="Page")
    assert await sees(database, editor) == {"Post"}
    assert await sees(database, editor, Kind.PAGE) == {"Page"}
    async with database.read() as session:
        assert [title for _, title in await posts.list_parents(session, None, None)] == ["Page"]
        assert list(await posts.list_parents(session, top.id, None)) == []


async def test_tabs_count_each_state(database: Database) -> None:
    ana = await person(database, "author")
    gone, back = await draft(database, ana), await published(database, ana)
    await trash(database, ana, gone.id)
    await withdraw(database, ana, back.post_id)
    for state in (WorkState.DRAFT, WorkState.IN_REVIEW, WorkState.SCHEDULED):
        post = await draft(database, ana, title=state.value)
        async with database.transaction() as work:
            (await work.session.get_one(Post, post.id)).work = state
    usual = {"all": 4, "draft": 1, "published": 0, "changed": 0, "withdrawn": 1, "trashed": 1}
    assert await counts(database, ana) == {**usual, "in_review": 1, "scheduled": 1}
    assert await counts(database, await person(database, "editor")) == await counts(database, ana)
    for status, titles in (("draft", {"draft"}), ("in_review", {"in_review"}), ("scheduled", {"scheduled"}), ("trashed", {"Low tide"})):
        assert await sees(database, ana, status=status) == titles


async def test_long_lists_are_counted_up_to_a_limit(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_lists, "MOST_SIFTED", 60)
    monkeypatch.setattr(desk_lists, "MOST_COUNTED", 70)
    monkeypatch.setattr(desk_lists, "MANY", 40)
    ana, editor = await person(database, "author"), await person(database, "editor")
    await bulk.publish(database, [ana, ana, editor], 100)
    found = await listed(database, editor, author=ana.user_id)
    assert (found.total, found.is_more, found.pages) == (60, True, 2)
    found = await listed(database, editor, tag="Tag 3")
    assert (found.total, found.is_more) == (5, False)
    whole = await listed(database, editor)
    assert (whole.total, whole.is_more, whole.told(whole.counts["all"], 70), whole.counts["changed"]) == (70, True, "70+", 0)
    assert [row.post.id for row in (await listed(database, ana, mine=True)).rows][:2] == [1099, 1097]
    newest = (await listed(database, editor, sort="published")).rows[0].post.first_published_at
    assert newest == datetime(2016, 1, 1, 12, tzinfo=UTC) + timedelta(hours=8 * 99)


def test_address_has_what_is_not_as_usual() -> None:
    asked: dict[str, Any] = {"status": "draft", "tag": "Sea & mud", "mine": "on", "sort": "title", "page": 3, "columns": "title,tags"}
    query = desk_lists.ListQuery.model_validate(asked)
    assert query.address() == "status=draft&tag=Sea+%26+mud&mine=on&sort=title"
    assert query.address(tag="", mine=False, status="all", sort="changed") == ""
    assert query.address(page=2) == "status=draft&tag=Sea+%26+mud&mine=on&sort=title&page=2"
