"""What a job of each name does: one function a name, given what it may need and the job's payload."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cms.db.session import Database
from cms.imaging import Imaging
from cms.mail import Mailer
from cms.media.storage import Storage
from cms.outgoing import Visitor
from cms.purging import Front
from cms.rendering import Renderer
from cms.sealing import Sealer
from cms.services import (
    audit,
    bringing_back,
    custom_fields,
    dead_links,
    desk_index,
    devices,
    field_labels,
    jobs,
    library_acts,
    link_cards,
    media,
    media_edits,
    media_uses,
    notices,
    notifications,
    outbox,
    passing_on,
    permalinks,
    preview_links,
    purges,
    renditions,
    renewing,
    resets,
    revisions,
    search,
    search_index,
    sessions,
    site,
    throttling,
    tokens,
    transfer_runs,
    trash,
    trashed_things,
    undoing,
    uploads,
)
from cms.services.intake import FOLDER, Intake
from cms.services.renditions import Renditions
from cms.ui.languages import language
from cms.worker import errands
from cms.worker import link_cards as looking


@dataclass(frozen=True, slots=True)
class Means:
    """What work is done with."""

    database: Database
    sealer: Sealer
    mailer: Mailer
    storage: Storage
    renderer: Renderer
    imaging: Imaging
    renditions: Renditions
    public_url: str
    data: Path  # the data folder
    visitor: Visitor = field(default_factory=Visitor)
    front: Front | None = None  # what keeps pages before us
    job_id: int = 0  # of the job that is done with it, to report how far it has come

    @property
    def intake(self) -> Intake:
        return Intake(self.database, self.storage, self.imaging, self.data / FOLDER)


class PutOff(Exception):
    """Not now, but from this moment on."""

    def __init__(self, until: datetime) -> None:
        super().__init__(until)
        self.until = until


JUST_PUT = timedelta(minutes=10)  # within which a row names what was put into the storage

Task = Callable[[Means, dict[str, Any]], Awaitable[None]]


async def keep_house(means: Means, _payload: dict[str, Any]) -> None:
    """Forget what nobody can want any more: old events, ended sessions, finished jobs, old searches, acts and revisions of long ago, and
    what has been in the trash for long enough."""
    async with means.database.transaction() as work:
        await outbox.prune(work)
        await sessions.prune(work)
        await devices.prune(work)
        await tokens.prune(work)
        await throttling.prune(work)
        await jobs.prune(work)
        await audit.prune(work)
        await search.prune_misses(work)
        await preview_links.prune(work)
        await notifications.prune(work)
        await undoing.prune(work)
        await transfer_runs.keep_backups(work)
        await link_cards.renew(work)
        await purges.try_again(work)
    await revisions.prune(means.database)
    await errands.clear_away(means.database, means.data)
    await trash.prune(means.database)
    await trashed_things.prune(means.database)
    await library_acts.prune(means.database)
    await uploads.prune(means.intake)


async def keep_idle(means: Means, _payload: dict[str, Any]) -> None:
    await revisions.keep_idle(means.database)
    async with means.database.transaction() as work:
        await transfer_runs.give_up(work)


async def reindex_search(means: Means, _payload: dict[str, Any]) -> None:
    """After an upgrade that searches by more than was kept before."""
    await search_index.renew_all(means.database)


async def renew_addresses(means: Means, payload: dict[str, Any]) -> None:
    await permalinks.renew_all(means.database, means.job_id, payload["after"])


async def reindex_desk(means: Means, _payload: dict[str, Any]) -> None:
    """After an upgrade from a release whose desk searched titles only."""
    await desk_index.renew_all(means.database)


async def note_links(means: Means, _payload: dict[str, Any]) -> None:
    await dead_links.note_all(means.database)


async def pass_on_term(means: Means, payload: dict[str, Any]) -> None:
    await passing_on.finish(means.database, payload, means.job_id)


async def bring_back_term(means: Means, payload: dict[str, Any]) -> None:
    await bringing_back.finish(means.database, payload, means.job_id)


async def follow_term(means: Means, payload: dict[str, Any]) -> None:
    await passing_on.follow_to_end(means.database, payload, means.job_id)


async def follow_label(means: Means, payload: dict[str, Any]) -> None:
    await field_labels.follow(means.database, payload["field"])


async def send_mail(means: Means, payload: dict[str, Any]) -> None:
    """As many in an hour as the site allows; further ones wait."""
    async with means.database.read() as session:
        most = (await site.get_limits(session)).mail_per_hour
        if until := await jobs.free_at(session, notices.JOB, means.job_id, most, notices.HOUR, means.database.clock()):
            raise PutOff(until)
        letter = await notices.letter(session, means.sealer, means.public_url, payload)
        frame = await site.get_frame(session)
    if letter:
        await means.mailer.send(letter, frame.name, language([letter.locale, frame.language]))


async def offer_reset(means: Means, payload: dict[str, Any]) -> None:
    """Whether somebody has the address is found out here, where nobody waits for the answer."""
    async with means.database.transaction() as work:
        await resets.offer(work, means.sealer, payload["sealed"])


async def forget_file(means: Means, payload: dict[str, Any]) -> None:
    """Bytes that the library does not name any more. Those that were put there just now are left for later: whoever brings them again, or
    cuts a picture as it was before, does that before a row names them."""
    digest = payload["digest"]
    name, now = media.storage_name(digest), means.database.clock()
    async with means.database.read() as session:
        if await media.is_named(session, digest):
            return
    written_at = await means.storage.written_at(name)
    if written_at and written_at > now - JUST_PUT:
        raise PutOff(now + JUST_PUT)
    await means.storage.delete(name)
    await renditions.forget(means.database, means.storage, digest)


async def make_renditions(means: Means, payload: dict[str, Any]) -> None:
    await means.renditions.make_all(payload["asset"])


async def renew_media(means: Means, payload: dict[str, Any]) -> None:
    await renewing.renew_users(means.database, means.renderer, means.public_url, payload["asset"])


async def catch_up_media(means: Means, _payload: dict[str, Any]) -> None:
    """After an upgrade from a release that did not note which texts show what, nor made anything of what was sent. Each text is made again
    once, when all of that is done."""
    await media_uses.note_all(means.database)
    await media_edits.make_all_again(means.intake)
    async with means.database.read() as session:
        ids = await media.list_ids(session)
    for asset_id in ids:
        await means.renditions.make_all(asset_id)
    await renewing.renew_all(means.database, means.renderer, means.public_url)


async def fetch_card(means: Means, payload: dict[str, Any]) -> None:
    """Of a page of another site; what we show ourselves is in the database."""
    async with means.database.read() as session:
        most, span = link_cards.MOST_PER_HOUR, link_cards.HOUR
        if until := await jobs.free_at(session, link_cards.JOB, means.job_id, most, span, means.database.clock()):
            raise PutOff(until)
        card = await link_cards.find(session, payload["card"])
    if card and urlsplit(card.url).netloc != urlsplit(means.public_url).netloc:
        await looking.fetch(means, card.id, card.url, card.picture_url if card.picture_id else "")


async def show_card(means: Means, payload: dict[str, Any]) -> None:
    """What was found out, in the texts that readers have."""
    async with means.database.read() as session:
        post_ids = await link_cards.shown_in(session, payload["card"])
    await renewing.renew(means.database, means.renderer, means.public_url, post_ids)


async def purge(means: Means, payload: dict[str, Any]) -> None:
    """Nobody is told if the settings name nobody any more."""
    if means.front is None:
        return
    async with means.database.transaction() as work:
        names = await purges.gather(work, means.job_id, payload, by_address=means.front.by_address)
    await means.front.forget(names)


async def run_transfer(means: Means, payload: dict[str, Any]) -> None:
    await errands.run(means.database, means.data, means.public_url, payload["transfer"])


LONG = (  # may take minutes, or wait for others
    transfer_runs.JOB, passing_on.JOB, passing_on.FOLLOWING, bringing_back.JOB, permalinks.JOB,
    "reindex_search", "reindex_desk", dead_links.JOB, "catch_up_media", renditions.JOB, renewing.JOB, link_cards.JOB, link_cards.SHOWING,
)  # fmt: skip
TASKS: dict[str, Task] = {
    transfer_runs.JOB: run_transfer,
    "keep_house": keep_house,
    "keep_idle": keep_idle,
    "reindex_search": reindex_search,
    permalinks.JOB: renew_addresses,
    "reindex_desk": reindex_desk,
    dead_links.JOB: note_links,
    custom_fields.FOLLOWING: follow_label,
    passing_on.JOB: pass_on_term,
    passing_on.FOLLOWING: follow_term,
    bringing_back.JOB: bring_back_term,
    link_cards.JOB: fetch_card,
    link_cards.SHOWING: show_card,
    notices.JOB: send_mail,
    resets.JOB: offer_reset,
    media.FORGETTING: forget_file,
    renditions.JOB: make_renditions,
    renewing.JOB: renew_media,
    "catch_up_media": catch_up_media,
    purges.JOB: purge,
}
