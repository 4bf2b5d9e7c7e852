"""Tags and categories."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, CompoundSelect, bindparam, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from cms import policy
from cms.content.folding import fold
from cms.content.slugs import slugify
from cms.db.session import Work
from cms.errors import Collision, InvalidInput
from cms.models import Category, PassedOn, PostSeries, Series, Tag
from cms.models.address import TargetKind
from cms.models.taxonomy import MAX_TERM
from cms.policy import Actor, Capability
from cms.services import addresses, audit
from cms.wording import say

MAX_DEPTH = 20  # of categories below each other


async def list_categories(session: AsyncSession) -> Sequence[Category]:
    return (await session.scalars(select(Category).order_by(Category.name))).all()


_TAG_NAMES = select(Tag.id, Tag.name).where(Tag.id.in_(bindparam("ids", expanding=True)))


async def tag_names(session: AsyncSession, ids: Iterable[int]) -> list[str]:
    """Names in the order of ``ids``; ids of tags that are gone are left out."""
    wanted = list(ids)
    if not wanted:
        return []
    names = dict((await session.execute(_TAG_NAMES, {"ids": wanted})).all())
    return [names[tag_id] for tag_id in wanted if tag_id in names]


async def went(session: AsyncSession, kind: TargetKind, ids: Iterable[int]) -> dict[int, int]:
    """Of these, the ones that were merged with another, and which that is."""
    wanted = select(PassedOn.term_id, PassedOn.target_id).where(PassedOn.kind == kind, PassedOn.term_id.in_(list(ids)))
    rows = await session.execute(wanted)
    return {term_id: target_id for term_id, target_id in rows if target_id is not None}


async def ensure_tags(work: Work, names: Iterable[str]) -> tuple[int, ...]:
    """Ids of the tags with these names, in order; a new name makes a new tag. "Café" and "cafe" are the same, and the name of a tag
    that was merged with another means the other."""
    wanted: dict[str, str] = {}
    for name in names:
        wanted.setdefault(fold(name)[:MAX_TERM], name)
    known = await _tag_ids(work.session, wanted)
    for folded in sorted(wanted.keys() - known.keys()):  # in one order for everybody, or two would wait for each other's
        known[folded] = await _make_tag(work, wanted[folded], folded)
    return tuple(dict.fromkeys(known[folded] for folded in wanted))


async def find_tags(session: AsyncSession, names: Iterable[str]) -> set[int]:
    """Ids of those of these tags that there are."""
    return set((await _tag_ids(session, [fold(name)[:MAX_TERM] for name in names])).values())


async def _tag_ids(session: AsyncSession, folded: Iterable[str]) -> dict[str, int]:
    return {name: tag_id for name, tag_id, _ in await session.execute(_tags_named(), {"names": list(folded)})}


@cache
def _tags_named() -> CompoundSelect[str, int, int]:
    names: BindParameter[Any] = bindparam("names", expanding=True)
    by_name = select(Tag.folded, Tag.id, literal(0).label("is_other")).where(Tag.folded.in_(names))
    merged = select(PassedOn.folded, PassedOn.target_id, literal(1)).where(PassedOn.kind == TargetKind.TAG, PassedOn.folded.in_(names))
    return by_name.union_all(merged.where(PassedOn.target_id.is_not(None))).order_by("is_other")


async def _make_tag(work: Work, name: str, folded: str) -> int:
    """Its id; the other one's if somebody makes the same at this moment."""
    slug = await _free_slug(work, name, "tag", TargetKind.TAG, "tags")
    insert = work.dialect.insert(Tag).values(name=name, folded=folded, slug=slug, description="")
    made: int | None = await work.session.scalar(insert.on_conflict_do_nothing().returning(Tag.id))
    if made is None:
        made = (await _tag_ids(work.session, [folded])).get(folded)
        if made is None:
            raise Collision  # it was another tag with the same letters in its address
        return made
    await addresses.assign(work, f"tag/{slug}", TargetKind.TAG, made)
    return made


async def ensure_category(work: Work, actor: Actor, name: str) -> Category:
    """The category of this name at the top of the tree; made if there is none and the actor may."""
    known = (await work.session.scalars(select(Category).where(Category.name == name, Category.parent_id.is_(None)))).first()
    if known:
        return known
    policy.require(actor, Capability.TAXONOMY_MANAGE)
    slug = await _free_slug(work, name, "category", TargetKind.CATEGORY, "new_category")
    category = Category(name=name, slug=slug, parent_id=None, description="")
    work.session.add(category)
    await work.session.flush()
    await addresses.assign(work, f"category/{slug}", TargetKind.CATEGORY, category.id)
    audit.note(work, actor, "category.create", "category", category.id)
    return category


async def ensure_series(work: Work, actor: Actor, name: str) -> Series:
    """The series of this name; made if there is none and the actor may."""
    known = (await work.session.scalars(select(Series).where(Series.name == name).order_by(Series.id).limit(1))).first()
    if known:
        return known
    policy.require(actor, Capability.TAXONOMY_MANAGE)
    slug = await _free_slug(work, name, "series", TargetKind.SERIES, "series")
    series = Series(name=name, slug=slug, description="")
    work.session.add(series)
    await work.session.flush()
    await addresses.assign(work, f"series/{slug}", TargetKind.SERIES, series.id)
    audit.note(work, actor, "series.create", "series", series.id)
    return series


async def next_part(session: AsyncSession, series_id: int) -> int:
    """The number after the last part that anybody has, live or at work."""
    last = await session.scalar(select(func.max(PostSeries.position)).where(PostSeries.series_id == series_id))
    return (last or 0) + 1


async def list_series(session: AsyncSession) -> Sequence[str]:
    """Names."""
    return (await session.scalars(select(Series.name).order_by(Series.name))).all()


async def require_category(session: AsyncSession, category_id: int) -> Category:
    now = await went(session, TargetKind.CATEGORY, [category_id])
    category = await session.get(Category, now.get(category_id, category_id))
    if category is None:
        raise InvalidInput({"category": "There is no such category any more; choose another."})
    return category


def line_to(categories: Mapping[int, Category], category: Category) -> list[Category]:
    """From the top of the tree down to this one. ``categories``: those above it, at least."""
    line = [category]
    while (above := categories.get(line[0].parent_id or 0)) and len(line) < MAX_DEPTH:
        line.insert(0, above)
    return line


def path_in(categories: Mapping[int, Category], category: Category) -> str:
    return "/".join(each.slug for each in line_to(categories, category))


async def _free_slug(work: Work, name: str, prefix: str, kind: TargetKind, field: str) -> str:
    slug = slugify(name, max_length=MAX_TERM - 5)
    if not slug:
        raise InvalidInput({field: say("“{name}” has no letter or digit to make an address from.", name=name)})
    path = await addresses.free_path(work.session, f"{prefix}/{slug}", kind)
    return path.removeprefix(f"{prefix}/")
