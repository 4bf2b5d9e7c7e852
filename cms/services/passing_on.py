"""What a tag, category or series is called changes in the texts that show it; or its texts become another's, or nobody's.

A few texts are done at once, with the act itself; many in slices by a job, each a short transaction. Meanwhile the old list answers with
what it still has, and whoever names the old one means the new one already (``taxonomies.went``). Of one that becomes nobody's it is kept
which texts stood under it, and where they named it (``bringing_back``).
"""

import functools
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, delete, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from cms.db.session import Database, Work
from cms.events import PostPublished, TermChanged
from cms.models import (
    Address,
    Category,
    MenuItem,
    PassedOn,
    PostCategory,
    PostSeries,
    PostTag,
    PostTemplate,
    Published,
    SearchDocument,
    Series,
    Tag,
    TakenOut,
    TrashedThing,
)
from cms.models.address import AddressState, TargetKind
from cms.models.post import Kind
from cms.services import documents, jobs, kept_fields, outbox, permalinks, site, surroundings
from cms.services.kept_fields import Change, Place

JOB, FOLLOWING = "terms.pass_on", "terms.follow"
SLICE = 100  # texts in one transaction

Places = defaultdict[int, dict[str, int]]  # by text, as in ``TakenOut``


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where the texts of one kind of thing stand. ``field``: of working copies and read documents."""

    kind: TargetKind
    table: type[Tag] | type[Category] | type[Series]
    rows: type[PostTag] | type[PostCategory] | type[PostSeries]
    field: str

    @property
    def key(self) -> Any:
        return getattr(self.rows, f"{self.field.removesuffix('s') if self.rows is PostTag else self.field}_id")


SHELVES: Mapping[TargetKind, Shelf] = {
    shelf.kind: shelf
    for shelf in (
        Shelf(TargetKind.TAG, Tag, PostTag, "tags"),
        Shelf(TargetKind.CATEGORY, Category, PostCategory, "category"),
        Shelf(TargetKind.SERIES, Series, PostSeries, "series"),
    )
}


async def count_texts(session: AsyncSession, kind: TargetKind, ids: Collection[int]) -> int:
    return await session.scalar(select(func.count()).select_from(_texts(kind, ids).subquery())) or 0


def _texts(kind: TargetKind, ids: Collection[int]) -> Select[Any]:
    shelf = SHELVES[kind]
    return select(shelf.rows.post_id).where(shelf.key.in_(ids)).distinct().order_by(shelf.rows.post_id)


# --- it is called something else -------------------------------------------------------------------------------------------


async def follow(work: Work, kind: TargetKind, ids: Sequence[int]) -> bool:
    """Let the public texts that show these show them as they are now; whether that is done already."""
    if await count_texts(work.session, kind, ids) > SLICE:
        await jobs.enqueue(work, FOLLOWING, kind=kind, ids=list(ids))
        return False
    await renew(work, kind, (await work.session.scalars(_texts(kind, ids))).all())
    return True


async def follow_to_end(database: Database, payload: Mapping[str, Any], job_id: int) -> None:
    kind, ids, last, done = TargetKind(payload["kind"]), payload["ids"], 0, 0
    async with database.read() as session:
        of = await count_texts(session, kind, ids)
    while True:
        async with database.transaction() as work:
            await site.hold(work)
            some = (await work.session.scalars(_texts(kind, ids).where(SHELVES[kind].rows.post_id > last).limit(SLICE))).all()
            if not some:
                return
            await renew(work, kind, some)
            last, done = some[-1], done + len(some)
            await jobs.report(work, job_id, done, of)


async def renew(work: Work, kind: TargetKind, post_ids: Sequence[int], change: Change = lambda _place, said: said) -> None:
    """Read documents, each with its event. ``change``: what their field names from now on."""
    rows = (await work.session.scalars(select(Published).where(Published.post_id.in_(post_ids)).order_by(Published.post_id))).all()
    if kind is TargetKind.SERIES:
        surroundings.announce(work, rows, await surroundings.renew(work.session, rows))
        return
    table = SHELVES[kind].table
    said = {row.post_id: change(Place(row.post_id, row.revision_id), _ids_in(kind, row)) for row in rows}
    known = await _known(work.session, table, said.values())
    for row in rows:
        before, field = documents.listed(row), SHELVES[kind].field
        now = _entry(kind, known, said[row.post_id])
        if now != getattr(row, field):
            setattr(row, field, now)
            outbox.record(work, PostPublished(row.post_id, row.kind, (field,), row.path, row.path, before, documents.listed(row)))
    await work.session.flush()
    if kind is TargetKind.CATEGORY and "{category}" in (await site.get_frame(work.session)).permalink:
        await permalinks.renew(work, [row for row in rows if row.kind is Kind.POST])


def _ids_in(kind: TargetKind, row: Published) -> Any:
    return [each["id"] for each in row.tags] if kind is TargetKind.TAG else row.category and row.category["id"]


async def _known(session: AsyncSession, table: Any, said: Collection[Any]) -> Mapping[int, Any]:
    if table is Category:
        return {category.id: category for category in await session.scalars(select(Category))}
    ids = {tag_id for each in said for tag_id in each}
    return {tag.id: tag for tag in await session.scalars(select(Tag).where(Tag.id.in_(ids)))}


def _entry(kind: TargetKind, known: Mapping[int, Any], said: Any) -> Any:
    if kind is TargetKind.CATEGORY:
        return documents.category_entry(known, said)
    return [documents.tag_entry(known[tag_id]) for tag_id in said if tag_id in known]


# --- its texts are another's -----------------------------------------------------------------------------------------------


async def pass_on(work: Work, kind: TargetKind, term_id: int, target_id: int | None) -> bool:
    """Give the texts of one to another, or to nobody, and let it go; whether that is done already.

    Whoever calls has asked whether both are there and may be used so, and holds the site's row.
    """
    folded = ""
    if kind is TargetKind.TAG and target_id:
        folded = (await work.session.get_one(Tag, term_id)).folded
    await _lead_on(work.session, kind, [term_id], target_id)
    work.session.add(PassedOn(kind=kind, term_id=term_id, target_id=target_id, folded=folded))
    await work.session.flush()
    if await count_texts(work.session, kind, [term_id]) > SLICE:
        await jobs.enqueue(work, JOB, kind=kind, id=term_id)
        return False
    await _slice(work, kind, term_id, target_id)
    await _let_go(work, kind, [term_id], target_id)
    return True


async def drop_unused(work: Work, kind: TargetKind, term_ids: Sequence[int]) -> None:
    """Let several go that no text has. Whoever calls holds the site's row."""
    await _lead_on(work.session, kind, term_ids, None)
    await _let_go(work, kind, term_ids, None)


async def _lead_on(session: AsyncSession, kind: TargetKind, term_ids: Sequence[int], target_id: int | None) -> None:
    """What was merged with these before."""
    merged = (PassedOn.kind == kind) & PassedOn.target_id.in_(term_ids)
    await session.execute(update(PassedOn).where(merged).values(target_id=target_id))


async def finish(database: Database, payload: Mapping[str, Any], job_id: int) -> None:
    """The rest of it; broken off, it goes on with what is left."""
    kind, term_id, done = TargetKind(payload["kind"]), payload["id"], 0
    async with database.read() as session:
        of = await count_texts(session, kind, [term_id])
    while True:
        async with database.transaction() as work:
            await site.hold(work)
            row = await work.session.get(PassedOn, (kind, term_id))
            if row is None or await work.session.get(SHELVES[kind].table, term_id) is None:
                return  # done before, by a worker that ended before it could say so
            number = await _slice(work, kind, term_id, row.target_id)
            done += number
            await jobs.report(work, job_id, done, of)
            if number < SLICE:
                await _let_go(work, kind, [term_id], row.target_id)
                return


async def _slice(work: Work, kind: TargetKind, term_id: int, target_id: int | None) -> int:
    """The next texts; how many they were."""
    post_ids = (await work.session.scalars(_texts(kind, [term_id]).limit(SLICE))).all()
    if not post_ids:
        return 0
    around = await parts(work.session, kind, term_id)
    change: Change = functools.partial(_CHANGES[kind], term_id, target_id)
    taken: Places = defaultdict(dict)
    if target_id is None:
        change = _noting(kind, term_id, change, taken)
    await kept_fields.rewrite(work, post_ids, SHELVES[kind].field, change)
    await _move_rows(work, kind, term_id, target_id, post_ids)
    await renew(work, kind, [*post_ids, *around], change)
    await _move_marks(work, kind, term_id, target_id, post_ids)
    work.session.add_all(TakenOut(kind=kind, term_id=term_id, post_id=post_id, places=places) for post_id, places in taken.items())
    return len(post_ids)


def _tags(old: int, new: int | None, _place: Place, said: Sequence[int] | None) -> Sequence[int] | None:
    return kept_fields.passed_on(said, old, new) if said and old in said else said


def _category(old: int, new: int | None, _place: Place, said: int | None) -> int | None:
    return new if said == old else said


def _series(old: int, _new: int | None, _place: Place, said: Mapping[str, int] | None) -> Mapping[str, int] | None:
    """The texts of a series are never another's: their numbers would mean nothing there."""
    return None if said and said["id"] == old else said


_CHANGES: Mapping[TargetKind, Any] = {TargetKind.TAG: _tags, TargetKind.CATEGORY: _category, TargetKind.SERIES: _series}


def _noting(kind: TargetKind, term_id: int, change: Change, taken: Places) -> Change:
    last = defaultdict[int, int](int)

    def noted(place: Place, said: Any) -> Any:
        last[place.post_id] = max(last[place.post_id], place.revision_id)
        if (now := change(place, said)) != said:
            at = said.index(term_id) if kind is TargetKind.TAG else said["position"] if kind is TargetKind.SERIES else 0
            taken[place.post_id].setdefault(str(place.revision_id), at)
        if place.post_id in taken:
            taken[place.post_id]["last"] = last[place.post_id]
        return now

    return noted


async def parts(session: AsyncSession, kind: TargetKind, term_id: int) -> Sequence[int]:
    """Of a series, the texts: each shows the others."""
    if kind is not TargetKind.SERIES:
        return ()
    return (await session.scalars(select(PostSeries.post_id).where(PostSeries.series_id == term_id).distinct())).all()


async def _move_rows(work: Work, kind: TargetKind, term_id: int, target_id: int | None, post_ids: Sequence[int]) -> None:
    """The desk's rows of texts with documents are right already."""
    shelf = SHELVES[kind]
    mine = (shelf.key == term_id) & shelf.rows.post_id.in_(post_ids)
    quietly = {"synchronize_session": False}
    if target_id is None:
        await work.session.execute(delete(shelf.rows).where(mine).execution_options(**quietly))
        return
    if kind is TargetKind.TAG:
        other = aliased(PostTag)
        has_both = exists().where(other.post_id == PostTag.post_id, other.side == PostTag.side, other.tag_id == target_id)
        await work.session.execute(delete(PostTag).where(mine, has_both).execution_options(**quietly))
    await work.session.execute(update(shelf.rows).where(mine).values({shelf.key: target_id}).execution_options(**quietly))


async def _move_marks(work: Work, kind: TargetKind, term_id: int, target_id: int | None, post_ids: Sequence[int]) -> None:
    """By which a search finds what belongs to something."""
    now = f" #{kind}{target_id} " if target_id else " "
    marks = func.replace(" " + SearchDocument.marks + " ", f" #{kind}{term_id} ", now)
    found = (SearchDocument.kind == Kind.POST) & SearchDocument.ref.in_(post_ids) & SearchDocument.marks.contains(f"#{kind}{term_id}")
    changing = update(SearchDocument).where(found).values(marks=func.trim(marks)).execution_options(synchronize_session=False)
    await work.session.execute(changing)


async def _let_go(work: Work, kind: TargetKind, term_ids: Sequence[int], target_id: int | None) -> None:
    """Nothing has them any more: their addresses lead to the other, or nowhere."""
    session, shelf = work.session, SHELVES[kind]
    await _in_templates(session, kind, term_ids, target_id)
    theirs = (Address.target_kind == kind) & Address.target_id.in_(term_ids)
    paths = (await session.execute(select(Address.target_id, Address.path).where(theirs))).all()
    items = (MenuItem.target_kind == kind) & MenuItem.target_id.in_(term_ids)
    if target_id is None:
        await session.execute(delete(Address).where(theirs))
        await session.execute(delete(PassedOn).where(PassedOn.kind == kind, PassedOn.term_id.in_(term_ids)))
    else:
        await session.execute(update(Address).where(theirs).values(target_id=target_id, state=AddressState.MOVED))
        await session.execute(update(MenuItem).where(items).values(target_id=target_id))
    trashed = exists().where(TrashedThing.kind == TakenOut.kind, TrashedThing.number == TakenOut.term_id)
    # It may have been deleted for good meanwhile.
    await session.execute(delete(TakenOut).where(TakenOut.kind == kind, TakenOut.term_id.in_(term_ids), ~trashed))
    await session.execute(delete(shelf.table).where(shelf.table.id.in_(term_ids)))
    for term_id in term_ids:
        outbox.record(work, TermChanged(kind, term_id, ("gone",), tuple(path for number, path in paths if number == term_id)))
    await site.renew_frame(work)


async def _in_templates(session: AsyncSession, kind: TargetKind, term_ids: Sequence[int], target_id: int | None) -> None:
    field = SHELVES[kind].field
    for template in await session.scalars(select(PostTemplate)):
        said = template.fields.get(field)
        now = functools.reduce(lambda now, term_id: _CHANGES[kind](term_id, target_id, Place(0), now), term_ids, said)
        if now != said:
            template.fields = {**template.fields, field: now}
    await session.flush()


async def place_parts(work: Work, series_id: int, order: Sequence[int]) -> None:
    """The parts of a series by number of post, in their order: at the desk, in all that is kept, and for readers."""
    places = {post_id: number for number, post_id in enumerate(order, 1)}

    def placed(place: Place, said: Mapping[str, int] | None) -> Mapping[str, int] | None:
        return {**said, "position": places[place.post_id]} if said and said["id"] == series_id else said

    await kept_fields.rewrite(work, order, "series", placed)
    for post_id, position in places.items():
        mine = (PostSeries.series_id == series_id) & (PostSeries.post_id == post_id)
        await work.session.execute(update(PostSeries).where(mine).values(position=position).execution_options(synchronize_session=False))
    await renew(work, TargetKind.SERIES, order)
    outbox.record(work, TermChanged(TargetKind.SERIES, series_id, ("order",)))
