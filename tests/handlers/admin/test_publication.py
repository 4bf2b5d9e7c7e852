"""Publishing, withdrawing, and the page that says what will happen."""

from sqlalchemy import func, select

from cms.models import Published, Revision
from tests.handlers.admin.pages import buttons, by_class, by_id, editor, fields, form_of, published, saved, title, words, written
from tests.web import Site


async def test_summary_says_what_will_happen(site: Site) -> None:
    browser = await site.signed_in("owner")
    post_id = await written(browser, title="Stormy *night*", tags="Weather", new_category="Novels")
    page = (await browser.get(f"/admin/posts/{post_id}/publication")).page
    plan = words(by_class(page, "plan")[0])
    assert f"http://localhost:{site.url.rsplit(':', 1)[1]}/stormy-night" in plan
    assert "It was a dark and stormy night." in plan
    assert "Taken from the beginning of the text." in plan
    assert "Olga Owner" in plan
    assert "Novels, Weather" in plan
    assert "12 words" in plan
    assert "Publish now" in buttons(page)


async def test_published_post_answers_publicly(site: Site) -> None:
    browser = await site.signed_in("owner")
    post_id = await written(browser, text="It was *dark*.")
    assert (await site.browser().get("/stormy-night")).status == 404
    answer = await published(browser, post_id)
    assert (answer.status, answer.location) == (303, f"/admin/posts/{post_id}")
    public = await site.browser().get("/stormy-night")
    assert public.status == 200
    assert "<em>dark</em>" in public.text
    desk = await browser.get(f"/admin/posts/{post_id}")
    assert "Readers can see it now." in desk.words
    assert "/stormy-night" in [link.get("href") for link in desk.page.iter("a")]
    assert "Update…" in buttons(desk.page)


async def test_saving_changes_nothing_for_readers_until_it_is_updated(site: Site) -> None:
    browser = await site.signed_in("owner")
    post_id = await written(browser)
    await published(browser, post_id)
    await saved(browser, post_id, text="New words.", excerpt="New excerpt")
    assert "New words." not in (await site.browser().get("/stormy-night")).text
    assert "Unpublished changes" in (await browser.get(f"/admin/posts/{post_id}")).words
    page = (await browser.get(f"/admin/posts/{post_id}/publication")).page
    assert "the excerpt, the text" in words(by_class(page, "plan")[0])
    assert "Update now" in buttons(page)
    await published(browser, post_id)
    assert "New words." in (await site.browser().get("/stormy-night")).text
    page = (await browser.get(f"/admin/posts/{post_id}/publication")).page
    assert "Nothing that readers see" in words(by_class(page, "plan")[0])


async def test_new_address_is_announced_and_the_old_one_leads_there(site: Site) -> None:
    browser = await site.signed_in("owner")
    post_id = await written(browser)
    await published(browser, post_id)
    await saved(browser, post_id, slug="calm-night")
    answer = await browser.get(f"/admin/posts/{post_id}/publication")
    assert "The old address, /stormy-night, leads there." in answer.words
    await published(browser, post_id)
    assert (await site.browser().get("/stormy-night")).location == "/calm-night"


async def test_address_with_a_number_is_the_one_it_keeps(site: Site) -> None:
    browser = await site.signed_in("owner")
    first, second = await written(browser), await written(browser)
    await published(browser, first)
    answer = await browser.get(f"/admin/posts/{second}/publication")
    assert "/stormy-night-2" in answer.words
    await published(browser, second)
    await saved(browser, first, slug="elsewhere")
    await published(browser, first)
    assert "/stormy-night-2" in (await browser.get(f"/admin/posts/{second}/publication")).words


async def test_what_cannot_go_out_says_why_and_has_no_button(site: Site) -> None:
    browser = await site.signed_in("owner")
    await published(browser, await written(browser, title="Taken"))
    parent = await written(browser, "page", title="Above")
    cases = [
        ("post", {"title": ""}, "Readers need a title.", "title"),
        ("post", {"slug": "taken"}, "/taken belongs to something else; choose another address.", "slug"),
        ("page", {"parent": parent}, "The page above is not public", "parent"),
    ]
    for kind, form, sentence, field in cases:
        item = await written(browser, kind, **form)
        answer = await browser.get(f"/admin/{kind}s/{item}/publication")
        assert answer.status == 200
        assert sentence in answer.words
        assert title(answer).startswith("Error: ")
        assert f"/admin/{kind}s/{item}#{field}" in [link.get("href") for link in answer.page.iter("a")]
        assert "Publish now" not in buttons(answer.page)
        version = (await editor(browser, item, kind))["version"]
        answer = await browser.post(f"/admin/{kind}s/{item}/publication", {"version": version})
        assert answer.status == 422
        assert sentence.split(";")[0] in answer.words


async def test_taken_address_is_told_by_its_field_when_the_text_is_saved_and_nothing_is_lost(site: Site) -> None:
    browser = await site.signed_in("author")
    await published(browser, await written(browser, title="Taken"))
    sentence = "/taken belongs to something else; choose another address."
    item = await written(browser, slug="taken")
    for text in ("It was *dark*.", "More."):
        page = (await browser.get(f"/admin/posts/{item}")).page
        assert f"Saved. {sentence}" in [words(each) for each in by_class(page, "bad")]
        assert words(by_id(page, "slug-check")) == sentence
        assert "slug-check" in (by_id(page, "slug").get("aria-describedby") or "").split()
        assert by_id(page, "panel").get("checked") is not None, "so that it is seen"
        assert (await saved(browser, item, text=text)).status == 303
    form = await editor(browser, item)
    assert (form["slug"], form["text"].strip()) == ("taken", "More.")
    refused = await saved(browser, item, slug="login")
    assert not words(by_id(refused.page, "slug-check")), "the other sentence is about what stands there now"
    assert (await saved(browser, item, slug="free")).status == 303
    page = (await browser.get(f"/admin/posts/{item}")).page
    assert (words(by_id(page, "slug-check")), sentence in words(page)) == ("", False)


async def test_only_the_version_that_was_seen_goes_out(site: Site) -> None:
    browser = await site.signed_in("owner")
    post_id = await written(browser)
    address = f"/admin/posts/{post_id}/publication"
    page = (await browser.get(address)).page
    seen = fields(page, form_of(page, address))
    await saved(browser, post_id, text="Somebody else’s words.")
    answer = await browser.post(address, seen)
    assert answer.status == 409
    assert "Somebody saved a newer version meanwhile." in answer.words
    assert (await site.browser().get("/stormy-night")).status == 404
    page = answer.page
    assert (await browser.post(address, fields(page, form_of(page, address)))).status == 303
    assert "Somebody else’s words." in (await site.browser().get("/stormy-night")).words


async def test_nonsense_version_is_refused(site: Site) -> None:
    browser = await site.signed_in("owner")
    post_id = await written(browser)
    for version, status in [("", 422), ("x", 422), ("-1", 422), ("9" * 30, 422), ("0", 409), ("2", 409)]:
        assert (await browser.post(f"/admin/posts/{post_id}/publication", {"version": version})).status == status


async def test_withdrawn_post_is_gone_and_can_come_back(site: Site) -> None:
    browser = await site.signed_in("owner")
    post_id = await written(browser)
    await published(browser, post_id)
    form = await editor(browser, post_id)
    answer = await browser.post(f"/admin/posts/{post_id}/publication", {**form, "text": "Typed meanwhile.", "_method": "delete"})
    assert (answer.status, answer.location) == (303, f"/admin/posts/{post_id}")
    assert (await site.browser().get("/stormy-night")).status == 410
    assert (await editor(browser, post_id))["text"] == "Typed meanwhile."
    assert "Withdrawn" in (await browser.get("/admin/posts?status=withdrawn")).words
    await published(browser, post_id)
    assert "Typed meanwhile." in (await site.browser().get("/stormy-night")).words


async def test_withdrawing_what_is_not_public_is_a_conflict(site: Site) -> None:
    browser = await site.signed_in("owner")
    post_id = await written(browser)
    answer = await browser.post(f"/admin/posts/{post_id}/publication", {"_method": "delete"})
    assert answer.status == 409
    assert "This is not public any more." in answer.words


async def test_page_with_public_pages_below_is_not_withdrawn(site: Site) -> None:
    browser = await site.signed_in("owner")
    above = await written(browser, "page", title="About")
    await published(browser, above, "page")
    below = await written(browser, "page", title="Imprint", parent=above)
    await published(browser, below, "page")
    assert (await site.browser().get("/about/imprint")).status == 200
    answer = await browser.post(
        f"/admin/pages/{above}/publication", {**await editor(browser, above, "page"), "text": "Kept.", "_method": "delete"}
    )
    assert answer.status == 422
    assert "“Imprint” stands below this page" in answer.words
    assert "Kept." in answer.words


async def test_trashed_post_is_gone(site: Site) -> None:
    browser = await site.signed_in("owner")
    post_id = await written(browser)
    await published(browser, post_id)
    await browser.post(f"/admin/posts/{post_id}", {"_method": "delete"})
    assert (await site.browser().get("/stormy-night")).status == 410
    version = (await editor(browser, post_id))["version"]
    answer = await browser.post(f"/admin/posts/{post_id}/publication", {"version": version})
    assert answer.status == 409
    assert "take it out" in answer.words


async def test_author_publishes_own_and_nobody_elses(site: Site) -> None:
    author, owner = await site.signed_in("author"), await site.signed_in("owner")
    own = await written(author, title="Own")
    assert (await published(author, own)).status == 303
    foreign = await written(owner, title="Foreign")
    await published(owner, foreign)
    assert (await author.get(f"/admin/posts/{foreign}/publication")).status == 403
    answer = await author.post(f"/admin/posts/{foreign}/publication", {"_method": "delete"})
    assert answer.status == 403
    assert (await site.browser().get("/foreign")).status == 200


async def test_notes_of_two_posts_do_not_meet(site: Site) -> None:
    browser = await site.signed_in("owner")
    post_id = await written(browser, text="A note[^1].\n\n[^1]: Here.")
    await published(browser, post_id)
    assert f'id="p{post_id}-' in (await site.browser().get("/stormy-night")).text


async def test_two_who_publish_the_same_version_publish_it_once(site: Site) -> None:
    """Both had the page open; whoever comes second changes nothing for readers, and makes no other revision."""
    ana, edna = await site.signed_in("author"), await site.signed_in("editor")
    post_id = await written(ana)
    address = f"/admin/posts/{post_id}/publication"
    forms = [(browser, fields(page, form_of(page, address))) for browser in (ana, edna) for page in [(await browser.get(address)).page]]

    async def stands() -> tuple[object, ...]:
        async with site.database.read() as session:
            row = await session.get_one(Published, post_id)
            revisions = await session.scalar(select(func.count()).where(Revision.post_id == post_id))
            return row.revision_id, row.published_at, row.updated_at, row.path, revisions

    seen = []
    for browser, form in forms:
        assert (await browser.post(address, form)).status == 303
        seen.append(await stands())
    assert seen[0] == seen[1]
