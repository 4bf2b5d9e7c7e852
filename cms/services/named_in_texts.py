"""Rows that say what a text names: only what has changed of them is written."""

from collections.abc import Set
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import InstrumentedAttribute

from cms.db.session import Work


async def renew(
    work: Work, named: InstrumentedAttribute[Any], noted: Set[tuple[int, Any]], wanted: Set[tuple[int, Any]], **same: Any
) -> None:
    """Pairs of a post and what it names, in the column ``named``: as they stand, and as they should. ``same``: other columns, of all."""
    table: Any = named.class_
    for post_id in {post_id for post_id, _ in noted - wanted}:
        gone = [value for of, value in noted - wanted if of == post_id]
        which = [getattr(table, name) == value for name, value in same.items()]
        forgotten = delete(table).where(table.post_id == post_id, *which, named.in_(gone))
        await work.session.execute(forgotten.execution_options(synchronize_session=False))
    work.session.add_all(table(post_id=post_id, **same, **{named.key: value}) for post_id, value in sorted(wanted - noted))
    await work.session.flush()
