"""What readers see: the life of a post, what is announced of it, and pages that stand below each other."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from cms.content.pipeline import render
from cms.db.session import Database
from cms.errors import Conflict, InvalidInput
from cms.events import Event, PostPublished, PostWithdrawn, SiteChanged
from cms.models import Post, Published, Revision, SearchDocument, WorkingCopy
from cms.models.address import AddressState
from cms.models.post import Live
from cms.policy import Actor
from cms.schemas.post import PostInput
from cms.services import documents, posts, publishing, reading, site
from tests import watching
from tests.factories import asset_row, draft, edited, page, person, publish, published, published_page, restore, trash, withdraw

ALL = tuple(documents.ASPECTS)


async def place(database: Database, path: str) -> reading.Place:
    async with database.read() as session:
        return await reading.find_place(session, path)


async def read(database: Database, path: str) -> str:
    """What a reader gets: the plain title and the HTML, or why not."""
    found = await place(database, path)
    if found.article is None:
        return "gone" if found.state else "nothing"
    return f"{found.article.title}: {found.article.html.strip()}"


# --- the life of a post ----------------------------------------------------------------------------------------------------


async def test_life_of_a_post_as_readers_see_it(database: Database) -> None:
    ana = await person(database, "author")
    post = (await draft(database, ana, title="Low *tide*", text="Mud.")).id
    assert await read(database, "low-tide") == "nothing"

    first = await publish(database, ana, post)
    assert await read(database, "low-tide") == "Low tide: <p>Mud.</p>"
    assert first.title_html == "Low <em>tide</em>"

    await edited(database, ana, post, title="High tide", text="Water.")
    assert await read(database, "low-tide") == "Low tide: <p>Mud.</p>"
    assert await read(database, "high-tide") == "nothing"

    second = await publish(database, ana, post)
    assert await read(database, "high-tide") == "High tide: <p>Water.</p>"
    assert await read(database, "low-tide") == "High tide: <p>Water.</p>"
    assert (await place(database, "low-tide")).state is AddressState.MOVED
    assert second.published_at == first.published_at

    for act, live in ((withdraw, Live.WITHDRAWN), (publish, None), (trash, Live.TRASHED), (restore, Live.WITHDRAWN), (publish, None)):
        await act(database, ana, post)
        expected = "gone" if live else "High tide: <p>Water.</p>"
        assert await read(database, "high-tide") == await read(database, "low-tide") == expected
        async with database.read() as session:
            found = await session.get_one(Post, post)
        assert (found.live, found.first_published_at) == (live or Live.PUBLISHED, first.published_at)


async def test_row_of_the_read_document_exists_exactly_while_the_post_is_public(database: Database) -> None:
    ana = await person(database, "author")
    post = (await draft(database, ana)).id

    async def is_there() -> bool:
        async with database.read() as session:
            return await session.get(Published, post) is not None

    for act, expected in ((edited, False), (publish, True), (edited, True), (withdraw, False), (publish, True), (trash, False)):
        await act(database, ana, post)
        assert await is_there() is expected


async def test_read_document_has_all_that_a_page_shows(database: Database) -> None:
    editor = await person(database, "editor")
    post = await draft(
        database, editor, title="Low *tide*", text="# One\n\nMud and *sand*.", tags=("Sea", "Mud"), new_category="Coast", excerpt="Short."
    )
    async with database.transaction() as work:
        asset = asset_row(digest="ab" * 32, width=4, height=3, alt="A", created_at=work.now)
        work.session.add(asset)
        await work.session.flush()
        copy = await work.session.get_one(WorkingCopy, post.id)
        copy.fields = {**copy.fields, "picture": asset.id, "language": "de"}
    row = await publish(database, editor, post.id)
    assert (row.excerpt, row.language, row.words, row.reading_minutes) == ("Short.", "de", 4, 1)
    assert [heading["text"] for heading in row.toc] == ["One"]
    assert row.authors == [{"id": editor.user_id, "name": "Edna Reed", "path": "/author/edna-reed", "bio": ""}]
    assert [(tag["name"], tag["path"]) for tag in row.tags] == [("Sea", "/tag/sea"), ("Mud", "/tag/mud")]
    assert row.category is not None
    assert row.picture is not None
    assert (row.category["name"], row.category["path"]) == ("Coast", "/category/coast")
    file = {"id": asset.id, "path": f"/media/{asset.id}/{'ab' * 6}/a.png", "type": "image/png", "frames": 1}
    assert row.picture == {**file, "width": 4, "height": 3, "alt": "A", "focus": [50, 50]}


async def test_excerpt_is_made_from_the_text_when_nobody_wrote_one(database: Database) -> None:
    post = await published(database, await person(database, "author"), text="# Heading\n\nThe *first* words.")
    assert post.excerpt == "The first words."


async def test_title_is_needed(database: Database) -> None:
    ana = await person(database, "author")
    for title in ("", "**"):
        if title and (await draft(database, ana, title=title)).title:
            continue
        with pytest.raises(InvalidInput) as refused:
            await published(database, ana, title=title)
        assert set(refused.value.errors) == {"title"}


async def test_published_version_is_the_one_that_was_seen(database: Database) -> None:
    ana = await person(database, "author")
    post = await draft(database, ana, text="seen")
    await edited(database, ana, post.id, text="typed since")
    with pytest.raises(Conflict):
        async with database.transaction() as work:
            await publishing.publish(work, ana, post.id, publishing.Version(1, render("seen")))
    assert await read(database, "low-tide") == "nothing"


async def test_live_version_names_the_revision_it_was_made_of(database: Database) -> None:
    ana = await person(database, "author")
    row = await published(database, ana, text="one")
    await edited(database, ana, row.post_id, text="two")
    async with database.read() as session:
        live = await session.get_one(Published, row.post_id)
        assert (await session.get_one(Revision, live.revision_id)).content == "one"


async def test_updated_moves_with_what_readers_read_and_not_with_the_rest(database_url: str) -> None:
    clock = watching.Clock()
    database = Database(database_url, clock=clock)
    ana = await person(database, "author")
    row = await published(database, ana)
    for changes, moves in (({}, False), ({"tags": ("Sea",)}, False), ({"slug": "elsewhere"}, False), ({"text": "New."}, True),
                           ({"title": "New"}, True), ({"excerpt": "New"}, True)):  # fmt: skip
        clock.pass_(hours=1)
        await edited(database, ana, row.post_id, **changes)
        row = await publish(database, ana, row.post_id)
        assert (row.updated_at == clock.now) is moves, changes
        assert row.published_at == datetime(2026, 11, 20, 12, tzinfo=UTC)
    await database.dispose()


async def test_withdrawing_twice_is_a_conflict(database: Database) -> None:
    ana = await person(database, "author")
    row = await published(database, ana)
    await withdraw(database, ana, row.post_id)
    with pytest.raises(Conflict):
        await withdraw(database, ana, row.post_id)


async def test_search_document_follows_what_is_public(database: Database) -> None:
    ana = await person(database, "author")

    async def found() -> list[tuple[str, str]]:
        async with database.read() as session:
            rows = await session.execute(select(SearchDocument.heading, SearchDocument.body).where(SearchDocument.kind == "post"))
            return [(title, body.strip()) for title, body in rows]

    post = (await draft(database, ana, title="Café", text="**Über** Müll")).id
    assert await found() == []
    await publish(database, ana, post)
    assert await found() == [("cafe", "uber mull")]
    await edited(database, ana, post, text="new")
    assert await found() == [("cafe", "uber mull")]
    await publish(database, ana, post)
    assert await found() == [("cafe", "new")]
    await withdraw(database, ana, post)
    assert await found() == []


# --- events ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "aspects"),
    [
        ({}, ()),
        ({"title": "Low **tide**"}, ("title", "source", "updated")),
        ({"title": "High tide", "slug": "low-tide"}, ("title", "source", "updated")),
        ({"title": "High tide"}, ("title", "path", "source", "updated")),
        ({"text": "Sand."}, ("excerpt", "body", "source", "updated")),
        ({"text": "**Mud.**"}, ("body", "source", "updated")),
        ({"excerpt": "Other"}, ("excerpt", "standfirst", "source", "updated")),
        ({"slug": "other"}, ("path", "source")),
        ({"tags": ("Mud", "Sea")}, ("tags", "source")),
        ({"tags": ()}, ("tags", "source")),
        ({"category": None}, ("category", "source")),
    ],
)
async def test_event_names_exactly_what_readers_see_changed(database: Database, changes: dict[str, Any], aspects: tuple[str, ...]) -> None:
    editor = await person(database, "editor")
    row = await published(database, editor, text="Mud.", tags=("Sea", "Mud"), new_category="Coast")
    await edited(database, editor, row.post_id, **changes)
    with watching.events(database) as heard:
        await publish(database, editor, row.post_id)
    (event,) = heard
    assert isinstance(event, PostPublished)
    assert (event.aspects, event.is_new) == (aspects, False)
    assert event.before is not None
    assert len([name for name in event.before.lists if name.startswith("tag:")]) == 2, "those before count, too"


async def test_event_of_a_new_post_names_everything_and_terms_before_and_after(database: Database) -> None:
    editor = await person(database, "editor")
    with watching.events(database) as heard:
        row = await published(database, editor, tags=("Sea",), new_category="Coast")
    event = heard[-1]
    assert isinstance(event, PostPublished)
    assert (event.aspects, event.is_new, event.path, event.kind) == (ALL, True, "low-tide", "post")
    assert event.now.lists == ("home", f"month:{row.month}", f"author:{editor.user_id}", "tag:1", "category:1")
    await edited(database, editor, row.post_id, tags=("Mud",), category=None, new_category="Inland")
    with watching.events(database) as heard:
        await publish(database, editor, row.post_id)
        await withdraw(database, editor, row.post_id)
    again, gone = heard
    assert isinstance(again, PostPublished)
    assert isinstance(gone, PostWithdrawn)
    assert again.before == event.now
    assert again.now == gone.before
    assert (again.now.lists[-2:], gone.path) == (("tag:2", "category:2"), "low-tide")


async def test_posts_know_their_neighbours_by_date(database_url: str) -> None:
    clock = watching.Clock()
    database = Database(database_url, clock=clock)
    editor = await person(database, "editor")
    await published_page(database, editor)  # a page is nobody's neighbour
    made: list[int] = []
    for number in range(4):
        clock.pass_(hours=number // 2)  # the first two are of the same moment
        with watching.events(database) as heard:
            made.append((await published(database, editor, title=f"Number {number}")).post_id)
        assert told(heard[1:] if heard[0] == heard[-1] else heard) - {made[-1]} == set(made[-2:-1])
    assert await chain(database) == [(None, "Number 1"), ("Number 0", "Number 2"), ("Number 1", "Number 3"), ("Number 2", None)]
    with watching.events(database) as heard:
        await publish(database, editor, made[1])
    assert told(heard) == set(), "nothing changed"
    await withdraw(database, editor, made[2])
    assert await chain(database) == [(None, "Number 1"), ("Number 0", "Number 3"), ("Number 1", None)]
    await edited(database, editor, made[1], title="Another", slug="number-1")
    with watching.events(database) as heard:
        await publish(database, editor, made[1])
    assert told(heard) == {made[0], made[1], made[3]}
    assert await chain(database) == [(None, "Another"), ("Number 0", "Number 3"), ("Another", None)]
    await edited(database, editor, made[3], date="2020-01-01T12:00")
    with watching.events(database) as heard:
        await publish(database, editor, made[3])
    assert told(heard) == {made[0], made[1], made[3]}
    assert await chain(database) == [(None, "Number 0"), ("Number 3", "Another"), ("Number 0", None)]
    await database.dispose()


def told(heard: list[Event]) -> set[int]:
    return {event.post_id for event in heard if isinstance(event, (PostPublished, PostWithdrawn)) and event.aspects}


async def chain(database: Database) -> list[tuple[str | None, str | None]]:
    async with database.read() as session:
        rows = await session.execute(
            select(Published.previous, Published.following)
            .where(Published.kind == "post")
            .order_by(Published.published_at, Published.post_id)
        )
        return [(before and before["title"], after and after["title"]) for before, after in rows]


async def test_only_what_has_changed_is_written(database: Database) -> None:
    """Of a text among others that has another sentence: an editor who publishes every second costs readers little (bench/performance)."""
    editor = await person(database, "editor")
    for title in ("Ebb", "Flood", "Slack"):
        post = await published(database, editor, title=title, text="Mud.", tags=("Sea", "Mud"), new_category="Coast")
    await edited(database, editor, post.post_id, text="More mud.")
    with watching.orders(database) as sent:
        await publish(database, editor, post.post_id)
    orders = [statement.split("(")[0].split() for statement, _ in sent]
    written = sorted(words[2 if words[0] != "UPDATE" else 1] for words in orders if words[0] in ("INSERT", "UPDATE", "DELETE"))
    assert written == sorted(["audit", "outbox", "posts", "published", "search_documents"])
    assert sum(words[0] == "SELECT" for words in orders) <= 25


# --- pages -----------------------------------------------------------------------------------------------------------------


@pytest.fixture
async def editor(database: Database) -> Actor:
    return await person(database, "editor")


@pytest.fixture
async def tree(database: Database, editor: Actor) -> dict[str, int]:
    """/about, /about/team, /about/team/ana"""
    about = await published_page(database, editor, title="About")
    team = await published_page(database, editor, title="Team", parent=about.post_id)
    ana = await published_page(database, editor, title="Ana", parent=team.post_id)
    return {"about": about.post_id, "team": team.post_id, "ana": ana.post_id}


async def test_page_stands_below_its_parents(database: Database, tree: dict[str, int]) -> None:
    found = (await place(database, "/about/team/ana")).article
    assert found is not None
    assert (found.path, found.kind) == ("/about/team/ana", "page")
    assert found.trail == [{"title": "About", "path": "/about"}, {"title": "Team", "path": "/about/team"}]


async def test_renamed_parent_takes_its_children_along(database: Database, editor: Actor, tree: dict[str, int]) -> None:
    await edited(database, editor, tree["about"], title="Us")
    with watching.events(database) as heard:
        await publish(database, editor, tree["about"])
    assert await watching.addresses(database) == {
        "about": "moved", "about/team": "moved", "about/team/ana": "moved", "us": "current", "us/team": "current", "us/team/ana": "current",
    }  # fmt: skip
    for path in ("us/team/ana", "about/team/ana"):
        found = (await place(database, path)).article
        assert found is not None
        assert (found.path, [step["path"] for step in found.trail]) == ("/us/team/ana", ["/us", "/us/team"])
    told = {event.post_id: event.aspects for event in heard if isinstance(event, PostPublished)}
    assert told == {tree["about"]: ("title", "path", "source", "updated"), tree["team"]: ("path", "trail"), tree["ana"]: ("path", "trail")}
    assert [event.aspects for event in heard if isinstance(event, SiteChanged)] == [("menu",)]


async def test_new_title_with_the_same_address_changes_the_trail_below_only(
    database: Database, editor: Actor, tree: dict[str, int]
) -> None:
    await edited(database, editor, tree["about"], title="All about us", slug="about")
    with watching.events(database) as heard:
        await publish(database, editor, tree["about"])
    told = {event.post_id: event.aspects for event in heard if isinstance(event, PostPublished)}
    assert told == {tree["about"]: ("title", "source", "updated"), tree["team"]: ("trail",), tree["ana"]: ("trail",)}


async def test_page_moves_to_another_parent_with_all_below_it(database: Database, editor: Actor, tree: dict[str, int]) -> None:
    other = await published_page(database, editor, title="Other")
    await edited(database, editor, tree["team"], parent=other.post_id)
    await publish(database, editor, tree["team"])
    assert await read(database, "other/team/ana") == await read(database, "about/team/ana") == "Ana: <p>Mud, <em>mostly</em>.</p>"
    await withdraw(database, editor, tree["about"])  # nothing stands below it any more
    assert await read(database, "about") == "gone"


async def test_page_cannot_stand_below_itself(database: Database, editor: Actor, tree: dict[str, int]) -> None:
    for parent in tree.values():
        with pytest.raises(InvalidInput) as refused:
            await edited(database, editor, tree["about"], parent=parent)
        assert set(refused.value.errors) == {"parent"}


async def test_ring_of_pages_cannot_be_made_by_publishing_halves_of_it(database: Database, editor: Actor, tree: dict[str, int]) -> None:
    """In the working copies Team stands at the top and About below it; readers still have Team below About."""
    await edited(database, editor, tree["team"], parent=None)
    await edited(database, editor, tree["about"], parent=tree["team"])
    with pytest.raises(InvalidInput, match="Team") as refused:
        await publish(database, editor, tree["about"])
    assert set(refused.value.errors) == {"parent"}
    await publish(database, editor, tree["team"])
    await publish(database, editor, tree["about"])
    assert await read(database, "team/about") == "About: <p>Mud, <em>mostly</em>.</p>"


async def test_page_with_public_pages_below_cannot_be_taken_away(database: Database, editor: Actor, tree: dict[str, int]) -> None:
    for act in (withdraw, trash):
        with pytest.raises(InvalidInput, match="Team"):
            await act(database, editor, tree["about"])
    for page_id in reversed(tree.values()):
        await withdraw(database, editor, page_id)
    assert set((await watching.addresses(database)).values()) == {"gone"}
    with pytest.raises(InvalidInput) as refused:
        await publish(database, editor, tree["team"])
    assert set(refused.value.errors) == {"parent"}


async def test_page_in_the_trash_is_no_parent(database: Database, editor: Actor) -> None:
    top = await page(database, editor)
    await trash(database, editor, top.id)
    with pytest.raises(InvalidInput, match="no such page"):
        await page(database, editor, parent=top.id)


async def test_parent_is_not_renamed_onto_what_is_there(database: Database, editor: Actor, tree: dict[str, int]) -> None:
    await published_page(database, editor, title="Us")
    await edited(database, editor, tree["about"], slug="us")
    with pytest.raises(InvalidInput) as refused:
        await publish(database, editor, tree["about"])
    assert set(refused.value.errors) == {"slug"}
    assert await read(database, "about/team/ana") == "Ana: <p>Mud, <em>mostly</em>.</p>"


async def test_parent_that_moves_while_a_child_is_published_takes_it_along(database: Database, editor: Actor) -> None:
    """Whichever comes first, the child stands below the parent's new address in the end."""
    top = await published_page(database, editor, title="About")
    child = await page(database, editor, title="Team", parent=top.post_id)
    await edited(database, editor, top.post_id, title="Us")
    versions = {top.post_id: 2, child.id: 1}

    async def act(post_id: int, pause: float) -> None:
        async with database.transaction() as work:
            await publishing.publish(work, editor, post_id, publishing.Version(versions[post_id], render("")))
            await asyncio.sleep(pause)

    await asyncio.gather(act(top.post_id, 0.1), act(child.id, 0.2))
    assert (await place(database, "us/team")).article is not None
    async with database.read() as session:
        frame = await site.get_frame(session)
    assert [(link.label, link.path) for link in frame.menu] == [("Us", "/us")]


async def test_two_new_pages_published_at_once_are_both_in_the_menu(database: Database, editor: Actor) -> None:
    made = [await page(database, editor, title=title) for title in ("One", "Two")]
    await asyncio.gather(*(publish(database, editor, one.id) for one in made))
    async with database.read() as session:
        frame = await site.get_frame(session)
    assert {link.path for link in frame.menu} == {"/one", "/two"}


async def test_posts_are_not_in_the_menu(database: Database, editor: Actor) -> None:
    with watching.events(database) as heard:
        await published(database, editor)
    assert [type(event) for event in heard if isinstance(event, SiteChanged)] == []


async def test_publishing_a_version_that_was_saved_while_waiting_is_a_conflict(database: Database, editor: Actor) -> None:
    post = await draft(database, editor)

    async def save() -> None:
        async with database.transaction() as work:
            await posts.save(work, editor, post.id, PostInput(title="New", version=1))
            await asyncio.sleep(0.1)

    async def publish_seen() -> None:
        await asyncio.sleep(0.05)
        async with database.transaction() as work:
            await publishing.publish(work, editor, post.id, publishing.Version(1, render("")))

    results = await asyncio.gather(save(), publish_seen(), return_exceptions=True)
    assert [type(result).__name__ for result in results] == ["NoneType", "Conflict"]
