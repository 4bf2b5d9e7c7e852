"""What is kept about a person: who may have it, that it holds no secrets, and that an erased person is nowhere any more."""

import asyncio
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from cms.db.session import Database
from cms.errors import Conflict, Forbidden, NotFound
from cms.events import UserChanged
from cms.exchange import personal
from cms.models import (
    AuditEntry,
    Base,
    Device,
    Identity,
    Job,
    Menu,
    MenuItem,
    Passkey,
    Portrait,
    Published,
    RecoveryCode,
    Remark,
    User,
)
from cms.models.address import TargetKind
from cms.models.user import Purpose
from cms.policy import SYSTEM, Actor, Role
from cms.schemas.account import InvitationInput, ProfileInput
from cms.schemas.site import MenuInput, MenuItemInput
from cms.schemas.threads import ThreadInput
from cms.services import (
    accounts,
    invitations,
    jobs,
    lists,
    menus,
    new_addresses,
    notices,
    notifications,
    privacy,
    profiles,
    resets,
    sessions,
    site,
    threads,
    tokens,
)
from cms.services.notices import Notice
from tests import watching
from tests.factories import asset_row, draft, edited, means, person, publish, published, user_of

SECRETS = ("hash-of-a-password", "public-key", "sealed-secret", "hash-of-a-code", "credential-id", "hash-of-a-device")


async def ana_silva(database: Database) -> Actor:
    """An author of whom everything is kept that there can be, and who has published a post."""
    ana = await person(database, "author", password_hash="hash-of-a-password")
    async with database.transaction() as work:
        user = await work.session.get_one(User, ana.user_id)
        user.bio, user.links, user.totp_secret = (
            "Ana walks at low tide.",
            [{"label": "Ana", "path": "https://ana.example"}],
            "sealed-secret",
        )
        user.refuses, user.handle = ["role"], "handle"
        await sessions.start(work, user, "Firefox of Ana")
        picture = asset_row(digest="d" * 64, name="ana.png", created_at=work.now, created_by_id=ana.user_id, in_library=False)
        work.session.add(picture)
        await work.session.flush()
        at = {"user_id": ana.user_id, "created_at": work.now}
        work.session.add_all(
            [
                Portrait(user_id=ana.user_id, asset_id=picture.id),
                Device(token_hash="hash-of-a-device", seen_at=work.now, **at),
                Passkey(
                    name="Ana's phone", credential_id="credential-id", public_key="public-key", sign_count=1, transports=["usb"],
                    is_synced=True, **at,
                ),
                RecoveryCode(user_id=ana.user_id, code_hash="hash-of-a-code"),
                Identity(issuer="https://id.example", subject="ana-silva-1", **at),
            ]
        )  # fmt: skip
        await tokens.issue(work, Purpose.PASSWORD, ana.user_id)
        await jobs.enqueue(work, "send_mail", notice="role", user_id=ana.user_id, facts={"browser": "Firefox of Ana"})
        await jobs.enqueue(work, "send_mail", notice="role", user_id=999, facts={})
        for entry in await work.session.scalars(select(AuditEntry)):
            entry.address = "203.0.113.9"
    post = await published(database, ana, title="Low tide")
    await edited(database, ana, post.post_id, title="High tide")
    return ana


async def archive(database: Database, actor: Actor, user_id: int) -> zipfile.ZipFile:
    async with database.transaction() as work:
        user = await privacy.begin_export(work, actor, user_id)
    whole = b"".join([piece async for piece in personal.pieces(database, user, "The Tide Table")])
    return zipfile.ZipFile(io.BytesIO(whole))


async def everything(database: Database) -> str:
    """What stands in any row of the database."""
    async with database.read() as session:
        rows = [list(await session.execute(text(f"SELECT * FROM {table}"))) for table in Base.metadata.tables if table != "outbox"]
    return json.dumps([[list(row) for row in each] for each in rows], default=str, ensure_ascii=False)


# --- taking along ----------------------------------------------------------------------------------------------------------


async def test_archive_has_all_that_is_kept_and_no_secret(database: Database) -> None:
    ana = await ana_silva(database)
    files = await archive(database, ana, ana.user_id or 0)
    assert files.testzip() is None
    assert {name.removesuffix(".json") for name in files.namelist()} == {
        "README.txt", "account", "sessions", "devices", "passkeys", "identities", "one-time-links", "notices", "audit-by", "audit-about",
        "posts", "working-copies", "revisions", "media", "threads", "remarks", "reviews", "preview-links", "notifications", "views",
        "bylines",
    }  # fmt: skip
    readme = files.read("README.txt").decode()
    assert "What The Tide Table keeps about Ana Silva" in readme
    assert all(name in readme for name in files.namelist() if name != "README.txt")
    found: dict[str, Any] = {name.removesuffix(".json"): json.loads(files.read(name)) for name in files.namelist() if name != "README.txt"}
    account = found["account"]
    assert (account["email"], account["bio"], account["recovery_codes_left"]) == ("author@example.org", "Ana walks at low tide.", 1)
    assert account["picture"].endswith("/ana.png")
    assert [each["user_agent"] for each in found["sessions"]] == ["Firefox of Ana"]
    assert [each["name"] for each in found["passkeys"]] == ["Ana's phone"]
    assert [each["subject"] for each in found["identities"]] == ["ana-silva-1"]
    assert [each["title"] for each in found["posts"]] == ["High tide"]
    assert [each["fields"]["title"] for each in found["working-copies"]] == ["High tide"]
    assert "Low tide" in {each["fields"]["title"] for each in found["revisions"]}
    assert len(found["notices"]) == 1
    assert {each["action"] for each in found["audit-by"]} >= {"session.create", "post.publish", "user.export"}
    assert {each["action"] for each in found["audit-about"]} >= {"user.create"}
    assert [each["name"] for each in found["media"]] == ["ana.png"]
    whole = "".join(files.read(name).decode() for name in files.namelist())
    assert [secret for secret in SECRETS if secret in whole] == []


async def test_long_lists_are_read_in_batches(database: Database) -> None:
    ana = await person(database, "author")
    async with database.transaction() as work:
        user = await work.session.get_one(User, ana.user_id)
        for _ in range(2 * privacy.BATCH + 1):
            await sessions.start(work, user, "Firefox")
    files = await archive(database, ana, ana.user_id or 0)
    assert len(json.loads(files.read("audit-by.json"))) == 2 * privacy.BATCH + 2
    assert json.loads(files.read("revisions.json")) == []


async def test_only_oneself_and_administrators_take_it(database: Database) -> None:
    ana, editor, adam = [await person(database, role) for role in ("author", "editor", "administrator")]
    assert await archive(database, adam, ana.user_id or 0)
    with pytest.raises(Forbidden):
        await archive(database, editor, ana.user_id or 0)
    with pytest.raises(NotFound):
        await archive(database, adam, 999)
    async with database.read() as session:
        noted = await session.execute(select(AuditEntry.user_id, AuditEntry.subject_id).where(AuditEntry.action == "user.export"))
    assert list(noted) == [(adam.user_id, ana.user_id)]


async def test_from_where_others_acted_is_not_in_it(database: Database) -> None:
    owner, ana = await person(database, "owner"), await person(database, "author")
    async with database.transaction() as work:
        carrier = await invitations.invite(work, owner, InvitationInput(email="ines@example.org"))
    async with database.transaction("request", "203.0.113.77") as work:
        ines = await invitations.accept(work, carrier, "Ines Falk", None)
    assert b"203.0.113.77" not in (await archive(database, owner, owner.user_id or 0)).read("audit-by.json")
    assert b"203.0.113.77" in (await archive(database, ines.actor, ines.id)).read("audit-by.json")
    async with database.transaction("request", "198.51.100.7") as work:
        await accounts.change_role(work, owner, await accounts.get(work.session, ana.user_id or 0), Role.EDITOR)
    async with database.transaction("request", "203.0.113.9") as work:
        await sessions.start(work, await accounts.get(work.session, ana.user_id or 0), "Firefox")
    files = await archive(database, ana, ana.user_id or 0)
    about = {each["action"]: each["address"] for each in json.loads(files.read("audit-about.json"))}
    assert (about["user.role"], about["session.create"]) == ("", "203.0.113.9")


async def test_working_copy_is_only_in_it_while_one_may_see_it(database: Database) -> None:
    """Whoever stands above the public text alone was an author once: what comes next is not his."""
    edna, ana, ines = [await person(database, *who) for who in (("editor",), ("author",), ("author", "Ines Falk"))]
    both = tuple(str(each.user_id) for each in (ana, ines))
    post = await draft(database, edna, title="Low tide")
    await edited(database, edna, post.id, authors=both)
    await publish(database, edna, post.id)
    await edited(database, ana, post.id, text="Hers.")
    await edited(database, edna, post.id, authors=both[1:], title="A secret")
    for actor, titles, copies in ((ana, [], 0), (ines, ["A secret"], 1)):
        files = await archive(database, actor, actor.user_id or 0)
        assert [each["title"] for each in json.loads(files.read("posts.json"))] == titles
        assert len(json.loads(files.read("working-copies.json"))) == copies
        assert [each["title"] for each in json.loads(files.read("bylines.json"))] == ["Low tide"]


# --- forgetting ------------------------------------------------------------------------------------------------------------


async def test_erased_person_is_in_no_row_any_more(database: Database) -> None:
    ana, adam = await ana_silva(database), await person(database, "administrator")
    assert "Ana" in await everything(database)
    with watching.events(database) as heard:
        async with database.transaction() as work:
            await privacy.erase(work, adam, ana.user_id or 0)
    left = await everything(database)
    told = ("Ana", "ana-silva", "ana.example", "author@example.org", "Firefox of", "id.example", "203.0.113.9", "handle", "ana.png")
    assert [each for each in (*told, *SECRETS) if each in left] == []
    assert UserChanged(ana.user_id or 0, ("name", "bio", "links", "picture", "erased")) in heard
    husk = await user_of(database, ana)
    assert (husk.name, husk.email, husk.is_disabled) == ("Former author", f"erased-{ana.user_id}@erased.invalid", True)
    async with database.read() as session:
        (entry,) = await session.scalars(select(AuditEntry).where(AuditEntry.action == "user.erase"))
    assert (entry.user_id, entry.subject_id, entry.details) == (adam.user_id, ana.user_id, {})


async def test_texts_stay_under_the_name_that_the_site_chose(database: Database) -> None:
    await person(database, "owner")
    ana, ines = await ana_silva(database), await person(database, "author", "Ines Falk")
    await published(database, ines, title="Ebb")
    async with database.transaction() as work:
        await site.configure(work, former_name="Jemand von früher")
        await privacy.erase(work, SYSTEM, ana.user_id or 0)
        await privacy.erase(work, SYSTEM, ines.user_id or 0)
    async with database.read() as session:
        bylines = [authors[0] for authors in await session.scalars(select(Published.authors).order_by(Published.post_id))]
        assert [(each["name"], each["path"], each["bio"]) for each in bylines] == [
            ("Jemand von früher", "/author/jemand-von-fruher", ""),
            ("Jemand von früher", "/author/jemand-von-fruher-2", ""),
        ]
        assert [card.title for card in (await lists.by_author(session, "jemand-von-fruher", 1)).cards] == ["Low tide"]
        with pytest.raises(NotFound):
            await lists.by_author(session, "ana-silva", 1)


async def test_menu_that_leads_to_the_list_leads_to_its_new_place(database: Database) -> None:
    ana = await ana_silva(database)
    async with database.transaction() as work:
        menu = Menu(name="main")
        work.session.add(menu)
        await work.session.flush()
        work.session.add(
            MenuItem(menu_id=menu.id, position=1, label="Her texts", target_kind=TargetKind.AUTHOR, target_id=ana.user_id or 0)
        )
        await work.session.flush()
        await site.renew_frame(work)
        await privacy.erase(work, SYSTEM, ana.user_id or 0)
    async with database.read() as session:
        assert (await site.get_frame(session)).menu[0].path == "/author/former-author"


async def test_name_in_the_menu_and_in_letters_to_others_goes_too(database: Database) -> None:
    owner, menu = await person(database, "owner"), MenuItemInput(label="More by Ana Silva", target="/author/ana-silva")
    async with database.transaction() as work:
        carrier = await invitations.invite(work, owner, InvitationInput(email="ana@example.org"))
        ana = (await invitations.accept(work, carrier, "Ana Silva", None)).actor
    await published(database, ana, title="Low tide")
    async with database.transaction() as work:
        await menus.save(work, owner, "main", MenuInput(items=(menu,)))
    async with database.transaction() as work:
        await privacy.erase(work, owner, ana.user_id or 0)
    assert "Ana Silva" not in await everything(database)
    async with database.read() as session:
        assert [link.label for link in (await site.get_frame(session)).menu] == ["Former author"]


async def test_mention_of_the_name_is_of_the_sites_name_for_such_people(database: Database) -> None:
    edna, ana, otto = [await person(database, *who) for who in (("editor",), ("author",), ("editor", "Otto Other"))]
    await person(database, "author", "Ana Silva Marks")
    said = "@ana silva, see @Ana Silva's text. Not a@ana silva, @Ana Silvana or @Ana Silva Marks."
    post = await draft(database, edna)
    async with database.transaction() as work:
        await threads.begin(work, edna, post.id, ThreadInput.model_validate({"text": f"{said} @Otto Other"}))
        await privacy.erase(work, SYSTEM, ana.user_id or 0)
    async with database.read() as session:
        (remark,) = await session.scalars(select(Remark.text))
        (told,) = await notifications.list_of(session, otto)
        letters = [payload["facts"]["words"] for payload in await session.scalars(select(Job.payload))]
    left = said.replace("@ana silva,", "@Former author,", 1).replace("@Ana Silva's", "@Former author's")
    assert remark == f"{left} @Otto Other"
    assert {told.words, *letters} == {remark}


async def test_sealed_letters_are_forgotten_and_those_of_others_are_not(database: Database, tmp_path: Path) -> None:
    ana, ines = await person(database, "author"), await person(database, "author", "Ines Falk")
    given = means(database, tmp_path)
    async with database.transaction() as work:
        for actor in (ana, ines):
            await new_addresses.ask(work, given.sealer, actor, f"new-{actor.user_id}@example.org")
        for email in ("author@example.org", "ines.falk@example.org"):
            await resets.offer(work, given.sealer, given.sealer.seal(email))
        await accounts.change_email(work, given.sealer, ines, await work.session.get_one(User, ines.user_id), "falk@example.org")
        await notices.enqueue(work, given.sealer, Notice.INVITATION, to="author@example.org")
        invited = (await work.session.scalars(select(Job).order_by(Job.id.desc()).limit(1))).one()
        invited.error, invited.finished_at = "SMTPError: nobody there", work.now
    files = await archive(database, ana, ana.user_id or 0)
    told = json.loads(files.read("notices.json"))
    assert [each["payload"]["notice"] for each in told] == ["old_address", "new_address", "reset"]
    assert b"sealed" not in files.read("notices.json")
    async with database.transaction() as work:
        await privacy.erase(work, SYSTEM, ana.user_id or 0)
    async with database.read() as session:
        left = [given.sealer.open(payload["sealed"]) for payload in await session.scalars(select(Job.payload))]
    assert [json.loads(each)["name"] for each in left] == ["Ines Falk"] * 4


async def test_name_does_not_come_back_by_a_form_that_was_sent_at_that_moment(database: Database) -> None:
    ana = await ana_silva(database)
    async with database.transaction() as work:
        await privacy.erase(work, SYSTEM, ana.user_id or 0)
    with pytest.raises(Forbidden):
        async with database.transaction() as work:
            await profiles.save(work, ana, ProfileInput(name="Ana Silva"))


async def test_of_two_administrators_who_erase_each_other_at_once_one_does(database_url: str) -> None:
    databases = [Database(database_url), Database(database_url)]
    adam, eve = [await person(databases[0], "administrator", name) for name in ("Adam Mills", "Eve Stone")]

    async def erase(database: Database, actor: Actor, other: Actor) -> None:
        async with database.transaction() as work:
            await privacy.erase(work, actor, other.user_id or 0)

    results = await asyncio.gather(erase(databases[0], adam, eve), erase(databases[1], eve, adam), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["Forbidden", "NoneType"]
    for database in databases:
        await database.dispose()


async def test_who_cannot_be_erased(database: Database) -> None:
    owner, adam, ana, editor = [await person(database, role) for role in ("owner", "administrator", "author", "editor")]
    for actor, user_id in ((adam, owner.user_id), (SYSTEM, owner.user_id), (adam, adam.user_id), (editor, ana.user_id)):
        with pytest.raises(Forbidden):
            async with database.transaction() as work:
                await privacy.erase(work, actor, user_id or 0)
    async with database.transaction() as work:
        await privacy.erase(work, adam, ana.user_id or 0)
    with pytest.raises(Conflict):
        async with database.transaction() as work:
            await privacy.erase(work, adam, ana.user_id or 0)


async def test_erased_person_does_not_come_back(database: Database, tmp_path: Path) -> None:
    ana = await person(database, "author")
    async with database.transaction() as work:
        await privacy.erase(work, SYSTEM, ana.user_id or 0)
        user = await work.session.get_one(User, ana.user_id)
        with pytest.raises(Forbidden, match="cannot come back"):
            await accounts.enable(work, SYSTEM, user)
        with pytest.raises(Forbidden, match="cannot come back"):  # by this way neither: an address is all that is missing
            await accounts.change_email(work, means(database, tmp_path).sealer, SYSTEM, user, "ana@new.example")
    again = await person(database, "author")  # the same name and address, somebody new
    assert again.user_id != ana.user_id
    assert (await user_of(database, again)).slug == "ana-silva"
