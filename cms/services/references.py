"""What a text refers to, looked up before it is rendered: rendering itself asks no database."""

import re
from urllib.parse import urlsplit

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cms.content.context import Picture, RenderContext
from cms.content.folding import fold
from cms.content.title_links import titles_wanted
from cms.models import Asset, Post, Published

_MEDIA = re.compile(r"/media/(\d{1,18})/[^\s\"'()<>]+")
MOST = 1000  # titles or pictures of one text that are looked up


async def context(session: AsyncSession, post_id: int, source: str, language: str, public_url: str) -> RenderContext:
    """How a post's text is rendered. Its notes have ids of their own, so that several posts fit on one page."""
    return RenderContext(
        prefix=f"p{post_id}-",
        language=language,
        site_host=urlsplit(public_url).hostname or "",
        links=await _by_title(session, titles_wanted(source)),
        media=await _pictures(session, source),
    )


async def _by_title(session: AsyncSession, titles: set[str]) -> dict[str, str]:
    """Folded title → address of what readers can see; of two with one title the newer one."""
    if not titles:
        return {}
    likely = or_(Post.folded_title.in_(sorted(titles)[:MOST]), Post.has_changes)  # what is being changed may have another title there
    wanted = select(Published.title, Published.path).join(Post, Post.id == Published.post_id).where(likely)
    rows = await session.execute(wanted.order_by(Published.published_at, Published.post_id))
    return {folded: f"/{path}" for title, path in rows if (folded := fold(title)) in titles}


async def _pictures(session: AsyncSession, source: str) -> dict[str, Picture]:
    """Addresses of the library as they stand in the text → the present one, and its size."""
    addresses = {found[0]: int(found[1]) for found in _MEDIA.finditer(source)}
    if not addresses:
        return {}
    assets = {asset.id: asset for asset in await session.scalars(select(Asset).where(Asset.id.in_(sorted(set(addresses.values()))[:MOST])))}
    return {
        address: Picture(assets[asset_id].path, assets[asset_id].width or 0, assets[asset_id].height or 0)
        for address, asset_id in addresses.items()
        if asset_id in assets
    }
