"""FTS5 over ``search_documents``: external-content tables, kept by triggers (migrations/versions/20261128_search.py).

Their rowids are the documents' ids, which count up with the date, and FTS5 walks them backwards by itself: the newest matches of a word
that all documents have are found without looking at the rest.
"""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, column, select, table, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from cms.schemas.search import Term, Wanted

_ANYWHERE = text("SELECT rowid FROM search_index WHERE search_index MATCH :wanted ORDER BY rowid DESC LIMIT :most")
_IN_TITLE = text("SELECT rowid FROM search_index_headings WHERE search_index_headings MATCH :wanted ORDER BY rowid DESC LIMIT :most")
_IN_TITLE_ALONE = text(
    "SELECT rowid FROM search_index_headings WHERE search_index_headings MATCH :wanted"
    " AND rowid NOT IN (SELECT rowid FROM search_index WHERE search_index MATCH :excluded) ORDER BY rowid DESC LIMIT :most"
)


_DESK = table("search_index_desk", column("rowid"))
_AT_THE_DESK = text("search_index_desk MATCH :wanted")


async def search(session: AsyncSession, wanted: Wanted, most: int, *, in_title: bool) -> list[int]:
    included, excluded = _included(wanted), f"{{heading body}} : ({_joined(' OR ', wanted.excluded)})"
    asked: dict[str, object] = {"wanted": included.format(columns="heading" if in_title else "{heading body}"), "most": most}
    if not in_title:
        whole = {"wanted": f"({asked['wanted']}) NOT ({excluded})"} if wanted.excluded else {}
        return list(await session.scalars(_ANYWHERE, {**asked, **whole}))
    if not wanted.excluded:
        return list(await session.scalars(_IN_TITLE, asked))
    return list(await session.scalars(_IN_TITLE_ALONE, {**asked, "excluded": excluded}))


async def search_desk(session: AsyncSession, wanted: Wanted, most: int) -> list[int] | None:
    """Words as they stand are found one after the other; whatever goes on from them is only gathered if that is not enough."""
    found = select(_DESK.c.rowid).where(_AT_THE_DESK).limit(most + 1)
    numbers: list[int] = []
    for terms in ([Term(term.words) for term in wanted.terms], wanted.terms):
        numbers = list(await session.scalars(found, {"wanted": _joined(" AND ", terms)}))
        if len(numbers) > most:
            return None
    return numbers


def has_terms(wanted: Wanted, post_id: InstrumentedAttribute[int]) -> ColumnElement[bool]:
    """All matches are gathered once. The sum keeps them from being what a query begins with: it goes by the order that it wants."""
    found = select(_DESK.c.rowid).where(_AT_THE_DESK.bindparams(wanted=_joined(" AND ", wanted.terms)))
    return (post_id + 0).in_(found)


def _included(wanted: Wanted) -> str:
    """https://www.sqlite.org/fts5.html, 3: every word is quoted, and is letters and digits only, so that none can be an operator."""
    parts = [f"(marks : ({' AND '.join(map(_quoted, wanted.marks))}))"] if wanted.marks else []
    if wanted.included:
        parts.append(f"({{columns}} : ({_joined(' OR ' if wanted.any_term else ' AND ', wanted.included)}))")
    return " AND ".join(parts)


def _joined(joint: str, terms: Iterable[Term]) -> str:
    return joint.join(_quoted(" ".join(term.words)) + ("*" if term.is_prefix else "") for term in terms)


def _quoted(words: str) -> str:
    return f'"{words}"'
