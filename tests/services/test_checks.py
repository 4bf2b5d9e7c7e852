"""What is looked at before a text goes out, and what a site may demand."""

from typing import Any

import pytest

from cms.content.pipeline import render
from cms.db.session import Database
from cms.errors import InvalidInput
from cms.models.post import Kind
from cms.policy import Actor
from cms.schemas.post import PostFields
from cms.services import checks, posts, publishing, site
from cms.services.checks import Text
from cms.services.publishing import Dates, Release, Version
from tests.factories import draft, edited, page, person, publish, published, published_page, trash, withdraw


async def dead(database: Database, actor: Actor, text: str, **fields: Any) -> list[tuple[int, str]]:
    """Line and sentence of each link that leads nowhere."""
    post = await draft(database, actor, title="Here", text=text, **fields)
    async with database.read() as session:
        found = await checks.find(session, actor, Text(post, PostFields(excerpt="x", picture=1), render(text)))
    return [(flaw.line, flaw.words) for flaw in found if flaw.code == "links"]


async def demand(database: Database, *codes: str) -> None:
    async with database.transaction() as work:
        await site.configure(work, compulsory_checks=list(codes))


async def test_links_are_dead_that_lead_to_nothing_readers_can_see(database: Database) -> None:
    ana = await person(database, "editor")
    about = await published_page(database, ana, title="About", text="## Who\n\nWe.")
    await published_page(database, ana, title="Team", parent=about.post_id)
    await published(database, ana, title="Moved", tags=("Sea",), new_category="Coast")
    moved = await published(database, ana, title="First name")
    await edited(database, ana, moved.post_id, slug="second-name")
    await publish(database, ana, moved.post_id)
    gone = await published(database, ana, title="Gone")
    await withdraw(database, ana, gone.post_id)
    alive = ["/", "/about", "/about/", "/about/team", "/about#who", "/first-name", "/tag/sea", "/tag/sea/feed.xml",
             "/category/coast/page/2", "/archive/2026", "/about.md", "https://example.org/x",
             "/about?x=1", "/author/edna-reed"]  # fmt: skip
    assert await dead(database, ana, "\n\n".join(f"[x]({address})" for address in alive)) == []
    assert await dead(
        database, ana, "[a](/gone)\n[b](/never)\n[c](/about#where)\n[d](/admin/posts/1)\n[e](/media/77/x.png)\n[f](/tag/no)"
    ) == [
        (1, "The link to /gone leads to something that was withdrawn."),
        (2, "The link to /never leads to nothing that readers can see."),
        (3, "The link to /about#where leads to a part that is not there."),
        (4, "The link to /admin/posts/1 leads to the desk, where readers cannot go."),
        (5, "The link to /media/77/x.png leads to a file that is not there."),
        (6, "The link to /tag/no leads to nothing that readers can see."),
    ]


async def test_draft_is_named_to_those_who_may_know_of_it(database: Database) -> None:
    ana, edna = await person(database, "author"), await person(database, "editor")
    await draft(database, edna, title="Secret plans")
    await trash(database, edna, (await draft(database, edna, title="Rubbish")).id)
    text = "[[Secret plans]] and [[Rubbish]]"
    assert await dead(database, edna, text) == [
        (1, "[[Secret plans]] leads to a draft that readers cannot see yet."),
        (1, "[[Rubbish]] leads nowhere: nothing public has this title."),
    ]
    assert (await dead(database, ana, text))[0] == (1, "[[Secret plans]] leads nowhere: nothing public has this title.")


async def test_what_is_missing_beside_the_text_is_said_first(database: Database) -> None:
    ana = await person(database, "editor")
    text = "![](/m/x.png)"
    post, plain = await draft(database, ana, text=text), await page(database, ana, text=text)
    async with database.read() as session:
        of_post = await checks.find(session, ana, Text(post, PostFields(), render(text)))
        of_page = await checks.find(session, ana, Text(plain, PostFields(excerpt="x"), render(text)))
    assert [flaw.code for flaw in of_post] == ["excerpt", "picture", "alt"]
    assert [flaw.code for flaw in of_page] == ["alt"]


async def test_nothing_goes_out_with_a_flaw_that_the_site_does_not_allow(database: Database) -> None:
    ana = await person(database, "author")
    post = await draft(database, ana, text="![](/m/a.png) ![](/m/b.png) ![](/m/c.png) ![](/m/d.png)\n\n[](/x)")
    await demand(database, "alt", "excerpt")
    with pytest.raises(InvalidInput) as refused:
        await publish(database, ana, post.id)
    assert "There is no excerpt" in refused.value.errors[""]
    assert refused.value.errors[""].endswith("And 2 more.")
    await edited(database, ana, post.id, text="![Mud](/m/a.png) [](/x)", excerpt="Mud.")
    await publish(database, ana, post.id)


async def test_what_is_brought_in_from_elsewhere_is_as_it_is(database: Database) -> None:
    edna = await person(database, "editor")
    await demand(database, "excerpt")
    post = await draft(database, edna, kind=Kind.POST)
    async with database.transaction() as work:
        seen = await posts.get_draft(work.session, edna, post.id)
        dates = Dates(work.now, work.now)
        (row,) = await publishing.publish_all(work, edna, [Release(post.id, Version(seen.version, render("Mud.")), dates)])
    assert row.path == "low-tide"
