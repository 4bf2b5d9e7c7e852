"""Texts that go out at one moment: what readers get is the same as if each had gone out by itself, for little more than one costs."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from cms.content.pipeline import render
from cms.db.session import Database
from cms.errors import Conflict
from cms.events import Event, PostPublished
from cms.models import Published, SearchDocument, SearchWord
from cms.policy import Actor
from cms.services import publishing, surroundings
from cms.services.publishing import Dates, Release, Version
from tests import watching
from tests.factories import draft, edited, person, publish, published, withdraw

DAY = datetime(2020, 1, 30, 12, tzinfo=UTC)


@pytest.fixture
async def editor(database: Database) -> Actor:
    return await person(database, "editor")


async def written(database: Database, editor: Actor, count: int, **fields: Any) -> list[Release]:
    """One a day."""
    ids = [
        (await draft(database, editor, title=f"Number {number}", slug=f"number-{number}-of-{count}", **fields)).id
        for number in range(count)
    ]
    days = [DAY + timedelta(days=number) for number in range(count)]
    return [Release(post_id, Version(1, render("Mud.")), Dates(day, day)) for post_id, day in zip(ids, days, strict=True)]


async def together(database: Database, editor: Actor, releases: list[Release]) -> list[Published]:
    async with database.transaction() as work:
        return await publishing.publish_all(work, editor, releases)


async def around(database: Database) -> dict[str, dict[str, Any]]:
    async with database.read() as session:
        rows = await session.scalars(select(Published))
        return {row.title: {aspect: getattr(row, aspect) for aspect in surroundings.ASPECTS} for row in rows}


async def test_they_know_each_other_and_their_neighbours(database: Database, editor: Actor) -> None:
    there = await published(database, editor, title="There already", tags=("Sea",))
    releases = await written(database, editor, 4, tags=("Sea",), series="Mud")
    await together(database, editor, releases[::-1])  # in whatever order
    found = await around(database)
    assert [found[f"Number {n}"]["following"]["title"] for n in range(4)] == ["Number 1", "Number 2", "Number 3", "There already"]
    assert [found[f"Number {n}"]["previous"] and found[f"Number {n}"]["previous"]["title"] for n in range(2)] == [None, "Number 0"]
    assert found["There already"]["previous"]["title"] == "Number 3"
    parts = [[part["title"] for part in found[f"Number {n}"]["series"]["parts"]] for n in range(4)]
    assert parts == [["Number 0", "Number 1", "Number 2", "Number 3"]] * 4
    assert [link["title"] for link in found["Number 0"]["related"]] == ["Number 3", "Number 2", "Number 1"]
    for post_id in (there.post_id, *(release.post_id for release in releases)):
        await publish(database, editor, post_id)
    again = await around(database)
    assert again["Number 0"] == found["Number 0"], "as if each had gone out by itself"


async def test_each_is_told_of_once(database: Database, editor: Actor) -> None:
    before = await published(database, editor, title="There already")
    releases = await written(database, editor, 4)  # the third and the fourth are of another month
    with watching.events(database) as heard:
        await together(database, editor, releases)
    told: list[Event] = sorted(heard, key=lambda event: event.post_id)  # type: ignore[union-attr]
    assert [(event.post_id, event.is_new) for event in told if isinstance(event, PostPublished)] == [
        (before.post_id, False),
        *((release.post_id, True) for release in releases),
    ]
    months = [event.months for event in told if isinstance(event, PostPublished)]
    assert months == [(), ("2020-01",), ("2020-01",), ("2020-02",), ("2020-02",)]
    with watching.events(database) as heard:
        await together(database, editor, await written(database, editor, 1))
        await withdraw(database, editor, releases[0].post_id)
    assert all(not event.months for event in heard if isinstance(event, PostPublished)), "the month was there, and stays"


async def test_made_up_addresses_differ(database: Database, editor: Actor) -> None:
    releases = [Release((await draft(database, editor)).id, Version(1, render("Mud."))) for _ in range(3)]
    assert [row.path for row in await together(database, editor, releases)] == ["low-tide", "low-tide-2", "low-tide-3"]


async def test_they_may_change_places(database: Database, editor: Actor) -> None:
    posts = [await published(database, editor, title=title, slug=title) for title in ("ebb", "flood")]
    releases = []
    for post, slug in zip(posts, ("flood", "ebb"), strict=True):
        saved = await edited(database, editor, post.post_id, slug=slug)
        async with database.read() as session:
            copy = await session.get_one(publishing.WorkingCopy, saved.id)
        releases.append(Release(saved.id, Version(copy.version, render("Mud."))))
    assert [row.path for row in await together(database, editor, releases)] == ["flood", "ebb"]
    assert await watching.addresses(database) == {"ebb": "current", "flood": "current"}


async def test_if_one_cannot_go_none_does(database: Database, editor: Actor) -> None:
    releases = await written(database, editor, 2)
    await edited(database, editor, releases[1].post_id, text="Changed meanwhile.")
    with pytest.raises(Conflict):
        await together(database, editor, releases)
    assert await around(database) == {}


async def test_a_search_finds_all_of_them_and_counts_the_words_of_their_titles(database: Database, editor: Actor) -> None:
    releases = await written(database, editor, 3)
    await together(database, editor, releases)
    async with database.read() as session:
        assert sorted(await session.scalars(select(SearchDocument.heading))) == ["number 0", "number 1", "number 2"]
        assert await session.scalar(select(SearchWord.uses).where(SearchWord.word == "number")) == 3
    for release in releases:
        await edited(database, editor, release.post_id, title="Mud")
    await together(database, editor, [Release(release.post_id, Version(2, render("Mud.")), release.dates) for release in releases])
    async with database.read() as session:
        words = {row.word: row.uses for row in await session.scalars(select(SearchWord))}
    assert words == {"mud": 3}


async def test_questions_are_asked_once_for_all(database: Database, editor: Actor) -> None:
    """Only what has a number or a version of its own is written row by row: address, post, audit, event (SQLite)."""
    await together(database, editor, await written(database, editor, 2, tags=("Sea", "Mud"), new_category="Coast"))
    asked, numbers = [], []
    for count in (3, 30):
        releases = await written(database, editor, count, tags=("Sea", "Mud"), new_category="Coast")
        with watching.orders(database) as sent:
            await together(database, editor, releases)
        asked.append([statement.split("IN (")[0] for statement, _ in sent if statement.startswith("SELECT")])
        numbers.append(len(sent))
    few, many = asked
    assert many == few
    assert (numbers[1] - numbers[0]) // 27 <= 4, numbers
