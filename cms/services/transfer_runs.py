"""Imports, exports, backups and checks that are asked for at the desk: a row each, and a job that does it (worker/errands.py)."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import String, cast, delete, exists, literal, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from cms import policy
from cms.db.session import Work
from cms.errors import Conflict, NotFound
from cms.models import Job, Site, Transfer
from cms.models.desk import TransferKind, TransferState
from cms.models.site import SITE_ID
from cms.policy import SYSTEM, Actor, Capability
from cms.schemas.transfers import BackupPlan
from cms.services import audit, jobs

JOB = "transfer"
FOLDER = "transfers"  # in the data folder
MOST_SHOWN = 50
KEPT = timedelta(days=90)  # rows
FILES_KEPT = timedelta(days=7)  # of exports, and of what was brought in; backups are kept by number
REQUIRED = {
    TransferKind.IMPORT: Capability.CONTENT_TRANSFER,
    TransferKind.EXPORT: Capability.CONTENT_TRANSFER,
    TransferKind.BACKUP: Capability.SITE_OPERATE,
    TransferKind.CHECK: Capability.SITE_OPERATE,
}
_OPEN = (TransferState.WAITING, TransferState.RUNNING)


async def ask(work: Work, actor: Actor, kind: TransferKind, *, form: str = "", file: str = "", size: int = 0, **options: Any) -> Transfer:
    """Have it done. Raises ``Conflict`` while one of its kind is under way. ``file``: what is brought in, below the data folder."""
    policy.require(actor, REQUIRED[kind])
    if await work.session.scalar(select(Transfer.id).where(Transfer.kind == kind, Transfer.state.in_(_OPEN)).limit(1)):
        raise Conflict("One is under way; wait until it is done.")
    row = Transfer(
        kind=kind, format=form, file=file, size=size, options=options, created_at=work.now, created_by_id=actor.user_id
    )  # fmt: skip
    work.session.add(row)
    await work.session.flush()
    await jobs.enqueue(work, JOB, key=f"{JOB}:{row.id}", transfer=row.id, kind=row.kind)
    audit.note(work, actor, f"{row.kind}.start", "transfer", row.id)
    return row


async def list_of(session: AsyncSession, actor: Actor, kinds: Collection[TransferKind]) -> Sequence[Transfer]:
    """Of kinds that the actor may ask for, the newest first."""
    for kind in kinds:
        policy.require(actor, REQUIRED[kind])
    wanted = select(Transfer).where(Transfer.kind.in_(kinds)).order_by(Transfer.id.desc()).limit(MOST_SHOWN)
    return (await session.scalars(wanted)).all()


async def get(session: AsyncSession, actor: Actor, transfer_id: int, kinds: Collection[TransferKind]) -> Transfer:
    row = await session.get(Transfer, transfer_id)
    if row is None or row.kind not in kinds:
        raise NotFound
    policy.require(actor, REQUIRED[row.kind])
    return row


async def forget(work: Work, actor: Actor, transfer_id: int, kinds: Collection[TransferKind]) -> Transfer:
    """With its file, which whoever calls takes away. Raises ``Conflict`` while it is under way."""
    row = await get(work.session, actor, transfer_id, kinds)
    if row.is_under_way:
        raise Conflict("It is under way; wait until it is done.")
    audit.note(work, actor, f"{row.kind}.forget", "transfer", row.id)
    await work.session.delete(row)
    jobs.tell(work)
    return row


def files_of(row: Transfer) -> list[str]:
    """What belongs to it on the disk, below the data folder."""
    page = (row.report or {}).get("page")
    return [name for name in (row.file, f"{FOLDER}/{page}" if page else "") if name]


# --- while it is done ------------------------------------------------------------------------------------------------------


async def begin(work: Work, transfer_id: int) -> Transfer | None:
    """None if nobody waits for it any more. One that was cut off begins again."""
    row = await work.session.get(Transfer, transfer_id, with_for_update=True)
    if row is None or not row.is_under_way:
        return None
    row.state, row.progress = TransferState.RUNNING, None
    jobs.tell(work)
    return row


async def note_progress(work: Work, transfer_id: int, progress: dict[str, Any]) -> None:
    await work.session.execute(update(Transfer).where(Transfer.id == transfer_id).values(progress=progress))
    jobs.tell(work)


async def end(work: Work, transfer_id: int, *, error: str = "", **values: Any) -> None:
    """``error``: a sentence, if it did not go well; what is known of it besides is kept in any case."""
    state = TransferState.FAILED if error else TransferState.DONE
    said = {"state": state, "error": error or None, "progress": None, "finished_at": work.now, **values}
    await work.session.execute(update(Transfer).where(Transfer.id == transfer_id).values(said))
    jobs.tell(work)


async def give_up(work: Work) -> None:
    """Those whose job was given up, as its worker was killed each time: they would keep others waiting for ever."""
    has_job = exists().where(Job.key == literal(f"{JOB}:") + cast(Transfer.id, String), Job.finished_at.is_(None))
    left = update(Transfer).where(Transfer.state.in_(_OPEN), ~has_job)
    said = {"state": TransferState.FAILED, "error": jobs.DEADLY, "progress": None, "finished_at": work.now}
    await work.session.execute(left.values(said))


# --- backups by themselves, and what is old --------------------------------------------------------------------------------


async def plan_of(session: AsyncSession) -> BackupPlan:
    return BackupPlan.model_validate(await session.scalar(select(Site.backups).where(Site.id == SITE_ID)) or {})


async def choose_plan(work: Work, actor: Actor, wanted: BackupPlan) -> None:
    policy.require(actor, Capability.SITE_OPERATE)
    before = (await plan_of(work.session)).model_dump()
    await work.session.execute(update(Site).where(Site.id == SITE_ID).values(backups=wanted.model_dump()))
    audit.note(work, actor, "backup.plan", "site", SITE_ID, **audit.difference(before, wanted.model_dump()))


async def keep_backups(work: Work) -> None:
    """Once a day: ask for one if one is due. Rows of long ago go."""
    plan = await plan_of(work.session)
    if plan.every == "day" or (plan.every == "week" and work.now.weekday() == 0):
        is_open = select(Transfer.id).where(Transfer.kind == TransferKind.BACKUP, Transfer.state.in_(_OPEN)).limit(1)
        if not await work.session.scalar(is_open):
            await ask(work, SYSTEM, TransferKind.BACKUP, planned=True)
    old = (Transfer.created_at < work.now - KEPT) & (Transfer.file == "") & Transfer.state.not_in(_OPEN)
    await work.session.execute(delete(Transfer).where(old))


async def spent(session: AsyncSession, now: Any) -> Sequence[Transfer]:
    """Those whose files nobody needs any more: old ones, and planned backups beyond as many as are kept."""
    plan = await plan_of(session)
    others = (Transfer.kind != TransferKind.BACKUP) & (Transfer.created_at < now - FILES_KEPT)
    is_over = (Transfer.file != "") & Transfer.state.not_in(_OPEN)
    rows = list(await session.scalars(select(Transfer).where(is_over, others)))
    backups = await session.scalars(select(Transfer).where(is_over, Transfer.kind == TransferKind.BACKUP).order_by(Transfer.id.desc()))
    planned = [row for row in backups if row.options.get("planned")]
    return [*rows, *planned[plan.keep :]]


async def drop_file(work: Work, transfer_id: int) -> None:
    await work.session.execute(update(Transfer).where(Transfer.id == transfer_id).values(file="", size=0))
