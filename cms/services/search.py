"""What readers can find: folded plain text of what is public."""

from sqlalchemy import delete

from cms.content.folding import fold
from cms.db.session import Work
from cms.models import SearchDocument


async def index(work: Work, kind: str, ref: int, *, language: str, title: str, body: str) -> None:
    """Put or replace the search document of a thing. Text is folded here, so that both databases find the same."""
    values = {"language": language, "title": fold(title), "body": fold(body)}
    insert = work.dialect.insert(SearchDocument).values(kind=kind, ref=ref, **values)
    await work.session.execute(insert.on_conflict_do_update(index_elements=["kind", "ref"], set_=values))


async def remove(work: Work, kind: str, ref: int) -> None:
    await work.session.execute(delete(SearchDocument).where(SearchDocument.kind == kind, SearchDocument.ref == ref))
