"""The Markdown behind a post's address."""

from typing import Any

import yaml
from sqlalchemy import insert

from cms.models import Address
from tests import factories
from tests.handlers.site.test_feeds import public, written
from tests.watching import questions
from tests.web import Answer, Site

TEXT = "Mud, *mostly*.\n\n<!-- ask the\nlawyer -->\n\n```html\n<!-- kept -->\n```"


async def post(site: Site, **fields: Any) -> int:
    await site.person("owner")
    author = await factories.person(site.database, "author")
    return (await factories.published(site.database, author, **fields)).post_id


async def moved(site: Site, post_id: int, **changes: Any) -> None:
    author = await factories.person(site.database, "author")
    await factories.edited(site.database, author, post_id, **changes)
    await factories.publish(site.database, author, post_id)


def head(answer: Answer) -> dict[str, Any]:
    _, written, _ = answer.text.split("---\n", 2)
    found: dict[str, Any] = yaml.safe_load(written)
    return found


async def test_a_post_has_its_source_behind_it(site: Site) -> None:
    await post(site, title='Low "tide": a\u2028b', slug="low-tide", text=TEXT, tags=("Sea", "- x"))
    with questions(site.database) as asked:
        answer = await site.browser().get("/low-tide.md")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/markdown; charset=utf-8")
    assert answer.headers["Link"] == f'<{public(site)}/low-tide>; rel="canonical"'
    assert len(asked) <= 3
    found = head(answer)
    assert found["title"].startswith('Low "tide": a')
    assert (found["authors"], found["tags"], found["language"]) == (["Ana Silva"], ["Sea", "- x"], "en")
    assert found["canonical"] == f"{public(site)}/low-tide"
    assert set(found) == {"title", "date", "updated", "authors", "tags", "language", "canonical"}
    assert answer.text.endswith("---\n\nMud, *mostly*.\n\n\n\n```html\n<!-- kept -->\n```\n")
    assert (await site.browser().get("/low-tide.md", **{"If-None-Match": answer.headers["Etag"]})).status == 304


async def test_a_page_has_its_source_and_both_name_it(site: Site) -> None:
    await written(site)
    editor = await factories.person(site.database, "editor")
    about = await factories.published_page(site.database, editor, title="About", text="Us.")
    await factories.published_page(site.database, editor, title="The team", text="We.", parent=about.post_id)
    for path in ("/low-tide", "/about", "/about/the-team"):
        link = (await site.browser().get(path)).page.find(".//link[@type='text/markdown']")
        assert link.get("href") == f"{path}.md"  # type: ignore[union-attr]
        assert (await site.browser().get(f"{path}.md")).status == 200


async def test_only_what_was_published_is_shown(site: Site) -> None:
    post_id = await post(site, text="Public.")
    author = await factories.person(site.database, "author")
    await factories.edited(site.database, author, post_id, text="Marker", title="Marker")
    await factories.draft(site.database, author, title="Secret")
    assert "Marker" not in (await site.browser().get("/low-tide.md")).text
    assert (await site.browser().get("/secret.md")).status == 404
    assert (await site.browser().get("/nothing.md")).status == 404
    assert (await site.browser().get("/admin.md")).status == 404


async def test_the_source_of_what_moved_is_behind_its_new_address(site: Site) -> None:
    post_id = await post(site)
    await moved(site, post_id, slug="elsewhere")
    answer = await site.browser().get("/low-tide.md")
    assert (answer.status, answer.location) == (301, "/elsewhere.md")


async def test_the_source_of_what_was_withdrawn_is_gone(site: Site) -> None:
    post_id = await post(site)
    await moved(site, post_id, slug="elsewhere")
    await factories.withdraw(site.database, await factories.person(site.database, "author"), post_id)
    for path in ("/low-tide.md", "/elsewhere.md"):
        assert (await site.browser().get(path)).status == 410


async def test_an_address_that_was_given_out_wins(site: Site) -> None:
    await post(site, title="Notes", slug="notes")
    other = await post(site, title="Other", slug="other")
    await at(site, "notes.md", other)
    answer = await site.browser().get("/notes.md")
    assert (answer.status, answer.location) == (301, "/other")


async def test_an_old_page_that_ended_like_this_leads_to_the_new_one(site: Site) -> None:
    await at(site, "notes.md", await post(site, title="Notes", slug="notes"))
    answer = await site.browser().get("/notes.md")
    assert (answer.status, answer.location) == (301, "/notes")


async def at(site: Site, path: str, post_id: int) -> None:
    async with site.database.transaction() as work:
        row = {"path": path, "target_kind": "post", "target_id": post_id, "state": "moved"}
        await work.session.execute(insert(Address).values(**row))


async def test_one_right_spelling(site: Site) -> None:
    await post(site, slug="low-tide")
    answer = await site.browser().get("/low%2Dtide.md")
    assert (answer.status, answer.location) == (301, "/low-tide.md")
