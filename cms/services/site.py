"""The site's one row, and the frame: a read document of what every page shows around its text."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cms.db.session import Work
from cms.errors import Unavailable
from cms.events import SiteChanged
from cms.models import Address, Menu, MenuItem, Published, Site
from cms.models.address import AddressState
from cms.models.post import Kind
from cms.models.site import SITE_ID, Frame
from cms.services import outbox

MENU_LENGTH = 6
ORDINARY = (
    "name", "description", "language", "time_zone", "permalink", "posts_per_page", "footer", "crawlers", "security_contact",
)  # fmt: skip


async def get_frame(session: AsyncSession) -> Frame:
    stored = (await session.execute(select(Site.frame).where(Site.id == SITE_ID))).scalar_one_or_none()
    if stored is None:
        raise Unavailable
    return Frame.from_json(stored)


async def get_identity(session: AsyncSession) -> str:
    return (await session.execute(select(Site.identity).where(Site.id == SITE_ID))).scalar_one()


async def configure(work: Work, **changes: Any) -> None:
    """Change what an administrator edits, and the frame with it."""
    row = await hold(work)
    for name, value in changes.items():
        setattr(row, name, value)
    await renew_frame(work)


async def hold(work: Work) -> Site:
    """The site's row, kept from others until the end: what changes the menu or the tree of pages happens one after another."""
    return (await work.session.scalars(select(Site).with_for_update().execution_options(populate_existing=True))).one()


async def renew_frame(work: Work) -> None:
    """Make the frame again; says so if it changed. Called by whatever changes a part of it."""
    row = await hold(work)
    menu = await _menu(work.session)
    frame = {**{name: getattr(row, name) for name in ORDINARY}, "menu": menu}
    changed = tuple(name for name in frame if row.frame.get(name) != frame[name])
    if changed:
        row.frame = frame
        outbox.record(work, SiteChanged(changed))


async def _menu(session: AsyncSession) -> list[dict[str, str]]:
    """The main menu with its addresses resolved; while nobody made one, the pages at the top of the tree."""
    chosen = (
        select(MenuItem.label, MenuItem.url, Address.path)
        .join(Menu, Menu.id == MenuItem.menu_id)
        .outerjoin(
            Address,
            (Address.target_kind == MenuItem.target_kind)
            & (Address.target_id == MenuItem.target_id)
            & (Address.state == AddressState.CURRENT),
        )
        .where(Menu.name == "main")
        .order_by(MenuItem.position)
    )
    links = [{"label": label, "path": f"/{path}" if path else url} for label, url, path in await session.execute(chosen) if path or url]
    if links:
        return links
    top = (
        select(Published.title, Published.path)
        .where(Published.kind == Kind.PAGE, Published.parent_id.is_(None))
        .order_by(Published.published_at, Published.post_id)
        .limit(MENU_LENGTH)
    )
    return [{"label": title, "path": f"/{path}"} for title, path in await session.execute(top)]
