"""Links for outsiders: what ends them, who may make them, and what is kept of them."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from cms.db.session import Database
from cms.errors import Conflict, Forbidden, Gone, InvalidInput, NotFound
from cms.models import AuditEntry, PreviewLink, Revision, User
from cms.policy import Actor
from cms.schemas.links import PreviewLinkInput
from cms.sealing import Sealer, Under
from cms.services import accounts, preview_links, sealed, site
from cms.settings import Settings, secret_keys
from tests import factories
from tests.factories import person

LATER = datetime(2100, 1, 1, tzinfo=UTC)


def sealer(*keys: str) -> Sealer:
    return Sealer(secret_keys(Settings(secret_keys=keys or ("k" * 40,))))


async def make(database: Database, actor: Actor, post_id: int, lifetime: str = "24h", revision: int | None = None) -> tuple[int, str]:
    """Number and carrier of a new link."""
    async with database.transaction() as work:
        wanted = PreviewLinkInput.model_validate({"lifetime": lifetime, "revision": revision})
        link = await preview_links.make(work, sealer(), actor, post_id, wanted)
        return link.id, sealer().open(link.sealed)


async def find(database: Database, carrier: str, *, after: timedelta = timedelta()) -> preview_links.Sight:
    async with database.read() as session:
        return await preview_links.find(session, carrier, database.clock() + after)


async def test_link_shows_a_draft_until_its_time_is_over(database: Database) -> None:
    ana = await person(database, "author")
    post = await factories.draft(database, ana)
    for lifetime, length in preview_links.LIFETIMES.items():
        _, carrier = await make(database, ana, post.id, lifetime)
        assert (await find(database, carrier, after=length - timedelta(minutes=1))).post.id == post.id
        with pytest.raises(Gone):
            await find(database, carrier, after=length + timedelta(minutes=1))
    with pytest.raises(NotFound) as unknown:
        await find(database, "x" * 43)
    assert not isinstance(unknown.value, Gone)


@pytest.mark.parametrize("most", [0, 2])
async def test_no_more_links_are_open_than_the_site_allows(database: Database, most: int) -> None:
    ana = await person(database, "author")
    post = await factories.draft(database, ana)
    async with database.transaction() as work:
        await site.configure(work, limits={"preview_links": most})
    for _ in range(most):
        await make(database, ana, post.id)
    with pytest.raises(Conflict, match="gives no links" if most == 0 else r"allows \(2\)"):
        await make(database, ana, post.id)


async def test_what_carries_a_link_is_kept_as_a_hash_and_sealed(database: Database) -> None:
    ana = await person(database, "author")
    post = await factories.draft(database, ana)
    _, carrier = await make(database, ana, post.id)
    async with database.read() as session:
        row = (await session.scalars(select(PreviewLink))).one()
        (shown,) = await preview_links.list_of(session, sealer(), ana, post.id)
        (lost,) = await preview_links.list_of(session, sealer("x" * 40), ana, post.id)
    assert len(carrier) == 43
    assert row.token_hash == hashlib.sha256(carrier.encode()).hexdigest()
    assert carrier not in row.sealed
    assert (shown.carrier, shown.by) == (carrier, "Ana Silva")
    assert lost.carrier == ""
    keys = sealer("n" * 40, "k" * 40)
    assert await sealed.renew_all(database, keys) == 1
    async with database.read() as session:
        assert await sealed.standing(session, sealer("n" * 40)) == {Under.NEWEST: 1}


async def test_revoking_ends_one_link_and_the_trash_ends_all(database: Database) -> None:
    ana = await person(database, "author")
    post = await factories.draft(database, ana)
    (first, one), (_, other) = await make(database, ana, post.id), await make(database, ana, post.id)
    async with database.transaction() as work:
        await preview_links.revoke(work, ana, post.id, first)
    with pytest.raises(Gone):
        await find(database, one)
    with pytest.raises(NotFound):
        async with database.transaction() as work:
            await preview_links.revoke(work, ana, post.id, first)
    await find(database, other)
    await factories.trash(database, ana, post.id)
    with pytest.raises(Gone):
        await find(database, other)
    with pytest.raises(Conflict):
        await make(database, ana, post.id)
    await factories.restore(database, ana, post.id)
    with pytest.raises(Gone):
        await find(database, other)
    async with database.read() as session:
        noted = (await session.scalars(select(AuditEntry.action).where(AuditEntry.action.startswith("preview_link.")))).all()
    assert sorted(noted) == ["preview_link.create", "preview_link.create", "preview_link.revoke"]


async def test_links_of_somebody_who_may_not_edit_any_more_show_nothing(database: Database) -> None:
    owner, ana, cem = await person(database, "owner"), await person(database, "author"), await person(database, "contributor")
    of_ana, of_cem = await factories.draft(database, ana), await factories.draft(database, cem)
    (_, anas), (_, cems) = await make(database, ana, of_ana.id), await make(database, cem, of_cem.id)
    await factories.publish(database, owner, of_cem.id)  # contributors edit only what was never public
    with pytest.raises(Gone):
        await find(database, cems)
    async with database.transaction() as work:
        await accounts.disable(work, owner, await work.session.get_one(User, ana.user_id))
    with pytest.raises(Gone):
        await find(database, anas)


async def test_only_who_may_edit_the_text_has_to_do_with_its_links(database: Database) -> None:
    ana, bea = await person(database, "author"), await person(database, "author", "Bea Hill")
    draft, public = await factories.draft(database, ana), await factories.published(database, ana, title="High tide")
    number, _ = await make(database, ana, public.post_id)
    with pytest.raises(NotFound):
        await make(database, bea, draft.id)
    for act in (
        lambda work: preview_links.revoke(work, bea, public.post_id, number),
        lambda work: preview_links.list_of(work.session, sealer(), bea, public.post_id),
    ):
        with pytest.raises(Forbidden):
            async with database.transaction() as work:
                await act(work)


async def test_link_to_a_revision_shows_that_one_for_good(database: Database) -> None:
    ana = await person(database, "author")
    post = await factories.draft(database, ana, text="At first.")
    other = await factories.draft(database, ana, title="Other")
    async with database.read() as session:
        revision = (await session.scalars(select(Revision.id).where(Revision.post_id == post.id))).one()
    _, carrier = await make(database, ana, post.id, revision=revision)
    _, live = await make(database, ana, post.id)
    await factories.edited(database, ana, post.id, text="Then.")
    async with database.read() as session:
        texts = [await preview_links.shown_by(session, await find(database, each)) for each in (carrier, live)]
    assert [text.content for text in texts] == ["At first.", "Then."]
    with pytest.raises(InvalidInput):
        await make(database, ana, other.id, revision=revision)


async def test_looks_are_added_up_and_old_links_forgotten(database: Database) -> None:
    ana = await person(database, "author")
    post = await factories.draft(database, ana)
    number, carrier = await make(database, ana, post.id)
    for looks in (2, 3):
        async with database.transaction() as work:
            await preview_links.count(work, {number: looks, 999: 1})
    async with database.read() as session:
        assert await preview_links.openness(session, post.id, database.clock()) == preview_links.Openness(1, 5)
        assert await preview_links.openness(session, post.id, LATER) == preview_links.Openness()
    async with database.transaction() as work:
        await preview_links.prune(work)
        assert await preview_links.find(work.session, carrier, work.now)
        work.now = LATER
        await preview_links.prune(work)
    with pytest.raises(NotFound):
        await find(database, carrier)
