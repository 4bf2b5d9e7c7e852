"""What ``squall doctor`` asks the database: rows that must say the same and do not. Each inspection looks for one kind of damage.

docs/decisions/0001-posts.md says what belongs together. Each is one statement, or a walk in ranges of ids, so that they stay
quick with a hundred thousand posts. People may publish meanwhile: what takes several statements looks twice before it complains.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, literal, not_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, aliased

from cms.models import (
    Address,
    Asset,
    Category,
    Job,
    Post,
    PostAuthor,
    PostCategory,
    PostTag,
    Published,
    Revision,
    SearchDocument,
    Tag,
    User,
    WorkingCopy,
)
from cms.models.address import AddressState, TargetKind
from cms.models.post import Live, Side, Visibility
from cms.wording import named, phrases, say

NAMED = 5  # how many of many are named
AT_ONCE = 5000  # posts compared at a time


@dataclass(frozen=True, slots=True)
class Findings:
    """How many are wrong, and the first few by name."""

    number: int
    named: tuple[str, ...]

    @property
    def words(self) -> str:
        names, more = named(*self.named), self.number - len(self.named)
        return say("{names} and {more} more", names=names, more=more) if more > 0 else names


NOTHING = Findings(0, ())


@dataclass(frozen=True, slots=True)
class Inspection:
    """``check`` says what is right when it finds nothing; ``problem`` what is wrong, before the names."""

    check: str
    problem: str
    advice: str
    look: Callable[[AsyncSession], Awaitable[Findings]]


@dataclass(frozen=True, slots=True)
class Counts:
    """How much there is; a backup's manifest has it."""

    users: int
    posts: int
    published: int
    revisions: int
    assets: int


async def count(session: AsyncSession) -> Counts:
    tables = (User, Post, Published, Revision, Asset)
    numbers = [select(func.count()).select_from(table).scalar_subquery() for table in tables]
    return Counts(*(await session.execute(select(*numbers))).one())


async def _found(session: AsyncSession, wanted: Select[Any]) -> Findings:
    """What a query of one column finds; more than a few are counted and not fetched."""
    names = [str(name) for name in await session.scalars(wanted.limit(NAMED + 1))]
    if len(names) <= NAMED:
        return Findings(len(names), tuple(names))
    number = await session.scalar(select(func.count()).select_from(wanted.order_by(None).subquery())) or 0
    return Findings(number, tuple(names[:NAMED]))


def counted(names: Iterable[str]) -> Findings:
    listed = list(names)
    return Findings(len(listed), tuple(listed[:NAMED]))


# --- posts and what readers see --------------------------------------------------------------------------------------------


async def public_without_document(session: AsyncSession) -> Findings:
    there = exists().where(Published.post_id == Post.id)
    return await _found(session, select(Post.id).where(Post.live == Live.PUBLISHED, not_(there)).order_by(Post.id))


async def document_without_public(session: AsyncSession) -> Findings:
    wanted = select(Published.post_id).join(Post, Post.id == Published.post_id, isouter=True)
    return await _found(session, wanted.where(or_(Post.id.is_(None), Post.live != Live.PUBLISHED)).order_by(Published.post_id))


async def document_without_revision(session: AsyncSession) -> Findings:
    wanted = select(Published.post_id).join(Revision, Revision.id == Published.revision_id, isouter=True)
    return await _found(
        session, wanted.where(or_(Revision.id.is_(None), Revision.post_id != Published.post_id)).order_by(Published.post_id)
    )


async def post_without_working_copy(session: AsyncSession) -> Findings:
    there = exists().where(WorkingCopy.post_id == Post.id)
    return await _found(session, select(Post.id).where(not_(there)).order_by(Post.id))


async def document_without_search(session: AsyncSession) -> Findings:
    there = exists().where(SearchDocument.kind == "post", SearchDocument.ref == Published.post_id)
    is_listed = Published.visibility == Visibility.PUBLIC
    return await _found(session, select(Published.post_id).where(is_listed, not_(there)).order_by(Published.post_id))


async def search_without_document(session: AsyncSession) -> Findings:
    there = exists().where(Published.post_id == SearchDocument.ref)
    return await _found(session, select(SearchDocument.ref).where(SearchDocument.kind == "post", not_(there)).order_by(SearchDocument.ref))


# --- addresses -------------------------------------------------------------------------------------------------------------


async def document_without_address(session: AsyncSession) -> Findings:
    """Public, and nothing leads to it, or its own idea of where it stands is another."""
    here = and_(
        Address.target_kind == TargetKind.POST,
        Address.target_id == Published.post_id,
        Address.state == AddressState.CURRENT,
        Address.path == Published.path,
    )
    return await _found(session, select(Published.post_id).where(not_(exists().where(here))).order_by(Published.post_id))


async def address_without_document(session: AsyncSession) -> Findings:
    there = exists().where(Published.post_id == Address.target_id)
    wanted = select(literal("/") + Address.path).where(Address.target_kind == TargetKind.POST, Address.state == AddressState.CURRENT)
    return await _found(session, wanted.where(not_(there)).order_by(Address.id))


async def address_of_nothing(session: AsyncSession) -> Findings:
    """Its target is no longer in the database at all."""
    tables: dict[TargetKind, InstrumentedAttribute[int]] = {
        TargetKind.POST: Post.id,
        TargetKind.TAG: Tag.id,
        TargetKind.CATEGORY: Category.id,
        TargetKind.AUTHOR: User.id,
        TargetKind.MEDIA: Asset.id,
    }
    # A post that was deleted for good leaves its addresses, which go on to say so.
    former = aliased(Address)
    same = (former.target_kind == Address.target_kind, former.target_id == Address.target_id)
    is_gone = exists().where(*same, former.state == AddressState.GONE)
    is_kept = and_(Address.target_kind == TargetKind.POST, is_gone)
    lost = or_(*(and_(Address.target_kind == kind, not_(exists().where(key == Address.target_id))) for kind, key in tables.items()))
    return await _found(session, select(literal("/") + Address.path).where(lost, not_(is_kept)).order_by(Address.id))


async def more_than_one_address(session: AsyncSession) -> Findings:
    """Two addresses of one target are current or gone: which one is right cannot be said, and its page may fail."""
    wanted = select(literal("/") + func.min(Address.path)).where(Address.state != AddressState.MOVED)
    several = wanted.group_by(Address.target_kind, Address.target_id).having(func.count() > 1)
    return await _found(session, several.order_by(Address.target_kind, Address.target_id))


# --- documents and their join rows -----------------------------------------------------------------------------------------


async def terms_of_working_copies(session: AsyncSession) -> Findings:
    source = select(WorkingCopy.post_id, *_terms_in(WorkingCopy.fields))
    return await _disagreeing(session, Side.WORK, source, WorkingCopy.post_id)


async def terms_of_public_posts(session: AsyncSession) -> Findings:
    source = select(Published.post_id, *_terms_in(Revision.fields)).join(Revision, Revision.id == Published.revision_id)
    return await _disagreeing(session, Side.LIVE, source, Published.post_id)


async def terms_of_nothing_public(session: AsyncSession) -> Findings:
    """Rows of the live side whose post readers do not have: lists would count it."""
    tables = (PostAuthor, PostTag, PostCategory)
    strays = [
        exists().where(table.post_id == Post.id, table.side == Side.LIVE).correlate(Post) for table in tables
    ]  # one pass over posts; each look is by the primary key of its table
    public = exists().where(Published.post_id == Post.id)
    return await _found(session, select(Post.id).where(not_(public), or_(*strays)).order_by(Post.id))


Terms = tuple[tuple[int, ...], tuple[int, ...], int | None]  # authors, tags, category


def _terms_in(fields: InstrumentedAttribute[dict[str, Any]]) -> list[ColumnElement[Any]]:
    return [fields["authors"], fields["tags"], fields["category"]]


async def _disagreeing(session: AsyncSession, side: Side, source: Select[Any], key: InstrumentedAttribute[int]) -> Findings:
    """Posts whose document names other terms than the rows of this side do."""
    wrong: list[int] = []
    last = 0
    while documents := list(await session.execute(source.where(key > last).order_by(key).limit(AT_ONCE))):
        last = documents[-1][0]
        if suspects := await _unlike(session, side, documents):
            again = list(await session.execute(source.where(key.in_(suspects[:AT_ONCE])).order_by(key)))
            wrong += await _unlike(session, side, again)
    return counted(map(str, wrong))


async def _unlike(session: AsyncSession, side: Side, documents: Sequence[Any]) -> list[int]:
    """Those whose rows say something else. A term that was removed since the document was written is no disagreement."""
    if not documents:
        return []
    rows = await _term_rows(session, side, documents[0][0], documents[-1][0])
    people, tags, categories = [frozenset(await session.scalars(select(table.id))) for table in (User, Tag, Category)]
    unlike = []
    for post_id, named_people, named_tags, category in documents:
        said: Terms = (
            tuple(user_id for user_id in named_people or () if user_id in people),
            tuple(tag_id for tag_id in named_tags or () if tag_id in tags),
            category if category in categories else None,
        )
        if said != rows.get(post_id, ((), (), None)):
            unlike.append(post_id)
    return unlike


async def _term_rows(session: AsyncSession, side: Side, first: int, last: int) -> dict[int, Terms]:
    async def lists(table: type[PostAuthor] | type[PostTag], member: InstrumentedAttribute[int]) -> dict[int, tuple[int, ...]]:
        wanted = select(table.post_id, member).where(table.side == side, table.post_id.between(first, last))
        found: dict[int, tuple[int, ...]] = {}
        for post_id, term_id in await session.execute(wanted.order_by(table.post_id, table.position)):
            found[post_id] = (*found.get(post_id, ()), term_id)
        return found

    authors = await lists(PostAuthor, PostAuthor.user_id)
    tags = await lists(PostTag, PostTag.tag_id)
    chosen = select(PostCategory.post_id, PostCategory.category_id)
    in_range = chosen.where(PostCategory.side == side, PostCategory.post_id.between(first, last))
    categories = {row.post_id: row.category_id for row in await session.execute(in_range)}
    return {
        post_id: (authors.get(post_id, ()), tags.get(post_id, ()), categories.get(post_id))
        for post_id in {*authors, *tags, *categories}
    }  # fmt: skip


# --- jobs ------------------------------------------------------------------------------------------------------------------


async def failed_jobs(session: AsyncSession) -> Findings:
    """Tried as often as a job is tried, and given up."""
    wanted = select(Job.id, Job.name, Job.error).where(Job.finished_at.is_not(None), Job.error.is_not(None)).order_by(Job.id)
    rows = list(await session.execute(wanted))
    return counted(say("{name} (job {id}: {reason})", name=name, id=str(job_id), reason=error) for job_id, name, error in rows)


INSPECTIONS: tuple[Inspection, ...] = phrases(
    (
        Inspection(
            "readers have every published post",
            "Posts are marked as published and readers do not have them",
            "Publish them again at the desk.",
            public_without_document,
        ),
        Inspection(
            "readers have only published posts",
            "Readers have posts that are not marked as published",
            "Restore a backup, or publish and withdraw them at the desk.",
            document_without_public,
        ),
        Inspection(
            "every public page names its revision",
            "Public posts were made of a revision that is not there or not theirs",
            "Publish them again at the desk.",
            document_without_revision,
        ),
        Inspection(
            "every post has its working copy",
            "Posts have no working copy and cannot be opened at the desk",
            "Restore a backup.",
            post_without_working_copy,
        ),
        Inspection(
            "every public post has its address",
            "Public posts are not found under the address that they show",
            "Publish them again at the desk.",
            document_without_address,
        ),
        Inspection(
            "every address leads to something",
            "Addresses of posts are marked as current and nothing public is there",
            "Publish and withdraw their posts again at the desk.",
            address_without_document,
        ),
        Inspection(
            "no address is lost",
            "Addresses lead to something that is no longer in the database",
            "Restore a backup.",
            address_of_nothing,
        ),
        Inspection(
            "everything has one address",
            "Things have more than one current address",
            "Restore a backup.",
            more_than_one_address,
        ),
        Inspection(
            "terms at the desk are right",
            "Working copies name other authors, tags or categories than the desk's lists",
            "Change something in them and save, or restore a backup.",
            terms_of_working_copies,
        ),
        Inspection(
            "terms for readers are right",
            "Public posts name other authors, tags or categories than the readers' lists",
            "Publish them again at the desk.",
            terms_of_public_posts,
        ),
        Inspection(
            "readers' lists have only public posts",
            "Posts that are not public stand in the readers' lists",
            "Publish and withdraw them again at the desk.",
            terms_of_nothing_public,
        ),
        Inspection(
            "every public post can be found",
            "Public posts are missing from the search",
            "Run `squall search reindex`.",
            document_without_search,
        ),
        Inspection(
            "search finds only what is public",
            "The search has posts that are not public",
            "Run `squall search reindex`.",
            search_without_document,
        ),
        Inspection(
            "no job was given up",
            "Jobs failed and are not tried again",
            "The log says more; what they were to do may have to be done by hand.",
            failed_jobs,
        ),
    )
)
