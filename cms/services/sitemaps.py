"""What a sitemap tells: where everything public is, and when readers last saw it change."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, String, func, literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from cms.errors import NotFound
from cms.models import Address, Published, Site
from cms.models.address import AddressState, TargetKind
from cms.models.post import Kind, Side, Visibility
from cms.models.site import HomeVariant
from cms.page_cache.marks import SITEMAP_PART as PART
from cms.services.lists import TERMS

LONGEST = 50_000  # https://www.sitemaps.org/protocol.html


@dataclass(frozen=True, slots=True)
class Line:
    path: str  # with a slash before it
    updated_at: datetime | None


async def list_parts(session: AsyncSession) -> list[tuple[int, datetime]]:
    """The parts that have something in them, with their newest change."""
    number = (Published.post_id - 1) // PART + 1
    wanted = (
        select(number, func.max(Published.updated_at)).where(Published.visibility == Visibility.PUBLIC).group_by(number).order_by(number)
    )
    return [(number, updated_at) for number, updated_at in await session.execute(wanted)]


async def list_part(session: AsyncSession, number: int) -> list[Line]:
    """Posts and pages with the ids of this part. Raises ``NotFound`` if none is public."""
    within = Published.post_id.between((number - 1) * PART + 1, number * PART)
    at_home = select(Site.home_page_id).where(Site.home == HomeVariant.PAGE, Site.home_page_id.is_not(None))  # which is among the lists
    wanted = select(Published.path, Published.updated_at).where(
        within, Published.visibility == Visibility.PUBLIC, Published.post_id.not_in(at_home)
    )
    rows = await session.execute(wanted.order_by(Published.post_id))
    lines = [Line(f"/{path}", updated_at) for path, updated_at in rows]
    if not lines:
        raise NotFound
    return lines


async def list_lists(session: AsyncSession) -> list[Line]:
    """Home, the archive, and every tag, category, author and series with public posts."""
    newest = func.max(Published.updated_at)
    posts = select(literal("", String), newest).where(Published.in_lists(Kind.POST))
    rows: list[Any] = list(await session.execute(union_all(posts, *map(_terms, TERMS))))
    (_, home), *terms = sorted(rows)
    return [Line("/", home), Line("/archive", home), *(Line(f"/{path}", updated_at) for path, updated_at in terms)][:LONGEST]


def _terms(kind: TargetKind) -> Select[*tuple[Any, ...]]:
    key = TERMS[kind].key
    return (
        select(Address.path, func.max(Published.updated_at))
        .join(key.class_, (key == Address.target_id) & (key.class_.side == Side.LIVE))
        .join(Published, Published.post_id == key.class_.post_id)
        .where(Address.target_kind == kind, Address.state == AddressState.CURRENT, Published.in_lists(Kind.POST))
        .group_by(Address.path)
    )
