"""Texts that stood under a tag, category or series stand under it again when that is taken out of the trash: at the desk, in revisions
and for readers, wherever they did. Whatever a text was given instead meanwhile stays.

A few texts are done at once, many in slices by a job (as in ``passing_on``, which has taken them out).
"""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from cms.db.session import Database, Work
from cms.models import Published, Revision, SearchDocument, TakenOut, WorkingCopy
from cms.models.address import TargetKind
from cms.models.post import Kind, Side
from cms.schemas.post import PostFields
from cms.services import documents, jobs, kept_fields, passing_on, site, terms
from cms.services.kept_fields import Place
from cms.services.passing_on import SHELVES, SLICE

JOB = "terms.bring_back"

Places = Mapping[int, Mapping[str, int]]  # by text, as in ``TakenOut``


def _left(kind: TargetKind, term_id: int) -> tuple[Any, ...]:
    return TakenOut.kind == kind, TakenOut.term_id == term_id


async def is_under_way(session: AsyncSession, kind: TargetKind, term_id: int) -> bool:
    """Of one that is there."""
    return bool(await session.scalar(select(exists().where(*_left(kind, term_id)))))


async def _count(session: AsyncSession, kind: TargetKind, term_id: int) -> int:
    return await session.scalar(select(func.count()).select_from(TakenOut).where(*_left(kind, term_id))) or 0


async def bring_back(work: Work, kind: TargetKind, term_id: int) -> bool:
    """Whether that is done already. Whoever calls has made the thing again, and holds the site's row."""
    if await _count(work.session, kind, term_id) > SLICE:
        await jobs.enqueue(work, JOB, kind=kind, id=term_id)
        return False
    await _slice(work, kind, term_id)
    return True


async def finish(database: Database, payload: Mapping[str, Any], job_id: int) -> None:
    """The rest of it; broken off, it goes on with what is left."""
    kind, term_id, done = TargetKind(payload["kind"]), payload["id"], 0
    async with database.read() as session:
        of = await _count(session, kind, term_id)
    number = SLICE
    while number == SLICE:
        async with database.transaction() as work:
            await site.hold(work)
            if await work.session.get(SHELVES[kind].table, term_id) is None:
                return
            number = await _slice(work, kind, term_id)
            done += number
            await jobs.report(work, job_id, done, of)


async def _slice(work: Work, kind: TargetKind, term_id: int) -> int:
    """The next texts; how many they were."""
    wanted = select(TakenOut.post_id, TakenOut.places).where(*_left(kind, term_id)).order_by(TakenOut.post_id).limit(SLICE)
    places: Places = dict((await work.session.execute(wanted)).all())
    if not places:
        return 0
    change = functools.partial(_CHANGES[kind], term_id, places)
    await kept_fields.rewrite(work, list(places), SHELVES[kind].field, change)
    await _file(work, list(places))
    around = await passing_on.parts(work.session, kind, term_id)
    await passing_on.renew(work, kind, list(dict.fromkeys([*places, *around])), change)
    await _mark(work, kind, term_id, list(places))
    await work.session.execute(delete(TakenOut).where(*_left(kind, term_id), TakenOut.post_id.in_(places)))
    return len(places)


def _tags(term_id: int, at: int, said: Sequence[int] | None) -> Sequence[int]:
    listed = list(said or ())
    return listed if term_id in listed else [*listed[:at], term_id, *listed[at:]]


def _category(term_id: int, _at: int, said: int | None) -> int:
    return said or term_id


def _series(term_id: int, at: int, said: Mapping[str, int] | None) -> Mapping[str, int]:
    return said or {"id": term_id, "position": at}


def _changing(change: Any) -> Any:
    def changed(term_id: int, places: Places, place: Place, said: Any) -> Any:
        of_text = places.get(place.post_id, {})
        is_later = place.revision_id > of_text.get("last", place.revision_id)
        at = of_text.get("0" if is_later else str(place.revision_id))
        return said if at is None else change(term_id, at, said)

    return changed


_CHANGES: Mapping[TargetKind, Any] = {
    TargetKind.TAG: _changing(_tags), TargetKind.CATEGORY: _changing(_category), TargetKind.SERIES: _changing(_series)
}  # fmt: skip


async def _file(work: Work, post_ids: Sequence[int]) -> None:
    """The join rows, as the texts say now."""
    at_the_desk = select(WorkingCopy.post_id, WorkingCopy.fields)
    public = select(Published.post_id, Revision.fields).join(Revision, Revision.id == Published.revision_id)
    for side, wanted, key in ((Side.WORK, at_the_desk, WorkingCopy.post_id), (Side.LIVE, public, Published.post_id)):
        rows = await work.session.execute(wanted.where(key.in_(post_ids)))
        texts, _ = await documents.as_it_is(work.session, {post_id: PostFields.model_validate(fields) for post_id, fields in rows})
        await terms.write(work, side, texts)


async def _mark(work: Work, kind: TargetKind, term_id: int, post_ids: Sequence[int]) -> None:
    """By which a search finds what belongs to it. Nobody searches in a series."""
    if kind is TargetKind.SERIES:
        return
    shelf, mark = SHELVES[kind], f" #{kind}{term_id}"
    public = select(shelf.rows.post_id).where(shelf.key == term_id, shelf.rows.side == Side.LIVE, shelf.rows.post_id.in_(post_ids))
    unmarked = ~(" " + SearchDocument.marks + " ").contains(f"{mark} ", autoescape=True)
    marking = update(SearchDocument).where(SearchDocument.kind == Kind.POST, SearchDocument.ref.in_(public), unmarked)
    await work.session.execute(marking.values(marks=SearchDocument.marks + mark).execution_options(synchronize_session=False))
