"""Tags and categories: one tag for one word, whatever its dress."""

import asyncio

import pytest
from sqlalchemy import select

from cms.db.session import Database
from cms.errors import Forbidden, InvalidInput
from cms.models import Address, Category, Tag
from cms.services import taxonomies
from tests.factories import person


async def ensure(database: Database, *names: str) -> tuple[int, ...]:
    async with database.transaction() as work:
        return await taxonomies.ensure_tags(work, names)


async def slugs(database: Database) -> dict[str, str]:
    async with database.read() as session:
        return {row.name: row.slug for row in await session.execute(select(Tag.name, Tag.slug))}


async def test_tags_are_one_whatever_their_case_and_accents_and_stay_in_order(database: Database) -> None:
    first = await ensure(database, "Mud", "Café", "Sea")
    mud, cafe, sea = first
    again = await ensure(database, "SEA", "cafe", "Sand", "CAFÉ", "mud")
    assert (again[:2], again[3:]) == ((sea, cafe), (mud,))
    assert await slugs(database) == {"Mud": "mud", "Café": "cafe", "Sea": "sea", "Sand": "sand"}
    async with database.read() as session:
        assert await taxonomies.tag_names(session, [sea, 999, mud]) == ["Sea", "Mud"]


async def test_many_tags_keep_their_order(database: Database) -> None:
    names = [f"Tag {number}" for number in range(50)]
    ids = await ensure(database, *names)
    assert await ensure(database, *reversed(names)) == tuple(reversed(ids))


async def test_tags_with_the_same_letters_get_numbers(database: Database) -> None:
    await ensure(database, "C", "C++", "C#")
    assert await slugs(database) == {"C": "c", "C#": "c-2", "C++": "c-3"}
    async with database.read() as session:
        assert set(await session.scalars(select(Address.path))) == {"tag/c", "tag/c-2", "tag/c-3"}


@pytest.mark.parametrize("name", ["ß" * 80, "ﷺ" * 20, "x" * 80, "日本" * 40])
async def test_long_tag_that_grows_when_folded_still_fits(database: Database, name: str) -> None:
    (first,) = await ensure(database, name)
    assert await ensure(database, name) == (first,)


async def test_tag_without_a_letter_is_refused(database: Database) -> None:
    with pytest.raises(InvalidInput) as refused:
        await ensure(database, "Sea", "!!!")
    assert set(refused.value.errors) == {"tags"}
    assert await slugs(database) == {}


async def test_two_who_make_the_same_new_tags_at_once_share_them(database: Database) -> None:
    async def make(*names: str) -> tuple[int, ...]:
        async with database.transaction() as work:
            made = await taxonomies.ensure_tags(work, names)
            await asyncio.sleep(0.05)
            return made

    one, other = await asyncio.gather(make("Sea", "Mud", "Sand"), make("sand", "mud", "sea"))
    assert one == tuple(reversed(other))
    assert len(await slugs(database)) == 3


async def test_category_is_made_once_and_by_those_who_may(database: Database) -> None:
    editor, cem = await person(database, "editor"), await person(database, "contributor")
    async with database.transaction() as work:
        made = await taxonomies.ensure_category(work, editor, "Coast & Sea")
        again = await taxonomies.ensure_category(work, cem, "Coast & Sea")
    assert (again.id, made.slug) == (made.id, "coast-sea")
    with pytest.raises(Forbidden):
        async with database.transaction() as work:
            await taxonomies.ensure_category(work, cem, "Mountains")
    async with database.read() as session:
        assert [one.name for one in await taxonomies.list_categories(session)] == ["Coast & Sea"]


async def test_path_of_a_category_has_its_parents_before_it(database: Database) -> None:
    async with database.transaction() as work:
        parent, rows = None, {}
        for slug in ("europe", "france", "brittany"):
            row = Category(name=slug.title(), slug=slug, parent_id=parent, description="")
            work.session.add(row)
            await work.session.flush()
            parent, rows[row.id] = row.id, row
        assert taxonomies.path_in(rows, row) == "europe/france/brittany"
