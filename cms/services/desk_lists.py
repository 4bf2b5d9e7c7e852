"""Lists of posts and pages at the desk: which there are for whom, in which order, a screen at a time.

With 100,000 posts a list costs no more than with a hundred (bench/lists.py): numbers of rows come from an index or end at a limit, which
rows are shown is found in an index, and only those are read.
"""

import operator
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from typing import Any, get_args
from zoneinfo import ZoneInfo

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Select,
    String,
    and_,
    exists,
    false,
    func,
    literal,
    literal_column,
    not_,
    or_,
    select,
    true,
    tuple_,
    type_coerce,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from cms import policy
from cms.content.folding import fold, words
from cms.content.local_time import midnight
from cms.db.session import ReadSession
from cms.errors import NotFound
from cms.models import (
    Category,
    Post,
    PostAuthor,
    PostCategory,
    PostSeries,
    PostTag,
    Published,
    Schedule,
    Series,
    Tag,
    User,
)
from cms.models.post import Kind, Live, ScheduledAct, Side, Visibility, WorkState
from cms.models.taxonomy import MAX_TERM
from cms.policy import Actor, Capability, Scope
from cms.schemas.desk import Column, ListQuery
from cms.schemas.search import Term, Wanted
from cms.services import people, posts, site, taxonomies

COLUMNS = get_args(Column)
USUAL_COLUMNS = ("title", "status", "authors", "category", "changed")
PER_SCREEN = 50
MOST_NUMBERED = 20  # screens that have numbers; those beyond begin after a row
MOST_COUNTED = 10_000  # of a state
MOST_SIFTED = 1000  # of what filters leave
MANY = 1000  # posts that a filter or words leave; of more it is asked one by one
MAX_WORDS = 8
SHORTEST = 3  # letters of a word that may go on
MOST_TAGS = 500  # that are suggested

SORTS: Mapping[str, tuple[InstrumentedAttribute[Any], bool]] = {  # by what, and whether the greatest comes first
    "changed": (Post.updated_at, True),
    "title": (Post.folded_title, False),
    "authors": (Post.folded_author, False),  # by the first of them
    "published": (Post.first_published_at, True),
}


@dataclass(frozen=True, slots=True)
class DeskRow:
    """A line of the list. Of another's post, whoever may not see drafts reads what readers see.

    ``work``: where the work on something public stands, "" if there is nothing to say; ``due_at``: when it goes out; ``missed``: why it
    did not.
    """

    post: Post
    title: str
    status: str
    changed_at: datetime
    authors: tuple[str, ...] = ()  # names, in order
    category: str = ""
    tags: tuple[str, ...] = ()
    work: str = ""
    due_at: datetime | None = None
    missed: str = ""
    path: str = ""  # where readers find it, with a slash before it


@dataclass(frozen=True, slots=True)
class DeskSlice:
    """``total``: None if nobody counted so far. ``after``: where the screen behind the last numbered one begins, "" if there is none."""

    rows: Sequence[DeskRow]
    counts: Mapping[str, int]  # status → how many there are without filters, "all" without the trash; MOST_COUNTED + 1 stands for more
    page: int
    first: int  # the number of the first row; 0 beyond numbered screens
    total: int | None
    is_more: bool  # than ``total``
    has_next: bool
    after: str = ""

    @staticmethod
    def told(number: int, most: int = MOST_COUNTED) -> str:
        return f"{min(number, most):,}{'+' if number > most else ''}"

    @property
    def pages(self) -> int:
        """Screens with numbers."""
        known = self.page + self.has_next if self.total is None else -(-self.total // PER_SCREEN)
        return max(1, min(known, MOST_NUMBERED))


@dataclass(frozen=True, slots=True)
class Choices:
    """What lists can be narrowed to: numbers and names."""

    authors: Sequence[tuple[int, str]]
    categories: Sequence[tuple[int, str]]
    series: Sequence[tuple[int, str]]
    tags: Sequence[str]  # names


async def choices(session: AsyncSession) -> Choices:
    categories = {category.id: category for category in await taxonomies.list_categories(session)}
    names = {each.id: " › ".join(above.name for above in taxonomies.line_to(categories, each)) for each in categories.values()}
    series = await session.execute(select(Series.id, Series.name).order_by(Series.name))
    tags = await session.scalars(select(Tag.name).order_by(Tag.folded).limit(MOST_TAGS))
    return Choices(
        await people.list_writers(session, ()),
        sorted(names.items(), key=lambda pair: fold(pair[1])),
        [(number, name) for number, name in series],
        tags.all(),
    )


async def list_posts(session: ReadSession, actor: Actor, kind: Kind, query: ListQuery) -> DeskSlice:
    """A screen beyond the last is the last: whoever trashed the only post on it comes back to something.

    Raises ``NotFound`` if there is no row of that kind that ``query.after`` could mean.
    """
    own = None if policy.scope(actor, Capability.DRAFT_SEE) is Scope.ANY else await _own(session, actor)
    statuses = _statuses(own)
    counts = await _counts(session, kind, statuses)
    if not counts[query.status] and not query.after:
        return DeskSlice((), counts, page=1, first=1, total=0, is_more=False, has_next=False)
    sieve = await _sieve(session, actor, own, kind, query, statuses[query.status])
    page = 1 if query.after else min(query.page, MOST_NUMBERED)
    number, most = (None, MOST_SIFTED) if query.is_narrowed else (counts[query.status], MOST_COUNTED)
    is_sifted = query.is_narrowed and not sieve.is_wide and not query.after
    condition = sieve.condition(own)
    everything = await _numbers(session, condition, query, 0, MOST_SIFTED + 1) if is_sifted else ()
    number = len(everything) if is_sifted else number
    total = number if number is None else min(number, most)
    page = page if total is None else min(page, max(1, -(-total // PER_SCREEN)))
    first = (page - 1) * PER_SCREEN
    found = everything[first:] if is_sifted else await _numbers(session, condition, query, first, PER_SCREEN + 1)
    shown, has_next = found[:PER_SCREEN], len(found) > PER_SCREEN
    rows = await _rows(session, actor, shown)
    is_last = has_next and (query.after or page == MOST_NUMBERED)
    after = _place(rows[-1].post, query) if is_last and rows else ""
    return DeskSlice(rows, counts, page, 0 if query.after else first + 1, total, number is not None and number > most, has_next, after)


# --- which -----------------------------------------------------------------------------------------------------------------

_UNDER_WAY = Post.work != literal_column("'draft'")  # as their index says it: databases compare words

# ``own``: what the actor may know the working copies of; None stands for all.
Own = ColumnElement[bool] | None


async def _own(session: AsyncSession, actor: Actor) -> ColumnElement[bool]:
    """Few are looked up by their numbers; whoever has many is met soon when it is asked one by one."""
    wrote = select(PostAuthor.post_id).where(PostAuthor.side == Side.WORK, PostAuthor.user_id == actor.user_id)
    mine = union_all(wrote, select(Post.id).where(Post.created_by_id == actor.user_id))
    found = (await session.scalars(mine.limit(MANY + 1))).all()
    return Post.id.in_(found) if len(found) <= MANY else posts.is_own(actor)


# A condition on what stands in the working copy, and the same on what readers see.
Sides = tuple[ColumnElement[bool], ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class Sieve:
    """``few``: the posts that can pass, if there are few; None: many."""

    conditions: tuple[ColumnElement[bool], ...] = ()
    sides: tuple[Sides, ...] = ()  # asked together: which side is seen is found out once for all of them
    few: Collection[int] | None = None
    is_wide: bool = False  # words that many texts have

    def __and__(self, other: "Sieve") -> "Sieve":
        few = self.few if other.few is None else other.few if self.few is None else {*self.few} & {*other.few}
        return Sieve((*self.conditions, *other.conditions), (*self.sides, *other.sides), few, self.is_wide or other.is_wide)

    def condition(self, own: Own) -> ColumnElement[bool]:
        """By what stands in the working copy where the actor may know of it, else by what readers see: which is the same, unless it has
        changes."""
        in_work, in_public = (and_(true(), *each) for each in zip(*self.sides, strict=True)) if self.sides else (true(), true())
        if own is not None and self.sides:
            in_work = or_(and_(in_work, or_(Post.has_changes.is_(False), own)), and_(Post.has_changes.is_(True), not_(own), in_public))
        return and_(*self.conditions, in_work)


def _statuses(own: Own) -> Mapping[str, ColumnElement[bool]]:
    """The tabs of the list. What happens to another's post at the desk is seen by those who may see drafts."""
    known, is_changed = (true() if own is None else own), Post.has_changes.is_(True)
    is_seen = true() if own is None else or_(Post.visibility == Visibility.PUBLIC, own)
    is_as_seen = Post.has_changes.is_(False) if own is None else not_(and_(is_changed, own))
    is_at_work = and_(_UNDER_WAY, Post.live != Live.TRASHED, known)
    return {
        "all": and_(Post.live != Live.TRASHED, true() if own is None else or_(posts.is_in_public(), own)),
        "draft": and_(Post.live == Live.NEVER, Post.has_changes.is_(False), Post.work == WorkState.DRAFT, known),
        **{state.value: and_(is_at_work, Post.work == state) for state in WorkState if state is not WorkState.DRAFT},
        "published": and_(Post.live == Live.PUBLISHED, is_seen, is_as_seen),
        "changed": and_(Post.live == Live.PUBLISHED, is_changed, known),
        "withdrawn": and_(Post.live == Live.WITHDRAWN, known),
        "trashed": and_(Post.live == Live.TRASHED, known),
    }


async def _counts(session: AsyncSession, kind: Kind, statuses: Mapping[str, ColumnElement[bool]]) -> dict[str, int]:
    """For the tabs: without filters, from indexes, and no further than to one more than ``MOST_COUNTED``."""
    some = {name: select(Post.id).where(Post.kind == kind, of_it).limit(MOST_COUNTED + 1).subquery() for name, of_it in statuses.items()}
    numbers = [select(func.count()).select_from(found).scalar_subquery().label(name) for name, found in some.items()]
    return dict((await session.execute(select(*numbers))).one()._mapping)


async def _sieve(session: ReadSession, actor: Actor, own: Own, kind: Kind, query: ListQuery, status: ColumnElement[bool]) -> Sieve:
    narrowed = await _narrowed(session, actor, own, kind, query)
    if query.q:
        narrowed.append(await _with_words(session, own, query.q))
    sieve = reduce(operator.and_, narrowed, Sieve((status,)))
    if sieve.few is None:
        return sieve & Sieve((Post.kind == kind,))
    # Few are looked up by their numbers. The sum keeps SQLite from going through all of a kind.
    return sieve & Sieve((Post.id.in_(sieve.few), type_coerce(Post.kind, String) + "" == kind.value))


async def _narrowed(session: AsyncSession, actor: Actor, own: Own, kind: Kind, query: ListQuery) -> list[Sieve]:
    frame = await site.get_frame(session)
    filed: list[Sieve] = []
    if query.category:
        below = PostCategory.category_id.in_(await _from(session, query.category))
        filed.append(await _filed(session, own, PostCategory, below))
    if query.tag:
        tag = select(Tag.id).where(Tag.folded == fold(query.tag)[:MAX_TERM]).scalar_subquery()
        filed.append(await _filed(session, own, PostTag, PostTag.tag_id == tag))
    if query.series:
        filed.append(await _filed(session, own, PostSeries, PostSeries.series_id == query.series))
    if query.author:  # last: authors have more than what their posts are filed under
        filed.append(await _filed(session, own, PostAuthor, PostAuthor.user_id == query.author))
    if query.since or query.until:
        filed.append(await _dated(session, kind, query, frame.zone))
    if query.language:
        filed.append(Sieve(sides=(_in_language(query.language, is_usual=query.language == frame.language),)))
    if query.visibility:
        filed.append(Sieve((Post.visibility == query.visibility,)))
    if query.mine:
        filed.append(Sieve((await _own(session, actor) if own is None else own,)))
    return filed


async def _filed(session: AsyncSession, own: Own, table: type[Any], condition: ColumnElement[bool]) -> Sieve:
    """Few are known by their numbers. More are gathered once, and of very many it is asked one by one, both in the order of the list: the
    function keeps databases from beginning with them, and a row in place of ``EXISTS`` keeps PostgreSQL from gathering these too."""
    sides = [Side.WORK] if own is None else list(Side)
    filed = select(table.post_id, table.side).where(table.side.in_(sides), condition)
    number = await _counted(session, filed)
    if number <= MANY * len(sides):
        found = (await session.execute(filed)).all()
        on = {side: [number for number, where in found if where is side] for side in sides}
        few = {number for number, _ in found}
        return Sieve(few=few) if own is None else Sieve(sides=((Post.id.in_(on[Side.WORK]), Post.id.in_(on[Side.LIVE])),), few=few)
    rows = (select(table.post_id).where(table.post_id == Post.id, table.side == side, condition) for side in (Side.WORK, Side.LIVE))
    alone, in_public = (row.scalar_subquery().is_not(None) for row in rows)
    gathered = func.coalesce(Post.id.in_(select(table.post_id).where(table.side == Side.WORK, condition)), False, type_=Boolean)
    return Sieve(sides=((gathered if number <= MOST_COUNTED else alone, in_public),))


async def _counted(session: AsyncSession, wanted: Select[Any]) -> int:
    """How many there are, no further than to one more than ``MOST_COUNTED``."""
    return await session.scalar(select(func.count()).select_from(wanted.limit(MOST_COUNTED + 1).subquery())) or 0


async def _dated(session: AsyncSession, kind: Kind, query: ListQuery, zone: ZoneInfo) -> Sieve:
    """Few are gathered and sorted. Of many it is asked one by one, in the order of the list: the function keeps the database from its
    index of dates, unless that has them in order."""

    def within(at: ColumnElement[datetime | None]) -> ColumnElement[bool]:
        since = at >= midnight(query.since, zone) if query.since else true()
        return and_(since, at < midnight(query.until, zone, days=1) if query.until else true())

    column = Post.first_published_at
    some = select(Post.id).where(Post.kind == kind, within(column.expression))
    is_few = await _counted(session, some) <= MOST_COUNTED
    return Sieve((within(column.expression if is_few or query.sort == "published" else func.coalesce(column, column)),))


async def _from(session: AsyncSession, category_id: int) -> set[int]:
    """The category and all below it."""
    parents = (await session.execute(select(Category.id, Category.parent_id))).all()
    found, size = {category_id}, 0
    while len(found) > size:
        size = len(found)
        found |= {number for number, parent in parents if parent in found}
    return found


def _in_language(language: str, *, is_usual: bool) -> Sides:
    in_work = or_(Post.language == language, Post.language.is_(None)) if is_usual else Post.language == language
    return in_work, exists().where(Published.post_id == Post.id, Published.language == language)


async def _with_words(session: ReadSession, own: Own, typed: str) -> Sieve:
    """All words, in the title or the text; longer ones may go on."""
    asked = list(dict.fromkeys(words(typed)))[:MAX_WORDS]
    if not asked:
        return Sieve((false(),))
    wanted = Wanted(tuple(Term((word,), is_prefix=len(word) >= SHORTEST) for word in asked))
    found = await session.dialect.search_desk(session, wanted, MANY)
    if found is None:
        return Sieve(sides=((session.dialect.has_terms(wanted, Post.id), posts.has_in_public(asked)),), is_wide=True)
    return Sieve(few=found) if own is None else Sieve(sides=((Post.id.in_(found), posts.has_in_public(asked)),))


# --- in which order --------------------------------------------------------------------------------------------------------


async def _numbers(session: AsyncSession, condition: ColumnElement[bool], query: ListQuery, first: int, most: int) -> Sequence[int]:
    column, is_falling = SORTS[query.sort]
    is_falling ^= query.reverse
    wanted = select(Post.id).where(condition)
    if query.after:
        wanted = wanted.where(_beyond(column, query.after, is_falling=is_falling))
    parts = [wanted]
    if column.expression.nullable:  # what was never published stands below all that was; databases have it at one end or the other
        parts = [wanted.where(column.is_not(None)), wanted.where(column.is_(None))][:: 1 if is_falling else -1]
    order = (column.desc(), Post.id.desc()) if is_falling else (column.asc(), Post.id.asc())
    found: list[int] = []
    for part in parts:
        if (left := first + most - len(found)) > 0:
            found += await session.scalars(part.order_by(*order).limit(left))
    return found[first:]


def _place(post: Post, query: ListQuery) -> str:
    value = getattr(post, SORTS[query.sort][0].key)
    return f"{'' if value is None else value.isoformat() if isinstance(value, datetime) else value}~{post.id}"


def _beyond(column: InstrumentedAttribute[Any], place: str, *, is_falling: bool) -> ColumnElement[bool]:
    """What comes after the row at this place."""
    said, _, number = place.rpartition("~")
    if not number.isascii() or not number.isdigit() or len(number) > 18:
        raise NotFound
    last = literal(int(number), Post.id.type)
    if column.expression.nullable and not said:
        rest = and_(column.is_(None), Post.id < last if is_falling else Post.id > last)
        return rest if is_falling else or_(rest, column.is_not(None))
    here = tuple_(column, Post.id)
    there = tuple_(literal(_value(column, said), column.type), last)
    if not is_falling:
        return here > there
    return or_(here < there, column.is_(None)) if column.expression.nullable else here < there


def _value(column: InstrumentedAttribute[Any], said: str) -> Any:
    if isinstance(column.type, String):
        return said.replace("\0", "")
    try:
        moment = datetime.fromisoformat(said)
    except ValueError:
        raise NotFound from None
    if moment.tzinfo is None:
        raise NotFound
    return moment


# --- what is shown ---------------------------------------------------------------------------------------------------------


async def rows_of(session: AsyncSession, actor: Actor, kind: Kind, ids: Sequence[int]) -> list[DeskRow]:
    """Those of these that the actor may know of."""
    wanted = select(Post.id).where(Post.id.in_(ids), Post.kind == kind, posts.visible_to(actor)).order_by(Post.id)
    return await _rows(session, actor, (await session.scalars(wanted)).all())


async def _rows(session: AsyncSession, actor: Actor, ids: Sequence[int]) -> list[DeskRow]:
    if not ids:
        return []
    found = {post.id: post for post in await session.scalars(select(Post).where(Post.id.in_(ids)))}
    names = await _named(session, ids, PostAuthor, User, PostAuthor.user_id, PostAuthor.position)
    for post in found.values():
        posts.with_owners(post, names.get((post.id, Side.WORK), ()))
    hidden = {post.id for post in found.values() if not policy.allows(actor, Capability.DRAFT_SEE, post)}
    public = await _public_faces(session, ids)
    due = {post_id: (at, missed) for post_id, at, missed in await session.execute(_due(ids))}
    categories = await _named(session, ids, PostCategory, Category, PostCategory.category_id, PostCategory.category_id)
    tags = await _named(session, ids, PostTag, Tag, PostTag.tag_id, PostTag.position)

    def row_of(post: Post) -> DeskRow:
        key, face = (post.id, Side.LIVE if post.id in hidden else Side.WORK), public.get(post.id)
        row = DeskRow(
            post, post.title, post.status, post.updated_at, _names(names, key), next(iter(_names(categories, key)), ""), _names(tags, key),
            path=f"/{face.path}" if face else "",
        )  # fmt: skip
        if post.id in hidden:
            return replace(row, title=face.title, status="published", changed_at=face.updated_at) if face else row
        work = post.work.value if post.was_ever_public and post.work is not WorkState.DRAFT and not post.is_trashed else ""
        at, missed = due.get(post.id, (None, ""))
        return replace(row, work=work, due_at=at, missed=missed)

    return [row_of(found[number]) for number in ids if number in found]


def _names(named: Mapping[tuple[int, Side], Sequence[tuple[int, str]]], key: tuple[int, Side]) -> tuple[str, ...]:
    return tuple(name for _, name in named.get(key, ()))


def _due(ids: Sequence[int]) -> Select[int, datetime, str]:
    columns = (Schedule.post_id, Schedule.due_at, func.coalesce(Schedule.error, ""))
    return select(*columns).where(Schedule.post_id.in_(ids), Schedule.act == ScheduledAct.PUBLISH)


async def _public_faces(session: AsyncSession, ids: Sequence[int]) -> dict[int, Any]:
    """What readers see of those that are public."""
    wanted = select(Published.post_id, Published.title, Published.updated_at, Published.path).where(Published.post_id.in_(ids))
    return {row.post_id: row for row in await session.execute(wanted)}


async def _named(
    session: AsyncSession, ids: Sequence[int], joined: type[Any], named: type[Any], key: Any, order: Any
) -> dict[tuple[int, Side], list[tuple[int, str]]]:
    """Post and side → numbers and names of what it is filed under, or of who wrote it."""
    wanted = select(joined.post_id, joined.side, named.id, named.name).join(named, named.id == key).where(joined.post_id.in_(ids))
    names: dict[tuple[int, Side], list[tuple[int, str]]] = {}
    for post_id, side, number, name in await session.execute(wanted.order_by(order)):
        names.setdefault((post_id, side), []).append((number, name))
    return names
