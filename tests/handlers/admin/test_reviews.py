"""A review at the desk: from the contributor to the editor and back and out; and what the site demands."""

from cms.models import Job
from cms.services import reviews
from tests.handlers.admin.pages import buttons, by_class, by_id, fields, form_of, saved, words, written
from tests.services.test_reviews import demand
from tests.web import Browser, Site


async def act(browser: Browser, post_id: int, method: str = "", **form: str) -> None:
    """Press a button of the review's page."""
    at = f"/admin/posts/{post_id}/review"
    shown = fields((page := (await browser.get(at)).page), form_of(page, at))
    answer = await browser.post(at, {**shown, **({"_method": method} if method else {}), **form})
    assert (answer.status, answer.location) == (303, at), answer.words


async def test_contributor_to_editor_and_back_and_out(site: Site) -> None:
    contributor, editor = await site.signed_in("contributor"), await site.signed_in("editor")
    post_id = await written(contributor)
    at = f"/admin/posts/{post_id}/review"
    page = (await contributor.get(f"/admin/posts/{post_id}")).page
    assert "Submit for review…" in buttons(page)
    assert "Publish…" not in buttons(page)
    assert "What was reviewed" not in words(by_id(page, "more")), "nothing was"
    form = fields(page, form_of(page, form_id="post"))
    assert (await contributor.post(f"/admin/posts/{post_id}", {**form, "then": "review"})).location == at
    assert "one of them asks for changes or approves it: Editor Person." in (await contributor.get(at)).words
    await act(contributor, post_id, words="Is it <b>good</b>?")
    assert "What was reviewed" in words(by_id((await contributor.get(f"/admin/posts/{post_id}")).page, "more"))

    assert "Waiting for your review 1" in (await editor.get("/admin")).words
    assert "Contributor Person asks you to review “Stormy night”" in (await editor.get("/admin/notifications")).words
    page = await editor.get(at)
    assert "Is it <b>good</b>?" in page.words
    assert {"Approve", "Ask for changes"} <= set(buttons(page.page))
    refused = await editor.post(at, {"_method": "patch", "words": " "})
    assert refused.status == 422
    assert "Say what should change" in words(by_id(refused.page, "words-error"))
    await act(editor, post_id, "patch", words="Less rain.")

    assert "asks for changes to “Stormy night” Less rain." in (await contributor.get("/admin/notifications")).words.replace("new ", "")
    await saved(contributor, post_id, text="It was a dark night.")
    await act(contributor, post_id)
    assert "Yours, in review Stormy night" in (await contributor.get("/admin")).words
    await act(editor, post_id, "put")
    page = await editor.get(at)
    assert [words(each) for each in by_class(page.page, "status")][:1] == ["Approved"]
    assert "Publish…" in page.words
    form = fields((await editor.get(f"/admin/posts/{post_id}/publication")).page)
    assert (await editor.post(f"/admin/posts/{post_id}/publication", form)).status == 303
    assert "It was a dark night." in (await site.browser().get("/stormy-night")).words
    history = (await contributor.get(at)).words
    assert history.index("approved it") < history.index("asked for changes") < history.index("Is it <b>good</b>?")


async def test_approving_what_has_changed_shows_what_has(site: Site) -> None:
    contributor, editor = await site.signed_in("contributor"), await site.signed_in("editor")
    post_id = await written(contributor)
    at = f"/admin/posts/{post_id}/review"
    await act(contributor, post_id)
    seen = fields((page := (await editor.get(at)).page), form_of(page, at))
    await saved(contributor, post_id, title="Calm night", text="It was a calm night.")
    answer = await editor.post(at, {**seen, "_method": "put", "words": "Good"})
    assert answer.status == 409
    assert reviews.CHANGED_SINCE in answer.words
    assert {"Title", "Stormy night", "Calm night"} <= {words(each) for each in answer.page.iter() if each.tag in ("th", "del", "ins")}
    again = fields(answer.page, form_of(answer.page, at))
    assert again["words"].strip() == "Good"
    assert "The text has changed since it was submitted." in (await contributor.get(f"/admin/posts/{post_id}")).words
    assert (await editor.post(at, {**again, "_method": "put"})).status == 303
    assert (await editor.post(at, {**again, "_method": "put"})).status == 409


async def test_site_that_demands_it_leads_to_the_review_instead_of_publishing(site: Site) -> None:
    owner, author = await site.signed_in("owner"), await site.signed_in("author")
    at = "/admin/site/review"
    form = fields((page := (await owner.get(at)).page), form_of(page, at))
    wanted = {**form, "roles": ["author", "contributor"], "steps-0-name": "Facts", "steps-1-name": "Chief", "steps-1-role": "administrator"}
    answer = await owner.post(at, wanted)
    assert answer.status == 303, answer.words
    kept = (await owner.get(at)).page
    shown = fields(kept, form_of(kept, at))
    assert (shown["steps-0-name"], shown["steps-1-role"], shown["roles"]) == ("Facts", "administrator", "author")
    assert (await owner.post(at, {**shown, "version": form["version"], "steps-0-name": "Law"})).status == 409
    assert (await owner.post(at, {**shown, "roles": "reader"})).status == 422

    post_id = await written(author)
    assert "Submit for review…" in buttons((await author.get(f"/admin/posts/{post_id}")).page)
    publication = await author.get(f"/admin/posts/{post_id}/publication")
    assert reviews.NEEDED in publication.words
    assert "Publish now" not in buttons(publication.page)
    refused = await author.post(f"/admin/posts/{post_id}/publication", {"version": "1"})
    assert refused.status == 422
    assert reviews.NEEDED in refused.words
    assert (await site.browser().get("/stormy-night")).status == 404
    await act(author, post_id)
    assert "Step 1 of 2: Facts" in (await author.get(f"/admin/posts/{post_id}/review")).words


async def test_administrator_says_so_if_it_goes_out_without(site: Site) -> None:
    owner, author = await site.signed_in("owner"), await site.signed_in("author")
    await demand(site.database, roles=("author",), is_waivable=True)
    at = f"/admin/posts/{await written(author)}/publication"
    page = (await owner.get(at)).page
    assert "Publish without a review" in buttons(page)
    theirs = (await author.get(at)).page
    assert "Publish without a review" not in buttons(theirs)
    assert (await author.post(at, {"version": "1", "without_review": "on"})).status == 422
    assert (await owner.post(at, {**fields(page), "without_review": "on"})).status == 303
    assert "without a review" in (await owner.get("/admin/audit")).words


async def test_first_page_teaches_where_nothing_is_written_and_takes_a_thought(site: Site) -> None:
    owner = await site.signed_in("owner")
    page = await owner.get("/admin")
    assert "Write the first post" in page.words
    await written(owner, title="First")
    page = await owner.get("/admin")
    assert "Write the first post" not in page.words
    form = fields(page.page, form_of(page.page, "/admin/posts"))
    assert (await owner.post("/admin/posts", {**form, "title": "A thought"})).status == 303
    assert "A thought" in words(by_class((await owner.get("/admin")).page, "rows")[0])


async def test_work_that_was_given_up_leads_to_its_page(site: Site) -> None:
    owner = await site.signed_in("owner")
    await written(owner)
    async with site.database.transaction() as work:
        work.session.add(Job(name="send_mail", payload={}, created_at=work.now, due_at=work.now, finished_at=work.now, error="No."))
    page = (await owner.get("/admin")).page
    (given_up,) = [each for each in by_class(page, "title") if words(each) == "Work that was given up: Sends a letter"]
    assert "No." in (await owner.get(given_up.get("href") or "")).words
