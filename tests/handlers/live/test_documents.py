"""At the socket, with real ones: who may come, who may write, and what each is told."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select
from tornado.httpclient import HTTPClientError

from cms import crdt
from cms.collaboration import log, protocol, room, rooms, updates
from cms.collaboration.protocol import framed, number
from cms.db.session import Work
from cms.handlers.live import documents
from cms.models import AuditEntry, Revision
from cms.models.post import Reason
from cms.policy import SYSTEM
from cms.services import accounts, posts, privacy, publishing, sessions, working_copies
from cms.services.standing import Standing
from cms.wording import say
from tests import factories
from tests.collaboration.writers import writing
from tests.web import Site


async def post_of(site: Site, role: str = "author", **values: str) -> int:
    await site.person(role)
    return (await factories.draft(site.database, await factories.person(site.database, role), **values)).id


async def test_two_read_each_other_and_hear_what_is_on_disk(site: Site) -> None:
    post_id = await post_of(site, text="Mud 😀.")
    async with writing(await site.signed_in("author"), post_id) as ana, writing(await site.signed_in("editor"), post_id) as edna:
        hello = ana.told[0]
        assert hello["kind"] == "hello"
        assert (hello["person"]["name"], hello["mayWrite"], hello["why"], hello["clientId"]) == ("Author Person", True, "", None)
        assert hello["lineage"] == edna.told[0]["lineage"]
        await ana.reads("Mud 😀.")
        ana.type("Mud 😀😀.", title="High tide")
        edna.type("Oh! Mud 😀.")
        await asyncio.gather(ana.reads("Oh! Mud 😀😀."), edna.reads("Oh! Mud 😀😀."), ana.kept(), edna.kept())
        async with site.database.read() as session:
            stored = await working_copies.read_document(session, post_id)
        assert stored
        assert crdt.Document(*stored.all).content == "Oh! Mud 😀😀."
        assert crdt.Document(*stored.all).fields["title"] == "High tide"


async def test_more_texts_than_go_into_one_transaction_are_all_on_disk(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "AT_ONCE", 1)
    browser, ids = await site.signed_in("author"), [await post_of(site, text="One.") for _ in range(3)]
    async with contextlib.AsyncExitStack() as stack:
        writers = [await stack.enter_async_context(writing(browser, post_id)) for post_id in ids]
        await asyncio.gather(*(each.reads("One.") for each in writers))
        for each in writers:
            each.type("One. Two.")
        await asyncio.gather(*(each.kept() for each in writers))
        async with site.database.read() as session:
            stored = [await working_copies.read_document(session, post_id) for post_id in ids]
    assert [crdt.Document(*each.all).content for each in stored if each] == ["One. Two."] * 3


async def test_form_is_heard_at_the_socket_and_the_socket_in_the_working_copy(site: Site) -> None:
    browser, post_id = await site.signed_in("author"), await post_of(site, text="One.")
    async with writing(browser, post_id) as ana:
        await ana.reads("One.")
        ana.type("One. Two.")
        await ana.kept()
        ana_herself = await factories.person(site.database, "author")
        await factories.edited(site.database, ana_herself, post_id, title="High tide")
        await ana.until(lambda: ana.document.fields["title"] == "High tide")
        assert "One. Two." in (await browser.get(f"/admin/posts/{post_id}")).text


async def test_working_copy_follows_by_itself_and_an_empty_room_is_folded(site: Site) -> None:
    post_id = await post_of(site, text="One.")
    async with writing(await site.signed_in("author"), post_id) as ana:
        await ana.reads("One.")
        ana.type("Two.", title="High tide")
        await ana.kept()
    async with asyncio.timeout(20):
        while True:
            async with site.database.read() as session:
                stored = await working_copies.read_document(session, post_id)
                post = await posts.get_visible(session, SYSTEM, post_id)
            if stored and not stored.updates and post.title == "High tide":
                break
            await asyncio.sleep(0.1)


async def saves(site: Site, number: int) -> list[AuditEntry]:
    """The lines of the audit that say that something was written, when there are so many."""
    async with asyncio.timeout(20):
        while True:
            async with site.database.read() as session:
                found = await session.scalars(select(AuditEntry).where(AuditEntry.action == "post.save").order_by(AuditEntry.user_id))
                if len(lines := found.all()) >= number:
                    return list(lines)
            await asyncio.sleep(0.1)


async def test_what_each_wrote_is_noted_once_when_he_leaves(site: Site) -> None:
    post_id = await post_of(site, title="Low tide", text="One.")
    people = [await site.person(role) for role in ("author", "editor")]
    async with writing(await site.signed_in("author"), post_id) as ana, writing(await site.signed_in("editor"), post_id) as edna:
        await ana.reads("One.")
        for text in ("One. Two.", "One. Two. Three."):
            ana.type(text)
            await ana.kept()
            await working_copies.catch_up(site.database, post_id)
        ana.type(title="High tide", excerpt="x")
        ana.type(excerpt="", unheard="of")
        await asyncio.gather(ana.kept(), edna.reads("One. Two. Three."))
        edna.type("Three.")
        await edna.kept()
        assert await saves(site, 0) == []
    first, second = await saves(site, 2)
    assert [(line.user_id, line.subject_kind, line.subject_id) for line in (first, second)] == [(each, "post", post_id) for each in people]
    assert first.details == {"changed": ["text", "title"], "before": {"title": "Low tide"}, "after": {"title": "High tide"}}
    assert second.details == {"changed": ["text"]}
    assert (first.address, len(first.request_id)) == ("127.0.0.1", 32)


async def test_what_somebody_wrote_is_noted_when_he_falls_silent(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "PAUSE", 0)
    post_id = await post_of(site, text="One.")
    async with writing(await site.signed_in("author"), post_id) as ana:
        await ana.reads("One.")
        ana.type("Two.")
        await ana.kept()
        (line,) = await saves(site, 1)
        assert line.details == {"changed": ["text"]}


async def test_from_where_an_erased_person_wrote_is_not_noted_afterwards(site: Site) -> None:
    post_id, ana_id = await post_of(site, text="One."), await site.person("author")
    async with writing(await site.signed_in("author"), post_id) as ana:
        await ana.reads("One.")
        ana.type("Two.")
        await ana.kept()
        async with site.database.transaction() as work:
            await privacy.erase(work, SYSTEM, ana_id)
        await ana.end()
    (line,) = await saves(site, 1)
    assert (line.user_id, line.address) == (ana_id, "")


async def test_whoever_is_not_signed_in_or_may_not_see_it_is_told_so(site: Site) -> None:
    post_id = await post_of(site)
    for browser, code in ((site.browser(), 4401), (await site.signed_in("contributor"), 4404)):
        async with writing(browser, post_id) as writer:
            assert (await writer.end())[0] == code
            assert not writer.told
    async with writing(await site.signed_in("author"), post_id + 7) as writer:
        assert (await writer.end())[0] == 4404


async def test_why_a_socket_ends_and_why_one_reads_is_said_in_the_language_of_each(site: Site) -> None:
    post_id = await post_of(site, "contributor", text="One.")
    await factories.publish(site.database, await factories.person(site.database, "editor"), post_id)
    async with site.database.transaction() as work:
        (await accounts.get(work.session, await site.person("contributor"))).locale = "de"
    cem, german = await site.signed_in("contributor"), {"Accept-Language": "de"}
    async with writing(cem, post_id) as reader, writing(await site.signed_in("editor"), post_id) as edna:
        assert reader.told[0]["why"] == "Du darfst das lesen, aber nicht ändern."
        site.application.parts.rooms._rooms[post_id].end(protocol.TRY_AGAIN, say("The text is being read again."))
        assert [(await each.end())[1] for each in (reader, edna)] == ["Der Text wird gerade neu gelesen.", "The text is being read again."]
    async with writing(cem, post_id + 7) as reader:
        assert await reader.end() == (4404, "Diesen Text gibt es nicht mehr.")
    async with writing(site.browser(), post_id, **german) as reader:
        assert await reader.end() == (4401, "Bitte melde dich an.")


def test_a_reason_is_cut_where_a_socket_has_no_room_for_more() -> None:
    assert documents.shortened("ä" * 61) == "ä" * 61
    assert documents.shortened("ä" * 62) == "ä" * 60 + "…"


async def test_other_sites_open_no_socket(site: Site) -> None:
    post_id = await post_of(site)
    with pytest.raises(HTTPClientError, match="403"):
        async with writing(await site.signed_in("author"), post_id, Origin="https://elsewhere.example"):
            pass


async def test_other_lineage_begins_anew(site: Site) -> None:
    post_id = await post_of(site)
    async with writing(await site.signed_in("author"), post_id, lineage="0" * 32) as ana:
        assert (await ana.end())[0] == 4408


async def test_what_says_two_things_in_two_orders_begins_anew(site: Site) -> None:
    """Made by hand: a letter that stands right of what it is left of. Where it comes depends on what came before it."""
    post_id, browser = await post_of(site, text="abcdef"), await site.signed_in("author")
    async with writing(browser, post_id) as ana, writing(browser, post_id) as ben:
        ((begun, _),) = updates.read(ana.document.data()).begins.items()
        one, other, third = [2**31 + n for n in range(3)]
        for client, left, right, letter in (
            (one, (begun, 0), (begun, 2), "X"),
            (other, (begun, 0), (begun, 2), "Y"),
            (third, (begun, 4), (begun, 3), "Z"),
        ):
            places = number(client) + number(0) + bytes([4 | 64 | 128]) + b"".join(map(number, (*left, *right)))
            ana.update(bytes([1, 1]) + places + framed(letter.encode()) + b"\0")
        await ana.kept()
        assert {(await each.end())[0] for each in (ana, ben)} == {4408}
    async with writing(browser, post_id) as ana, writing(browser, post_id) as ben:
        ana.type(ana.document.content + "!")
        await ana.kept()
        await ben.reads(ana.document.content)
        async with site.database.read() as session:
            stored = await working_copies.read_document(session, post_id)
        assert stored
        assert crdt.Document(*stored.all).content == ana.document.content
        assert sorted(ana.document.content) == sorted("abcdef!XYZ")


async def test_reader_reads_along_and_changes_nothing(site: Site) -> None:
    """A contributor may see his own public post, and not change it."""
    post_id = await post_of(site, "contributor", text="One.")
    cem = await site.signed_in("contributor")
    async with writing(await site.signed_in("editor"), post_id) as edna, writing(cem, post_id) as reader:
        await reader.reads("One.")
        assert reader.told[0]["mayWrite"]
        await factories.publish(site.database, await factories.person(site.database, "editor"), post_id)
        await reader.until(lambda: reader.last_told("standing") is not None)
        assert reader.last_told("standing") == {"kind": "standing", "mayWrite": False, "why": "You may read this, but not change it."}
        reader.type("Mine.")
        edna.type("Edna's.")
        await edna.kept()
        assert edna.document.content == "Edna's."
        assert reader.on_disk < reader.sent


async def test_what_a_reader_deletes_is_not_called_kept(site: Site) -> None:
    post_id = await post_of(site, text="One. Two.")
    async with writing(await site.signed_in("author"), post_id) as ana, writing(await site.signed_in("editor"), post_id) as edna:
        await asyncio.gather(ana.reads("One. Two."), ana.kept())
        await factories.trash(site.database, await factories.person(site.database, "editor"), post_id)
        await ana.until(lambda: ana.last_told("standing") is not None)
        ana.told.clear()
        ana.type("One.")
        await ana.until(lambda: ana.last_told("standing") is not None)
        await asyncio.sleep(4 * log.GATHER)
        assert ana.on_disk < ana.sent
        assert edna.document.content == "One. Two."


async def test_disabled_person_is_out_at_once_and_so_is_an_ended_session(site: Site) -> None:
    post_id = await post_of(site)
    async with writing(await site.signed_in("author"), post_id) as ana, writing(await site.signed_in("editor"), post_id) as edna:
        async with site.database.transaction() as work:
            user = await accounts.find_by_email(work.session, "author@example.org")
            assert user
            await accounts.disable(work, SYSTEM, user)
        assert (await ana.end())[0] == 4401
        editor = await factories.person(site.database, "editor")
        async with site.database.transaction() as work:
            await sessions.revoke_others(work, editor, 0)
        assert (await edna.end())[0] == 4401


async def test_trash_stops_the_pen_and_taking_out_gives_it_back(site: Site) -> None:
    post_id = await post_of(site)
    author = await factories.person(site.database, "author")
    async with writing(await site.signed_in("author"), post_id) as ana:
        async with site.database.transaction() as work:
            await publishing.trash(work, author, post_id)
        await ana.until(lambda: (ana.last_told("standing") or {}).get("mayWrite") is False)
        async with site.database.transaction() as work:
            await posts.restore(work, author, post_id)
        await ana.until(lambda: (ana.last_told("standing") or {}).get("mayWrite") is True)


async def test_trash_is_heard_while_the_working_copy_waits_for_its_turn(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    post_id, author = await post_of(site), await factories.person(site.database, "author")
    transaction, looking, trashed = site.database.transaction, site.application.parts.rooms._running, []

    @contextlib.asynccontextmanager
    async def after_the_trash(*given: str) -> AsyncIterator[Work]:
        if asyncio.current_task() in looking and not trashed:
            trashed.append(post_id)
            await asyncio.create_task(factories.trash(site.database, author, post_id))
        async with transaction(*given) as work:
            yield work

    async with writing(await site.signed_in("author"), post_id) as ana:
        monkeypatch.setattr(site.database, "transaction", after_the_trash)
        ana.type("Two.")
        await ana.until(lambda: bool(trashed) and (ana.last_told("standing") or {}).get("mayWrite") is False)


async def test_trash_is_heard_by_who_is_just_coming_in(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    post_id = await post_of(site)
    author = await factories.person(site.database, "author")
    here = site.application.parts.rooms
    ask, asked = here._ask, []

    async def ask_then_trash(session_id: int, about: int) -> Standing:
        found = await ask(session_id, about)
        asked.append(found)
        if len(asked) == 2:  # the last time before the door
            async with site.database.transaction() as work:
                await publishing.trash(work, author, post_id)
        return found

    monkeypatch.setattr(here, "_ask", ask_then_trash)
    async with writing(await site.signed_in("author"), post_id) as ana:
        await ana.until(lambda: (ana.last_told("standing") or {}).get("mayWrite") is False)


def first_word(client: int) -> bytes:
    """The first update of a Yjs client: something at the beginning of the text."""
    return b"\1\1" + protocol.number(client) + bytes([0, 4, 1]) + protocol.framed(b"content") + protocol.framed(b"Oh!") + b"\0"


async def test_names_come_from_the_session_and_nobody_speaks_for_another(site: Site) -> None:
    post_id = await post_of(site)
    async with writing(await site.signed_in("author"), post_id) as ana, writing(await site.signed_in("editor"), post_id) as edna:
        ana.send(bytes([protocol.IS]) + protocol.number(5))
        ana.send(protocol.awareness({5: (1, {"cursor": 3, "user": {"name": "The Pope"}}), 6: (1, {"user": {"name": "Nobody"}})}))
        await edna.until(lambda: 5 in edna.states)
        assert edna.states[5]["user"]["name"] == "Author Person"
        assert edna.states[5]["cursor"] == 3
        assert 6 not in edna.states
        await edna.until(lambda: edna.last_told("writers") is not None and "5" in edna.last_told("writers")["clients"])
        ana.update(first_word(5))
        await ana.kept()
        edna.send(bytes([protocol.IS]) + protocol.number(5))
        assert (await edna.end())[0] == 4400
    async with writing(await site.signed_in("editor"), post_id) as edna:
        told = edna.last_told("writers")["clients"]["5"]
        assert told["name"] == "Author Person"
        assert 1 <= told["colour"] <= 8


async def test_what_only_editors_choose_is_set_back_for_everybody(site: Site) -> None:
    post_id = await post_of(site)
    async with writing(await site.signed_in("author"), post_id) as ana, writing(await site.signed_in("editor"), post_id) as edna:
        await edna.until(lambda: bool(edna.document.fields))
        await ana.until(lambda: bool(ana.document.fields))
        ana.type(featured=True, excerpt="Mine.")
        await edna.until(lambda: edna.document.fields["excerpt"] == "Mine.")
        await ana.until(lambda: ana.document.fields["featured"] is False)
        edna.type(featured=True)
        await ana.until(lambda: ana.document.fields["featured"] is True)


async def test_a_value_hidden_in_the_text_is_refused(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    post_id = await post_of(site, text="")
    monkeypatch.setattr(rooms, "REST", 60.0)  # before which nobody tidies up the text
    monkeypatch.setattr(rooms, "AT_LATEST", 60.0)
    author, editor = await site.signed_in("author"), await site.signed_in("editor")
    async with writing(editor, post_id) as edna:
        async with writing(author, post_id) as ana:
            hidden = protocol.framed(b"content") + protocol.framed("\ré\x01".encode())
            ana.update(b"\x01\x01" + protocol.number(99) + b"\0\x04\x01" + hidden + b"\0")
            await ana.kept()
            ana.update(b"\x01\x01\x08\0\x88" + protocol.number(99) + b"\0\x01w\x01q\0")  # after its first sign
            assert (await ana.end())[0] == 4400
        await edna.reads("\ré\x01")
        edna.type("Whole.")
        await edna.kept()
    async with site.database.transaction() as work:
        assert (await working_copies.project(work, post_id)).content == "Whole."


async def test_what_only_editors_choose_cannot_be_deleted_either(site: Site) -> None:
    post_id = await post_of(site)
    async with writing(await site.signed_in("author"), post_id) as ana, writing(await site.signed_in("editor"), post_id) as edna:
        await ana.until(lambda: "authors" in ana.document.fields)
        before = ana.document.fields["authors"]
        edna.type(featured=True)
        await ana.until(lambda: ana.document.fields["featured"] is True)
        for key in ("authors", "featured"):
            del ana.document._fields[key]
            ana.update(ana.document._taken())
        ana.type(authors=[1000], featured=False)
        await ana.kept()
        await edna.until(lambda: (edna.document.fields.get("authors"), edna.document.fields.get("featured")) == (before, True))
    async with site.database.transaction() as work:
        fields = (await working_copies.project(work, post_id)).fields
        assert (fields["authors"], fields["featured"]) == (before, True)


async def test_nobody_writes_under_the_number_of_somebody_who_is_here(site: Site) -> None:
    post_id = await post_of(site, text="One.")
    async with writing(await site.signed_in("author"), post_id) as ana, writing(await site.signed_in("editor"), post_id) as edna:
        await asyncio.gather(ana.reads("One."), edna.reads("One."))
        client = edna.document._doc.client_id
        edna.send(bytes([protocol.IS]) + protocol.number(client))
        edna.type("One. Hers.")
        await ana.reads("One. Hers.")
        last = protocol.number(client) + protocol.number(updates.known_by(ana.document.state()).clocks[client] - 1)
        next_one = protocol.number(updates.known_by(ana.document.state()).clocks[client])
        ana.update(b"\x01\x01" + protocol.number(client) + next_one + b"\x84" + last + protocol.framed(b"E" * 30) + b"\0")
        assert (await ana.end())[0] == 1013
        edna.type("One. Hers. And more.")
        await edna.kept()
    async with site.database.transaction() as work:
        assert (await working_copies.project(work, post_id)).content == "One. Hers. And more."


async def test_only_who_has_written_is_remembered(site: Site) -> None:
    post_id = await post_of(site, text="Whole.")
    author = await site.signed_in("author")
    for client in (7001, 7002):
        async with writing(author, post_id) as ana:
            ana.send(bytes([protocol.IS]) + protocol.number(client))
            await ana.until(lambda: ana.told[-1]["kind"] == "writers" and str(client) in ana.told[-1]["clients"])  # noqa: B023
    async with writing(author, post_id) as ana:
        ana.send(bytes([protocol.IS]) + protocol.number(7003))
        ana.update(first_word(7003))
        await ana.kept()
    async with site.database.read() as session:
        assert list(await working_copies.writers(session, post_id)) == [7003]


async def test_what_takes_long_to_read_is_not_read(site: Site) -> None:
    post_id = await post_of(site, "contributor")
    async with writing(await site.signed_in("contributor"), post_id) as cem:
        ranges = b"".join(protocol.number(at) + b"\x01" for at in range(0, 2 * (room.MAX_PARTS + 1), 2))
        cem.update(b"\0\x01\x05" + protocol.number(room.MAX_PARTS + 1) + ranges)
        assert (await cem.end())[0] == 4413
    nobodys = b"".join(protocol.number(client) + b"\0" for client in range(room.MAX_PARTS + 1))
    async with writing(await site.signed_in("contributor"), post_id) as cem:
        cem.update(b"\0" + protocol.number(room.MAX_PARTS + 1) + nobodys)
        assert (await cem.end())[0] == 4413


@pytest.mark.parametrize("state", [b'{"at": NaN}', b'{"at": 1e400}', b'{"at": -Infinity}'])
async def test_states_that_are_no_json_are_refused(site: Site, state: bytes) -> None:
    async with writing(await site.signed_in("author"), await post_of(site)) as ana:
        ana.send(bytes([protocol.IS]) + protocol.number(5))
        ana.send(bytes([protocol.AWARENESS]) + protocol.framed(b"\x01\x05\x01" + protocol.framed(state)))
        assert (await ana.end())[0] == 4400


async def test_beyond_the_most_writers_the_next_reads_along(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MOST_WRITERS", 1)
    post_id = await post_of(site)
    editor = await site.signed_in("editor")
    async with writing(await site.signed_in("author"), post_id) as ana, writing(editor, post_id) as edna:
        assert not edna.told[0]["mayWrite"]
        assert "read along" in edna.told[0]["why"]
        ana.socket.close()
        await edna.until(lambda: (edna.last_told("standing") or {}).get("mayWrite") is True)


async def test_hostile_messages_end_the_socket_and_the_text_stays(site: Site) -> None:
    post_id = await post_of(site, text="Whole 😀.")
    author = await site.signed_in("author")
    async with writing(await site.signed_in("editor"), post_id) as edna:
        half = edna.document.edit("Whole 😀😁.")
        await edna.reads("Whole 😀😁.")
        edna.update(half)
        await edna.kept()
        client, clock = next(iter(updates.read(half).begins.items()))
        cut = bytes([1, 1, 77, 0, 4 | 128]) + protocol.number(client) + protocol.number(clock) + protocol.framed(b"X") + bytes([0])
        messages = [
            b"",
            b"\xff\xff",
            protocol.sync(9, b""),
            protocol.sync(protocol.STEP_1, b"\xff\xff\xff"),
            protocol.sync(protocol.UPDATE, b"\x01\x01\xff"),
            protocol.sync(protocol.UPDATE, cut),
            bytes([protocol.AWARENESS]) + protocol.framed(b"\x05"),
            bytes([protocol.IS]),
        ]
        for message in messages:
            async with writing(author, post_id) as ana:
                ana.send(message)
                code, reason = await ana.end()
                assert code == 4400, message
                assert reason
        async with writing(author, post_id) as ana:
            assert ana.document.content == edna.document.content == "Whole 😀😁."


async def test_text_of_the_one_before_is_kept_when_another_begins_after_a_pause(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "PAUSE", 0.0)
    post_id = await post_of(site, text="One.")
    async with writing(await site.signed_in("author"), post_id) as ana, writing(await site.signed_in("editor"), post_id) as edna:
        ana.type("Hers.")
        await ana.kept()
        await edna.reads("Hers.")
        edna.type("His.")
        await edna.kept()
    async with site.database.read() as session:
        wanted = select(Revision.content, Revision.created_by_id).where(Revision.reason == Reason.TAKEOVER)
        kept = [tuple(row) for row in await session.execute(wanted)]
    assert kept == [("Hers.", await site.person("author"))]


async def test_too_many_messages_end_the_socket(site: Site) -> None:
    post_id = await post_of(site, text="Whole.")
    async with writing(await site.signed_in("author"), post_id) as ana:
        for _ in range(1000):
            ana.send(protocol.sync(protocol.UPDATE, crdt.NOTHING))
        assert (await ana.end())[0] == 4429


async def raw(site: Site, role: str, post_id: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A socket after its handshake, for what no browser sends. It keeps next to nothing of what comes until it is read."""
    browser, connection = await site.signed_in(role), socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.setblocking(False)
    host, port = site.url.removeprefix("http://").split(":")
    await asyncio.get_running_loop().sock_connect(connection, (host, int(port)))
    reader, writer = await asyncio.open_connection(sock=connection, limit=4096)
    lines = [
        f"GET /live/posts/{post_id} HTTP/1.1",
        f"Host: {host}:{port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        "Cookie: " + "; ".join(f"{name}={value}" for name, value in browser.cookies.items()),
    ]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
    return reader, writer


def frame(first: int, data: bytes) -> bytes:
    """Of fewer than 126 bytes, masked with zeros."""
    return bytes([first, 128 | len(data)]) + bytes(4) + data


async def test_a_message_in_pieces_with_a_ping_between_them_is_one_message(site: Site) -> None:
    post_id = await post_of(site, text="One.")
    async with writing(await site.signed_in("editor"), post_id) as edna:
        message = protocol.sync(protocol.UPDATE, crdt.Document(edna.document.data()).edit("One. Two."))
        reader, writer = await raw(site, "author", post_id)
        sent = frame(0x02, message[:5]) + frame(0x89, b"there?") + frame(0x00, message[5:8]) + frame(0x80, message[8:])
        for byte in sent:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0)
        await edna.reads("One. Two.")
        await reader.readuntil(bytes([0x8A, 6]) + b"there?")
        writer.write(frame(0x83, b"of no kind"))
        assert await reader.read() is not None  # it ends
        await edna.reads("One. Two.")
        writer.close()


async def test_who_does_not_read_is_put_out_and_keeps_nobody_waiting(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MAX_UNSENT", 1_000_000)
    post_id = await post_of(site, text="x" * 500_000)
    async with writing(await site.signed_in("editor"), post_id) as edna:
        _, writer = await raw(site, "author", post_id)
        ask = frame(0x82, protocol.sync(protocol.STEP_1, b"\0"))
        for _ in range(28):  # 14 MB, which no buffer of the system takes
            writer.write(ask)
        with pytest.raises(OSError):
            while True:
                writer.write(frame(0x89, b""))
                await writer.drain()
                await asyncio.sleep(0.01)
        edna.type("Short.")
        await edna.kept()


async def test_much_too_much_ends_the_socket_and_the_text_stays(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    post_id = await post_of(site, text="Whole.")
    author, editor = await site.signed_in("author"), await site.signed_in("editor")
    async with writing(editor, post_id) as edna:
        async with writing(author, post_id) as ana:
            ana.send(bytes(room.MAX_MESSAGE + 10))
            assert (await ana.end())[0] == 4413
        async with writing(author, post_id) as ana:
            ana.send(bytes(10 * room.MAX_MESSAGE))  # still on its way when the reason is known
            assert await ana.end() == (4413, "This is more than may be sent at once.")
        monkeypatch.setattr(room, "MAX_DOCUMENT", 20_000)
        async with writing(author, post_id) as ana:
            await ana.reads("Whole.")
            ana.type("x" * 30_000)
            assert (await ana.end())[0] == 4413
        monkeypatch.setattr(room, "MAX_TEXT", 1000)
        async with writing(author, post_id) as ana:
            await ana.reads("Whole.")
            ana.type("x" * 1001)
            assert (await ana.end())[0] == 4413
        await edna.reads("Whole.")
