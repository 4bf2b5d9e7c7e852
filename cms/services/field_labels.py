"""Labels of custom fields, where texts are public: they follow what administrators call the field, a few texts in each transaction."""

from sqlalchemy import select

from cms.db.session import Database, Work
from cms.events import PostPublished
from cms.models import CustomField, Published
from cms.services import documents, outbox, site

AT_ONCE = 100


async def follow(database: Database, field_id: int) -> None:
    """May be begun again from the start: what has the label already stays as it is."""
    last: int | None = 0
    while last is not None:
        async with database.transaction() as work:
            field = await work.session.get(CustomField, field_id)
            last = await _follow_some(work, field, last) if field else None


async def _follow_some(work: Work, field: CustomField, after: int) -> int | None:
    """The last one that was looked at, None if there are no more. The site is held, as by whoever publishes meanwhile."""
    await site.hold(work)
    is_of_kind = (Published.kind == field.kind) & Published.custom.is_not(None)
    wanted = select(Published).where(is_of_kind, Published.post_id > after).order_by(Published.post_id).limit(AT_ONCE)
    rows = (await work.session.scalars(wanted)).all()
    for row in rows:
        custom = [{**each, "label": field.label} if each["key"] == field.key else each for each in row.custom or ()]
        if custom != (row.custom or []):
            row.custom = custom
            where = documents.listed(row)
            outbox.record(work, PostPublished(row.post_id, row.kind, ("custom",), row.path, row.path, where, where))
    return rows[-1].post_id if len(rows) == AT_ONCE else None
