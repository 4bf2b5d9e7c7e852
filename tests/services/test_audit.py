"""Who did what: a line in the transaction of the act, and none of an act that was undone; the lines read again, and how long they stay."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError
from sqlalchemy import select

from cms.db.session import Database, utc_now
from cms.errors import Forbidden, InvalidInput
from cms.models import AuditEntry, Job, User
from cms.policy import Actor, Role
from cms.schemas.account import ProfileInput
from cms.schemas.audit import AuditQuery
from cms.services import accounts, audit, notices, privacy, profiles, sessions
from cms.services.notices import Notice
from cms.worker.tasks import keep_house
from tests import watching
from tests.factories import draft, edited, means, person, publish, published, restore, trash, user_of, withdraw

ZONE = ZoneInfo("Europe/Lisbon")


async def lines(database: Database, kind: str = "post") -> list[tuple[str, int | None, int | None]]:
    return [(entry.action, entry.user_id, entry.subject_id) for entry in await entries(database, kind)]


async def entries(database: Database, kind: str = "post") -> list[AuditEntry]:
    async with database.read() as session:
        return list(await session.scalars(select(AuditEntry).where(AuditEntry.subject_kind == kind).order_by(AuditEntry.id)))


async def found(database: Database, actor: Actor, **query: Any) -> list[str]:
    async with database.read() as session:
        record = await audit.list_lines(session, actor, AuditQuery.model_validate(query), ZONE)
    return [line.action for line in record.lines]


async def test_acts_on_content_are_noted_with_who_did_them(database: Database) -> None:
    editor = await person(database, "editor")
    post = await draft(database, editor)
    await edited(database, editor, post.id, title="High tide")
    for act in (publish, withdraw, trash, restore):
        await act(database, editor, post.id)
    names = ("post.create", "post.save", "post.publish", "post.withdraw", "post.trash", "post.restore")
    assert await lines(database) == [(name, editor.user_id, post.id) for name in names]


async def test_what_was_before_and_is_after_is_noted_by_name_and_no_text_is_kept(database: Database) -> None:
    editor = await person(database, "editor")
    post = await draft(database, editor)
    await edited(database, editor, post.id, title="High tide", text="The sea came in.", tags=("Sea",))
    await edited(database, editor, post.id)  # nothing is another
    await publish(database, editor, post.id)
    await trash(database, editor, post.id)
    _, saved, sent, trashed = await entries(database)
    assert saved.details == {"changed": ["tags", "text", "title"], "before": {"title": "Low tide"}, "after": {"title": "High tide"}}
    assert {"title", "body", "path"} <= set(sent.details["changed"])
    assert sent.details["before"] == {"status": "never"}
    now = {"status": "published", "title": "High tide", "path": "high-tide", "published_at": f"{post.created_at:%Y-%m-%d}"}
    assert {**sent.details["after"], "published_at": sent.details["after"]["published_at"][:10]} == now
    await restore(database, editor, post.id)
    await edited(database, editor, post.id, title="Ebb")
    await publish(database, editor, post.id)
    await edited(database, editor, post.id, title="Low ebb", text="x")
    await publish(database, editor, post.id)
    again = (await entries(database))[-1].details
    assert (again["before"], again["after"]) == ({"title": "Ebb", "path": "ebb"}, {"title": "Low ebb", "path": "low-ebb"})
    assert trashed.details == {"before": "published", "after": "trashed"}
    assert "sea" not in str([saved.details, sent.details, trashed.details]).lower().replace("search", "")


async def test_act_that_was_refused_is_not_noted(database: Database) -> None:
    editor = await person(database, "editor")
    await published(database, editor, slug="tide")
    post = await draft(database, editor, slug="tide")
    before = await lines(database)
    with pytest.raises(InvalidInput):
        await publish(database, editor, post.id)
    assert await lines(database) == before


async def test_what_happens_to_people_is_noted_with_before_and_after(database: Database) -> None:
    owner = await person(database, "owner")
    ana = await user_of(database, await person(database, "author"))
    async with database.transaction() as work:
        ana = (await work.session.scalars(select(User).where(User.id == ana.id))).one()
        await accounts.change_role(work, owner, ana, Role.EDITOR)
        await accounts.rename(work, owner, ana, "Ana Marks")
        await accounts.disable(work, owner, ana)
        await accounts.enable(work, owner, ana)
    told = {entry.action: entry.details for entry in await entries(database, "user") if entry.subject_id == ana.id}
    assert told["user.role"] == {"before": "author", "after": "editor"}
    assert told["user.disable"] == {"before": "active", "after": "disabled"}
    assert told["user.enable"] == {"before": "disabled", "after": "active"}
    assert told["user.rename"] == {"changed": ["name"], "before": {"name": "Ana Silva"}, "after": {"name": "Ana Marks"}}
    async with database.transaction() as work:
        await profiles.save(work, ana.actor, ProfileInput(name="Ana Hill", bio="Words."))
    profile = (await entries(database, "user"))[-1].details
    assert profile == {"changed": ["name", "bio"], "before": {"name": "Ana Marks"}, "after": {"name": "Ana Hill"}}
    async with database.transaction() as work:
        await privacy.erase(work, owner, ana.id)
    assert not re.search("Silva|Marks|Hill", str([entry.details for entry in await entries(database, "user")]))


async def test_who_was_deleted_stays_a_number_without_an_address(database: Database) -> None:
    owner, ana, edna = [await person(database, role) for role in ("owner", "author", "editor")]
    async with database.transaction("request", "203.0.113.9") as work:
        user, heir = [await work.session.get_one(User, each.user_id) for each in (ana, edna)]
        await sessions.start(work, user, "Firefox")
        await notices.tell(work, user.id, Notice.PASSWORD)
        await notices.tell(work, heir.id, Notice.ACCEPTED, about=user.id, who="Ana Silva")
    async with database.transaction("request", "198.51.100.7") as work:
        await accounts.delete(work, owner, user, heir)
    told = [(entry.action, entry.user_id, entry.address) for entry in await entries(database, "user") if entry.subject_id == ana.user_id]
    assert told == [("user.create", None, ""), ("session.create", ana.user_id, ""), ("user.delete", owner.user_id, "198.51.100.7")]
    assert await found(database, owner, person=ana.user_id) == ["session.create"]
    async with database.read() as session:
        assert list(await session.scalars(select(Job.id))) == []


async def test_lines_are_found_by_person_kind_subject_and_days(database: Database) -> None:
    owner, ana = await person(database, "owner"), await person(database, "author")
    post = await published(database, ana)
    today = utc_now().astimezone(ZONE).date()
    assert await found(database, owner, person=ana.user_id) == ["post.publish", "post.create"]
    assert await found(database, owner, kind="user") == ["user.create", "user.create"]
    assert await found(database, owner, kind="po") == []
    assert await found(database, owner, subject=f"post {post.post_id}") == ["post.publish", "post.create"]
    assert await found(database, owner, subject="user") == ["user.create", "user.create"]
    assert await found(database, owner, subject=str(post.post_id), kind="post") == ["post.publish", "post.create"]
    assert len(await found(database, owner, since=today, until=today)) == 4
    assert await found(database, owner, since=today + timedelta(days=1)) == []
    assert await found(database, owner, until=today - timedelta(days=1)) == []


async def test_lines_come_newest_first_in_pieces(database: Database) -> None:
    owner = await person(database, "owner")
    for number in range(4):
        await draft(database, owner, title=f"Tide {number}")
    seen, query = [], AuditQuery(kind="post")
    async with database.read() as session:
        while (record := await audit.list_lines(session, owner, query, ZONE, 3)).lines:
            seen += [line.subject for line in record.lines]
            query = AuditQuery(kind="post", before=record.lines[-1].id)
            assert record.has_older is (len(seen) < 4)
    assert seen == ["Tide 3", "Tide 2", "Tide 1", "Tide 0"]


async def test_people_are_looked_up_once_for_all_lines_whatever_part_they_have_in_them(database: Database) -> None:
    owner, ana, edna = [await person(database, role) for role in ("owner", "author", "editor")]
    async with database.transaction() as work:
        for number in range(3):
            audit.note(work, ana, "test.act", "user", edna.user_id, by=owner.user_id, heir=990 + number, number=ana.user_id)
    with watching.questions(database) as asked:
        async with database.read() as session:
            record = await audit.list_lines(session, owner, AuditQuery(kind="test"), ZONE)
    assert [(line.who, line.subject, line.is_gone) for line in record.lines] == [("Ana Silva", "Edna Reed", False)] * 3
    assert record.people.keys() == {owner.user_id, ana.user_id, edna.user_id}
    assert len(asked) == 2, "the lines, and the people in them"


async def test_what_is_gone_is_told_from_what_has_no_title(database: Database) -> None:
    owner = await person(database, "owner")
    untitled = await draft(database, owner, title="")
    async with database.transaction() as work:
        for kind, number in (("post", untitled.id), ("post", 999), ("user", 999), ("category", 999), ("menu", 1), ("site", None)):
            audit.note(work, owner, "test.act", kind, number)
    async with database.read() as session:
        record = await audit.list_lines(session, owner, AuditQuery(kind="test"), ZONE)
    assert [line.is_gone for line in record.lines] == [False, False, True, True, True, False]


@pytest.mark.parametrize(
    ("asked", "wrong"),
    [
        ({"subject": "foo"}, "subject"),
        ({"subject": "post 0"}, "subject"),
        ({"subject": "post 4 2"}, "subject"),
        ({"subject": f"post {10**17}"}, "subject"),
        ({"since": "2026-11-29", "until": "2026-11-28"}, "until"),
        ({"since": "2026-02-30"}, "since"),
        ({"until": "86400"}, "until"),
    ],
)
def test_what_cannot_be_meant_is_refused(asked: dict[str, str], wrong: str) -> None:
    with pytest.raises(ValidationError) as refused:
        AuditQuery.model_validate(asked)
    assert [(problem["loc"], problem["type"]) for problem in refused.value.errors()] == [((wrong,), "value_error")]


@pytest.mark.parametrize(
    ("subject", "kind", "number"), [(" Post  42 ", "post", 42), ("user", "user", 0), ("42", "", 42), ("page7", "page", 7)]
)
def test_subject_is_a_kind_a_number_or_both(subject: str, kind: str, number: int) -> None:
    query = AuditQuery.model_validate({"subject": subject, "since": "2026-11-29", "until": "2026-11-29"})
    assert (query.subject_kind, query.subject_id) == (kind, number)


@pytest.mark.parametrize("role", ["editor", "author", "contributor"])
async def test_only_administrators_read_them(database: Database, role: str) -> None:
    with pytest.raises(Forbidden):
        await found(database, await person(database, role))


async def test_they_are_kept_for_400_days(database: Database, tmp_path: Path) -> None:
    owner = await person(database, "owner")
    async with database.transaction() as work:
        for days in (399, 401):
            work.now = utc_now() - timedelta(days=days)
            audit.note(work, owner, f"test.{days}", "site", 1)
    await keep_house(means(database, tmp_path), {})
    assert await lines(database, "site") == [("test.399", owner.user_id, 1)]
