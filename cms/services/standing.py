"""What somebody who has a document open may do with it: asked when he comes, and again whenever that may have changed."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from cms import policy
from cms.errors import Forbidden, NotAuthenticated
from cms.models import Post
from cms.policy import Actor, Capability
from cms.services import posts, sessions
from cms.wording import say


@dataclass(frozen=True, slots=True)
class Standing:
    """``why``: a sentence for whoever may only read; "" for the others. ``chooses``: may say who wrote it and what stands first."""

    actor: Actor
    why: str
    chooses: bool

    @property
    def may_write(self) -> bool:
        return not self.why


async def standing(session: AsyncSession, session_id: int, post_id: int, now: datetime) -> Standing:
    """Raises ``NotAuthenticated`` if the session has ended, ``NotFound`` or ``Forbidden`` if the person may not see the text."""
    found = await sessions.find_again(session, session_id, now)
    if found is None or found.lacks_factor:
        raise NotAuthenticated
    actor = found.user.actor
    post = await posts.get_visible(session, actor, post_id)
    if not policy.allows(actor, Capability.DRAFT_SEE, post):
        raise Forbidden("This text is not yours to see.")
    return Standing(actor, _why_not(actor, post), policy.allows(actor, Capability.TAXONOMY_MANAGE))


def _why_not(actor: Actor, post: Post) -> str:
    if post.is_trashed:
        return say("This is in the trash; take it out to go on writing.")
    if not policy.allows(actor, Capability.of(post.kind, "edit"), post):
        return say("You may read this, but not change it.")
    return ""
