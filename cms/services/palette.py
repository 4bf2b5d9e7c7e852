"""What somebody at the desk may want to open: texts by words of their titles, those that were worked on last first."""

from collections.abc import Sequence

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cms import policy
from cms.content.folding import fold
from cms.models import Post
from cms.models.post import Kind, Live
from cms.policy import Actor, Capability, Scope
from cms.services import posts

MOST = 6
MOST_WORDS = 8


async def find(session: AsyncSession, actor: Actor, words: str) -> Sequence[Post]:
    """Those that the actor may open in the editor, all of the words in their titles."""
    policy.require(actor, Capability.POST_EDIT)
    may_edit = or_(
        *(
            (Post.kind == kind) & (posts.visible_to(actor) if reach is Scope.ANY else posts.is_own(actor))
            for kind in Kind
            if (reach := policy.scope(actor, Capability.of(kind, "edit")))
        )
    )
    wanted = select(Post).where(may_edit, Post.live != Live.TRASHED)
    for word in fold(words.replace("\0", " ")).split()[:MOST_WORDS]:
        wanted = wanted.where(Post.folded_title.contains(word, autoescape=True))
    return (await session.scalars(wanted.order_by(Post.updated_at.desc(), Post.id.desc()).limit(MOST))).all()
