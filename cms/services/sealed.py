"""What is sealed in the database: told apart by the key it is under, and sealed anew under the newest."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from cms.db.session import Database, Work
from cms.models import Job, PreviewLink, User
from cms.sealing import Sealer, Under

BATCH = 100  # rows of one transaction
SEALED = "sealed"  # what it is called in the payload of a job

Holder = User | Job | PreviewLink
_HOLDERS: tuple[type[Holder], ...] = (User, Job, PreviewLink)


async def standing(session: AsyncSession, sealer: Sealer) -> Counter[Under]:
    """How many secrets are under the newest key, under an older one, and under none that there is."""
    counted: Counter[Under] = Counter()
    for table in _HOLDERS:
        after = 0
        while rows := await _next(session, _after(table, after)):
            counted.update(sealer.standing(sealed) for row in rows if (sealed := _sealed(row)))
            after = rows[-1].id
    return counted


async def renew_all(database: Database, sealer: Sealer) -> int:
    """Seal what is under an older key under the newest; how many that were. Interrupted, it can be run again: what is done stays done."""
    renewed = 0
    for table in _HOLDERS:
        after: int | None = 0
        while after is not None:
            async with database.transaction() as work:
                number, after = await _renew(work, sealer, table, after)
            renewed += number
    return renewed


async def _renew(work: Work, sealer: Sealer, table: type[Holder], after: int) -> tuple[int, int | None]:
    """A batch: how many were renewed, and the last one's number, from which to go on. What no key opens is left as it is."""
    rows = await _next(work.session, _after(table, after).with_for_update())
    stale = [(row, sealed) for row in rows if (sealed := _sealed(row)) and sealer.standing(sealed) is Under.OLDER]
    for row, sealed in stale:
        renewed = sealer.seal(sealer.open(sealed))
        match row:
            case User():
                row.totp_secret = renewed
            case PreviewLink():
                row.sealed = renewed
            case _:
                row.payload = {**row.payload, SEALED: renewed}
    return len(stale), rows[-1].id if rows else None


def _after(table: type[Holder], after: int) -> Select[Any]:
    has_any = {User: User.totp_secret.is_not(None), Job: Job.finished_at.is_(None)}.get(table, true())
    return select(table).where(table.id > after, has_any).order_by(table.id).limit(BATCH)


async def _next(session: AsyncSession, wanted: Select[Any]) -> Sequence[Holder]:
    return (await session.scalars(wanted)).all()


def _sealed(row: Holder) -> str | None:
    match row:
        case User():
            return row.totp_secret
        case PreviewLink():
            return row.sealed
        case _:
            return row.payload.get(SEALED)
