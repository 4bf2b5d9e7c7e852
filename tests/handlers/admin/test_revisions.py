"""The pages of a text's history: the list, one revision, two compared, restored, played back; and to whom they are closed."""

from sqlalchemy import event, select

from cms.models import Revision
from cms.policy import Actor, Role
from tests import factories
from tests.web import Browser, Site

TIDE = "# Tides\n\nThe tide is *low*.\n\nMud."


async def written(site: Site, role: str = "author") -> tuple[Browser, Actor, int, list[int]]:
    """A post that was public once and has been saved twice since, and the ids of its revisions, oldest first."""
    await site.person(role)
    browser = await site.signed_in(role)
    actor = await factories.person(site.database, role)
    actor = Actor(actor.user_id, Role(role), actor.name)
    post_id = (await factories.published(site.database, actor, title="Low tide", text=TIDE)).post_id
    await factories.edited(site.database, actor, post_id, text=TIDE.replace("low", "high"), tags=("Sea", "Æsir"))
    await factories.edited(site.database, actor, post_id, title="High tide", text=TIDE.replace("low", "high") + "\n\nGulls.")
    return browser, actor, post_id, await ids_of(site, post_id)


async def ids_of(site: Site, post_id: int) -> list[int]:
    async with site.database.read() as session:
        return list(await session.scalars(select(Revision.id).where(Revision.post_id == post_id).order_by(Revision.id)))


async def test_the_list_says_who_kept_what_and_costs_the_same_however_long_it_is(site: Site) -> None:
    browser, actor, post_id, ids = await written(site)
    at = f"/admin/posts/{post_id}/revisions"
    statements = list[str]()

    def count(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    event.listen(site.database.reading.sync_engine, "before_cursor_execute", count)
    answer = await browser.get(at)
    few = len([each for each in statements if "revisions" in each])
    assert answer.status == 200
    assert "Today" in answer.words
    assert answer.words.count("Saved by Author Person") >= 3
    assert answer.words.count("What readers see") >= 1
    assert answer.text.index(f"{at}/{ids[2]}") < answer.text.index(f"{at}/{ids[0]}")
    for number in range(4):
        await factories.edited(site.database, actor, post_id, text=f"Text {number}")
    statements.clear()
    assert (await browser.get(at)).page is not None
    event.remove(site.database.reading.sync_engine, "before_cursor_execute", count)
    assert len([each for each in statements if "revisions" in each]) == few == 2
    assert (await browser.get(f"{at}?page=2")).status == (await browser.get(f"{at}?page=x")).status == 404


async def test_a_revision_is_shown_named_and_pinned_by_a_form(site: Site) -> None:
    browser, _, post_id, ids = await written(site)
    at = f"/admin/posts/{post_id}/revisions/{ids[1]}"
    answer = await browser.get(at)
    assert "The tide is *high*." in answer.text
    assert "Sea, Æsir" in answer.words
    page = await browser.get(f"{at}/page")
    assert "<em>high</em>" in page.text
    assert "sandbox" in page.headers["Content-Security-Policy"]
    assert (await browser.post(at, {"name": "First & whole", "is_pinned": "on"})).location == at
    assert "First &amp; whole" in (await browser.get(at)).text
    assert "Pinned" in (await browser.get(f"/admin/posts/{post_id}/revisions")).words
    refused = await browser.post(at, {"name": "x" * 101})
    assert refused.status == 422
    assert "x" * 101 in refused.text
    assert refused.page is not None


async def test_two_are_compared_as_written_and_as_read(site: Site) -> None:
    browser, _, post_id, ids = await written(site)
    at = f"/admin/posts/{post_id}/revisions/comparison"
    two = f"{at}?old={ids[0]}&new={ids[2]}"
    side, line = await browser.get(two), await browser.get(f"{two}&how=line")
    for answer in (side, line):
        assert answer.page is not None
        assert "<del>low</del>" in answer.text
        assert "<ins>high</ins>" in answer.text
        assert "2 words came, 1 went" in answer.words
        assert "<del>Low tide</del>" in answer.text  # the fields, in words
        assert "<ins>Sea, Æsir</ins>" in answer.text
    read = await browser.get(f"{two}&what=read&how=line")
    frame = f"{at}/page?old={ids[0]}&amp;new={ids[2]}&amp;show=both"
    assert frame in read.text
    page = await browser.get(frame.replace("&amp;", "&"))
    assert '<em><del class="marked">low</del><ins class="marked">high</ins></em>' in page.text
    assert page.page is not None
    live = await browser.get(f"{at}?old=live&new=newest")
    assert "<ins>high</ins>" in live.text
    assert "The texts are the same." in (await browser.get(at)).words
    assert (await browser.get(f"{at}?old=1e9")).status == (await browser.get(f"{at}?old=999999")).status == 404


async def test_restoring_is_an_edit_of_the_text_and_a_revision(site: Site) -> None:
    browser, _, post_id, ids = await written(site)
    answer = await browser.post(f"/admin/posts/{post_id}/revisions/{ids[0]}/restoration")
    assert answer.location == f"/admin/posts/{post_id}"
    editor = await browser.get(answer.location)
    assert "The tide is *low*." in editor.text
    listed = await browser.get(f"/admin/posts/{post_id}/revisions")
    assert "Restored by Author Person" in listed.words
    assert len(await ids_of(site, post_id)) == 4


async def test_it_is_played_back_by_links(site: Site) -> None:
    browser, _, post_id, ids = await written(site)
    at = f"/admin/posts/{post_id}/revisions/playback"
    first = await browser.get(at)
    assert first.page is not None
    assert "1 of 3" in first.words
    assert "<ins>The tide is *low*.</ins>" in first.text
    second = await browser.get(f"{at}?at={ids[1]}")
    assert "<del>low</del><ins>high</ins>" in second.text
    assert f'rel="prev" href="{at}?at={ids[0]}"' in second.text
    assert f'rel="next" href="{at}?at={ids[2]}"' in second.text
    assert (await browser.get(f"{at}?at=999999")).status == 404


async def test_the_history_of_another_post_is_not_found(site: Site) -> None:
    browser, actor, post_id, ids = await written(site)
    other = await factories.draft(site.database, actor, title="Other")
    editor = await factories.person(site.database, "editor")
    foreign = await factories.published(site.database, editor, title="Foreign")
    at = f"/admin/posts/{other.id}/revisions"
    for path in (f"{at}/{ids[0]}", f"{at}/{ids[0]}/page", f"{at}/comparison?old={ids[0]}", f"{at}/playback?at={ids[0]}"):
        assert (await browser.get(path)).status == 404, path
        assert (await browser.get(path.replace("posts", "pages"))).status in (403, 404), path
    assert (await browser.post(f"{at}/{ids[0]}", {"name": "Mine"})).status == 404
    assert (await browser.post(f"{at}/{ids[0]}/restoration")).status == 404
    assert (await browser.get(f"/admin/posts/{foreign.post_id}/revisions")).status == 403  # it is public; its history is not
    assert await ids_of(site, post_id) == ids
