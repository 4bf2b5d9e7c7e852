"""The menus that administrators make."""

import pytest

from cms.db.session import Database
from cms.errors import Conflict, Forbidden, InvalidInput
from cms.events import SiteChanged
from cms.models.site import Frame, Link
from cms.policy import Actor
from cms.schemas.site import MenuInput
from cms.services import menus, site
from tests import watching
from tests.factories import edited, person, publish, published, published_page, withdraw


async def make(
    database: Database, actor: Actor, *items: tuple[str, str] | tuple[str, str, int], name: str = "main", version: int = 0
) -> None:
    given = [{"label": label, "target": target, "level": level[0] if level else 0} for label, target, *level in items]
    async with database.transaction() as work:
        await menus.save(work, actor, name, MenuInput(items=tuple(given), version=version))


async def frame_of(database: Database) -> Frame:
    async with database.read() as session:
        return await site.get_frame(session)


async def test_a_menu_leads_to_pages_lists_and_elsewhere_and_follows_them(database: Database) -> None:
    admin = await person(database, "administrator")
    about = await published_page(database, admin, title="About")
    await published(database, admin, tags=("Mud",), new_category="Places")
    with watching.events(database) as heard:
        await make(
            database, admin, ("Us", "/about"), ("Mud", "/tag/mud"), ("Where", "/category/places/"), ("All", "/archive"),
            ("Else", "https://example.org/x"),
        )  # fmt: skip
    assert heard == [SiteChanged(("menu",))]
    await edited(database, admin, about.post_id, slug="who")
    await publish(database, admin, about.post_id)
    paths = [link.path for link in (await frame_of(database)).menu]
    assert paths == ["/who", "/tag/mud", "/category/places", "/archive", "https://example.org/x"]


async def test_second_levels_stand_below_and_move_up_when_their_parent_is_gone(database: Database) -> None:
    admin = await person(database, "administrator")
    about = await published_page(database, admin, title="About")
    await make(database, admin, ("Us", "/about"), ("Archive", "/archive", 1), ("Feed", "/feed.xml", 1), ("Home", "/"))
    below = (Link("Archive", "/archive"), Link("Feed", "/feed.xml"))
    assert (await frame_of(database)).menu == (Link("Us", "/about", below), Link("Home", "/"))
    await withdraw(database, admin, about.post_id)
    assert (await frame_of(database)).menu == (*below, Link("Home", "/"))


async def test_the_first_item_is_never_below(database: Database) -> None:
    admin = await person(database, "administrator")
    await make(database, admin, ("Archive", "/archive", 2))
    assert (await frame_of(database)).menu == (Link("Archive", "/archive"),)


async def test_a_menu_is_shown_to_its_editor_as_it_was_made(database: Database) -> None:
    admin = await person(database, "administrator")
    about = await published_page(database, admin, title="About")
    await make(database, admin, ("Us", "/about"), ("Elsewhere", "https://example.org", 1), name="footer")
    await withdraw(database, admin, about.post_id)
    async with database.read() as session:
        draft = await menus.get_draft(session, "footer")
        assert (await menus.get_draft(session, "main")).version == 0
    assert draft.version == 1
    assert [(item.label, item.target, item.level) for item in draft.items] == [
        ("Us", "/about", 0), ("Elsewhere", "https://example.org", 1),
    ]  # fmt: skip
    assert (await frame_of(database)).footer_menu == (Link("Elsewhere", "https://example.org"),)
    await make(database, admin, ("Us", "/about"), name="footer", version=1)  # what is withdrawn may stay


async def test_nothing_is_written_that_leads_nowhere(database: Database) -> None:
    admin = await person(database, "administrator")
    await published(database, admin, title="A post")
    with pytest.raises(InvalidInput) as refused:
        await make(database, admin, ("All", "/archive"), ("Post", "/a-post"), ("Nothing", "/nothing"), ("Desk", "/admin"))
    assert list(refused.value.errors) == ["items-2-target", "items-3-target"]
    assert (await frame_of(database)).menu == ()


@pytest.mark.parametrize(
    "target", ["//evil.example", "http://example.org", "javascript:alert(1)", "https://", "https://a b", "https://u@x", "x"]
)
def test_addresses_elsewhere_are_whole_and_harmless(target: str) -> None:
    with pytest.raises(ValueError):
        MenuInput(items=({"label": "X", "target": target},))


async def test_the_second_of_two_administrators_hears_of_the_first(database: Database) -> None:
    one, other = await person(database, "administrator"), await person(database, "owner")
    await make(database, one, ("All", "/archive"))
    with pytest.raises(Conflict):
        await make(database, other, ("Feed", "/feed.xml"))
    await make(database, other, ("Feed", "/feed.xml"), version=1)
    assert (await frame_of(database)).menu == (Link("Feed", "/feed.xml"),)


@pytest.mark.parametrize("role", ["editor", "author", "contributor"])
async def test_only_administrators_make_menus(database: Database, role: str) -> None:
    with pytest.raises(Forbidden):
        await make(database, await person(database, role), ("All", "/archive"))


async def test_a_third_level_stands_below_the_second(database: Database) -> None:
    admin = await person(database, "administrator")
    await make(database, admin, ("A", "/archive"), ("B", "/archive", 1), ("C", "/archive", 2), ("D", "/archive", 2), ("E", "/archive", 1))
    third = (Link("C", "/archive"), Link("D", "/archive"))
    assert (await frame_of(database)).menu == (Link("A", "/archive", (Link("B", "/archive", third), Link("E", "/archive"))),)
    async with database.read() as session:
        assert [item.level for item in (await menus.get_draft(session, "main")).items] == [0, 1, 2, 2, 1]


async def test_what_a_menu_may_lead_to_is_found_by_words(database: Database) -> None:
    admin = await person(database, "administrator")
    await published_page(database, admin, title="About the café")
    await published(database, admin, title="Low tide", tags=("Mud",), new_category="Places", series="Tides")
    async with database.read() as session:
        assert [(each.path, each.title, each.kind) for each in await menus.find_targets(session)] == [
            ("/about-the-cafe", "About the café", "page"), ("/low-tide", "Low tide", "post"), ("/tag/mud", "Mud", "tag"),
            ("/category/places", "Places", "category"), ("/author/adam-mills", "Adam Mills", "author"),
            ("/series/tides", "Tides", "series"),
        ]  # fmt: skip
        assert [each.path for each in await menus.find_targets(session, "TIDE")] == ["/low-tide", "/series/tides"]
        assert [each.path for each in await menus.find_targets(session, "Cafe about")] == ["/about-the-cafe"]
        assert await menus.find_targets(session, "%") == []
