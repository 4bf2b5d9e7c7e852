"""Categories, tags and series as those who run the content see and change them.

Every act holds the site's row: what a thing is called, and where it stands, changes one after another.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, exists, func, select, true, update
from sqlalchemy.ext.asyncio import AsyncSession

from cms import policy
from cms.content.folding import fold
from cms.content.slugs import slugify
from cms.db.session import Work
from cms.errors import InvalidInput, NotFound
from cms.events import TermChanged
from cms.models import Address, Category, PassedOn, Post, PostSeries, Series, Tag, TakenOut
from cms.models.address import AddressState, TargetKind
from cms.models.post import Kind, Live, Side
from cms.models.taxonomy import MAX_TERM
from cms.policy import Actor, Capability
from cms.schemas.seen import Shown
from cms.schemas.terms import TermInput
from cms.services import addresses, audit, bringing_back, outbox, passing_on, site, taxonomies
from cms.services.passing_on import SHELVES, Shelf
from cms.wording import say

PER_SCREEN = 100
DIGITS = 3  # of how long a name may grow to be told apart

Thing = Category | Tag | Series


@dataclass(frozen=True, slots=True)
class Row:
    """``texts``: at the desk, without the trash; ``public``: of these, what readers have. ``depth``: of a category, how many are above.
    ``path``: where readers find it, without its first slash; ``is_leaving``: its texts are being given to another, or taken out."""

    term: Thing
    texts: int
    public: int
    path: str
    is_leaving: bool
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Slice:
    rows: Sequence[Row]
    page: int
    total: int
    unused: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PER_SCREEN))


@dataclass(frozen=True, slots=True)
class Part:
    """Of a series, in its order."""

    post: Post
    position: int


# --- looking ---------------------------------------------------------------------------------------------------------------


async def get(session: AsyncSession, actor: Actor, kind: TargetKind, term_id: int) -> Row:
    """Raises ``NotFound`` if it is not there."""
    policy.require(actor, Capability.TAXONOMY_MANAGE)
    rows = await _rows(session, kind, SHELVES[kind].table.id == term_id)
    if not rows:
        raise NotFound
    return rows[0]


async def list_tree(session: AsyncSession, actor: Actor) -> list[Row]:
    """Categories, each before those below it, and beside each other by name."""
    policy.require(actor, Capability.TAXONOMY_MANAGE)
    below: dict[int | None, list[Row]] = {}
    for row in await _rows(session, TargetKind.CATEGORY):
        assert isinstance(row.term, Category)  # noqa: S101 - for mypy
        below.setdefault(row.term.parent_id, []).append(row)
    return list(_descend(below, None, 0))


def _descend(below: Mapping[int | None, Sequence[Row]], above: int | None, depth: int) -> Iterable[Row]:
    for row in below.get(above, ()):
        yield Row(row.term, row.texts, row.public, row.path, row.is_leaving, depth)
        yield from _descend(below, row.term.id, depth + 1)


async def list_series(session: AsyncSession, actor: Actor) -> list[Row]:
    policy.require(actor, Capability.TAXONOMY_MANAGE)
    return await _rows(session, TargetKind.SERIES)


async def list_tags(session: AsyncSession, actor: Actor, *, words: str = "", unused: bool = False, page: int = 1) -> Slice:
    """By name. ``words``: all of them in it. A page beyond the last is the last."""
    policy.require(actor, Capability.TAXONOMY_MANAGE)
    conditions = [Tag.folded.contains(word, autoescape=True) for word in fold(words.replace("\0", " ")).split()[:8]]
    none_left = await session.scalar(select(func.count()).select_from(Tag).where(is_unused())) or 0
    conditions += [is_unused()] if unused else []
    total = await session.scalar(select(func.count()).select_from(Tag).where(*conditions)) or 0
    page = max(1, min(page, -(-total // PER_SCREEN)))
    rows = await _rows(session, TargetKind.TAG, *conditions, limit=PER_SCREEN, offset=(page - 1) * PER_SCREEN)
    return Slice(rows, page, total, none_left)


def is_unused() -> ColumnElement[bool]:
    """No text has it, not even one in the trash."""
    shelf = SHELVES[TargetKind.TAG]
    is_coming_back = exists().where(TakenOut.kind == TargetKind.TAG, TakenOut.term_id == Tag.id)
    return ~exists().where(shelf.key == Tag.id) & ~_is_leaving(TargetKind.TAG) & ~is_coming_back


def _is_leaving(kind: TargetKind) -> ColumnElement[bool]:
    return exists().where(PassedOn.kind == kind, PassedOn.term_id == SHELVES[kind].table.id)


async def _rows(session: AsyncSession, kind: TargetKind, *conditions: Any, limit: int | None = None, offset: int = 0) -> list[Row]:
    shelf = SHELVES[kind]
    table, name = shelf.table, shelf.table.folded if shelf.table is Tag else func.lower(shelf.table.name)
    here = (Address.target_kind == kind) & (Address.target_id == table.id) & (Address.state == AddressState.CURRENT)
    wanted = select(table, func.coalesce(Address.path, ""), _is_leaving(kind)).outerjoin(Address, here)
    wanted = wanted.where(*conditions).order_by(name, table.id).limit(limit).offset(offset)
    found: Sequence[Any] = (await session.execute(wanted)).all()
    numbers = await _counts(session, shelf, [term.id for term, *_ in found])
    return [Row(term, numbers[term.id, Side.WORK], numbers[term.id, Side.LIVE], path, is_leaving) for term, path, is_leaving in found]


async def _counts(session: AsyncSession, shelf: Shelf, ids: Sequence[int]) -> Counter[tuple[int, Side]]:
    """How many texts each has. Few are in the trash, so all are counted in an index, and these taken off, without a look at each post."""
    filed = select(shelf.key, shelf.rows.side, func.count()).where(shelf.key.in_(ids)).group_by(shelf.key, shelf.rows.side)
    is_trashed = Post.kind.in_(list(Kind)) & (Post.live == Live.TRASHED)
    in_trash = select(shelf.key, func.count()).join(Post, Post.id == shelf.rows.post_id).where(is_trashed, shelf.rows.side == Side.WORK)
    numbers = Counter({(number, side): times for number, side, times in await session.execute(filed)})
    for number, times in await session.execute(in_trash.where((shelf.key + 0).in_(ids)).group_by(shelf.key)):
        numbers[number, Side.WORK] -= times
    return numbers


async def list_some(session: AsyncSession, actor: Actor, kind: TargetKind, ids: Sequence[int]) -> list[Row]:
    """Those of these that are there, by name."""
    policy.require(actor, Capability.TAXONOMY_MANAGE)
    return await _rows(session, kind, SHELVES[kind].table.id.in_(ids))


async def way(session: AsyncSession, kind: TargetKind, term_id: int) -> tuple[str, int]:
    """Of one whose texts are being moved: the name of the one they go to, "" for none, and how many are left."""
    table = SHELVES[kind].table
    goes_to = select(PassedOn.target_id).where(PassedOn.kind == kind, PassedOn.term_id == term_id).scalar_subquery()
    name = await session.scalar(select(table.name).where(table.id == goes_to))
    return name or "", await passing_on.count_texts(session, kind, [term_id])


async def choices(session: AsyncSession, without: Collection[int] = ()) -> list[tuple[int, str]]:
    """Categories with those above them in words, to be chosen from. ``without``: these, and all below them, are left out."""
    known = {category.id: category for category in await session.scalars(select(Category))}
    leaving = set(await session.scalars(select(PassedOn.term_id).where(PassedOn.kind == TargetKind.CATEGORY)))
    lines = {number: taxonomies.line_to(known, category) for number, category in known.items() if number not in leaving}
    named = [
        (number, " / ".join(each.name for each in line))
        for number, line in lines.items()
        if {*without}.isdisjoint(each.id for each in line)
    ]
    return sorted(named, key=lambda choice: choice[1].casefold())


async def parts(session: AsyncSession, series_id: int) -> list[Part]:
    """Of its posts at the desk and before readers, each once."""
    where = select(PostSeries.post_id, func.max(PostSeries.position).label("at")).where(PostSeries.series_id == series_id)
    placed = where.group_by(PostSeries.post_id).subquery()
    wanted = select(Post, placed.c.at).join(placed, placed.c.post_id == Post.id)
    rows = await session.execute(wanted.order_by(placed.c.at, Post.first_published_at, Post.id))
    return [Part(*row) for row in rows]


# --- making and changing ---------------------------------------------------------------------------------------------------


async def create(work: Work, actor: Actor, kind: TargetKind, wanted: TermInput) -> Thing:
    """Raises ``InvalidInput`` by field."""
    policy.require(actor, Capability.TAXONOMY_MANAGE)
    await site.hold(work)
    shelf = SHELVES[kind]
    made: Thing = shelf.table(name="", slug="", description="")
    await put(work, kind, made, wanted)
    audit.note(work, actor, f"{shelf.kind}.create", shelf.kind, made.id, after=wanted.name)
    return made


async def save(work: Work, actor: Actor, kind: TargetKind, term_id: int, wanted: TermInput) -> bool:
    """Whether its texts show it already; many follow by a job. What others changed since the form was shown stays. Raises ``InvalidInput``
    by field.
    """
    policy.require(actor, Capability.TAXONOMY_MANAGE)
    await site.hold(work)
    shelf, term = SHELVES[kind], await present(work.session, kind, term_id)
    before = _short(term)
    former_name, paths = term.name, await put(work, kind, term, wanted.beside(shown(term)))
    after = _short(term)
    aspects = [name for name in ("name", "description") if before[name] != after[name]] + (["path"] if paths else [])
    if before == after:
        return True
    audit.note(work, actor, f"{shelf.kind}.save", shelf.kind, term_id, **audit.difference(before, after))
    if not aspects:
        return True
    outbox.record(work, TermChanged(kind, term_id, tuple(aspects), tuple(paths.get(term_id, ()))))
    for below, its_paths in paths.items():
        if below != term_id:
            outbox.record(work, TermChanged(kind, below, ("path",), tuple(its_paths)))
    if not paths and term.name == former_name:
        return True
    await site.renew_frame(work)
    return await passing_on.follow(work, kind, await _shown_with(work.session, kind, term_id))


def shown(term: Thing) -> Shown:
    """As a form shows it."""
    above = {"parent": term.parent_id} if isinstance(term, Category) else {}
    return {"name": term.name, "slug": term.slug, "description": term.description, **above}


def _short(term: Thing) -> dict[str, str]:
    above = {"parent": str(term.parent_id or "")} if isinstance(term, Category) else {}
    return {"name": term.name, "slug": term.slug, "description": term.description, **above}


async def present(session: AsyncSession, kind: TargetKind, term_id: int) -> Thing:
    """As it is, to be changed. Raises ``NotFound``, and ``InvalidInput`` while its texts are being given to another."""
    term: Thing | None = await session.get(SHELVES[kind].table, term_id)
    if term is None:
        raise NotFound
    if await session.get(PassedOn, (kind, term_id)):
        raise InvalidInput({"": "Its posts are being moved at this moment; it is gone when that is done."})
    if await bringing_back.is_under_way(session, kind, term_id):
        raise InvalidInput({"": "Its posts are being brought back at this moment; it can be changed when that is done."})
    return term


async def put(work: Work, kind: TargetKind, term: Thing, wanted: TermInput) -> dict[int, list[str]]:
    """Give it its values and its address; what stands at another address now, by number, with the addresses of before and after."""
    session = work.session
    term.name, term.description = wanted.name, wanted.description
    if isinstance(term, Category):
        term.parent_id = await _above(session, term.id, wanted.parent)
    await _refuse_twin(session, kind, term)
    slug = slugify(wanted.slug or wanted.name, MAX_TERM - DIGITS)
    if not slug:
        raise InvalidInput({"slug" if wanted.slug else "name": "An address needs at least one letter or digit."})
    prefix = await _prefix(session, kind, term)
    if not wanted.slug:
        slug = (await addresses.free_path(session, f"{prefix}/{slug}", kind, term.id)).removeprefix(f"{prefix}/")
    elif not await addresses.is_free(session, f"{prefix}/{slug}", kind, term.id):
        raise InvalidInput({"slug": say("/{prefix}/{slug} is taken; choose another, or merge the two.", prefix=prefix, slug=slug)})
    if isinstance(term, Tag):
        term.folded = fold(wanted.name)[:MAX_TERM]
        other = (PassedOn.kind == kind) & (PassedOn.folded == term.folded)
        await session.execute(update(PassedOn).where(other).values(folded=""))  # the name means this one again
    term.slug = slug
    session.add(term)
    await session.flush()
    return await _settle(work, kind, term)


async def _above(session: AsyncSession, category_id: int | None, parent_id: int | None) -> int | None:
    """The one above. Raises ``InvalidInput`` if it is not there, is this one or stands below it, or the tree grows too deep."""
    if parent_id is None:
        return None
    known = {category.id: category for category in await session.scalars(select(Category))}
    is_leaving = await session.get(PassedOn, (TargetKind.CATEGORY, parent_id)) is not None
    if parent_id not in known or is_leaving:
        raise InvalidInput({"parent": "There is no such category any more; choose another."})
    line = taxonomies.line_to(known, known[parent_id])
    if category_id in [each.id for each in line]:
        raise InvalidInput({"parent": "A category cannot stand below itself."})
    if len(line) + _height(known, category_id) > taxonomies.MAX_DEPTH:
        raise InvalidInput({"parent": say("At most {most} categories stand below each other.", most=taxonomies.MAX_DEPTH)})
    return parent_id


def _height(known: Mapping[int, Category], category_id: int | None) -> int:
    """Levels from this one down, itself among them."""
    below = [each.id for each in known.values() if category_id is not None and each.parent_id == category_id]
    return 1 + max((_height(known, each) for each in below), default=0)


async def _refuse_twin(session: AsyncSession, kind: TargetKind, term: Thing) -> None:
    table: Any = SHELVES[kind].table
    same = Tag.folded == fold(term.name)[:MAX_TERM] if kind is TargetKind.TAG else table.name == term.name
    beside = table.parent_id.is_not_distinct_from(term.parent_id) if isinstance(term, Category) else true()
    twin = await session.scalar(select(table.id).where(same, beside, table.id != (term.id or 0)).limit(1))
    if twin is not None:
        raise InvalidInput({"name": "There is one of this name already; merge the two, or choose another name."})


async def _prefix(session: AsyncSession, kind: TargetKind, term: Thing) -> str:
    if not isinstance(term, Category) or term.parent_id is None:
        return kind
    known = {category.id: category for category in await session.scalars(select(Category))}
    return f"{kind}/{taxonomies.path_in(known, known[term.parent_id])}"


async def _settle(work: Work, kind: TargetKind, term: Thing) -> dict[int, list[str]]:
    """Addresses of it and, of a category, of those below it."""
    if isinstance(term, Category):
        wanted = await _paths_below(work.session, term.id)
    else:
        wanted = {term.id: f"{kind}/{term.slug}"}
    here = select(Address.target_id, Address.path).where(Address.target_kind == kind, Address.target_id.in_(wanted))
    before = dict((await work.session.execute(here.where(Address.state == AddressState.CURRENT))).all())
    await addresses.assign_all(work, kind, wanted)
    return {number: [before[number], path] for number, path in wanted.items() if before.get(number, path) != path}


async def _paths_below(session: AsyncSession, category_id: int) -> dict[int, str]:
    """Of a category and those below it."""
    known = {category.id: category for category in await session.scalars(select(Category))}
    lines = {number: taxonomies.line_to(known, category) for number, category in known.items()}
    return {
        number: f"{TargetKind.CATEGORY}/{taxonomies.path_in(known, known[number])}"
        for number, line in lines.items()
        if category_id in [each.id for each in line]
    }


async def _shown_with(session: AsyncSession, kind: TargetKind, term_id: int) -> list[int]:
    """The things whose texts show this one: a category stands above others."""
    return list(await _paths_below(session, term_id)) if kind is TargetKind.CATEGORY else [term_id]


# --- merging (deleting: trashed_terms.py) ------------------------------------------------------------------------------------


async def merge(work: Work, actor: Actor, kind: TargetKind, ids: Sequence[int], target_id: int) -> bool:
    """Several become one of them, or another; whether all is done already. Raises ``InvalidInput`` if one would be merged with itself,
    and ``NotFound`` if one is not there."""
    policy.require(actor, Capability.TAXONOMY_MANAGE)
    await site.hold(work)
    shelf, target = SHELVES[kind], await present(work.session, kind, target_id)
    given = [await present(work.session, kind, term_id) for term_id in dict.fromkeys(ids)]
    if not given or any(each.id == target_id for each in given):
        raise InvalidInput({"heir" if kind is TargetKind.CATEGORY else "target": "It cannot be merged with itself; choose another."})
    is_done = True
    for each in given:
        audit.note(work, actor, f"{shelf.kind}.merge", shelf.kind, target_id, before=each.name, after=target.name)
        if isinstance(each, Category):
            await raise_those_below(work, each, target_id)
        is_done &= await passing_on.pass_on(work, kind, each.id, target_id)
    return is_done


async def raise_those_below(work: Work, category: Category, parent_id: int | None) -> None:
    """What stands below one that goes stands below another from now on, or at the top; with its address."""
    if parent_id in await _paths_below(work.session, category.id):
        raise InvalidInput({"heir": "A category cannot stand below itself; choose one that is not below this one."})
    await move_below(work, (await work.session.scalars(select(Category).where(Category.parent_id == category.id))).all(), parent_id)


async def move_below(work: Work, categories: Sequence[Category], parent_id: int | None) -> None:
    """To below another, or to the top; with their addresses."""
    for child in categories:
        child.parent_id = await _above(work.session, child.id, parent_id)
    await work.session.flush()
    for child in categories:
        try:
            moved = await _settle(work, TargetKind.CATEGORY, child)
        except InvalidInput:
            clash = say("“{name}” below it has a twin where it would stand then; merge these two first.", name=child.name)
            raise InvalidInput({"heir": clash}) from None
        for number, its_paths in moved.items():
            outbox.record(work, TermChanged(TargetKind.CATEGORY, number, ("path",), tuple(its_paths)))
        await passing_on.follow(work, TargetKind.CATEGORY, list(moved))
    if categories:
        await site.renew_frame(work)


# --- the order of a series -------------------------------------------------------------------------------------------------


async def sort_series(work: Work, actor: Actor, series_id: int, order: Sequence[int]) -> None:
    """The parts in this order, at the desk and for readers; those it does not name, since they came meanwhile, stay behind it."""
    policy.require(actor, Capability.TAXONOMY_MANAGE)
    await site.hold(work)
    await present(work.session, TargetKind.SERIES, series_id)
    there = [part.post.id for part in await parts(work.session, series_id)]
    wanted = [post_id for post_id in dict.fromkeys(order) if post_id in there]
    await passing_on.place_parts(work, series_id, [*wanted, *(post_id for post_id in there if post_id not in wanted)])
    if [*wanted] != there:
        audit.note(work, actor, "series.order", "series", series_id)
