"""What readers look for, what they are answered, and what they did not find. ``search_index`` says what there is to find."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from math import log2

from sqlalchemy import and_, delete, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cms.content import search_query, spelling
from cms.content.folding import fold, words
from cms.content.highlight import Piece, snippet
from cms.db.session import ReadSession, Work
from cms.models import (
    Address,
    Category,
    PostAuthor,
    PostCategory,
    PostTag,
    Published,
    SearchDocument,
    SearchMiss,
    SearchVariant,
    SearchWord,
    Tag,
    User,
)
from cms.models.address import TargetKind, normalise_path
from cms.models.post import Side, Visibility
from cms.models.search import MAX_MISS, years_between
from cms.models.site import Frame
from cms.schemas.search import FILTERS, SearchInput, Term, Wanted
from cms.services import reading, site
from cms.services.reading import Card

MOST = 100  # documents that are ranked: the newest with the words in their title, and the newest with them anywhere
FEW = 3  # results; fewer may mean that a word is misspelt
NARROWER = 6  # of each kind, to narrow results by
NEAR = 5  # titles that a mistyped address is answered with
BEGINNING = 4000  # characters of a text that say what it is about
MANY = 15  # times a word stands in a text; more says no more of what it is about
HALF_LIFE = 3  # years

MOST_MISSES = 1000  # rows, and queries that a process remembers until they are written
MISSES_KEPT = timedelta(days=90)
_PERSONAL = re.compile(r"@|\d{6}")  # addresses, and numbers of telephones, cards, customers


@dataclass(frozen=True, slots=True)
class Filter:
    kind: str
    value: str  # as it stands in the address
    name: str  # as readers know it


@dataclass(frozen=True, slots=True)
class Hit:
    card: Card
    snippet: Sequence[Piece]


@dataclass(frozen=True, slots=True)
class Found:
    """A page of results. ``meant``: a misspelt query as titles have it; ``is_of_meant``: these are its results, as there are no others."""

    frame: Frame
    asked: SearchInput
    filters: Sequence[Filter] = ()
    hits: Sequence[Hit] = ()
    total: int = 0
    is_more: bool = False  # than were ranked
    page: int = 1
    pages: int = 1
    meant: str = ""
    is_of_meant: bool = False
    most: int = MOST

    @property
    def narrower(self) -> list[Filter]:
        """What results that are shown differ in, to go on with; the most frequent of each kind first."""
        if self.total <= len(self.hits):
            return []
        counted = {kind: Counter(found for hit in self.hits for found in _filed(kind, hit.card)) for kind in FILTERS}
        return [
            Filter(kind, value, name)
            for kind, number in counted.items()
            if kind not in self.asked.filters and (kind == "tag" or len(number) > 1)
            for (value, name), _ in number.most_common(NARROWER)
        ]


def _filed(kind: str, card: Card) -> list[tuple[str, str]]:
    """Under what a post is found: as it stands in the address of a filter, and as readers know it."""
    if kind == "year":
        return [(f"{card.published_at.year}",) * 2]
    terms = {"tag": card.tags, "category": [card.category] if card.category else [], "author": card.authors}[kind]
    return [(term["path"].removeprefix(f"/{kind}/"), term["name"]) for term in terms]


@dataclass(frozen=True, slots=True)
class _Answer:
    terms: tuple[Term, ...] = ()
    ids: Sequence[int] = ()  # of documents, the best first
    is_more: bool = False


async def find(session: ReadSession, asked: SearchInput) -> Found:
    frame = await site.get_frame(session)
    filters, marks = await _filters(session, asked)
    if marks is None:
        return Found(frame, asked, filters)
    answer = await _answer(session, Wanted(search_query.parse(asked.q), marks))
    meant = await _answer_to_meant(session, Wanted(answer.terms, marks)) if len(answer.ids) < FEW else _Answer()
    is_of_meant = bool(meant.ids and not answer.ids)
    shown = meant if is_of_meant else answer
    pages = max(1, -(-len(shown.ids) // frame.posts_per_page))
    page = min(asked.page, pages)
    ids = shown.ids[(page - 1) * frame.posts_per_page : page * frame.posts_per_page]
    spelt = " ".join(map(str, meant.terms)) if meant.ids else ""
    hits = await _hits(session, ids, shown.terms)
    return Found(frame, asked, filters, hits, len(shown.ids), shown.is_more, page, pages, spelt, is_of_meant)


async def near_titles(session: ReadSession, path: str) -> list[tuple[str, str]]:
    """Title and path of what is public and has the most in common with the words of a mistyped path."""
    asked = tuple(dict.fromkeys(word for word in words(path.rsplit("/", 1)[-1]) if len(word) >= spelling.SHORTEST))
    corrected = await _corrections(session, asked[: search_query.MAX_TERMS])
    wanted = {corrected.get(word, word) for word in asked[: search_query.MAX_TERMS]}
    if not wanted:
        return []
    terms = tuple(Term((word,)) for word in sorted(wanted))
    ids = await session.dialect.search(session, Wanted(terms, any_term=True), MOST, in_title=True)
    if not ids:
        return []
    rows = await session.execute(select(SearchDocument.id, SearchDocument.ref, SearchDocument.heading).where(SearchDocument.id.in_(ids)))
    scored = sorted(((-len(wanted.intersection(heading.split())), len(heading), -id_, ref) for id_, ref, heading in rows))
    cards = await reading.cards(session, [ref for *_, ref in scored[:NEAR]])
    return [(card.title, card.path) for card in cards]


# --- which, and in which order -----------------------------------------------------------------------------------------------


async def _answer(session: ReadSession, wanted: Wanted) -> _Answer:
    """A last word that is found often enough as it stands is taken for finished."""
    if not wanted:
        return _Answer(wanted.terms)
    finished = replace(wanted, terms=tuple(replace(term, is_prefix=False) for term in wanted.terms))
    anywhere = await session.dialect.search(session, finished, MOST)
    if len(anywhere) == MOST:
        wanted = finished
    elif finished != wanted and (anywhere or await _are_others_found(session, wanted)):
        anywhere = await session.dialect.search(session, wanted, MOST)
    in_title = await session.dialect.search(session, wanted, MOST, in_title=True) if wanted.included and anywhere else []
    ids = {*in_title, *anywhere}
    worth = await _worth(session, wanted.included, ids, frozenset(in_title)) if wanted.included and ids else {}
    return _Answer(wanted.terms, sorted(ids, key=lambda id_: (-worth.get(id_, 0), -id_)), len(anywhere) == MOST)


async def _are_others_found(session: ReadSession, wanted: Wanted) -> bool:
    """Whether the words beside the unfinished one stand anywhere. PostgreSQL gathers all that begins like that one, however rare the
    others are: where one of them is misspelt, for nothing."""
    others = tuple(term for term in wanted.included if not term.is_prefix)
    return not others or bool(await session.dialect.search(session, Wanted(others, wanted.marks), 1))


async def _worth(session: ReadSession, terms: Sequence[Term], ids: set[int], in_title: frozenset[int]) -> dict[int, float]:
    """Title over text, then how often the words stand in it, then how new it is beside the newest of them."""
    sought = [f" {' '.join(term.words)}{'' if term.is_prefix else ' '}" for term in terms]
    whole = " ".join(" ".join(term.words) for term in terms)
    beginning = func.substr(SearchDocument.body, 1, BEGINNING)
    rows = await session.execute(select(SearchDocument.id, SearchDocument.heading, beginning).where(SearchDocument.id.in_(ids)))
    newest = max(ids)
    return {
        id_: 2 * (id_ in in_title)
        + (heading == whole)
        + sum(log2(1 + min(f" {body} ".count(words), MANY)) for words in sought) / len(sought) / log2(1 + MANY)
        + 0.5 ** (years_between(newest, id_) / HALF_LIFE)
        for id_, heading, body in rows
    }


async def _answer_to_meant(session: ReadSession, wanted: Wanted) -> _Answer:
    """The same question with its words as titles have them; empty if there is nothing to correct, or nothing found then."""
    single = [term.words[0] for term in wanted.included if len(term.words) == 1]
    corrected = await _corrections(session, single)
    if not corrected:
        return _Answer()
    terms = [replace(term, words=(corrected.get(term.words[0], term.words[0]), *term.words[1:])) for term in wanted.terms]
    return await _answer(session, Wanted(tuple(terms), wanted.marks))


async def _corrections(session: ReadSession, asked: Sequence[str]) -> dict[str, str]:
    """Word → the nearest word of a public title, the most used of equals; without those that are such words."""
    forms = {word: spelling.guesses(word) for word in asked}
    every = {form for own in forms.values() for form in own}
    if not every:
        return {}
    near = select(SearchVariant.variant, SearchWord.word, SearchWord.uses).join(SearchWord).where(SearchVariant.variant.in_(every))
    rows = (await session.execute(near)).all()
    found: dict[str, str] = {}
    for word, own in forms.items():
        candidates = {(spelling.distance(word, other), -uses, other) for form, other, uses in rows if form in own}
        best = min(candidates, default=None)
        if best and best[0] > 0 and spelling.is_near(word, best[2]):
            found[word] = best[2]
    return found


# --- filters -----------------------------------------------------------------------------------------------------------------


async def _filters(session: ReadSession, asked: SearchInput) -> tuple[list[Filter], tuple[str, ...] | None]:
    """What the results are narrowed to, and the marks of it; None for the marks if one of them has nothing public."""
    known = await _terms(session, asked)
    filters, marks = [], []
    for kind, value in asked.filters.items():
        name, mark = known.get(kind, (value, f"year{value}" if kind == "year" else ""))
        filters.append(Filter(kind, value, name))
        marks.append(mark)
    return filters, tuple(marks) if all(marks) else None


async def _terms(session: ReadSession, asked: SearchInput) -> Mapping[str, tuple[str, str]]:
    """Kind → name and mark of what stands at these addresses, if something public has it."""
    paths = [normalise_path(f"{kind}/{value}") for kind, value in asked.filters.items() if kind != "year"]
    if not paths:
        return {}
    listed = Published.visibility == Visibility.PUBLIC
    live = [
        and_(
            Address.target_kind == kind,
            exists().where(table.side == Side.LIVE, column == Address.target_id, Published.post_id == table.post_id, listed),
        )
        for kind, table, column in (
            (TargetKind.TAG, PostTag, PostTag.tag_id),
            (TargetKind.CATEGORY, PostCategory, PostCategory.category_id),
            (TargetKind.AUTHOR, PostAuthor, PostAuthor.user_id),
        )
    ]
    rows = await session.execute(
        select(Address.target_kind, Address.target_id, func.coalesce(Tag.name, Category.name, User.name))
        .outerjoin(Tag, and_(live[0], Tag.id == Address.target_id))
        .outerjoin(Category, and_(live[1], Category.id == Address.target_id))
        .outerjoin(User, and_(live[2], User.id == Address.target_id))
        .where(Address.path.in_(paths))
    )
    return {kind.value: (name, f"{kind}{target_id}") for kind, target_id, name in rows if name is not None}


# --- what is shown -------------------------------------------------------------------------------------------------------------


async def _hits(session: ReadSession, ids: Sequence[int], terms: Sequence[Term]) -> list[Hit]:
    if not ids:
        return []
    rows = await session.execute(select(SearchDocument.id, SearchDocument.ref, SearchDocument.text).where(SearchDocument.id.in_(ids)))
    documents = {id_: (ref, text) for id_, ref, text in rows}
    texts = dict(documents[id_] for id_ in ids if id_ in documents)
    included = [term for term in terms if not term.is_excluded]
    return [Hit(card, snippet(texts[card.post_id], included)) for card in await reading.cards(session, list(texts))]


# --- what was not found ----------------------------------------------------------------------------------------------------------


class Misses:
    """What was not found since it was last written down. Only counts: a reader does not wait for it."""

    def __init__(self) -> None:
        self._counted: Counter[str] = Counter()

    def note(self, query: str) -> None:
        query = " ".join(fold(query).split())
        is_known = query in self._counted or len(self._counted) < MOST_MISSES
        if is_known and 0 < len(query) <= MAX_MISS and words(query) and not _PERSONAL.search(query):
            self._counted[query] += 1

    def __bool__(self) -> bool:
        return bool(self._counted)

    def take(self) -> dict[str, int]:
        taken, self._counted = dict(self._counted), Counter()
        return taken


async def record_misses(work: Work, counted: Mapping[str, int]) -> None:
    """Add them to those that are known. When there are too many, the rarest and oldest make room."""
    rows = [{"query": query, "times": times, "last_at": work.now} for query, times in sorted(counted.items())]
    insert = work.dialect.insert(SearchMiss)
    again = {"times": SearchMiss.times + insert.excluded.times, "last_at": insert.excluded.last_at}
    await work.session.execute(insert.on_conflict_do_update(index_elements=["query"], set_=again), rows)
    kept = select(SearchMiss.query).order_by(SearchMiss.times.desc(), SearchMiss.last_at.desc(), SearchMiss.query).limit(MOST_MISSES)
    await work.session.execute(delete(SearchMiss).where(SearchMiss.query.not_in(kept)))


async def prune_misses(work: Work) -> None:
    await work.session.execute(delete(SearchMiss).where(SearchMiss.last_at < work.now - MISSES_KEPT))


async def list_misses(session: AsyncSession, limit: int = 20) -> list[SearchMiss]:
    """What was most often looked for in vain."""
    wanted = select(SearchMiss).order_by(SearchMiss.times.desc(), SearchMiss.last_at.desc(), SearchMiss.query).limit(limit)
    return list(await session.scalars(wanted))
