"""A field of texts made to say something else wherever it is kept: in documents that people write in, working copies, and revisions."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import bindparam, select, update

from cms.db.session import Work
from cms.models import Revision, WorkingCopy
from cms.policy import SYSTEM
from cms.services import working_copies


class Place(NamedTuple):
    """Where a field stands: ``revision_id`` 0 is the working copy."""

    post_id: int
    revision_id: int = 0


Change = Callable[[Place, Any], Any]  # what the field says there now; what it says from now on, as JSON


async def rewrite(work: Work, post_ids: Sequence[int], name: str, change: Change) -> None:
    """Whoever writes at this moment goes on. Revisions first, so that a working copy that is what readers see stays so."""
    await _in_rows(work, Revision.__table__, "id", post_ids, name, change, Place)
    for post_id in await working_copies.with_documents(work.session, post_ids):
        said = (await working_copies.project(work, post_id)).fields.get(name)
        if (now := change(Place(post_id), said)) != said:
            await working_copies.edit(work, SYSTEM, post_id, fields={name: now})
    await _in_rows(work, WorkingCopy.__table__, "post_id", post_ids, name, change, lambda post_id, _: Place(post_id))


async def _in_rows(
    work: Work, table: Any, key: str, post_ids: Sequence[int], name: str, change: Change, place: Callable[[int, int], Place]
) -> None:
    rows = await work.session.execute(select(table.c[key], table.c.post_id, table.c.fields).where(table.c.post_id.in_(post_ids)))
    values = [
        {"row": number, "now": {**fields, name: now}}
        for number, post_id, fields in rows
        if (now := change(place(post_id, number), fields.get(name))) != fields.get(name)
    ]
    if values:
        await work.session.execute(update(table).where(table.c[key] == bindparam("row")).values(fields=bindparam("now")), values)


def passed_on(listed: Sequence[Any], old: Any, new: Any | None) -> list[Any]:
    """``new`` in the place of ``old``, once; nothing if it is None."""
    if new is None or new in listed:
        return [each for each in listed if each != old]
    return [new if each == old else each for each in listed]
