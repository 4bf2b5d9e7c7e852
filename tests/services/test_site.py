"""The site's one row and the frame that every page is drawn in."""

import pytest
from pydantic import ValidationError
from sqlalchemy import insert, select, text

from cms.db.session import Database
from cms.errors import Conflict, Forbidden, InvalidInput
from cms.events import SiteChanged
from cms.models import Asset, AuditEntry, Menu, MenuItem, Site
from cms.models.address import TargetKind
from cms.models.site import Frame, Link
from cms.policy import Actor
from cms.schemas.site import SiteInput
from cms.services import site
from tests import watching
from tests.factories import asset_row, edited, page, person, publish, published, published_page, withdraw


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


def wanted(**changes: object) -> SiteInput:
    may_read = {"search_crawlers": True, "training_crawlers": True}
    return SiteInput(**{"name": "Tides", "language": "en", "time_zone": "UTC", "version": 0, **may_read, **changes})


async def save(database: Database, actor: Actor, given: SiteInput, **pictures: Asset) -> None:
    async with database.transaction() as work:
        await site.save(work, actor, given, pictures)


async def test_what_is_saved_is_in_the_frame_and_in_the_audit(database: Database) -> None:
    owner = await person(database, "owner")
    links = ({"label": "Mastodon", "path": "https://example.social/@tides"},)
    with watching.events(database) as heard:
        await save(database, owner, wanted(version=1, accent_hue=30, home="compact", footer="Mud.", links=links))
    frame = await frame_of(database)
    assert (frame.name, frame.accent_hue, frame.home, frame.footer) == ("Tides", 30, "compact", "Mud.")
    assert frame.links == (Link("Mastodon", "https://example.social/@tides"),)
    assert heard == [SiteChanged(("name", "footer", "accent_hue", "home", "links"))]
    async with database.read() as session:
        (entry,) = await session.scalars(select(AuditEntry).where(AuditEntry.action == "site.configure"))
    assert set(entry.details["before"]) == set(entry.details["after"]) == {"name", "footer", "accent_hue", "home", "links"}
    assert (entry.details["before"]["name"], entry.details["after"]["name"]) == ("The Tide Table", "Tides")


async def test_crawlers_are_kept_out_one_kind_at_a_time(database: Database) -> None:
    owner = await person(database, "owner")
    with watching.events(database) as heard:
        await save(database, owner, wanted(version=1, name="The Tide Table", training_crawlers=False, security_contact="safe@example.org"))
    frame = await frame_of(database)
    assert (frame.allows("search"), frame.allows("training"), frame.security_contact) == (True, False, "safe@example.org")
    assert heard == [SiteChanged(("crawlers", "security_contact"))]


@pytest.mark.parametrize("contact", ["nobody", "http://example.org", "a@b", "a b@example.org", "javascript:alert(1)"])
def test_a_contact_is_an_address_of_mail_or_of_a_page(contact: str) -> None:
    with pytest.raises(ValidationError):
        wanted(security_contact=contact)


@pytest.mark.parametrize("role", ["editor", "author", "contributor"])
async def test_only_administrators_configure(database: Database, role: str) -> None:
    actor = await person(database, role)
    with pytest.raises(Forbidden):
        await save(database, actor, wanted())
    assert (await frame_of(database)).name == "Squall"


async def test_the_second_of_two_administrators_hears_of_the_first(database: Database) -> None:
    one, other = await person(database, "administrator"), await person(database, "owner")
    await save(database, one, wanted(version=1, name="Mine"))
    with pytest.raises(Conflict):
        await save(database, other, wanted(version=1, name="Yours"))
    assert (await frame_of(database)).name == "Mine"
    await save(database, other, wanted(version=2, name="Yours"))
    assert (await frame_of(database)).name == "Yours"


async def test_a_logo_is_kept_until_it_is_removed(database: Database) -> None:
    admin = await person(database, "administrator")
    async with database.transaction() as work:
        picture = asset_row("a" * 64, "logo.png", width=30, height=20, created_at=work.now)
        work.session.add(picture)
    await save(database, admin, wanted(), logo=picture)
    logo = (await frame_of(database)).logo
    assert logo is not None
    assert (logo["path"].rsplit("/", 1)[1], logo["width"], logo["height"]) == ("logo.png", 30, 20)
    await save(database, admin, wanted(version=1))
    assert (await frame_of(database)).logo == logo
    await save(database, admin, wanted(version=2, remove_logo=True))
    assert (await frame_of(database)).logo is None


async def test_the_front_is_a_page_that_readers_can_see(database: Database) -> None:
    admin = await person(database, "administrator")
    about = await published_page(database, admin, title="About")
    team = await published_page(database, admin, title="Team", parent=about.post_id)
    hidden = await page(database, admin, title="Draft")
    post = await published(database, admin)
    for wrong in (hidden.id, post.post_id, 99, None):
        with pytest.raises(InvalidInput) as refused:
            await save(database, admin, wanted(home="page", home_page_id=wrong))
        assert list(refused.value.errors) == ["home_page_id"]
    await save(database, admin, wanted(home="page", home_page_id=team.post_id))
    assert (await frame_of(database)).home_path == "/about/team"
    await edited(database, admin, team.post_id, slug="us")
    await publish(database, admin, team.post_id)
    assert (await frame_of(database)).home_path == "/about/us"
    await withdraw(database, admin, team.post_id)
    frame = await frame_of(database)
    assert (frame.home_path, frame.posts_path) == ("", "/")


async def test_the_page_at_the_front_is_not_in_the_menu_that_nobody_made(database: Database) -> None:
    admin = await person(database, "administrator")
    about = await published_page(database, admin, title="About")
    await published_page(database, admin, title="Contact")
    await save(database, admin, wanted(home="page", home_page_id=about.post_id))
    assert (await frame_of(database)).menu == (Link("Contact", "/contact"),)
