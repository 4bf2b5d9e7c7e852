"""What a text refers to, looked up before it is rendered: rendering itself asks no database."""

import asyncio
import re
from collections.abc import Iterable
from html import unescape
from itertools import count
from urllib.parse import SplitResult, unquote, urlsplit

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cms.content.context import Card, Media, RenderContext
from cms.content.folding import fold
from cms.content.title_links import TITLE_LINK
from cms.models import Address, Post, Published
from cms.models.address import TargetKind, normalise_path
from cms.models.post import Visibility
from cms.services import link_cards, media

_MEDIA = re.compile(r"/media/(\d{1,18})/[^\s\"'()<>]+")
# An address, and nothing after it on its line nor before it but what begins a line, an item of a list or a quotation.
_ALONE = re.compile(r"(?:(?<![^\n])|(?<=[<\t])|(?<=[>*+\-.)] )|(?<=  ))https?://[^\s<>]{3,600}+(?=>?[ \t]*+(?:\r?\n|\Z))", re.IGNORECASE)
MOST = 1000  # titles or pictures of one text that are looked up
TURN = 100  # of looking; each may go through six hundred characters


async def context(session: AsyncSession, post_id: int, source: str, language: str, public_url: str) -> RenderContext:
    """How a post's text is rendered. Its notes have ids of their own, so that several posts fit on one page."""
    titles = {fold(found[1]) for found in await _first(TITLE_LINK, "[[", source)}  # some may stand in code and mean nothing
    addresses = {found[0]: int(found[1]) for found in await _first(_MEDIA, "/media/", source)}
    return RenderContext(
        prefix=f"p{post_id}-",
        language=language,
        site_host=urlsplit(public_url).hostname or "",
        links=await _by_title(session, titles),
        media=await _media(session, addresses),
        cards=await _cards(session, await bare_addresses(source), urlsplit(public_url)),
    )


async def bare_addresses(source: str) -> list[str]:
    """Addresses that stand alone on their lines, so that they may become cards."""
    return [unescape(found[0]) for found in await _first(_ALONE, "http", source)]


async def _first(pattern: re.Pattern[str], beginning: str, source: str) -> Iterable[re.Match[str]]:
    """The first ``MOST`` different ones. Others come to their turn in between, since a megabyte may be full of them."""
    different: dict[str, re.Match[str]] = {}
    at = source.find(beginning)
    for step in count(1):
        if at < 0 or len(different) == MOST:
            break
        if found := pattern.match(source, at):
            different.setdefault(found[0], found)
        at = source.find(beginning, found.end() if found else at + 1)
        if step % TURN == 0:
            await asyncio.sleep(0)
    return different.values()


async def _by_title(session: AsyncSession, titles: set[str]) -> dict[str, str]:
    """Folded title → address of what readers can see; of two with one title the newer one."""
    if not titles:
        return {}
    likely = or_(Post.folded_title.in_(sorted(titles)), Post.has_changes)  # what is being changed may have another title there
    wanted = (
        select(Published.title, Published.path)
        .join(Post, Post.id == Published.post_id)
        .where(likely, Published.visibility == Visibility.PUBLIC)
    )
    rows = await session.execute(wanted.order_by(Published.published_at, Published.post_id))
    return {folded: f"/{path}" for title, path in rows if (folded := fold(title)) in titles}


async def _media(session: AsyncSession, addresses: dict[str, int]) -> dict[str, Media]:
    """Addresses of the library as they stand in the text → what is there now. Numbers alone can be counted through, by people who may not
    look into it; so the rest has to fit, as it has where files are sent."""
    found = await media.described(session, set(addresses.values()))
    asked = {address: _mark_and_name(address) for address, asset_id in addresses.items() if asset_id in found}
    fitting = {address for address, said in asked.items() if media.is_at(_mark_and_name(found[addresses[address]].path), *said)}
    if others := asked.keys() - fitting:
        former = await media.former_addresses(session, {addresses[address] for address in others})
        fitting |= {each for each in others if any(media.is_at(known, *asked[each]) for known in former.get(addresses[each], ()))}
    return {address: found[addresses[address]] for address in asked if address in fitting}


def _mark_and_name(address: str) -> tuple[str, str]:
    """Of ``/media/NUMBER/MARK/NAME`` in its parts, of that of a rendition, or of one without a mark."""
    *before, name = unquote(re.split("[?#]", address, maxsplit=1)[0]).split("/")[3:]
    return (before[0], media.stem_of(name) if len(before) == 2 else name) if before else ("", name)


async def _cards(session: AsyncSession, addresses: list[str], here: SplitResult) -> dict[str, Card]:
    """What is known of these pages; of this site's own, what readers can see now."""
    own = {address: path for address in addresses if (path := _path_here(address, here))}
    return await link_cards.known(session, [each for each in addresses if each not in own]) | await _own_cards(session, own)


def _path_here(address: str, here: SplitResult) -> str:
    """The path that an address of this site has in the database; "" if it is no such."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return normalise_path(unquote(parts.path)) if (parts.scheme, parts.netloc) == (here.scheme, here.netloc) else ""


async def _own_cards(session: AsyncSession, own: dict[str, str]) -> dict[str, Card]:
    if not own:
        return {}
    wanted = (
        select(Address.path, Published.title)
        .join(Published, Published.post_id == Address.target_id)
        .where(Address.path.in_(set(own.values())), Address.target_kind == TargetKind.POST, Published.visibility == Visibility.PUBLIC)
    )
    titles = dict((await session.execute(wanted)).all())
    return {address: Card(titles[path], site_name=urlsplit(address).hostname or "") for address, path in own.items() if path in titles}
