"""What a text refers to, looked up before it is rendered: rendering itself asks no database."""

import asyncio
import re
from collections.abc import Iterable
from itertools import count
from urllib.parse import urlsplit

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cms.content.context import Media, RenderContext
from cms.content.folding import fold
from cms.content.title_links import TITLE_LINK
from cms.models import Post, Published
from cms.models.post import Visibility
from cms.services import media

_MEDIA = re.compile(r"/media/(\d{1,18})/[^\s\"'()<>]+")
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
    )


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
    """Addresses of the library as they stand in the text → what is there now."""
    found = await media.described(session, set(addresses.values()))
    return {address: found[asset_id] for address, asset_id in addresses.items() if asset_id in found}
