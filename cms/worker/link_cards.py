"""Looks at a page of another site for its card: the page, what oEmbed says of it, its picture, each by the guarded client."""

import asyncio
from typing import TYPE_CHECKING

from cms.content.context import PageCard
from cms.content.renditions import Spec
from cms.errors import InvalidInput
from cms.models import Asset
from cms.outgoing import OutgoingFailed
from cms.policy import SYSTEM
from cms.services import link_cards
from cms.services.intake import Brought
from cms.telemetry import log

if TYPE_CHECKING:
    from cms.worker.tasks import Means

PICTURE = Spec(640, "webp")


async def fetch(means: "Means", card_id: int, url: str, kept_picture: str) -> None:
    """What cannot be had is noted, and tried again on another day. ``kept_picture``: the address of the one that we have a copy of."""
    try:
        found = await _look(means, url)
    except (OutgoingFailed, InvalidInput) as error:
        log.info("a page was not found for its card", card=card_id, reason=error.message)
        async with means.database.transaction() as work:
            await link_cards.fail(work, card_id, error.message)
        return
    picture = await _copy(means, found.picture) if found.picture and found.picture != kept_picture else None
    async with means.database.transaction() as work:
        await link_cards.keep(work, card_id, found, picture)


async def _look(means: "Means", url: str) -> PageCard:
    page = await means.visitor.page(url)
    found = await means.renderer.read_page(page.body, page.content_type, page.url)
    if found.more:
        try:
            said = await means.visitor.page(found.more)
            found = await means.renderer.read_oembed(said.body, found, said.url)
        except (OutgoingFailed, InvalidInput):
            pass  # the page said something itself
    return found


async def _copy(means: "Means", url: str) -> Asset | None:
    """A small one of our own; None if there is none that can be shown."""
    try:
        sent = await means.visitor.picture(url)
        async with means.intake.room() as room:
            source, made = room / "sent", room / "made"
            await asyncio.to_thread(source.write_bytes, sent)
            await means.imaging.rendition(source, made, PICTURE)
            return (await means.intake.take(SYSTEM, made, Brought(f"card.{PICTURE.format}", in_library=False))).asset
    except (OutgoingFailed, InvalidInput):
        return None
