"""Which texts show what of the library: rows that are written with each text, so that nobody has to search through texts."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import bindparam, exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from cms.db.session import Database, Work
from cms.models import Asset, AssetUse, Published, Revision, RevisionAsset, WorkingCopy
from cms.models.post import Side
from cms.schemas.post import PostFields
from cms.services import custom_fields
from cms.services.named_in_texts import renew

MOST = 1000  # assets of one text
AT_ONCE = 100  # texts in one transaction
_IN_TEXT = re.compile(r"/media/([1-9][0-9]{0,17})/")


@dataclass(frozen=True, slots=True)
class Text:
    content: str
    fields: PostFields


NOTHING = Text("", PostFields())
_NOTED = select(AssetUse.post_id, AssetUse.asset_id).where(
    AssetUse.post_id.in_(bindparam("ids", expanding=True)), AssetUse.side == bindparam("on")
)


async def note(work: Work, side: Side, texts: Mapping[int, Text]) -> None:
    """What these posts show, in place of what was noted of this side."""
    wanted = await _shown(work.session, texts)
    noted = {(post_id, asset_id) for post_id, asset_id in await work.session.execute(_NOTED, {"ids": list(texts), "on": side})}
    await renew(work, AssetUse.asset_id, noted, wanted, side=side)


async def note_revisions(work: Work, revisions: Collection[Revision]) -> None:
    """Of new ones, which never change."""
    texts = {row.id: Text(row.content, PostFields.model_validate(row.fields)) for row in revisions}
    shown = await _shown(work.session, texts)
    work.session.add_all(RevisionAsset(revision_id=revision_id, asset_id=asset_id) for revision_id, asset_id in sorted(shown))
    await work.session.flush()


async def _shown(session: AsyncSession, texts: Mapping[int, Text]) -> set[tuple[int, int]]:
    """Pairs of text and asset, of those that are there."""
    custom = await custom_fields.all_of(session) if any(text.fields.custom for text in texts.values()) else {}
    named = {
        (number, asset_id)
        for number, text in texts.items()
        for asset_id in (*_in_text(text.content), text.fields.picture, *custom_fields.pictures_of(custom, [text.fields]))
        if asset_id
    }
    if not named:
        return named
    there = set(await session.scalars(select(Asset.id).where(Asset.id.in_({asset_id for _, asset_id in named}))))
    return {pair for pair in named if pair[1] in there}


def _in_text(content: str) -> list[int]:
    """Of addresses without a host before them. A look behind in the pattern would take a hundred times as long."""
    found = dict.fromkeys(int(each[1]) for each in _IN_TEXT.finditer(content) if not _goes_on(content[each.start() - 1 : each.start()]))
    return list(found)[:MOST]


def _goes_on(before: str) -> bool:
    return before.isalnum() or before in ("_", ".")


# --- what was there before uses were noted ---------------------------------------------------------------------------------


async def note_all(database: Database) -> None:
    """Of all texts and revisions, after an upgrade. May be begun again from the start."""
    for side in Side:
        await _note_side(database, side)
    await _note_revisions(database)


async def _note_side(database: Database, side: Side) -> None:
    last = 0
    while True:
        async with database.transaction() as work:
            if side is Side.LIVE:
                live = select(Published.post_id, Revision.content, Revision.fields).join(Revision, Revision.id == Published.revision_id)
                wanted = live.where(Published.post_id > last).order_by(Published.post_id)
            else:
                wanted = select(WorkingCopy.post_id, WorkingCopy.content, WorkingCopy.fields)
                wanted = wanted.where(WorkingCopy.post_id > last).order_by(WorkingCopy.post_id)
            rows = (await work.session.execute(wanted.limit(AT_ONCE))).all()
            await note(work, side, {post_id: Text(content, PostFields.model_validate(fields)) for post_id, content, fields in rows})
        if len(rows) < AT_ONCE:
            return
        last = rows[-1][0]


async def _note_revisions(database: Database) -> None:
    last = 0
    while True:
        async with database.transaction() as work:
            noted = exists().where(RevisionAsset.revision_id == Revision.id)
            wanted = select(Revision).where(Revision.id > last, ~noted).order_by(Revision.id).limit(AT_ONCE)
            rows = (await work.session.scalars(wanted)).all()
            await note_revisions(work, rows)
        if len(rows) < AT_ONCE:
            return
        last = rows[-1].id
