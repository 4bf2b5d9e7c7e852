"""Links of public texts to texts of this site that readers cannot see any more.

Which paths a text leads to is noted when it is published, so that nobody has to look through texts to find out.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import unescape
from urllib.parse import unquote

from sqlalchemy import ColumnElement, bindparam, exists, literal_column, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from cms.db.session import Database, Work
from cms.models import Address, Post, PostLink, Published, Redirect
from cms.models.address import MAX_PATH, AddressState, TargetKind, normalise_path
from cms.models.desk import Match
from cms.models.post import Kind
from cms.services.named_in_texts import renew

JOB = "note_links"
BATCH = 100  # texts in one transaction
MOST = 1000  # paths of one text
_GONE: ColumnElement[str] = literal_column("'gone'")  # as their index says it: databases compare words
_HREF = re.compile(r'<a\b[^>]{0,1000}?\shref="(/[^"?#]{1,2000})')


@dataclass(frozen=True, slots=True)
class DeadLink:
    """``path``: as the text has it, with a slash before it. ``authors``: names."""

    post_id: int
    kind: Kind
    title: str
    path: str
    authors: tuple[str, ...]


_NOTED = select(PostLink.post_id, PostLink.path).where(PostLink.post_id.in_(bindparam("ids", expanding=True)))


async def note(work: Work, texts: Iterable[Published]) -> None:
    """Where these lead, in place of what was noted before."""
    found = {text.post_id: paths_in(text.html) for text in texts}
    noted = {(post_id, path) for post_id, path in await work.session.execute(_NOTED, {"ids": list(found)})}
    wanted = {(post_id, path) for post_id, paths in found.items() for path in paths}
    await renew(work, PostLink.path, noted, wanted)


def paths_in(html: str) -> list[str]:
    """As addresses are kept."""
    found = dict.fromkeys(normalise_path(unquote(unescape(each))) for each in _HREF.findall(html))
    return [path for path in found if path and len(path) <= MAX_PATH][:MOST]


async def note_all(database: Database) -> None:
    """Of all public texts, after an upgrade from a release that did not note them."""
    last: int | None = 0
    while last is not None:
        async with database.transaction() as work:
            wanted = select(Published).where(Published.post_id > last).order_by(Published.post_id).limit(BATCH).with_for_update()
            texts = (await work.session.scalars(wanted)).all()
            await note(work, texts)
        last = texts[-1].post_id if texts else None


async def find(session: AsyncSession, which: ColumnElement[bool] | None, most: int) -> Sequence[DeadLink]:
    """In texts of these posts (None: of all), those that were published last first. What a rule leads on is not dead."""
    gone = aliased(Address)
    are_gone = select(gone.target_id).where(gone.state == _GONE, gone.target_kind == TargetKind.POST)
    is_dead = (Address.target_id.in_(are_gone), Address.state != AddressState.CURRENT)  # the second follows, and leaves few to look at
    leads_on = exists().where(Redirect.match == Match.EXACT, Redirect.path == Address.path)
    wanted = (
        select(Published.post_id, Published.kind, Published.title, PostLink.path, Published.authors)
        .select_from(Address)  # what is gone may be named by one that it had before
        .join(PostLink, PostLink.path == Address.path)
        .join(Published, Published.post_id == PostLink.post_id)
        .where(Address.target_kind == TargetKind.POST, *is_dead, ~leads_on)
        .order_by(Published.published_at.desc(), Published.post_id, PostLink.path)
    )
    if which is not None:
        wanted = wanted.join(Post, Post.id == Published.post_id).where(which)
    rows = await session.execute(wanted.limit(most))
    return [DeadLink(number, kind, title, f"/{path}", tuple(each["name"] for each in by)) for number, kind, title, path, by in rows]
