"""The library as its page shows it: what is in it, in which folder, how much room it takes, a screen at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from cms import policy
from cms.content.folding import fold
from cms.content.local_time import midnight
from cms.db.session import Work
from cms.errors import Conflict, NotFound
from cms.models import Asset, AssetTag, Rendition, User
from cms.models.media import MAX_FOLDED, MediaKind
from cms.policy import Actor, Capability, Scope
from cms.schemas.library import LibraryQuery
from cms.services import folders, media, media_places, site
from cms.services.folders import Branch
from cms.services.media import IN_LIBRARY

PER_SCREEN = 60
LARGE = 1024 * 1024  # bytes, as sent
MAX_WORDS = 8
MOST_TAGS = 500  # that are suggested

SORTS: Mapping[str, tuple[InstrumentedAttribute[Any], bool]] = {  # by what, and whether the greatest comes first
    "newest": (Asset.created_at, True),
    "name": (Asset.name, False),
    "size": (Asset.size, True),
}


@dataclass(frozen=True, slots=True)
class Row:
    """``who``: brought it; "" if that person is gone. ``may_change``: whether the reader of the list may."""

    asset: Asset
    who: str
    tags: tuple[str, ...]
    may_change: bool


@dataclass(frozen=True, slots=True)
class LibrarySlice:
    """``counts``: by folder, of what lies in it and in those below; 0 stands for everything. ``kinds``: number and bytes of each kind,
    without the trash."""

    rows: Sequence[Row]
    branches: Sequence[Branch]
    counts: Mapping[int, int]
    trashed: int
    kinds: Mapping[str, tuple[int, int]]
    total: int
    page: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PER_SCREEN))

    @property
    def first(self) -> int:
        return (self.page - 1) * PER_SCREEN + 1

    @property
    def bytes(self) -> int:
        return sum(size for _, size in self.kinds.values())


@dataclass(frozen=True, slots=True)
class Choices:
    """What it can be narrowed to, or filed under."""

    people: Sequence[tuple[int, str]]
    tags: Sequence[str]


async def list_assets(session: AsyncSession, actor: Actor, query: LibraryQuery) -> LibrarySlice:
    """A screen beyond the last is the last. Raises ``NotFound`` for a folder that is not there."""
    policy.require(actor, Capability.MEDIA_SEE)
    branches = await folders.tree(session)
    numbers = (await session.execute(_counted(actor))).all()
    condition = await _condition(session, actor, query, branches)
    total = await session.scalar(select(func.count()).select_from(Asset).where(condition)) or 0
    page = min(query.page, max(1, -(-total // PER_SCREEN)))
    rows = await _rows(session, actor, query, condition, (page - 1) * PER_SCREEN) if total else []
    return LibrarySlice(rows, branches, *_summed(numbers, branches), total, page)


async def choices(session: AsyncSession) -> Choices:
    brought = exists().where(Asset.created_by_id == User.id, IN_LIBRARY)
    people = await session.execute(select(User.id, User.name).where(brought).order_by(User.name))
    tags = await session.scalars(select(func.min(AssetTag.name)).group_by(AssetTag.folded).order_by(AssetTag.folded).limit(MOST_TAGS))
    return Choices([(number, name) for number, name in people], tags.all())


async def get(session: AsyncSession, actor: Actor, asset_id: int) -> Row:
    """One of the library. What is in the trash is there for those who may take it out."""
    policy.require(actor, Capability.MEDIA_SEE)
    wanted = select(Asset).where(Asset.id == asset_id, IN_LIBRARY, or_(Asset.trashed_at.is_(None), _trash_of(actor)))
    asset = await session.scalar(wanted)
    if asset is None:
        raise NotFound
    return (await _described(session, actor, [asset]))[0]


async def some(session: AsyncSession, actor: Actor, ids: Sequence[int]) -> dict[int, Asset]:
    """Those of these that the actor may see, by number."""
    wanted = select(Asset).where(Asset.id.in_(ids), IN_LIBRARY, or_(Asset.trashed_at.is_(None), _trash_of(actor)))
    return {asset.id: asset for asset in await session.scalars(wanted)}


async def newest(session: AsyncSession, kind: MediaKind, also: int | None = None) -> Sequence[Asset]:
    """Of this kind, to be chosen from a list; and one that was chosen before."""
    ready = and_(IN_LIBRARY, Asset.kind == kind, Asset.trashed_at.is_(None))
    found = list(await session.scalars(select(Asset).where(ready).order_by(Asset.id.desc()).limit(media.NEWEST)))
    if also and also not in {asset.id for asset in found}:
        found += await session.scalars(select(Asset).where(Asset.id == also))
    return found


async def hold(work: Work, actor: Actor, asset_id: int, capability: Capability, *, in_trash: bool = False) -> Asset:
    """One of the library, for a change that the actor may make. Raises ``Conflict`` if it is in the trash, or, ``in_trash``, if not."""
    asset = await media.hold(work, actor, asset_id, capability)
    if asset.trashed_at is None and in_trash:
        raise Conflict("This is not in the trash.")
    if asset.trashed_at is not None and not in_trash:
        raise Conflict("This is in the trash; take it out first.")
    return asset


@dataclass(frozen=True, slots=True)
class Room:
    """What a kind takes of the storage, in bytes: as sent, what readers get where that is another file, and smaller pictures."""

    kind: MediaKind
    number: int
    sent: int
    shown: int
    renditions: int

    @property
    def all(self) -> int:
        return self.sent + self.shown + self.renditions


async def room(session: AsyncSession, actor: Actor) -> list[Room]:
    """The trash included, as it takes room, too."""
    policy.require(actor, Capability.MEDIA_SEE)
    other = func.sum(Asset.shown_size).filter(Asset.shown_digest != Asset.digest)
    wanted = select(Asset.kind, func.count(), func.sum(Asset.size), func.coalesce(other, 0)).where(IN_LIBRARY).group_by(Asset.kind)
    kinds = {kind: (number, sent, shown) for kind, number, sent, shown in await session.execute(wanted)}
    smaller = await session.scalar(select(func.coalesce(func.sum(Rendition.size), 0))) or 0
    pictures = {MediaKind.PICTURE: int(smaller)}
    found = [(kind, *kinds[kind]) for kind in MediaKind if kind in kinds]
    return [Room(kind, number, int(sent), int(shown), pictures.get(kind, 0)) for kind, number, sent, shown in found]


async def without_alt(session: AsyncSession, actor: Actor) -> int:
    """How many pictures the actor could describe, and nobody has."""
    reach = policy.scope(actor, Capability.MEDIA_EDIT)
    if reach is None:
        return 0
    mine = true() if reach is Scope.ANY else Asset.created_by_id == actor.user_id
    wanted = select(func.count()).select_from(Asset).where(IN_LIBRARY, Asset.trashed_at.is_(None), _lacks_alt(), mine)
    return await session.scalar(wanted) or 0


def tag_key(name: str) -> str:
    """By which tags are told from each other. Some letters become a dozen."""
    return fold(name)[:MAX_FOLDED]


async def count_trash(session: AsyncSession, actor: Actor) -> int:
    """What the actor may take out of it."""
    return await session.scalar(select(func.count()).select_from(Asset).where(IN_LIBRARY, _trash_of(actor))) or 0


# --- which -----------------------------------------------------------------------------------------------------------------


def _trash_of(actor: Actor) -> ColumnElement[bool]:
    """What the actor may take out of it."""
    reach = policy.scope(actor, Capability.MEDIA_DELETE)
    mine = true() if reach is Scope.ANY else Asset.created_by_id == actor.user_id
    return and_(Asset.trashed_at.is_not(None), mine)


def _lacks_alt() -> ColumnElement[bool]:
    return and_(Asset.kind == MediaKind.PICTURE, Asset.alt == "", Asset.is_decorative.is_(False))


def _counted(actor: Actor) -> Any:
    in_trash = Asset.trashed_at.is_not(None)
    columns = (Asset.folder_id, Asset.kind, in_trash, func.count(), func.sum(Asset.size))
    return select(*columns).where(IN_LIBRARY, or_(Asset.trashed_at.is_(None), _trash_of(actor))).group_by(*columns[:3])


def _summed(numbers: Sequence[Any], branches: Sequence[Branch]) -> tuple[dict[int, int], int, dict[str, tuple[int, int]]]:
    counts, kinds, trashed = {branch.folder.id: 0 for branch in branches} | {0: 0}, dict[str, tuple[int, int]](), 0
    parents = {branch.folder.id: branch.folder.parent_id for branch in branches}
    for folder_id, kind, in_trash, number, size in numbers:
        if in_trash:
            trashed += number
            continue
        before = kinds.get(kind.value, (0, 0))
        kinds[kind.value] = before[0] + number, before[1] + int(size)
        counts[0] += number
        while folder_id in parents:
            counts[folder_id] += number
            folder_id = parents[folder_id]
    return counts, trashed, kinds


async def _condition(session: AsyncSession, actor: Actor, query: LibraryQuery, branches: Sequence[Branch]) -> ColumnElement[bool]:
    zone = (await site.get_frame(session)).zone
    asked: list[tuple[object, ColumnElement[bool]]] = [
        (query.kind, Asset.kind == query.kind),
        (query.by, Asset.created_by_id == query.by),
        (query.tag, _has_tag(AssetTag.folded == tag_key(query.tag))),
        (query.unused, media_places.is_unused()),
        (query.without_alt, _lacks_alt()),
        (query.large, Asset.size > LARGE),
        (query.folder, Asset.folder_id.in_(folders.below(branches, query.folder) if query.folder else ())),
    ]
    found = [condition for is_asked, condition in asked if is_asked]
    if query.since:
        found.append(Asset.created_at >= midnight(query.since, zone))
    if query.until:
        found.append(Asset.created_at < midnight(query.until, zone, days=1))
    found += [
        or_(Asset.folded.contains(word, autoescape=True), _has_tag(AssetTag.folded.contains(word, autoescape=True)))
        for word in fold(query.q).split()[:MAX_WORDS]
    ]
    return and_(IN_LIBRARY, _trash_of(actor) if query.trash else Asset.trashed_at.is_(None), *found)


def _has_tag(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(AssetTag.asset_id == Asset.id, condition)


# --- what is shown ---------------------------------------------------------------------------------------------------------


async def _rows(session: AsyncSession, actor: Actor, query: LibraryQuery, condition: ColumnElement[bool], first: int) -> list[Row]:
    column, is_falling = SORTS[query.sort]
    is_falling ^= query.reverse
    order = (column.desc(), Asset.id.desc()) if is_falling else (column.asc(), Asset.id.asc())
    found = await session.scalars(select(Asset).where(condition).order_by(*order).limit(PER_SCREEN).offset(first))
    return await _described(session, actor, found.all())


async def _described(session: AsyncSession, actor: Actor, assets: Sequence[Asset]) -> list[Row]:
    people = {asset.created_by_id for asset in assets} - {None}
    names = dict((await session.execute(select(User.id, User.name).where(User.id.in_(people)))).all()) if people else {}
    tags: dict[int, list[str]] = {}
    wanted = select(AssetTag.asset_id, AssetTag.name).where(AssetTag.asset_id.in_([asset.id for asset in assets]))
    for asset_id, name in await session.execute(wanted.order_by(AssetTag.folded)):
        tags.setdefault(asset_id, []).append(name)
    return [
        Row(
            asset,
            names.get(asset.created_by_id or 0, ""),
            tuple(tags.get(asset.id, ())),
            policy.allows(actor, Capability.MEDIA_EDIT, asset),
        )
        for asset in assets
    ]
