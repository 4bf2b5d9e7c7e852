"""tsvector over ``search_documents``: generated columns with GIN indexes, and a function that walks back in time
(migrations/versions/20261128_search.py).

GIN knows no order, so ranking a word that all documents have would look at all of them. Each document's vector therefore has its era in
it, some weeks long, and the function asks for the newest eras first, then for more, then for everything.
"""

from collections.abc import Iterable

from sqlalchemy import Boolean, ColumnElement, cast, column, func, select, table, text
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from cms.schemas.search import Term, Wanted

_DESK = table("desk_documents", column("post_id"), column("search_index_desk"))
_AT_THE_DESK = text("SELECT search_index_desk_posts(:wanted, :most)")
_PLANNED = text("EXPLAIN (FORMAT JSON) SELECT FROM desk_documents WHERE search_index_desk @@ CAST(:wanted AS tsquery)")
SURELY = 10  # times as many, as statistics are rough and may be old
_NEWEST = text("SELECT search_index_newest(:heading, :whole, :marks, :most)")


async def search(session: AsyncSession, wanted: Wanted, most: int, *, in_title: bool) -> list[int]:
    asked = {
        "heading": _query(Wanted(wanted.included, any_term=wanted.any_term)) if in_title else "",
        "whole": _query(wanted) if wanted.excluded or not in_title else "",
        "marks": " & ".join(f"'#{mark}'" for mark in wanted.marks),
        "most": most,
    }
    return list(await session.scalars(_NEWEST, asked))


async def search_desk(session: AsyncSession, wanted: Wanted, most: int) -> list[int] | None:
    """The index gathers all matches before it gives the first away, so it is not asked where the server's statistics know of so many."""
    asked = " & ".join(_terms(wanted.terms))
    (planned,) = (await session.execute(_PLANNED, {"wanted": asked})).scalar_one()
    if planned["Plan"]["Plan Rows"] > SURELY * most:
        return None
    found = list(await session.scalars(_AT_THE_DESK, {"wanted": asked, "most": most + 1}))
    return found if len(found) <= most else None


def has_terms(wanted: Wanted, post_id: InstrumentedAttribute[int]) -> ColumnElement[bool]:
    """Asked post by post, until there are enough: gathering all matches would read most of the vectors."""
    has = _DESK.c.search_index_desk.bool_op("@@")(cast(" & ".join(_terms(wanted.terms)), TSQUERY))
    return func.coalesce(select(has).where(_DESK.c.post_id == post_id).scalar_subquery(), False, type_=Boolean)


def _query(wanted: Wanted) -> str:
    """For ``to_tsquery``: every term is quoted, and is letters, digits and spaces only, so that none can be an operator."""
    included = (" | " if wanted.any_term else " & ").join(_terms(wanted.included))
    return " & ".join([*([f"({included})"] if included else []), *(f"!{term}" for term in _terms(wanted.excluded))])


def _terms(terms: Iterable[Term]) -> list[str]:
    return ["(" + " <-> ".join(f"'{word}'" for word in term.words) + (":*)" if term.is_prefix else ")") for term in terms]
