"""What is said about a passage, and proposed for it; who is told."""

import json
from typing import Any

import pytest
from pycrdt import Assoc, Doc, Text
from sqlalchemy import select

from cms import crdt
from cms.db.session import Database
from cms.errors import Conflict, Forbidden, InvalidInput, NotFound
from cms.models import Job, Thread, User
from cms.models.document import Outcome
from cms.policy import Actor, Role
from cms.schemas.threads import RemarkInput, ThreadInput
from cms.services import accounts, notifications, threads, working_copies
from tests import factories
from tests.factories import person
from tests.waiting import MOST, asks_the_kernel, longest_wait

TEXT = "Ça 😀 flood tide. The ebb 😀 follows the flood."


async def begin(database: Database, actor: Actor, post_id: int, **form: Any) -> Thread:
    async with database.transaction() as work:
        return await threads.begin(work, actor, post_id, ThreadInput.model_validate(form))


async def do(database: Database, act: Any, actor: Actor, thread: Thread, *rest: Any) -> Thread:
    async with database.transaction() as work:
        return await act(work, actor, thread.post_id, thread.id, *rest)


async def shown(database: Database, actor: Actor, post_id: int) -> threads.Shown:
    async with database.read() as session:
        return (await threads.list_of(session, actor, post_id))[0]


async def opened(database: Database, post_id: int) -> bytes:
    """The post's document, as one that an editor has opened."""
    async with database.transaction() as work:
        return crdt.merged(*(await working_copies.open_document(work, post_id)).all)


def anchor(data: bytes, quote: str, *, last: bool = False) -> str:
    """As Yjs writes it: clocks count halves of UTF-16, as one client's only piece of text does from its beginning."""
    document: Doc[Any] = Doc()
    text = document.get("content", type=Text)
    document.apply_update(data)
    sign = text.sticky_index(0, Assoc.AFTER).to_json()["item"]
    content = str(text)
    at = content.rfind(quote) if last else content.find(quote)
    clock = sign["clock"] + len(content[:at].encode("utf-16-le")) // 2
    length = len(quote.encode("utf-16-le")) // 2
    ends = {"start": (clock, 0), "end": (clock + length - 1, -1)}
    return json.dumps({name: {"item": {"client": sign["client"], "clock": where}, "assoc": assoc} for name, (where, assoc) in ends.items()})


async def test_threads_are_answered_ended_and_opened_again(database: Database) -> None:
    ana, edna = await person(database, "author"), await person(database, "editor")
    post = await factories.draft(database, ana, text=TEXT)
    thread = await begin(database, edna, post.id, quote="flood tide", text="Is it?")
    await do(database, threads.answer, ana, thread, RemarkInput(text="It is."))
    found = await shown(database, ana, post.id)
    assert [(each.remark.text, each.by) for each in found.said] == [("Is it?", "Edna Reed"), ("It is.", "Ana Silva")]
    assert (await do(database, threads.resolve, ana, thread)).outcome is Outcome.RESOLVED
    with pytest.raises(Conflict):
        await do(database, threads.resolve, edna, thread)
    assert (await do(database, threads.reopen, edna, thread)).outcome is None
    with pytest.raises(InvalidInput):
        await begin(database, ana, post.id, text=" ")


async def test_suggestion_goes_where_its_passage_is_now(database: Database) -> None:
    ana = await person(database, "author")
    post = await factories.draft(database, ana, text=TEXT)
    data = await opened(database, post.id)
    at = {"anchor": anchor(data, "flood", last=True), "quote": "flood", "replacement": "high water 😀"}
    thread = await begin(database, ana, post.id, kind="suggestion", **at)
    async with database.transaction() as work:
        await working_copies.edit(work, ana, post.id, content=f"日本 flood. {TEXT}")
    await do(database, threads.accept, ana, thread)
    async with database.transaction() as work:
        copy = await working_copies.project(work, post.id)
    assert copy.content == "日本 flood. Ça 😀 flood tide. The ebb 😀 follows the high water 😀."
    with pytest.raises(Conflict):
        await do(database, threads.reopen, ana, thread)


async def test_suggestion_ending_in_an_emoji_takes_the_whole_of_it(database: Database) -> None:
    ana = await person(database, "author")
    post = await factories.draft(database, ana, text=TEXT)
    data = await opened(database, post.id)
    thread = await begin(database, ana, post.id, kind="suggestion", anchor=anchor(data, "😀 flood"), quote="😀 flood", replacement="")
    ends = await begin(database, ana, post.id, kind="suggestion", anchor=anchor(data, "ebb 😀"), quote="ebb 😀", replacement="ebb")
    for each in (thread, ends):
        await do(database, threads.accept, ana, each)
    async with database.transaction() as work:
        assert (await working_copies.project(work, post.id)).content == "Ça  tide. The ebb follows the flood."


async def test_changed_passage_is_never_overwritten(database: Database) -> None:
    ana = await person(database, "author")
    post = await factories.draft(database, ana, text=TEXT)
    data = await opened(database, post.id)
    by_place = await begin(
        database, ana, post.id, kind="suggestion", anchor=anchor(data, "flood tide"), quote="flood tide", replacement="high water"
    )
    by_words = await begin(database, ana, post.id, kind="suggestion", quote="ebb", replacement="low water")
    twice = await begin(database, ana, post.id, kind="suggestion", quote="flood", replacement="x")
    async with database.transaction() as work:
        await working_copies.edit(work, ana, post.id, content=TEXT.replace("flood tide", "flood of a tide").replace("ebb", "neap"))
    for thread in (by_place, by_words, twice):
        with pytest.raises(Conflict):
            await do(database, threads.accept, ana, thread)
    async with database.read() as session:
        now = {each.thread.id: each.now for each in await threads.list_of(session, ana, post.id)}
    assert now[by_place.id] == "flood of a tide"
    assert now[by_words.id] is None
    foreign = json.dumps({name: {"item": {"client": 1, "clock": 7}} for name in ("start", "end")})
    nowhere = await begin(database, ana, post.id, kind="suggestion", anchor=foreign, quote="a", replacement="b")
    with pytest.raises(Conflict):
        await do(database, threads.accept, ana, nowhere)


async def test_only_who_may_see_the_work_talks_and_only_who_may_edit_takes_up(database: Database) -> None:
    owner, cem, bea = await person(database, "owner"), await person(database, "contributor"), await person(database, "author")
    post = await factories.draft(database, cem, text=TEXT)
    await factories.publish(database, owner, post.id)  # now Cem sees it, and does not edit it any more
    thread = await begin(database, cem, post.id, kind="suggestion", quote="ebb", replacement="neap")
    with pytest.raises(Forbidden):
        await do(database, threads.accept, cem, thread)
    with pytest.raises(Forbidden):
        await begin(database, bea, post.id, text="Hello")
    with pytest.raises(NotFound):
        await begin(database, bea, (await factories.draft(database, cem)).id, text="Hello")
    assert (await do(database, threads.resolve, cem, thread)).outcome is Outcome.REFUSED


async def test_mentioned_people_and_those_in_the_thread_are_told(database: Database) -> None:
    ana, edna, bea = await person(database, "author"), await person(database, "editor"), await person(database, "author", "Bea Hill")
    post = await factories.draft(database, ana, text=TEXT)
    thread = await begin(database, ana, post.id, text="@edna reed and @Bea Hill, look. Not a@edna.")
    await do(database, threads.answer, edna, thread, RemarkInput(text="Good."))
    async with database.read() as session:
        (told,) = await notifications.list_of(session, edna)
        (answered,) = await notifications.list_of(session, ana)
        assert await notifications.list_of(session, bea) == []  # who may not see the text learns nothing of it
        assert await notifications.count_new(session, edna) == 1
        letters = (await session.scalars(select(Job).where(Job.name == "send_mail").order_by(Job.id))).all()
    assert (told.kind, told.by, told.thread_id) == ("mention", "Ana Silva", thread.id)
    assert (answered.kind, answered.words) == ("answer", "Good.")
    assert [each.payload["user_id"] for each in letters] == [edna.user_id, ana.user_id]
    async with database.transaction() as work:
        await notifications.mark_seen(work, ana, told.id)  # another's
        await notifications.mark_seen(work, edna, told.id)
    async with database.read() as session:
        assert await notifications.count_new(session, edna) == 0
        assert await notifications.count_new(session, ana) == 1


@asks_the_kernel
async def test_looking_for_many_passages_keeps_nobody_waiting(database: Database) -> None:
    ana = await person(database, "author")
    post = await factories.draft(database, ana, text=TEXT)
    data = await opened(database, post.id)
    pieces, made = crdt.Document(data), list[bytes]()
    for number in range(3000):  # each in a place of its own, as after months of writing
        known = pieces.state()
        pieces._content.insert(number * 2 % (3 * number + 1) if number % 2 else 0, "ab ")
        made.append(pieces.since(known))
    async with database.transaction() as work:
        await working_copies.append(work, {post.id: crdt.merged(*made)})
    for _ in range(20):
        await begin(database, ana, post.id, kind="suggestion", anchor=anchor(data, "ebb"), quote="ebb", replacement="tide")
    assert await longest_wait(lambda: shown(database, ana, post.id)) < MOST


async def test_who_lost_sight_of_a_text_is_not_told_of_it_any_more(database: Database) -> None:
    owner, edna, ana = await person(database, "owner"), await person(database, "editor"), await person(database, "author")
    post = await factories.draft(database, ana)
    await begin(database, ana, post.id, text="@Edna, look")
    async with database.transaction() as work:
        user = await work.session.get_one(User, edna.user_id)
        await accounts.change_role(work, owner, user, Role.AUTHOR)
    demoted = (await factories.user_of(database, edna)).actor
    async with database.read() as session:
        assert await notifications.list_of(session, demoted) == []
        assert await notifications.count_new(session, demoted) == 0


def test_first_name_is_enough_if_only_one_has_it() -> None:
    people = {1: "Ana Silva", 2: "Ana Costa", 3: "Zoë Ferro"}
    for text, named in {
        "@zoe": {3}, "@Zoë Ferro.": {3}, "@Ana": set(), "@ana costa, and": {2}, "@Zoeth": set(), "mail me@zoe": set(), "@": set(),
    }.items():  # fmt: skip
        assert threads.mentions(text, people) == named, text
