"""What there is to find: a document of everything public, and the words of its title to correct misspelt ones by."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from functools import cache
from typing import Any

from sqlalchemy import Insert, bindparam, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from cms.content import spelling
from cms.content.folding import fold, words
from cms.content.plain_text import plain_text
from cms.db.dialect import Inserts
from cms.db.session import Database, Work
from cms.models import Published, SearchDocument, SearchVariant, SearchWord
from cms.models.post import Visibility
from cms.models.search import document_id

KIND = "post"  # of every document so far: posts and pages
MAX_WORDS = 16_000  # of a text; PostgreSQL counts positions no further than 16,383
_IS_LISTED = Published.visibility == Visibility.PUBLIC
BATCH = 100  # documents that are made anew in one transaction


async def index(work: Work, texts: Iterable[tuple[Published, str]]) -> None:
    """Put or replace the documents. Texts are plain, as they were written."""
    values = [_document(published, text) for published, text in texts]
    if not values:
        return
    old = await _headings(work, [value["ref"] for value in values])
    await work.session.execute(_put(work.dialect.insert), values)
    await _renew_words(work, [(old.get(value["ref"], ""), value["heading"]) for value in values])


@cache
def _put(insert: Inserts) -> Insert:
    put = insert(SearchDocument.__table__)
    return put.on_conflict_do_update(index_elements=["kind", "ref"], set_=dict(put.excluded))


async def remove(work: Work, post_id: int) -> None:
    await _renew_words(work, [(heading, "") for heading in (await _headings(work, [post_id])).values()])
    await work.session.execute(delete(SearchDocument).where(SearchDocument.kind == KIND, SearchDocument.ref == post_id))


async def count_public(session: AsyncSession) -> int:
    return await session.scalar(select(func.count()).select_from(Published).where(_IS_LISTED)) or 0


async def renew(work: Work, after: int) -> tuple[int, int]:
    """Make the next ``BATCH`` documents anew: how many there were, and the last one's number, from which to go on."""
    wanted = select(Published).where(Published.post_id > after, _IS_LISTED).order_by(Published.post_id).limit(BATCH)
    batch = (await work.session.scalars(wanted)).all()
    last = batch[-1].post_id if batch else 2**63 - 1
    there = [published.post_id for published in batch]
    between = (SearchDocument.kind == KIND, SearchDocument.ref > after, SearchDocument.ref <= last)
    for stray in (await work.session.scalars(select(SearchDocument.ref).where(*between, SearchDocument.ref.not_in(there)))).all():
        await remove(work, stray)
    if batch:
        await index(work, [(published, plain_text(published.html)) for published in batch])
    return len(batch), last


async def recount_words(work: Work) -> None:
    """Set right the words of all titles, whatever they were."""
    counted: Counter[str] = Counter()
    for heading in await work.session.scalars(select(SearchDocument.heading)):
        counted.update(set(heading.split()))
    known = {row.word: row.uses for row in await work.session.scalars(select(SearchWord))}
    wrong = sorted(word for word in known.keys() | counted.keys() if known.get(word) != counted.get(word))
    for start in range(0, len(wrong), BATCH):
        some = wrong[start : start + BATCH]
        await work.session.execute(delete(SearchWord).where(SearchWord.word.in_(some)))
        await _learn(work, {word: counted[word] for word in some if word in counted})


async def renew_all(database: Database, note: Callable[[int], None] = lambda _: None) -> int:
    """Everything, in transactions that are short enough for others to write in between. How many documents there are.

    ``note`` hears how many are done.
    """
    total, number, last = 0, BATCH, 0
    while number == BATCH:
        async with database.transaction() as work:
            number, last = await renew(work, last)
        total += number
        note(total)
    async with database.transaction() as work:
        await recount_words(work)
    return total


def _document(published: Published, text: str) -> dict[str, Any]:
    """Folded here and cut into words here, so that both databases find the same."""
    marks = [*(f"tag{tag['id']}" for tag in published.tags), *(f"author{author['id']}" for author in published.authors)]
    if published.category:
        marks.append(f"category{published.category['id']}")
    return {
        "id": document_id(published.published_at, published.post_id),
        "kind": KIND,
        "ref": published.post_id,
        "language": published.language,
        "title": fold(published.title),
        "heading": " ".join(words(published.title)),
        "marks": " ".join(f"#{mark}" for mark in [*marks, f"year{published.month[:4]}"]),
        "body": " ".join(words(text)[:MAX_WORDS]),
        "text": text,
    }


_HEADINGS = select(SearchDocument.ref, SearchDocument.heading).where(
    SearchDocument.kind == KIND, SearchDocument.ref.in_(bindparam("ids", expanding=True))
)


async def _headings(work: Work, post_ids: Collection[int]) -> dict[int, str]:
    return dict((await work.session.execute(_HEADINGS, {"ids": list(post_ids)})).all())


# --- words of titles ---------------------------------------------------------------------------------------------------------


async def _renew_words(work: Work, headings: Iterable[tuple[str, str]]) -> None:
    """``headings``: before and now."""
    more: Counter[str] = Counter()
    for old, new in headings:
        more.update(set(new.split()))
        more.subtract(set(old.split()))
    if lost := sorted(word for word, number in more.items() if number < 0):
        # Locked in one order, so that two who publish at one moment wait for each other instead of for ever.
        await work.session.execute(select(SearchWord.word).where(SearchWord.word.in_(lost)).order_by(SearchWord.word).with_for_update())
        for fewer in {more[word] for word in lost}:
            some = [word for word in lost if more[word] == fewer]
            await work.session.execute(update(SearchWord).where(SearchWord.word.in_(some)).values(uses=SearchWord.uses + fewer))
        await work.session.execute(delete(SearchWord).where(SearchWord.word.in_(lost), SearchWord.uses <= 0))
    await _learn(work, {word: number for word, number in more.items() if number > 0})


async def _learn(work: Work, counted: dict[str, int]) -> None:
    """More uses of these words; those that nobody used yet get the forms under which they are found."""
    if not counted:
        return
    put = work.dialect.insert(SearchWord).values([{"word": word, "uses": counted[word]} for word in sorted(counted)])
    more = put.on_conflict_do_update(index_elements=["word"], set_={"uses": SearchWord.uses + put.excluded.uses})
    rows = await work.session.execute(more.returning(SearchWord.word, SearchWord.uses))
    learnt = [word for word, uses in rows if uses == counted[word]]
    forms = [{"variant": form, "word": word} for word in learnt for form in sorted(spelling.variants(word))]
    if forms:
        await work.session.execute(work.dialect.insert(SearchVariant).on_conflict_do_nothing(), forms)
