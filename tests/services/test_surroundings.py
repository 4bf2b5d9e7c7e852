"""What a post's page says of others, and which of them hear of a change."""

from typing import Any

import pytest
from sqlalchemy import select

from cms.db.session import Database
from cms.errors import InvalidInput
from cms.models import Published
from cms.policy import Actor
from cms.services import lists, reading
from tests.factories import edited, page, person, publish, published, withdraw


@pytest.fixture
async def editor(database: Database) -> Actor:
    return await person(database, "editor")


async def of(database: Database, post_id: int) -> Published:
    async with database.read() as session:
        return (await session.scalars(select(Published).where(Published.post_id == post_id))).one()


def titles(links: Any) -> list[str]:
    return [link["title"] for link in links]


async def test_parts_of_a_series_know_each_other_in_order(database: Database, editor: Actor) -> None:
    second = await published(database, editor, title="Second", series="Mud", part=2)
    assert titles((await of(database, second.post_id)).series["parts"]) == ["Second"]
    first = await published(database, editor, title="First", series="Mud", part=1)
    last = await published(database, editor, title="Last", series="Mud")  # after the last one
    for post in (first, second, last):
        series = (await of(database, post.post_id)).series
        assert (series["name"], series["path"], titles(series["parts"])) == ("Mud", "/series/mud", ["First", "Second", "Last"])
    await edited(database, editor, first.post_id, title="The beginning")
    await publish(database, editor, first.post_id)
    await withdraw(database, editor, second.post_id)
    assert titles((await of(database, last.post_id)).series["parts"]) == ["The beginning", "Last"]
    await edited(database, editor, last.post_id, series="")
    await publish(database, editor, last.post_id)
    assert (await of(database, last.post_id)).series is None
    assert titles((await of(database, first.post_id)).series["parts"]) == ["The beginning"]


async def test_a_list_of_a_series_is_read_in_its_order(database: Database, editor: Actor) -> None:
    for title, part in (("Second", 2), ("First", 1)):
        await published(database, editor, title=title, series="Mud", part=part)
    async with database.read() as session:
        assert [card.title for card in (await lists.by_series(session, "mud", 1)).cards] == ["First", "Second"]


async def test_an_author_joins_a_series_and_does_not_begin_one(database: Database, editor: Actor) -> None:
    author = await person(database, "author")
    with pytest.raises(InvalidInput, match="Only editors"):
        await published(database, author, series="Mud")
    await published(database, editor, series="Mud")
    assert (await published(database, author, title="Mine", series="Mud")).series["name"] == "Mud"


async def test_posts_that_share_rare_tags_are_related(database: Database, editor: Actor) -> None:
    for number in range(4):
        await published(database, editor, title=f"Common {number}", tags=("Sea",))
    rare = await published(database, editor, title="Rare", tags=("Eelgrass", "Sea"))
    await published(database, editor, title="Other", tags=("Sky",))
    post = await published(database, editor, title="Asking", tags=("Sea", "Eelgrass"))
    related = (await of(database, post.post_id)).related
    assert titles(related) == ["Rare", "Common 3", "Common 2"]
    await edited(database, editor, rare.post_id, title="Rare, indeed", slug="rare")
    await publish(database, editor, rare.post_id)
    assert titles((await of(database, post.post_id)).related)[0] == "Rare, indeed"
    await withdraw(database, editor, rare.post_id)
    assert titles((await of(database, post.post_id)).related) == ["Common 3", "Common 2"]


async def test_nothing_is_related_to_what_has_nothing_in_common(database: Database, editor: Actor) -> None:
    await published(database, editor, title="One", tags=("Sea",))
    assert (await published(database, editor, title="Two", tags=("Sky",))).related == []


async def test_what_is_featured_is_the_editors_choice(database: Database, editor: Actor) -> None:
    author = await person(database, "author")
    mine = await published(database, author, title="Mine", featured=True)
    theirs = await published(database, editor, title="Theirs", featured=True)
    async with database.read() as session:
        assert titles(await lists.featured(session)) == ["Theirs"]
    await edited(database, editor, mine.post_id, featured=True)
    await publish(database, editor, mine.post_id)
    await edited(database, author, mine.post_id, text="Changed by its author.", featured=False)
    await publish(database, author, mine.post_id)
    await withdraw(database, editor, theirs.post_id)
    async with database.read() as session:
        assert titles(await lists.featured(session)) == ["Mine"]


async def test_pages_know_those_beside_and_below_them(database: Database, editor: Actor) -> None:
    about = (await publish(database, editor, (await page(database, editor, title="About")).id)).post_id
    for title in ("Team", "Press"):
        await publish(database, editor, (await page(database, editor, title=title, parent=about)).id)
    await page(database, editor, title="Not yet", parent=about)
    async with database.read() as session:
        branch = await reading.branch(session, about)
        assert (titles(branch.beside), titles(branch.below)) == ([], ["Press", "Team"])
        team = await session.scalar(select(Published.post_id).where(Published.title == "Team"))
        branch = await reading.branch(session, team or 0)
        assert (titles(branch.beside), titles(branch.below), branch.parent_id) == (["Press", "Team"], [], about)
