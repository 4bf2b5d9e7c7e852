"""Comments and suggestions without scripts, and what people are told of them."""

import json

from tests.handlers.admin.pages import by_class, by_id, editor, fields, form_of, saved, words, written
from tests.web import Browser, Site


async def begun(browser: Browser, post_id: int, **form: str) -> str:
    """The address of a new thread's acts."""
    answer = await browser.post(f"/admin/posts/{post_id}/threads", form)
    assert answer.status == 303, answer.text
    return f"/admin/posts/{post_id}/threads/{answer.location.rpartition('-')[2]}"


async def test_comment_is_answered_resolved_and_opened_again(site: Site) -> None:
    owner, editor_ = await site.signed_in("owner"), await site.signed_in("editor")
    post_id = await written(owner)
    thread = await begun(editor_, post_id, quote="dark and stormy", text="A <b>cliché</b>?")
    page = (await owner.get(f"/admin/posts/{post_id}/threads")).page
    assert words(by_class(page, "thread")[0]).startswith("dark and stormy A <b>cliché</b>? Editor Person, just now")
    assert (await owner.post(thread, {"text": "Yes."})).status == 303
    assert "Yes." in words(by_id((await owner.get(f"/admin/posts/{post_id}")).page, "review"))
    for act, seen in (("delete", "Resolved by Olga Owner"), ("patch", "Resolve")):
        assert (await owner.post(thread, {"_method": act})).status == 303
        assert seen in (await owner.get(f"/admin/posts/{post_id}/threads")).words
    refused = await owner.post(thread, {"text": " "})
    assert refused.status == 422
    assert "An answer needs a word or more" in refused.words


async def test_what_was_written_below_a_thread_is_said_whatever_is_pressed(site: Site) -> None:
    owner = await site.signed_in("owner")
    post_id = await written(owner)
    comment = await begun(owner, post_id, text="Sure?")
    refused = await begun(owner, post_id, kind="suggestion", quote="dark and stormy", replacement="calm")
    taken_up = await begun(owner, post_id, kind="suggestion", quote="torrents", replacement="buckets")
    for thread, act, why in ((comment, "delete", "Yes."), (refused, "delete", "It was stormy."), (taken_up, "put", "Better so.")):
        assert (await owner.post(thread, {"_method": act, "text": why})).status == 303
        assert why in (await owner.get(f"/admin/posts/{post_id}/threads")).words
    for status, form in ((409, {"_method": "delete", "text": "Too late."}), (422, {"text": "x" * 5001})):
        answer = await owner.post(comment, form)
        assert answer.status == status
        assert form["text"] in fields(answer.page, form_of(answer.page, comment)).values(), "it can be sent again"


async def test_suggestion_is_taken_up_or_says_why_not(site: Site) -> None:
    owner = await site.signed_in("owner")
    post_id = await written(owner)
    first = await begun(owner, post_id, kind="suggestion", quote="dark and stormy", replacement="calm")
    other = await begun(owner, post_id, kind="suggestion", quote="torrents", replacement="buckets")
    assert (await owner.post(first, {"_method": "put"})).status == 303
    assert (await editor(owner, post_id))["text"].strip().startswith("It was a calm night.")
    await saved(owner, post_id, text="Nothing of it.")
    answer = await owner.post(other, {"_method": "put"})
    assert answer.status == 409
    assert "The passage has changed since this was proposed" in answer.words
    assert "The passage is not in the text any more" in answer.words
    assert (await editor(owner, post_id))["text"].strip() == "Nothing of it."


async def test_wrong_thread_is_shown_again_as_it_was_typed(site: Site) -> None:
    owner = await site.signed_in("owner")
    at = f"/admin/posts/{await written(owner)}/threads"
    for form, name in (({"quote": "dark"}, "text"), ({"kind": "suggestion", "text": "Why"}, "quote"), ({"text": "x" * 5001}, "text")):
        answer = await owner.post(at, form)
        assert answer.status == 422
        assert by_id(answer.page, f"{name}-error") is not None
        assert form.items() <= fields(answer.page, form_of(answer.page, at)).items()
    for anchor in ("[" * 499, "{}", "nonsense", '{"start": {"item": {"client": -1, "clock": 0}}}'):
        assert (await owner.post(at, {"text": "x", "anchor": anchor})).status == 422


async def test_place_of_a_passage_is_given_to_the_editor(site: Site) -> None:
    owner = await site.signed_in("owner")
    post_id = await written(owner)
    place = {name: {"item": {"client": 7, "clock": at}, "assoc": 0} for name, at in (("start", 1), ("end", 4))}
    await begun(owner, post_id, text="Here.", quote="was", anchor=json.dumps(place))
    await begun(owner, post_id, kind="suggestion", quote="was", replacement="is", anchor=json.dumps(place))
    for address in (f"/admin/posts/{post_id}", f"/admin/posts/{post_id}/threads"):
        shown = by_class((await owner.get(address)).page, "thread")
        assert [json.loads(thread.get("data-anchor") or "") for thread in shown] == [place, place]


async def test_mention_rings_the_bell_and_is_marked_seen(site: Site) -> None:
    owner, editor_ = await site.signed_in("owner"), await site.signed_in("editor")
    post_id = await written(owner)
    await begun(owner, post_id, text="@Editor Person, have a look.")
    page = await editor_.get("/admin/notifications")
    assert "Olga Owner mentioned you in “Stormy night”" in page.words
    assert "Notifications 1 new" in page.words
    form = form_of(page.page, "/admin/notifications")
    up_to = next(each.get("value") for each in form.iter("button"))
    assert (await editor_.post("/admin/notifications", {"up_to": up_to})).status == 303
    assert "1 new" not in (await editor_.get("/admin/notifications")).words
    assert "mentioned you" not in (await owner.get("/admin/notifications")).words
