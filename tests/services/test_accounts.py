"""People: one owner, addresses that are taken, roles that end sessions, passwords that cost the same for everybody."""

import asyncio
from collections.abc import Iterator

import pytest
from argon2 import extract_parameters
from sqlalchemy import select

from cms.db.session import Database
from cms.errors import Conflict, Forbidden, InvalidInput, NotFound
from cms.events import UserChanged
from cms.models import Address, AuditEntry, User
from cms.policy import SYSTEM, Actor, Role
from cms.schemas.account import LoginInput, OwnerInput, UserInput
from cms.services import accounts, sessions, site
from cms.services.passwords import Passwords
from tests import watching
from tests.factories import PASSWORD, person, user_of


def wanted(email: str = "olga@example.org", name: str = "Olga Owner") -> OwnerInput:
    return OwnerInput(site_name="The Tide Table", name=name, email=email, password=PASSWORD)


async def create_owner(database: Database, email: str = "olga@example.org") -> User:
    async with database.transaction() as work:
        return await accounts.create_owner(work, wanted(email, email), "hash")


# --- the owner -------------------------------------------------------------------------------------------------------------


async def test_first_account_is_the_owner_and_names_the_site(database: Database) -> None:
    with watching.events(database) as heard:
        owner = await create_owner(database)
    assert (owner.role, owner.actor) == (Role.OWNER, Actor(owner.id, Role.OWNER, "olga@example.org"))
    async with database.read() as session:
        assert await accounts.has_owner(session)
        assert (await site.get_frame(session)).name == "The Tide Table"
    assert UserChanged(owner.id, ("new",)) in heard


async def test_there_is_one_owner_only(database: Database) -> None:
    await create_owner(database)
    with pytest.raises(Conflict, match="has an owner already"):
        await create_owner(database, "second@example.org")


async def test_of_two_who_become_owner_at_once_one_does(database_url: str) -> None:
    databases = [Database(database_url), Database(database_url)]
    emails = [f"{number}@example.org" for number in range(4)]
    tries = (create_owner(databases[number % 2], email) for number, email in enumerate(emails))
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["Conflict", "Conflict", "Conflict", "User"]
    async with databases[0].read() as session:
        assert len(await accounts.list_users(session)) == 1
    for database in databases:
        await database.dispose()


async def test_nobody_takes_ownership_from_the_owner(database: Database) -> None:
    owner, administrator = await person(database, "owner"), await person(database, "administrator")
    async with database.transaction() as work:
        user = await accounts.get_by_email(work.session, "owner@example.org")
        for act in (
            accounts.change_role(work, administrator, user, Role.EDITOR),
            accounts.change_role(work, owner, user, Role.EDITOR),
            accounts.change_role(work, administrator, await accounts.get_by_email(work.session, "administrator@example.org"), Role.OWNER),
            accounts.disable(work, administrator, user),
            accounts.set_password(work, administrator, user, "stolen"),
        ):
            with pytest.raises(Forbidden):
                await act
        await accounts.set_password(work, owner, user, "new")
        await accounts.set_password(work, SYSTEM, user, "newer")  # who sits at the machine may always
    assert (await user_of(database, owner)).password_hash == "newer"


# --- making accounts -------------------------------------------------------------------------------------------------------


async def test_new_person_has_an_address_of_their_own(database: Database) -> None:
    first, second = await person(database, "author"), await person(database, "editor", "Ana Silva")
    assert [(await user_of(database, actor)).slug for actor in (first, second)] == ["ana-silva", "ana-silva-2"]
    async with database.read() as session:
        assert set(await session.scalars(select(Address.path))) == {"author/ana-silva", "author/ana-silva-2"}


async def test_two_long_equal_names_both_have_an_address(database: Database) -> None:
    async with database.transaction() as work:
        for number in range(2):
            user = await accounts.create(work, SYSTEM, UserInput(email=f"{number}@example.org", name="ß" * 80, role="author"), None)
            assert len(user.slug) <= 80


async def test_address_that_somebody_has_is_refused_whatever_its_case(database: Database) -> None:
    await person(database, "author")
    with pytest.raises(InvalidInput) as refused:
        async with database.transaction() as work:
            await accounts.create(work, SYSTEM, UserInput(email=" Author@Example.org ", name="X", role="editor"), None)
    assert set(refused.value.errors) == {"email"}
    async with database.read() as session:
        assert (await accounts.find_by_email(session, "AUTHOR@example.org ")) is not None
        with pytest.raises(NotFound, match=r"nobody@example\.org"):
            await accounts.get_by_email(session, "nobody@example.org")


@pytest.mark.parametrize("role", ["editor", "author", "contributor"])
async def test_only_administrators_run_people(database: Database, role: str) -> None:
    actor, cem = await person(database, role), await person(database, "contributor")
    async with database.transaction() as work:
        user = await accounts.get_by_email(work.session, "contributor@example.org")
        acts = [
            accounts.create(work, actor, UserInput(email="x@example.org", name="X", role="administrator"), None),
            accounts.change_role(work, actor, user, Role.EDITOR),
            accounts.disable(work, actor, user),
            accounts.enable(work, actor, user),
        ]
        if actor != cem:
            acts.append(accounts.set_password(work, actor, user, "x"))
        for act in acts:
            with pytest.raises(Forbidden):
                await act


async def test_everybody_changes_their_own_password(database: Database) -> None:
    cem = await person(database, "contributor")
    async with database.transaction() as work:
        await accounts.set_password(work, cem, await accounts.get_by_email(work.session, "contributor@example.org"), "new")
    assert (await user_of(database, cem)).password_hash == "new"


@pytest.mark.parametrize("act", ["role", "password", "disabled"])
async def test_what_takes_something_from_a_person_ends_their_sessions_and_is_announced(database: Database, act: str) -> None:
    administrator, ana, cem = (
        await person(database, "administrator"),
        await person(database, "author"),
        await person(database, "contributor"),
    )
    tokens = []
    for actor in (ana, ana, cem):
        async with database.transaction() as work:
            tokens.append(await sessions.start(work, await user_of(database, actor), "Browser"))
    with watching.events(database) as heard:
        async with database.transaction() as work:
            user = await accounts.get_by_email(work.session, "author@example.org")
            if act == "role":
                await accounts.change_role(work, administrator, user, Role.CONTRIBUTOR)
            elif act == "password":
                await accounts.set_password(work, administrator, user, "new")
            else:
                await accounts.disable(work, administrator, user)
    assert heard == [UserChanged(user.id, (act,))]
    async with database.read() as session:
        found = [await sessions.find(session, token, database.clock()) for token in tokens]
        noted = (await session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1))).one()
    assert [entry is None for entry in found] == [True, True, False]
    assert (noted.user_id, noted.subject_id, noted.action) == (
        administrator.user_id,
        user.id,
        {"disabled": "user.disable"}.get(act, f"user.{act}"),
    )


async def test_who_is_enabled_again_signs_in_anew(database: Database) -> None:
    administrator, ana = await person(database, "administrator"), await person(database, "author")
    async with database.transaction() as work:
        user = await work.session.get_one(User, ana.user_id)
        await accounts.disable(work, administrator, user)
        left = await sessions.start(work, user, "Browser")
    with watching.events(database) as heard:
        async with database.transaction() as work:
            await accounts.enable(work, administrator, await work.session.get_one(User, ana.user_id))
    assert heard == [UserChanged(user.id, ("enabled",))]
    assert not (await user_of(database, ana)).is_disabled
    async with database.read() as session:
        assert await sessions.find(session, left, database.clock()) is None
        noted = (await session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1))).one()
    assert (noted.user_id, noted.subject_id, noted.action) == (administrator.user_id, user.id, "user.enable")


async def test_hash_is_renewed_only_while_it_is_the_one_that_was_verified(database: Database) -> None:
    ana = await person(database, "author", password_hash="old")
    assert ana.user_id
    for before, expected in (("other", "old"), ("old", "new")):
        async with database.transaction() as work:
            await accounts.renew_hash(work, ana.user_id, before, "new")
        assert (await user_of(database, ana)).password_hash == expected


# --- passwords -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    passwords = Passwords()
    yield passwords
    passwords.close()


async def test_password_is_hashed_as_owasp_says_and_never_twice_alike(passwords: Passwords) -> None:
    first, second = await passwords.hash(PASSWORD), await passwords.hash(PASSWORD)
    found = extract_parameters(first)
    assert (found.type.name, found.memory_cost, found.time_cost, found.parallelism, found.salt_len) == ("ID", 19456, 2, 1, 16)
    assert first != second
    assert len(first) <= 200
    assert await passwords.verify(first, PASSWORD)
    assert not await passwords.verify(first, PASSWORD + " ")
    assert not passwords.needs_rehash(first)
    assert passwords.needs_rehash("$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$H3Xl+pEMSPQ4vGqDg0tDQw")


@pytest.mark.parametrize("stored", [None, "", "not a hash", "$argon2id$v=19$m=8"])
async def test_password_of_nobody_is_never_right(passwords: Passwords, stored: str | None) -> None:
    assert not await passwords.verify(stored, "")
    assert not await passwords.verify(stored, "the password of nobody")
    passwords._nobodys = await passwords.hash(PASSWORD)  # even if somebody guessed what is hashed in its place
    assert not await passwords.verify(stored, PASSWORD)


async def test_unknown_person_costs_the_same_work(passwords: Passwords) -> None:
    stored = await passwords.hash(PASSWORD)
    assert extract_parameters(passwords._nobodys) == extract_parameters(stored), "a hash of the same kind is verified instead"
    assert not await passwords.verify(None, PASSWORD)


async def test_hashes_are_made_one_at_a_time_while_the_loop_goes_on(passwords: Passwords) -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    await asyncio.gather(*(passwords.hash(PASSWORD) for _ in range(4)))
    counting.cancel()
    assert turns > 10
    assert passwords._thread._max_workers == 1


# --- what people send ------------------------------------------------------------------------------------------------------


def test_addresses_are_compared_in_small_letters() -> None:
    assert UserInput(email=" Ana@Example.ORG ", name="Ana", role="author").email == "ana@example.org"
    assert LoginInput(email=" Ana@Example.ORG ", password=" p ").email == "ana@example.org"
    assert LoginInput(email="", password=" p ").password == " p "


@pytest.mark.parametrize(
    "wrong",
    [{"email": "x"}, {"email": "a@b@c.org"}, {"name": " \n "}, {"name": "x" * 81}, {"password": "too short"}, {"site_name": ""}],
)
def test_wrong_input_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        OwnerInput(**{"site_name": "S", "name": "N", "email": "a@example.org", "password": PASSWORD, **wrong})


def test_owner_is_no_role_to_be_given() -> None:
    with pytest.raises(ValueError, match="role"):
        UserInput(email="a@example.org", name="A", role="owner")


async def test_who_changed_the_password_meanwhile_ends_a_sign_in_that_is_under_way(database: Database) -> None:
    ana = await person(database, "editor")
    async with database.transaction() as work:
        user = await work.session.get_one(User, ana.user_id)
        user.password_hash = "before"
    async with database.transaction() as work:
        assert await accounts.still_may_enter(work, user.id, "before")
        assert await accounts.still_may_enter(work, user.id, "another") is None
        await accounts.set_password(work, SYSTEM, await work.session.get_one(User, ana.user_id), "after")
        assert await accounts.still_may_enter(work, user.id, "before") is None
        await accounts.disable(work, SYSTEM, await work.session.get_one(User, ana.user_id))
        assert await accounts.still_may_enter(work, user.id, "after") is None
