"""What the desk finds texts by: the words of titles and texts as they are being written."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from sqlalchemy import Insert, select

from cms.content.folding import words
from cms.db.dialect import Inserts
from cms.db.session import Database, Work
from cms.models import DeskDocument, WorkingCopy

MAX_TEXT = 200_000  # characters of a text that are looked at
MAX_BYTES = 400_000  # of its words; PostgreSQL keeps no more than a megabyte of them
BATCH = 100  # texts in one transaction


async def index(work: Work, copies: Iterable[WorkingCopy]) -> None:
    """Write down the words of each, where they are others than before."""
    rows = [{"post_id": copy.post_id, "words": _words(copy.content, copy.fields)} for copy in copies]
    if rows:
        await work.session.execute(_put(work.dialect.insert), rows)


@cache
def _put(insert: Inserts) -> Insert:
    put = insert(DeskDocument.__table__)
    is_another = DeskDocument.words != put.excluded.words
    return put.on_conflict_do_update(index_elements=["post_id"], set_={"words": put.excluded.words}, where=is_another)


async def renew_all(database: Database) -> None:
    """Of all working copies, in transactions that are short enough for others to write in between."""
    last: int | None = 0
    while last is not None:
        async with database.transaction() as work:
            wanted = select(WorkingCopy).where(WorkingCopy.post_id > last).order_by(WorkingCopy.post_id).limit(BATCH)
            copies = (await work.session.scalars(wanted)).all()
            await index(work, copies)
        last = copies[-1].post_id if copies else None


def _words(content: str, fields: Mapping[str, Any]) -> str:
    found = words(f"{fields.get('title', '')} {fields.get('excerpt', '')} {content[:MAX_TEXT]}")
    return " ".join(dict.fromkeys(found)).encode()[:MAX_BYTES].decode(errors="ignore")
