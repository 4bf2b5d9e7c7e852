"""The site's one row and the frame that every page is drawn in."""

import pytest
from sqlalchemy import insert, text

from cms.db.session import Database
from cms.errors import Conflict
from cms.events import SiteChanged
from cms.models import Menu, MenuItem, Site
from cms.models.address import TargetKind
from cms.models.site import Frame, Link
from cms.services import site
from tests import watching
from tests.factories import edited, page, person, publish, published, published_page, withdraw


async def frame_of(database: Database) -> Frame:
    async with database.read() as session:
        return await site.get_frame(session)


async def configure(database: Database, **changes: object) -> None:
    async with database.transaction() as work:
        await site.configure(work, **changes)


async def test_fresh_site_has_a_frame_and_an_identity_of_its_own(database: Database) -> None:
    assert await frame_of(database) == Frame()
    async with database.read() as session:
        assert len(await site.get_identity(session)) == 43


async def test_there_is_one_site(database: Database) -> None:
    with pytest.raises((Conflict, Exception), match=r"sites|Somebody"):
        async with database.transaction() as work:
            await work.session.execute(insert(Site).values(id=2, identity="", frame={}))


async def test_frame_follows_what_is_configured_and_says_what_changed(database: Database) -> None:
    await configure(database)
    with watching.events(database) as heard:
        await configure(database, name="Tides", time_zone="Asia/Tokyo")
        await configure(database, name="Tides")
    assert heard == [SiteChanged(("name", "time_zone"))]
    frame = await frame_of(database)
    assert (frame.name, str(frame.zone), frame.permalink, frame.posts_per_page) == ("Tides", "Asia/Tokyo", "/{slug}", 10)


async def test_menu_is_the_pages_at_the_top_until_somebody_makes_one(database: Database) -> None:
    editor = await person(database, "editor")
    about = await published_page(database, editor, title="About")
    await published_page(database, editor, title="Team", parent=about.post_id)
    await page(database, editor, title="Draft")
    contact = await published_page(database, editor, title="Contact")
    assert (await frame_of(database)).menu == (Link("About", "/about"), Link("Contact", "/contact"))
    with watching.events(database) as heard:
        await edited(database, editor, contact.post_id, text="New text, same title.")
        await publish(database, editor, contact.post_id)
    assert not [event for event in heard if isinstance(event, SiteChanged)]
    await withdraw(database, editor, contact.post_id)
    assert (await frame_of(database)).menu == (Link("About", "/about"),)


async def test_menu_that_somebody_made_leads_to_where_things_are_now(database: Database) -> None:
    editor = await person(database, "editor")
    post = await published(database, editor, slug="one")
    gone = await published(database, editor, slug="gone")
    async with database.transaction() as work:
        menu = Menu(name="main")
        work.session.add(menu)
        await work.session.flush()
        for position, (label, options) in enumerate(
            {
                "Elsewhere": {"url": "https://example.org"},
                "Post": {"target_kind": TargetKind.POST, "target_id": post.post_id},
                "Gone": {"target_kind": TargetKind.POST, "target_id": gone.post_id},
            }.items()
        ):
            work.session.add(MenuItem(menu_id=menu.id, position=position, label=label, **options))
    await withdraw(database, editor, gone.post_id)
    await edited(database, editor, post.post_id, slug="two")
    await publish(database, editor, post.post_id)
    await configure(database)
    assert (await frame_of(database)).menu == (Link("Elsewhere", "https://example.org"), Link("Post", "/two"))


async def test_frame_written_by_an_older_release_is_read(database: Database) -> None:
    async with database.transaction() as work:
        await work.session.execute(text('UPDATE sites SET frame = \'{"name": "Old"}\''))
    assert (await frame_of(database)).name == "Old"
