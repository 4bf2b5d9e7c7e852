"""Pieces of Markdown that are put into texts: all who write use them, editors keep them."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cms import policy
from cms.content.folding import fold
from cms.db.session import Work
from cms.errors import Conflict, InvalidInput, NotFound
from cms.models import Snippet, TrashedThing
from cms.models.desk import TrashKind
from cms.policy import Actor, Capability
from cms.schemas.snippets import SnippetInput
from cms.services import audit, site, trashed_things
from cms.wording import say

MOST = 500


async def list_snippets(session: AsyncSession, words: str = "") -> Sequence[Snippet]:
    """By name. ``words``: only those that have all of them in name or text, whatever their case and accents."""
    found = (await session.scalars(select(Snippet).order_by(Snippet.name, Snippet.id))).all()
    wanted = fold(words).split()
    return [snippet for snippet in found if all(word in fold(f"{snippet.name} {snippet.text}") for word in wanted)] if wanted else found


async def get(session: AsyncSession, snippet_id: int) -> Snippet:
    snippet = await session.get(Snippet, snippet_id)
    if snippet is None:
        raise NotFound
    return snippet


async def create(work: Work, actor: Actor, wanted: SnippetInput) -> Snippet:
    snippet = await _add(work, actor, wanted.name, wanted.text)
    audit.note(work, actor, "snippet.create", "snippet", snippet.id)
    return snippet


async def _add(work: Work, actor: Actor, name: str, text: str) -> Snippet:
    policy.require(actor, Capability.SNIPPET_MANAGE)
    await _require_free(work, name)
    if len(await list_snippets(work.session)) >= MOST:
        raise InvalidInput({"": say("There are {most} snippets already; delete one that nobody needs any more.", most=MOST)})
    snippet = Snippet(name=name, text=text, updated_at=work.now, updated_by_id=actor.user_id)
    work.session.add(snippet)
    await work.session.flush()
    return snippet


async def change(work: Work, actor: Actor, snippet_id: int, wanted: SnippetInput) -> Snippet:
    """Texts in which it stands already stay as they are. Raises ``Conflict`` if it is another by now than what was seen."""
    policy.require(actor, Capability.SNIPPET_MANAGE)
    await _require_free(work, wanted.name, but=snippet_id)
    snippet = await get(work.session, snippet_id)
    if snippet.version != wanted.version:
        raise Conflict
    changed = [name for name in ("name", "text") if getattr(snippet, name) != getattr(wanted, name)]
    if changed:
        snippet.name, snippet.text, snippet.updated_at, snippet.updated_by_id = wanted.name, wanted.text, work.now, actor.user_id
        audit.note(work, actor, "snippet.edit", "snippet", snippet_id, changed=changed)
    return snippet


async def delete(work: Work, actor: Actor, snippet_id: int) -> TrashedThing:
    policy.require(actor, Capability.SNIPPET_MANAGE)
    await site.hold(work)
    snippet = await get(work.session, snippet_id)
    await work.session.delete(snippet)
    line = audit.note(work, actor, "snippet.delete", "snippet", snippet_id, name=snippet.name)
    return await trashed_things.put(work, TrashKind.SNIPPET, line, snippet.name, {"text": snippet.text})


async def restore(work: Work, actor: Actor, thing: TrashedThing) -> None:
    """Raises ``InvalidInput`` if another is called so, or there are too many."""
    await _add(work, actor, thing.name, thing.was["text"])


async def _require_free(work: Work, name: str, but: int = 0) -> None:
    """The site is held, so that two who take one name come one after the other."""
    await site.hold(work)
    if await work.session.scalar(select(Snippet.id).where(Snippet.name == name, Snippet.id != but)):
        raise InvalidInput({"name": "There is a snippet of this name already."})
