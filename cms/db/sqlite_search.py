"""FTS5 over ``search_documents``: an external-content table ``search_index``, kept by triggers (migrations/versions/20261128_search.py).

Its rowids are the documents' ids, which count up with the date, and FTS5 walks them backwards by itself: the newest matches of a word
that all documents have are found without looking at the rest.
"""

from collections.abc import Iterable

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from cms.schemas.search import Term, Wanted

_NEWEST = text("SELECT rowid FROM search_index WHERE search_index MATCH :wanted ORDER BY rowid DESC LIMIT :most")


async def search(session: AsyncSession, wanted: Wanted, most: int) -> tuple[list[int], list[int]]:
    in_title: list[int] = []
    if wanted.included:
        in_title = list(await session.scalars(_NEWEST, {"wanted": _expression(wanted, in_title=True), "most": most}))
    return in_title, list(await session.scalars(_NEWEST, {"wanted": _expression(wanted), "most": most}))


def _expression(wanted: Wanted, *, in_title: bool = False) -> str:
    """https://www.sqlite.org/fts5.html, 3: every word is quoted, and is letters and digits only, so that none can be an operator."""
    joint = " OR " if wanted.any_term else " AND "
    parts = [f"marks : ({' AND '.join(map(_quoted, wanted.marks))})"] if wanted.marks else []
    if wanted.included:
        parts.append(f"{'heading' if in_title else '{heading body}'} : ({_joined(joint, wanted.included)})")
    expression = " AND ".join(f"({part})" for part in parts)
    return f"({expression}) NOT ({{heading body}} : ({_joined(' OR ', wanted.excluded)}))" if wanted.excluded else expression


def _joined(joint: str, terms: Iterable[Term]) -> str:
    return joint.join(_quoted(" ".join(term.words)) + ("*" if term.is_prefix else "") for term in terms)


def _quoted(words: str) -> str:
    return f'"{words}"'
