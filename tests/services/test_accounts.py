"""People: one owner, addresses that are taken, roles that end sessions, passwords that cost the same for everybody."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from argon2 import extract_parameters
from sqlalchemy import select

from cms.db.session import Database, Work
from cms.errors import Conflict, Forbidden, InvalidInput, NotFound
from cms.events import JobsChanged, PostPublished, UserChanged
from cms.models import Address, AuditEntry, Job, Post, PostAuthor, Published, Revision, SearchDocument, User, WorkingCopy
from cms.models.post import Kind
from cms.policy import SYSTEM, Actor, Role
from cms.schemas.account import LoginInput, OwnerInput, UserInput
from cms.schemas.post import PostFields, PostInput
from cms.schemas.site import MenuInput, MenuItemInput
from cms.sealing import Sealer
from cms.services import accounts, identities, menus, notices, posts, profiles, resets, sessions, site
from cms.services.notices import Notice
from cms.services.passwords import Passwords
from cms.settings import SecretKeys
from tests import watching
from tests.factories import PASSWORD, draft, edited, means, person, publish, published, published_page, user_of


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
    assert [event for event in heard if event != JobsChanged()] == [UserChanged(user.id, (act,))]  # the letter about it is a job
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
    [{"email": "x"}, {"email": "a@b@c.org"}, {"name": " \n "}, {"name": "x" * 81}, {"password": "too short"}, {"site_name": "x" * 101}],
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


# --- standing --------------------------------------------------------------------------------------------------------------


async def held(database: Database, actor: Actor, act: Callable[[Work, User], Awaitable[None]]) -> None:
    async with database.transaction() as work:
        await act(work, await work.session.get_one(User, actor.user_id))


async def test_nobody_changes_his_own_standing(database: Database) -> None:
    owner, administrator = await person(database, "owner"), await person(database, "administrator")
    for act in (
        lambda work, user: accounts.change_role(work, administrator, user, Role.EDITOR),
        lambda work, user: accounts.disable(work, administrator, user),
        lambda work, user: accounts.delete(work, administrator, user, user),
    ):
        with pytest.raises(Forbidden):
            await held(database, administrator, act)
    with pytest.raises(Forbidden, match="handed over"):
        await held(database, owner, lambda work, user: accounts.delete(work, SYSTEM, user, user))
    assert (await user_of(database, administrator)).role is Role.ADMINISTRATOR


async def test_administrators_do_not_touch_the_owner(database: Database) -> None:
    owner, administrator = await person(database, "owner"), await person(database, "administrator")
    sealer = Sealer(SecretKeys({1: "k" * 40}, 1))
    for act in (
        lambda work, user: accounts.rename(work, administrator, user, "Stolen"),
        lambda work, user: accounts.sign_out(work, administrator, user),
        lambda work, user: accounts.change_email(work, sealer, administrator, user, "stolen@example.org"),
        lambda work, user: resets.give(work, administrator, user),
        lambda work, user: accounts.enable(work, administrator, user),
    ):
        with pytest.raises(Forbidden, match="owner"):
            await held(database, owner, act)
    assert (await user_of(database, owner)).email == "owner@example.org"


async def test_of_two_administrators_who_disable_each_other_at_once_one_does(database_url: str) -> None:
    databases = [Database(database_url), Database(database_url)]
    pair = [await person(databases[0], "administrator", name) for name in ("Ada One", "Ben Two")]
    tries = [
        held(databases[number], pair[1 - number], lambda work, user, by=pair[number]: accounts.disable(work, by, user)) for number in (0, 1)
    ]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["Forbidden", "NoneType"]
    assert sorted([(await user_of(databases[0], actor)).is_disabled for actor in pair]) == [False, True]
    for database in databases:
        await database.dispose()


async def test_who_was_demoted_a_moment_ago_runs_nobody_any_more(database: Database) -> None:
    owner, administrator, ana = [await person(database, role) for role in ("owner", "administrator", "author")]
    await held(database, administrator, lambda work, user: accounts.change_role(work, owner, user, Role.EDITOR))
    with pytest.raises(Forbidden):
        await held(database, ana, lambda work, user: accounts.change_role(work, administrator, user, Role.ADMINISTRATOR))
    assert (await user_of(database, ana)).role is Role.AUTHOR


# --- ownership -------------------------------------------------------------------------------------------------------------


async def test_ownership_is_handed_over_in_one_moment(database: Database) -> None:
    owner, edna = await person(database, "owner"), await person(database, "editor", password_hash="hash")
    with watching.events(database) as heard:
        await held(database, edna, lambda work, user: accounts.hand_over(work, owner, user))
    assert [(await user_of(database, actor)).role for actor in (owner, edna)] == [Role.ADMINISTRATOR, Role.OWNER]
    assert [event for event in heard if isinstance(event, UserChanged)] == [
        UserChanged(owner.user_id or 0, ("role",)),
        UserChanged(edna.user_id or 0, ("role",)),
    ]
    with pytest.raises(Forbidden):
        await held(database, owner, lambda work, user: accounts.hand_over(work, owner, user))


async def test_ownership_goes_to_somebody_who_can_sign_in(database: Database) -> None:
    owner, ana = await person(database, "owner"), await person(database, "author")
    edna, administrator = await person(database, "editor", password_hash="hash"), await person(database, "administrator")
    await held(database, edna, lambda work, user: accounts.disable(work, owner, user))
    for actor, heir in ((owner, ana), (owner, edna), (owner, owner), (administrator, administrator)):
        with pytest.raises(Forbidden):
            await held(database, heir, lambda work, user, by=actor: accounts.hand_over(work, by, user))
    assert (await user_of(database, owner)).role is Role.OWNER


async def test_account_elsewhere_is_enough_to_become_the_owner(database: Database) -> None:
    owner, ana = await person(database, "owner"), await person(database, "author")
    async with database.transaction() as work:
        await identities.link(work, await accounts.get(work.session, ana.user_id or 0), "https://id.example.org", "ana")
    await held(database, ana, lambda work, user: accounts.hand_over(work, owner, user))
    assert (await user_of(database, ana)).role is Role.OWNER


async def test_of_two_heirs_at_once_one_is_the_owner(database_url: str) -> None:
    databases = [Database(database_url), Database(database_url)]
    owner = await person(databases[0], "owner")
    heirs = [await person(databases[0], "editor", name, password_hash="hash") for name in ("Ada One", "Ben Two")]
    tries = [held(databases[number], heirs[number], lambda work, user: accounts.hand_over(work, owner, user)) for number in (0, 1)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["Forbidden", "NoneType"]
    roles = sorted([(await user_of(databases[0], actor)).role.value for actor in (owner, *heirs)])
    assert roles == ["administrator", "editor", "owner"]
    for database in databases:
        await database.dispose()


@pytest.mark.parametrize("act", ["role", "ownership"])
async def test_links_that_were_made_before_are_void_with_another_role(database: Database, act: str) -> None:
    """Whoever made one while the person was nobody special would become the owner by it."""
    owner, edna = await person(database, "owner"), await person(database, "editor", password_hash="hash")
    adam = await person(database, "administrator")
    async with database.transaction() as work:
        carrier = await resets.give(work, adam, await accounts.get(work.session, edna.user_id or 0))
    if act == "ownership":
        await held(database, edna, lambda work, user: accounts.hand_over(work, owner, user))
    else:
        await held(database, edna, lambda work, user: accounts.change_role(work, owner, user, Role.ADMINISTRATOR))
    async with database.read() as session:
        with pytest.raises(NotFound):
            await resets.get(session, carrier, database.clock())


async def test_who_was_the_owner_a_moment_ago_has_no_say_over_who_is(database: Database) -> None:
    """A password link asked for while ownership goes over would let him take the account, and all of it back."""
    owner, edna = await person(database, "owner"), await person(database, "editor", password_hash="hash")
    await held(database, edna, lambda work, user: accounts.hand_over(work, owner, user))
    with pytest.raises(Forbidden):
        await held(database, edna, lambda work, user: resets.give(work, owner, user))


# --- leaving ---------------------------------------------------------------------------------------------------------------


async def test_texts_of_who_is_deleted_are_the_heirs_with_their_history(database: Database) -> None:
    owner, ana, edna = [await person(database, role) for role in ("owner", "author", "editor")]
    public = await published(database, ana, title="Low tide")
    await edited(database, ana, public.post_id, text="Sand.")
    begun = await draft(database, ana, title="Unfinished")
    together = await written_by(database, "Together", ana, edna)
    with watching.events(database) as heard:
        async with database.transaction() as work:
            gone, heir = await work.session.get_one(User, ana.user_id), await work.session.get_one(User, edna.user_id)
            await accounts.delete(work, owner, gone, heir)
    async with database.read() as session:
        assert await session.get(User, ana.user_id) is None
        rows = {(row.post_id, row.side): row.user_id for row in await session.scalars(select(PostAuthor))}
        assert set(rows.values()) == {edna.user_id}
        assert {post_id for post_id, _ in rows} == {public.post_id, begun.id, together.post_id}
        for table in (WorkingCopy, Revision):
            assert {tuple(fields["authors"]) for fields in await session.scalars(select(table.fields))} == {(edna.user_id,)}
        assert {row.created_by_id for row in await session.scalars(select(Post))} == {edna.user_id}
        bylines = [[author["name"] for author in authors] for authors in await session.scalars(select(Published.authors))]
        assert bylines == [["Edna Reed"], ["Edna Reed"]]
        marks = list(await session.scalars(select(SearchDocument.marks)))
        assert all(f"#author{edna.user_id}" in mark and f"#author{ana.user_id} " not in f"{mark} " for mark in marks)
        led = {
            row.path: (row.target_id, row.state.value)
            for row in await session.scalars(select(Address).where(Address.target_kind == "author"))
        }
        assert led["author/ana-silva"] == (edna.user_id, "moved")
    told = {event.post_id: event for event in heard if isinstance(event, PostPublished)}
    assert set(told) == {public.post_id, together.post_id}
    assert told[public.post_id].aspects == ("authors",)
    assert f"author:{ana.user_id}" in told[public.post_id].before.lists  # type: ignore[union-attr]
    assert f"author:{edna.user_id}" in told[public.post_id].now.lists
    assert UserChanged(ana.user_id or 0, ("deleted",)) in heard
    again = await edited(database, edna, public.post_id, text="Mud again.")
    assert edna.user_id in again.owner_ids


async def written_by(database: Database, title: str, *people: Actor) -> Published:
    async with database.transaction() as work:
        ids = tuple(actor.user_id for actor in people if actor.user_id)
        post = await posts.create(work, people[0], Kind.POST, PostInput(title=title, text="x"), fields=PostFields(authors=ids))
    return await publish(database, people[-1], post.id)


async def test_heir_is_somebody_else_who_can_sign_in(database: Database) -> None:
    owner, ana, edna = [await person(database, role) for role in ("owner", "author", "editor")]
    await held(database, edna, lambda work, user: accounts.disable(work, owner, user))
    for heir in (ana, edna):
        with pytest.raises(InvalidInput, match="somebody else"):
            async with database.transaction() as work:
                await accounts.delete(
                    work, owner, await work.session.get_one(User, ana.user_id), await work.session.get_one(User, heir.user_id)
                )


async def test_number_of_who_was_deleted_is_never_somebody_elses(database: Database) -> None:
    """What was done by that number, and from where, would be taken for the other's, and be in his export."""
    owner, ana = await person(database, "owner"), await person(database, "author")
    await leave(database, owner, ana, owner)
    assert (await person(database, "author")).user_id != ana.user_id


async def test_of_two_who_are_deleted_at_once_for_each_other_one_is(database_url: str) -> None:
    databases = [Database(database_url), Database(database_url)]
    owner, adam = await person(databases[0], "owner"), await person(databases[0], "administrator")
    ana, ines = await person(databases[0], "author"), await person(databases[0], "author", "Ines Falk")
    for author in (ana, ines):
        await published(databases[0], author, title=f"By {author.name}")
    tries = [leave(databases[0], owner, ana, ines), leave(databases[1], adam, ines, ana)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["NoneType", "NotFound"]
    async with databases[0].read() as session:
        (left,) = (await session.scalars(select(User).where(User.role == Role.AUTHOR))).all()
        bylines = [[author["name"] for author in authors] for authors in await session.scalars(select(Published.authors))]
    assert bylines == [[left.name]] * 2
    for database in databases:
        await database.dispose()


async def leave(database: Database, actor: Actor, gone: Actor, heir: Actor) -> None:
    async with database.transaction() as work:
        people = [await accounts.get(work.session, each.user_id or 0) for each in (gone, heir)]
        await accounts.delete(work, actor, *people)


async def test_pages_go_to_the_heir_too(database: Database) -> None:
    owner, ana, edna = [await person(database, role) for role in ("owner", "editor", "author")]
    about = await published_page(database, ana)
    below = await published_page(database, ana, title="Team", parent=about.post_id)
    with watching.events(database) as heard:
        async with database.transaction() as work:
            await accounts.delete(
                work, owner, await work.session.get_one(User, ana.user_id), await work.session.get_one(User, edna.user_id)
            )
    told = {event.post_id: event.now.lists for event in heard if isinstance(event, PostPublished)}
    assert told == {about.post_id: ("below:0",), below.post_id: (f"below:{about.post_id}",)}


async def test_menu_follows_to_the_heir(database: Database) -> None:
    owner, ana, edna = [await person(database, role) for role in ("owner", "author", "editor")]
    await published(database, ana, title="Low tide")
    async with database.transaction() as work:
        await menus.save(work, owner, "main", MenuInput(items=(MenuItemInput(label="Writers", target="/author/ana-silva"),)))
    async with database.transaction() as work:
        await accounts.delete(work, owner, await work.session.get_one(User, ana.user_id), await work.session.get_one(User, edna.user_id))
    async with database.read() as session:
        assert [link.path for link in (await site.get_frame(session)).menu] == ["/author/edna-reed"]


# --- what people are told --------------------------------------------------------------------------------------------------


async def test_people_are_told_what_happens_to_their_account_unless_they_may_refuse(database: Database, tmp_path: Path) -> None:
    owner, ana = await person(database, "owner"), await person(database, "author")
    async with database.transaction() as work:
        user = await work.session.get_one(User, ana.user_id)
        await accounts.set_password(work, ana, user, "new")
        await accounts.change_role(work, owner, user, Role.EDITOR)
        await notices.new_device(work, user.id, "Firefox on Linux")
        await notices.second_factor(work, user.id, "A passkey was added")
        await accounts.change_email(work, means(database, tmp_path).sealer, owner, user, "ana@new.example")
    assert await letters(database, tmp_path) == [
        ("ana@new.example", "Your password was changed"),
        ("ana@new.example", "Your role was changed"),
        ("ana@new.example", "A new device signed in"),
        ("ana@new.example", "How you sign in was changed"),
        ("author@example.org", "Your e-mail address was changed"),
    ]
    async with database.transaction() as work:
        await profiles.refuse(work, ana, ["role", "new_device", "password", "second_factor", "nonsense"])
    assert [subject for _, subject in await letters(database, tmp_path)] == [
        "Your password was changed",
        "How you sign in was changed",
        "Your e-mail address was changed",
    ]


async def letters(database: Database, folder: Path) -> list[tuple[str, str]]:
    """As they would be written now."""
    given = means(database, folder)
    async with database.read() as session:
        jobs = (await session.scalars(select(Job).where(Job.name == notices.JOB).order_by(Job.id))).all()
        written = [await notices.letter(session, given.sealer, given.public_url, job.payload) for job in jobs]
    return [(letter.to, letter.subject) for letter in written if letter]


async def test_whoever_links_an_account_elsewhere_is_told_once(database: Database) -> None:
    ana = await person(database, "author")
    for _ in range(2):
        async with database.transaction() as work:
            await identities.link_own(work, ana, "https://id.example", "ana-1")
    async with database.read() as session:
        told = [(job["user_id"], job["facts"]["what"]) for job in await session.scalars(select(Job.payload).where(Job.name == notices.JOB))]
    assert [(user_id, what) for user_id, (what, *_) in told] == [(ana.user_id, "An account elsewhere was linked, and can sign in as you")]


async def test_every_letter_can_be_written() -> None:
    facts = dict.fromkeys(
        ("site", "by", "role", "carrier", "new", "what", "browser", "address", "at", "who", "did", "title", "words", "path"), "x"
    )
    assert set(notices.WORDS) == set(Notice)
    for notice in Notice:
        letter = notices._written(notice, "a@example.org", "A", "https://tides.example", facts, "")
        assert letter.subject
        assert letter.paragraphs
        assert bool(letter.link) == bool(letter.action)
        assert not re.search("[{}]", str(letter))
