"""Cards of pages in texts: which there are, which texts show them, what is known of them. Fetching those of other sites is a job's
(worker/link_cards.py); a text never waits for it. Of one of this site there is the path; its title is looked up for each rendering."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from urllib.parse import unquote

from sqlalchemy import bindparam, delete, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cms.content.context import LONGEST_ADDRESS, Card, PageCard
from cms.db.session import Work
from cms.models import Address, Asset, Job, LinkCard, Portrait, PostCard
from cms.models.address import TargetKind, normalise_path
from cms.services import jobs, media, named_in_texts

JOB = "fetch_card"
SHOWING = "show_card"
MOST = 20  # of one text that are fetched; further ones stay bare
MOST_PER_HOUR = 120  # of the whole site
HOUR = timedelta(hours=1)
MOST_WAITING = 500  # to be fetched; further ones have their turn on another day, if a public text shows them then
LOOKED_AT_AGAIN = timedelta(days=30)
TRIED_AGAIN = timedelta(days=1)  # twice as long each time
JUST_NOW = timedelta(minutes=10)  # a text that goes out may have been rendered before this was known
AT_ONCE = 500  # that are looked at again in one day
_NOTHING = {"kind": "link", "title": "", "description": "", "site_name": "", "author": "", "picture_url": "", "failures": 0}


async def known(session: AsyncSession, addresses: Iterable[str]) -> dict[str, Card]:
    """What is known of these, by address."""
    wanted = [address for address in addresses if len(address) <= LONGEST_ADDRESS]
    if not wanted:
        return {}
    rows = await session.scalars(select(LinkCard).where(LinkCard.url.in_(wanted), LinkCard.title != ""))
    cards = rows.all()
    pictures = await media.described(session, {card.picture_id for card in cards if card.picture_id})
    return {
        card.url: Card(card.title, card.description, card.site_name, card.author, card.kind, pictures.get(card.picture_id or 0))
        for card in cards
    }


async def want(work: Work, addresses: Iterable[str]) -> list[LinkCard]:
    """Cards of the first ``MOST`` of these; what nobody has fetched yet is fetched soon, if not too many wait for that already."""
    wanted = [address for address in addresses if len(address) <= LONGEST_ADDRESS][:MOST]
    if not wanted:
        return []
    rows = select(LinkCard).where(LinkCard.url.in_(wanted)).order_by(LinkCard.id)
    cards = (await work.session.scalars(rows)).all()
    if new := sorted(set(wanted) - {card.url for card in cards}):
        values = [{"url": address, "due_at": work.now + TRIED_AGAIN, **_NOTHING} for address in new]
        await work.session.execute(work.dialect.insert(LinkCard).values(values).on_conflict_do_nothing(index_elements=["url"]))
        cards = (await work.session.scalars(rows)).all()
        waiting = select(func.count()).select_from(Job).where(Job.name == JOB, Job.finished_at.is_(None))
        left = MOST_WAITING - (await work.session.scalar(waiting) or 0)
        for card in [card for card in cards if card.url in new and not card.is_own][: max(left, 0)]:
            await _look_at(work, card.id)
    return list(cards)


async def _look_at(work: Work, card_id: int) -> None:
    """Once a day at most; the number may have been another card's on another day."""
    await jobs.enqueue(work, JOB, key=f"{JOB}:{card_id}:{work.now:%Y-%m-%d}", card=card_id)


_NOTED = select(PostCard.post_id, PostCard.card_id).where(PostCard.post_id.in_(bindparam("ids", expanding=True)))


async def note(work: Work, shown: Mapping[int, Sequence[str]]) -> None:
    """Which cards public texts show, by post, in place of what was noted before."""
    noted = {(post_id, card_id) for post_id, card_id in await work.session.execute(_NOTED, {"ids": list(shown)})}
    wanted = set[tuple[int, int]]()
    for post_id, addresses in shown.items():
        own = {f"/{normalise_path(unquote(address))}" for address in addresses if address.startswith("/")}
        others = [address for address in addresses if not address.startswith("/")]
        for card in [*await want(work, others), *await want(work, sorted(own))]:
            wanted.add((post_id, card.id))
            if card.fetched_at and card.fetched_at > work.now - JUST_NOW:
                await jobs.enqueue(work, SHOWING, card=card.id)
    await named_in_texts.renew(work, PostCard.card_id, noted, wanted)


async def follow(work: Work, post_ids: Sequence[int]) -> None:
    """Texts with a card of one of these posts, of which the title is another now, or whether it is to be seen."""
    if not post_ids:
        return
    place = (Address.target_kind == TargetKind.POST, Address.target_id.in_(post_ids))
    own = select(PostCard.card_id).join(LinkCard).join(Address, LinkCard.url == "/" + Address.path).where(*place)
    for card_id in await work.session.scalars(own.distinct()):
        await jobs.enqueue(work, SHOWING, card=card_id)


async def shown_in(session: AsyncSession, card_id: int) -> Sequence[int]:
    """The public texts that show it."""
    return (await session.scalars(select(PostCard.post_id).where(PostCard.card_id == card_id).order_by(PostCard.post_id))).all()


async def find(session: AsyncSession, card_id: int) -> LinkCard | None:
    return await session.get(LinkCard, card_id)


# --- what was found out --------------------------------------------------------------------------------------------------------


async def keep(work: Work, card_id: int, found: PageCard, picture: Asset | None) -> None:
    """What a page says of itself now, with a copy of its picture; texts follow if anything of it is new. ``picture``: None if it could not
    be had; a copy of the same one stays then."""
    card = await work.session.get(LinkCard, card_id, with_for_update=True)
    if card is None:
        return
    before = _said(card)
    card.kind, card.title, card.description = found.kind, found.title, found.description
    card.site_name, card.author = found.site_name, found.author
    if picture or card.picture_url != found.picture:
        await _replace_picture(work, card, found.picture, picture)
    card.fetched_at, card.due_at, card.failures, card.error = work.now, work.now + LOOKED_AT_AGAIN, 0, None
    if _said(card) != before:
        await jobs.enqueue(work, SHOWING, card=card_id)


def _said(card: LinkCard) -> tuple[object, ...]:
    return card.kind, card.title, card.description, card.site_name, card.author, card.picture_id


async def _replace_picture(work: Work, card: LinkCard, url: str, picture: Asset | None) -> None:
    before, card.picture_url = card.picture_id, url
    card.picture_id = picture.id if picture else None
    await work.session.flush()
    if before and before != card.picture_id:
        await _forget_pictures(work, [before])


async def fail(work: Work, card_id: int, reason: str) -> None:
    """What is known stays; another try later."""
    card = await work.session.get(LinkCard, card_id, with_for_update=True)
    if card is not None:
        card.failures, card.error = card.failures + 1, reason
        card.due_at = work.now + min(TRIED_AGAIN * 2 ** min(card.failures - 1, 10), LOOKED_AT_AGAIN)


async def renew(work: Work) -> None:
    """Have those looked at again whose time has come. What no public text shows any more is forgotten."""
    is_shown = exists().where(PostCard.card_id == LinkCard.id)
    due = select(LinkCard.id).where(LinkCard.due_at <= work.now).order_by(LinkCard.due_at).limit(AT_ONCE)
    for card_id in await work.session.scalars(due.where(is_shown, ~LinkCard.url.startswith("/"))):
        await _look_at(work, card_id)
    left = select(LinkCard.id, LinkCard.picture_id).where(LinkCard.due_at <= work.now, ~is_shown).limit(2 * AT_ONCE)
    cards = (await work.session.execute(left)).all()
    await work.session.execute(delete(LinkCard).where(LinkCard.id.in_([card_id for card_id, _ in cards])))
    await _forget_pictures(work, [picture_id for _, picture_id in cards if picture_id])


async def _forget_pictures(work: Work, ids: Sequence[int]) -> None:
    """Copies that nothing shows any more; another card may have the same."""
    is_shown = or_(exists().where(LinkCard.picture_id == Asset.id), exists().where(Portrait.asset_id == Asset.id))
    for asset in await work.session.scalars(select(Asset).where(Asset.id.in_(ids), ~Asset.in_library, ~is_shown)):
        await work.session.delete(asset)
        await work.session.flush()
        await media.forget(work, asset.digest, asset.shown_digest)
