"""The page from which a text goes out at a time, ends, and what was just done taken back."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select

from cms.models import Redirect, Schedule
from cms.models import Site as SiteRow
from cms.rendering import Renderer
from cms.services import site as sites
from cms.worker import scheduler
from cms.worker.tasks import Means
from tests import factories
from tests.handlers.admin.pages import by_class, by_id, editor, fields, form_of, published, saved, title, words, written
from tests.watching import Clock
from tests.web import Answer, Browser, Site, running_site


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def site(database_url: str, tmp_path: Path, renderer: Renderer, clock: Clock) -> AsyncIterator[Site]:
    """In Lisbon, on Friday, 20 November 2026, at noon."""
    async with running_site(database_url, tmp_path / "data", renderer=renderer, clock=clock) as site:
        await site.person("owner")
        async with site.database.transaction() as work:
            (await work.session.scalars(select(SiteRow))).one().time_zone = "Europe/Lisbon"
            await sites.renew_frame(work)
        yield site


async def scheduled(browser: Browser, post_id: int, day: str = "2026-11-23", time: str = "09:00", **more: str) -> Answer:
    address = f"/admin/posts/{post_id}/publication"
    page = (await browser.get(address)).page
    form = {**fields(page, form_of(page, address)), "when": "later", "day": day, "time": time, **more}
    return await browser.post(address, form)


async def schedules(site: Site) -> list[str]:
    async with site.database.read() as session:
        return [f"{row.act} {row.due_at:%d %H:%M}" for row in await session.scalars(select(Schedule).order_by(Schedule.act))]


async def readers_see(site: Site, path: str = "/stormy-night") -> str:
    answer = await site.browser().get(path)
    return answer.words if answer.status == 200 else str(answer.status)


async def undone(browser: Browser, answer: Answer) -> Answer:
    """The button of the message that the act left, pressed."""
    page = (await browser.get(answer.location)).page
    offer = next(form for form in page.iter("form") if (form.get("action") or "").endswith("/undo"))
    sent = await browser.post(offer.get("action") or "", fields(page, offer))
    assert sent.status == 303
    return await browser.get(sent.location)


async def test_text_is_scheduled_changed_and_given_up(site: Site) -> None:
    browser = await site.signed_in("owner")
    post_id = await written(browser)
    answer = await scheduled(browser, post_id)
    assert (answer.status, answer.location, await schedules(site)) == (303, f"/admin/posts/{post_id}", ["publish 23 09:00"])
    desk = (await browser.get(answer.location)).words
    assert "It goes out on Monday, 23 November 2026, 09:00." in desk
    assert "Goes out on Monday, 23 November 2026, 09:00." in desk
    assert "Scheduled" in (await browser.get("/admin/posts")).words

    await saved(browser, post_id, text="Typed since.")
    for path in (f"/admin/posts/{post_id}", f"/admin/posts/{post_id}/publication"):
        assert "The scheduled revision differs from what stands in the editor." in (await browser.get(path)).words
    await scheduled(browser, post_id, "2026-11-24", what="scheduled")
    assert await schedules(site) == ["publish 24 09:00"]
    assert "differs from what stands" in (await browser.get(f"/admin/posts/{post_id}/publication")).words
    await scheduled(browser, post_id, "2026-11-24", what="editor")
    assert "differs from what stands" not in (await browser.get(f"/admin/posts/{post_id}/publication")).words

    await browser.post(f"/admin/posts/{post_id}/schedule", {"_method": "delete"})
    assert await schedules(site) == []
    again = await browser.post(f"/admin/posts/{post_id}/schedule", {"_method": "delete"})
    assert (again.status, await readers_see(site)) == (409, "404")


async def test_a_revision_that_was_scheduled_meanwhile_does_not_go_out_unseen(site: Site) -> None:
    browser, editor = await site.signed_in("owner"), await site.signed_in("editor")
    post_id = await written(browser)
    at = f"/admin/posts/{post_id}/publication"
    await scheduled(browser, post_id)
    await saved(browser, post_id, text="Typed since.")
    seen = fields(page := (await browser.get(at)).page, form_of(page, at))
    await scheduled(editor, post_id)
    await saved(editor, post_id, text="Typed last.")
    for when in ("now", "later"):
        answer = await browser.post(at, {**seen, "what": "scheduled", "when": when, "day": "2026-11-24"})
        assert (answer.status, await schedules(site), await readers_see(site)) == (409, ["publish 23 09:00"], "404")
    again = fields(answer.page, form_of(answer.page, at))
    assert (await browser.post(at, {**again, "what": "scheduled", "when": "now"})).status == 303
    assert "Typed since." in await readers_see(site)


async def test_times_that_cannot_be_are_refused_by_their_field(site: Site) -> None:
    browser = await site.signed_in("owner")
    post_id = await written(browser)
    cases = [
        ("2027-03-28", "01:30", "The clocks of Europe/Lisbon skip 01:30 on 28 March 2027, as they are put forward"),
        ("", "09:00", "Choose a day and a time."),
        ("tomorrow", "noon", "Write a day and a time"),
        ("2026-11-20", "11:59", "This time has passed: it is published now if you go on."),
    ]
    for day, time, sentence in cases:
        answer = await scheduled(browser, post_id, day, time)
        assert (answer.status, title(answer)[:7]) == (422, "Error: ")
        assert sentence in words(by_id(answer.page, "day-error"))
        assert by_id(answer.page, "day").get("value") == day
    address = f"/admin/posts/{post_id}/publication"
    assert (await schedules(site), fields(answer.page, form_of(answer.page, address))["when"]) == ([], "now"), "of what has passed"
    await scheduled(browser, post_id, "2027-10-31", "01:30")  # which the clocks show twice
    assert await schedules(site) == ["publish 31 00:30"]
    assert "(the first of the two times that the clocks show this)" in (await browser.get(address)).words
    assert (await browser.post(address, {"version": "1", "when": "never"})).status == 422


async def test_what_was_just_published_is_taken_back(site: Site) -> None:
    browser = await site.signed_in("owner")
    post_id = await written(browser, text="First.")
    page = await undone(browser, await published(browser, post_id))
    assert "Undone: everything is as it was before." in page.words
    assert await readers_see(site) == "404"
    await published(browser, post_id)
    await saved(browser, post_id, text="Second.")
    answer = await published(browser, post_id)
    assert "Second." in await readers_see(site)
    page = await undone(browser, answer)
    assert "First." in await readers_see(site)
    assert "Unpublished changes" in page.words
    assert (await editor(browser, post_id))["text"] == "Second."


async def test_what_was_just_withdrawn_trashed_or_scheduled_is_taken_back(site: Site) -> None:
    browser = await site.signed_in("owner")
    post_id = await written(browser, text="First.")
    await published(browser, post_id)
    at = f"/admin/posts/{post_id}"
    await undone(browser, await scheduled(browser, post_id))
    assert await schedules(site) == []
    await scheduled(browser, post_id)
    acts = [(f"{at}/end", {"end_when": "now", "redirect_to": "/elsewhere"}), (at, {"_method": "delete"})]
    for path, form in acts:
        answer = await browser.post(path, form)
        assert (answer.status, "First." in await readers_see(site)) == (303, False)
        await undone(browser, answer)
        assert "First." in await readers_see(site)
        assert await schedules(site) == ["publish 23 09:00"], "what waited waits again"
    async with site.database.read() as session:
        assert not (await session.scalars(select(Redirect))).all()


async def test_redirect_that_waited_for_the_address_is_there_again_after_undo(site: Site) -> None:
    browser = await site.signed_in("owner")
    post_id = await written(browser, text="First.")
    await published(browser, post_id)
    await browser.post("/admin/redirects/new", {"path": "/stormy-night", "target": "/archive", "match": "exact"})
    at = f"/admin/posts/{post_id}"
    leads_away = (f"{at}/end", {"end_when": "now", "redirect_to": "/elsewhere"})
    for path, form in (leads_away, (f"{at}/publication", {"_method": "delete"}), (at, {"_method": "delete"})):
        await undone(browser, await browser.post(path, form))
        assert "First." in await readers_see(site)
        async with site.database.read() as session:
            assert (await session.scalars(select(Redirect.target))).all() == ["/archive"]


async def test_what_was_submitted_meanwhile_is_not_undone(site: Site) -> None:
    browser = await site.signed_in("author")
    post_id = await written(browser, text="First.")
    page = (await browser.get((await published(browser, post_id)).location)).page
    offer = next(form for form in page.iter("form") if (form.get("action") or "").endswith("/undo"))
    await saved(browser, post_id, text="Second.")
    assert (await browser.post(f"/admin/posts/{post_id}/review", {"words": "Please."})).status == 303
    await browser.post(offer.get("action") or "", fields(page, offer))
    assert "Something else happened to it meanwhile" in (await browser.get(f"/admin/posts/{post_id}")).words
    assert "First." in await readers_see(site)
    assert "Stormy night" in (await (await site.signed_in("editor")).get("/admin")).words


async def test_undo_is_for_whoever_did_it_for_seconds_and_while_nothing_else_happens(site: Site, clock: Clock) -> None:
    browser, other = await site.signed_in("owner"), await site.signed_in("editor")
    post_id = await written(browser)

    async def ticket() -> tuple[str, dict[str, str]]:
        page = (await browser.get((await published(browser, post_id)).location)).page
        (offer,) = [form for form in page.iter("form") if (form.get("action") or "").endswith("/undo")]
        return offer.get("action") or "", fields(page, offer)

    address, form = await ticket()
    foreign = {"ticket": form["ticket"]}
    assert (await other.post(address, foreign)).status == 404
    for forged in ("999", "x", ""):
        assert (await browser.post(address, {**form, "ticket": forged})).status in (404, 422)
    clock.pass_(seconds=16)
    await browser.post(address, form)
    assert "too late to undo" in (await browser.get(f"/admin/posts/{post_id}")).words
    await saved(browser, post_id, text="Second.")
    address, form = await ticket()
    await browser.post(f"/admin/posts/{post_id}/publication", {"_method": "delete"})
    await browser.post(address, form)
    assert "Something else happened to it meanwhile" in (await browser.get(f"/admin/posts/{post_id}")).words
    assert await readers_see(site) == "410"


async def test_changes_are_counted_and_discarded(site: Site) -> None:
    browser = await site.signed_in("owner")
    post_id = await written(browser, text="The tide is low.")
    await published(browser, post_id)
    await saved(browser, post_id, text="The tide is very high.", title="Calm")
    page = (await browser.get(f"/admin/posts/{post_id}/publication")).page
    assert "the title, the excerpt, the text, the address" in words(by_class(page, "plan")[0])
    assert "2 words came, 1 went." in words(by_class(page, "plan")[0])
    address = f"/admin/posts/{post_id}/changes"
    answer = await browser.post(address, fields(page, form_of(page, address)))
    form = await editor(browser, post_id)
    assert (answer.status, form["text"], form["title"]) == (303, "The tide is low.", "Stormy night")
    assert "Unpublished changes" not in (await browser.get(f"/admin/posts/{post_id}")).words
    assert (await browser.get(f"/admin/posts/{post_id}/revisions")).text.count("<li") >= 3, "what was discarded is kept"
    assert (await browser.post(f"/admin/posts/{await written(browser)}/changes", {"_method": "delete"})).status == 409


async def test_end_is_set_moved_and_taken_away(site: Site) -> None:
    browser = await site.signed_in("owner")
    post_id = await written(browser)
    await published(browser, post_id)
    address = f"/admin/posts/{post_id}/end"
    later = {"end_when": "later", "end_day": "2026-12-01", "end_time": "18:00"}
    for wrong, field in (
        ({"redirect_to": "javascript:x"}, "redirect_to"), ({"end_day": "2026-11-01"}, "end_day"), ({"end_time": ""}, "end_day"),
    ):  # fmt: skip
        answer = await browser.post(address, {**later, **wrong})
        assert answer.status == 422
        assert words(by_id(answer.page, f"{field}-error"))
    await browser.post(address, {**later, "redirect_to": "https://example.org/new"})
    page = (await browser.get(f"/admin/posts/{post_id}/publication")).words
    assert "Readers have it until Tuesday, 1 December 2026, 18:00. Its address leads to https://example.org/new then." in page
    assert "Readers have it until" in (await browser.get(f"/admin/posts/{post_id}")).words
    await browser.post(address, {"_method": "delete"})
    assert await schedules(site) == []


async def test_calendar_shows_months_and_moves_by_a_form(site: Site) -> None:
    browser = await site.signed_in("owner")
    empty = await browser.get("/admin/calendar?month=2027-02")
    assert "February 2027" in empty.words
    assert "Nothing stands in this month yet" in empty.words
    post_id = await written(browser)
    await scheduled(browser, post_id)
    page = (await browser.get("/admin/calendar")).page
    assert "Stormy night 09:00" in words(by_class(page, "movable")[0])
    form = form_of(page, form_id=f"move-publish-{post_id}")
    answer = await browser.post(form.get("action") or "", {**fields(page, form), "day": "2026-12-24"})
    assert (answer.status, await schedules(site)) == (303, ["publish 24 09:00"])
    assert answer.location == "/admin/calendar?month=2026-12"
    page = await undone(browser, answer)
    assert await schedules(site) == ["publish 23 09:00"]
    for wrong, status in (({"day": "2026-11-01"}, 422), ({"day": "soon"}, 422), ({"act": "withdraw"}, 409), ({"post": "999"}, 404)):
        form = {"post": str(post_id), "act": "publish", "day": "2026-12-24", **wrong}
        answer = await browser.post("/admin/calendar?month=2027-02", form)
        assert (answer.status, "February 2027" in answer.words) == (status, status != 404), "where one was"
    for query in ("2026-13", "26-1", "x"):
        assert (await browser.get(f"/admin/calendar?month={query}")).status == 404


async def test_why_it_could_not_go_out_is_said_in_the_language_of_whoever_looks(site: Site, clock: Clock) -> None:
    browser, owner = await site.signed_in("owner"), await factories.person(site.database, "owner")
    post_id = await written(browser, slug="stormy-night")
    await scheduled(browser, post_id)
    await factories.published(site.database, owner, title="Another", slug="stormy-night")
    clock.pass_(days=3)
    parts = site.application.parts
    means = Means(
        parts.database, parts.sealer, parts.mailer, parts.storage, parts.renderer, parts.imaging, parts.renditions,
        parts.settings.public_url, parts.settings.data,
    )  # fmt: skip
    assert await scheduler.do_due(means) == 0
    browser = await site.signed_in("owner")  # the session has ended meanwhile
    one = f"/admin/posts/{post_id}"
    for path in ("/admin", one, f"{one}/publication", "/admin/notifications"):
        assert "/stormy-night belongs to something else; choose another address." in (await browser.get(path)).words
        german = await browser.get(path, **{"Accept-Language": "de"})
        assert "/stormy-night gehört zu etwas anderem; wähle eine andere Adresse." in german.words, path
    listed = await browser.get("/admin/posts", **{"Accept-Language": "de"})
    assert "gehört zu etwas anderem" in (by_class(listed.page, "missed")[-1].get("title") or "")
