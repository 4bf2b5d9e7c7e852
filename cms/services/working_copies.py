"""Working copies, and the documents in which people write them. The only place that writes either.

A post gets a document when somebody first opens it to write; until then its working copy is written directly. From then on the document
is the truth and the working copy is read of it. Whoever needs several of them takes post, working copy and document in this order.
"""

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, exists, false, func, insert, literal, select, true, update
from sqlalchemy.ext.asyncio import AsyncSession

from cms import crdt
from cms.content.folding import fold as folded
from cms.content.titles import plain_title
from cms.db.session import Database, Work
from cms.errors import NotFound
from cms.events import DocumentsChanged, WorkChanged
from cms.models import Document, DocumentUpdate, DocumentWriter, Post, Published, Revision, User, WorkingCopy
from cms.models.post import Reason, Side
from cms.policy import Actor
from cms.schemas.post import MAX_TEXT, PostFields
from cms.schemas.text import clean_text
from cms.services import desk_index, media_uses, outbox, post_fields, terms

ANNOUNCED_FOR = timedelta(minutes=10)  # there are many, and whoever was away for so long reads the whole document
LEFT_BEHIND = timedelta(seconds=30)  # after which nobody is at work on it any more who would project it

# To compose them takes as long as to ask.
_IS_AHEAD = select(Document.is_ahead).where(Document.post_id == bindparam("post_id"))
_COPIES = (
    select(WorkingCopy, Document.is_ahead)
    .outerjoin(Document, Document.post_id == WorkingCopy.post_id)
    .where(WorkingCopy.post_id.in_(bindparam("ids", expanding=True)))
    .order_by(WorkingCopy.post_id)
)
_HELD = (
    select(Post, WorkingCopy)
    .join(WorkingCopy, WorkingCopy.post_id == Post.id)
    .where(Post.id == bindparam("post_id"))
    .with_for_update(key_share=True)
    .execution_options(populate_existing=True)
)
_NEWEST = select(Revision).where(
    Revision.id.in_(select(func.max(Revision.id)).where(Revision.post_id.in_(bindparam("ids", expanding=True))).group_by(Revision.post_id))
)

_LIVE = select(Revision).join(Published, Published.revision_id == Revision.id).where(Published.post_id == bindparam("post_id"))
_DOCUMENT = select(Document.lineage, Document.version, Document.data, Document.is_ahead).where(Document.post_id == bindparam("post_id"))
_DOCUMENT_HELD = _DOCUMENT.with_for_update()


@dataclass(frozen=True, slots=True)
class Stored:
    """A document as it is on disk: ``updates`` are what was written since ``data``, in order; ``last_id`` the number of the newest."""

    post_id: int
    lineage: str
    version: int
    data: bytes
    updates: tuple[bytes, ...]
    last_id: int
    is_ahead: bool

    @property
    def all(self) -> tuple[bytes, ...]:
        """To make a ``crdt.Document`` of."""
        return (self.data, *self.updates)


# --- the working copy ------------------------------------------------------------------------------------------------------


async def begin(work: Work, actor: Actor, post: Post, content: str, fields: PostFields) -> WorkingCopy:
    """The first of a new post."""
    copy = WorkingCopy(post_id=post.id, content=content, fields=fields.to_json(), updated_at=work.now, updated_by_id=actor.user_id)
    work.session.add(copy)
    await _follow(work, post, copy)
    await terms.write(work, Side.WORK, {post.id: fields}, new=[post.id])
    await media_uses.note(work, Side.WORK, {post.id: media_uses.Text(content, fields)})
    return copy


async def edit(
    work: Work, actor: Actor, post_id: int, *, content: str | None = None, fields: Mapping[str, Any] | None = None, base: str | None = None
) -> WorkingCopy:
    """Make the text and the named fields say this, by as small a change as will do. ``base``: the text that ``content`` was made of;
    what others have written since stays.

    Whoever calls has asked whether the actor may, and knows that the fields are valid.
    """
    post, copy = await _hold(work, post_id)
    stored = await read_document(work.session, post_id, lock=True)
    if stored is None:
        text = await asyncio.to_thread(_merged, base, content, copy.content)
        await _write(work, post, copy, text, {**copy.fields, **(fields or {})}, actor.user_id)
        return copy
    if (made := await asyncio.to_thread(_edited, stored, base, content, fields)) != crdt.NOTHING:
        await _add(work, {post_id: made})
    await _project(work, post, copy, crdt.Document(*stored.all, made), actor.user_id)
    return copy


def _edited(stored: "Stored", base: str | None, content: str | None, fields: Mapping[str, Any] | None) -> bytes:
    document = crdt.Document(*stored.all)
    return document.edit(_merged(base, content, document.content), fields)


def _merged(base: str | None, content: str | None, now: str) -> str:
    if content is None:
        return now
    return content if base is None else crdt.merge_texts(base, content, now)


async def project(work: Work, post_id: int, by_id: int | None = None) -> WorkingCopy:
    """The working copy, made to say what its document says. ``by_id``: who wrote last, if that is known."""
    found = (await projected(work, [post_id], by_id)).get(post_id)
    if found is None:
        raise NotFound
    return found


async def projected(work: Work, post_ids: Sequence[int], by_id: int | None = None) -> dict[int, WorkingCopy]:
    """Several, as they are."""
    found = (await work.session.execute(_COPIES, {"ids": list(post_ids)})).all()
    return {copy.post_id: await _as_written(work, copy.post_id, by_id) if is_ahead else copy for copy, is_ahead in found}


async def _as_written(work: Work, post_id: int, by_id: int | None) -> WorkingCopy:
    post, copy = await _hold(work, post_id)
    stored = await read_document(work.session, post_id, lock=True)
    if stored is None:
        raise NotFound
    await _project(work, post, copy, crdt.Document(*stored.all), by_id or copy.updated_by_id)
    return copy


async def catch_up(database: Database, post_id: int) -> None:
    """Before the working copy is read by somebody who needs it as it is."""
    found = await database.find(_IS_AHEAD, {"post_id": post_id})
    if found and found.is_ahead:
        async with database.transaction() as work:
            await project(work, post_id)


async def take_over(work: Work, post_id: int, former_id: int | None) -> None:
    """Keep what the former writer left, as another begins to write. To be called before what that one wrote is added."""
    copy = await project(work, post_id, former_id)
    await keep(work, [copy], Reason.TAKEOVER, former_id)


async def keep(work: Work, copies: Sequence[WorkingCopy], reason: Reason, by_id: int | None) -> dict[int, Revision]:
    """Of each, by post, the newest revision if it is this very text, else one made of it now."""
    ids = [copy.post_id for copy in copies]
    found = {row.post_id: row for row in await work.session.scalars(_NEWEST, {"ids": ids})}
    made = {
        copy.post_id: Revision.of(copy, reason, work.now, by_id)
        for copy in copies
        if copy.post_id not in found or not found[copy.post_id].is_same_as(copy)
    }
    work.session.add_all(made.values())
    await work.session.flush()
    await media_uses.note_revisions(work, made.values())
    return found | made


async def _hold(work: Work, post_id: int) -> tuple[Post, WorkingCopy]:
    for post, copy in await work.session.execute(_HELD, {"post_id": post_id}):
        return post, copy
    raise NotFound


async def _project(work: Work, post: Post, copy: WorkingCopy, document: crdt.Document, by_id: int | None) -> None:
    content = clean_text(document.content)[:MAX_TEXT]
    fields, back = await post_fields.settled(work.session, post, document.fields, PostFields.model_validate(copy.fields), by_id)
    if (made := document.edit(content, back)) != crdt.NOTHING:
        await _add(work, {post.id: made})
    await _write(work, post, copy, content, fields.to_json(), by_id)
    await _mark(work, [post.id], is_ahead=False)


async def _write(work: Work, post: Post, copy: WorkingCopy, content: str, fields: dict[str, Any], by_id: int | None) -> None:
    fields = {key: value for key, value in fields.items() if value != "" or key in PostFields.model_fields}
    if copy.content == content and copy.fields == fields:
        return
    before, copy.content, copy.fields = copy.fields, content, fields
    copy.updated_at, copy.updated_by_id = work.now, by_id
    await _follow(work, post, copy)
    now = PostFields.model_validate(fields)
    await media_uses.note(work, Side.WORK, {post.id: media_uses.Text(content, now)})
    if before != fields:
        await terms.write(work, Side.WORK, {post.id: now})


async def _follow(work: Work, post: Post, copy: WorkingCopy) -> None:
    """What follows the working copy: the desk's title, whether readers have something else, the event."""
    post.title = plain_title(copy.fields.get("title", ""))
    post.folded_title = folded(post.title)[:400]
    post.language = copy.fields.get("language")
    post.updated_at = work.now
    with work.session.no_autoflush:  # written once, with the answer
        post.has_changes = post.is_published and not await _is_live(work.session, copy)
    await work.session.flush()
    await desk_index.index(work, [copy])
    outbox.record(work, WorkChanged(post.id))


async def _is_live(session: AsyncSession, copy: WorkingCopy) -> bool:
    """Whether this is the very version that readers see: somebody changed his mind and changed it back."""
    return (await session.scalars(_LIVE, {"post_id": copy.post_id})).one().is_same_as(copy)


# --- the document ----------------------------------------------------------------------------------------------------------


async def open_document(work: Work, post_id: int) -> Stored:
    """The document of a post; made of its working copy if there is none yet. Raises ``NotFound`` if the post is not there."""
    if stored := await read_document(work.session, post_id):
        return stored
    _, copy = await _hold(work, post_id)  # two who open it at one moment make one
    if stored := await read_document(work.session, post_id):
        return stored
    data = crdt.Document.of(copy.content, copy.fields).data()
    work.session.add(Document(post_id=post_id, lineage=secrets.token_hex(16), data=data, version=1))
    await work.session.flush()
    return await _get(work.session, post_id)


async def read_document(session: AsyncSession, post_id: int, *, lock: bool = False) -> Stored | None:
    """None if nobody has opened the post to write yet."""
    row = (await session.execute(_DOCUMENT_HELD if lock else _DOCUMENT, {"post_id": post_id})).one_or_none()
    if row is None:
        return None
    updates = select(DocumentUpdate.id, DocumentUpdate.data).where(DocumentUpdate.post_id == post_id).order_by(DocumentUpdate.id)
    since = (await session.execute(updates)).all()
    last_id = since[-1].id if since else 0
    return Stored(post_id, row.lineage, row.version, row.data, tuple(each.data for each in since), last_id, row.is_ahead)


async def _get(session: AsyncSession, post_id: int) -> Stored:
    stored = await read_document(session, post_id)
    if stored is None:
        raise NotFound
    return stored


async def read_updates(session: AsyncSession, ids: Sequence[int]) -> list[bytes]:
    """By their numbers, in the order in which they were committed; without those that have been folded away meanwhile."""
    wanted = select(DocumentUpdate.data).where(DocumentUpdate.id.in_(ids)).order_by(DocumentUpdate.id)
    return list(await session.scalars(wanted))


async def last_written(session: AsyncSession, post_id: int) -> tuple[int | None, datetime]:
    """Who wrote last, as far as the working copy knows, and when."""
    wanted = select(WorkingCopy.updated_by_id, WorkingCopy.updated_at).where(WorkingCopy.post_id == post_id)
    row = (await session.execute(wanted)).one_or_none()
    if row is None:
        raise NotFound
    return row.updated_by_id, row.updated_at


async def append(work: Work, written: Mapping[int, bytes], lineages: Mapping[int, str] | None = None) -> dict[int, int]:
    """Add an update to each of these documents, by post; the updates' numbers. Posts that are gone are left out, and documents that have
    begun anew: their ``lineages`` are not these any more.

    Documents are locked first, in one order for everybody: updates have their numbers in the order of commits.
    """
    held = select(Document.post_id, Document.lineage).where(Document.post_id.in_(written)).order_by(Document.post_id).with_for_update()
    rows = (await work.session.execute(held)).all()
    there = [post_id for post_id, lineage in rows if lineages is None or lineages[post_id] == lineage]
    numbers = await _add(work, {post_id: written[post_id] for post_id in there})
    await _mark(work, there, is_ahead=True)
    return numbers


async def claim(work: Work, post_id: int, client_id: int, user_id: int) -> None:
    """Whose a Yjs client is: of the person who claims it first."""
    columns = (literal(post_id), literal(client_id), User.id, literal(work.now, DocumentWriter.created_at.type))
    person = select(*columns).where(User.id == user_id)
    names = ["post_id", "client_id", "user_id", "created_at"]
    await work.session.execute(work.dialect.insert(DocumentWriter).from_select(names, person).on_conflict_do_nothing())


async def writers(session: AsyncSession, post_id: int) -> dict[int, tuple[int, str]]:
    """Yjs client → number and name of the person."""
    wanted = select(DocumentWriter.client_id, User.id, User.name).join(User).where(DocumentWriter.post_id == post_id)
    return {client_id: (user_id, name) for client_id, user_id, name in await session.execute(wanted)}


async def fold(work: Work, stored: Stored, data: bytes) -> bool:
    """Put ``data``, which is all of ``stored`` folded into one, in its place. Does nothing if another process was faster."""
    mine = (Document.post_id == stored.post_id) & (Document.version == stored.version)
    folded_away = update(Document).where(mine).values(data=data, version=stored.version + 1).returning(Document.post_id)
    if (await work.session.execute(folded_away)).one_or_none() is None:
        return False
    old = (DocumentUpdate.post_id == stored.post_id) & (DocumentUpdate.id <= stored.last_id)
    await work.session.execute(delete(DocumentUpdate).where(old))
    await outbox.forget(work, DocumentsChanged, ANNOUNCED_FOR)
    return True


async def begin_anew(work: Work, post_id: int, lineage: str) -> None:
    """Another document that says what this one says on disk; it has no past, and whoever has the old one open is told. Does nothing if
    somebody else did it."""
    stored = await read_document(work.session, post_id, lock=True)
    if stored is None or stored.lineage != lineage:
        return
    kept = crdt.Document(*stored.all)
    data = crdt.Document.of(kept.content, kept.fields).data()
    values = {"lineage": secrets.token_hex(16), "data": data, "version": stored.version + 1}
    await work.session.execute(update(Document).where(Document.post_id == post_id).values(values))
    for table in (DocumentUpdate, DocumentWriter):
        await work.session.execute(delete(table).where(table.post_id == post_id))
    outbox.record(work, DocumentsChanged(((post_id, 0),)))  # an update that nobody will find, so that all is read again


async def behind(session: AsyncSession, post_ids: Sequence[int]) -> Sequence[int]:
    """Those of these posts whose working copy does not yet say what their document says."""
    wanted = select(Document.post_id).where(Document.is_ahead.is_(True), Document.post_id.in_(post_ids))
    return (await session.scalars(wanted.order_by(Document.post_id))).all()


async def left_behind(session: AsyncSession, now: datetime) -> Sequence[int]:
    """Posts that a process was to project, and did not: it has ended before."""
    is_at_work = exists().where(DocumentUpdate.post_id == Document.post_id, DocumentUpdate.created_at > now - LEFT_BEHIND)
    return (await session.scalars(select(Document.post_id).where(Document.is_ahead.is_(True), ~is_at_work))).all()


async def with_documents(session: AsyncSession, post_ids: Sequence[int]) -> set[int]:
    """Which of these posts have one."""
    return set(await session.scalars(select(Document.post_id).where(Document.post_id.in_(post_ids))))


async def _add(work: Work, written: Mapping[int, bytes]) -> dict[int, int]:
    if not written:
        return {}
    rows = [{"post_id": post_id, "data": data, "created_at": work.now} for post_id, data in written.items()]
    made = await work.session.execute(insert(DocumentUpdate).returning(DocumentUpdate.post_id, DocumentUpdate.id), rows)
    numbers = {row.post_id: row.id for row in made}
    outbox.record(work, DocumentsChanged(tuple(numbers.items())))
    return numbers


async def _mark(work: Work, post_ids: Sequence[int], *, is_ahead: bool) -> None:
    """Only where it changes: a row is written with all its data."""
    others = Document.is_ahead == (false() if is_ahead else true())
    await work.session.execute(update(Document).where(Document.post_id.in_(post_ids), others).values(is_ahead=is_ahead))
