"""What a writer may want to link to: posts and pages, by words of their titles."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cms import policy
from cms.content.folding import fold
from cms.models import Post, Published
from cms.models.post import Live
from cms.policy import Actor, Capability
from cms.services import posts

MOST = 20


@dataclass(frozen=True, slots=True)
class LinkTarget:
    """``path`` begins with a slash; it is "" for what has no address that readers could follow."""

    title: str
    path: str


async def find(session: AsyncSession, actor: Actor, words: str) -> Sequence[LinkTarget]:
    """Those with all of the words in their titles, newest work first: all that are public, and the drafts the actor may know of."""
    policy.require(actor, Capability.POST_EDIT)
    wanted = (
        select(Post.title, Published.title, Published.path)
        .outerjoin(Published, Published.post_id == Post.id)
        .where(Post.live != Live.TRASHED, Post.title != "", posts.visible_to(actor))
        .order_by(Post.updated_at.desc(), Post.id.desc())
        .limit(MOST)
    )
    for word in fold(words.replace("\0", " ")).split()[:8]:
        wanted = wanted.where(posts.has_in_title(actor, word))
    rows = await session.execute(wanted)
    return [LinkTarget(public or title, f"/{path}" if path is not None else "") for title, public, path in rows]
