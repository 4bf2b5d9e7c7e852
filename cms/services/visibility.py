"""Whom a text is for: everybody, whoever has its address, or whoever knows its password. It holds at once, and belongs to no revision."""

from cms import policy
from cms.content.plain_text import plain_text
from cms.db.session import Work
from cms.errors import Conflict, InvalidInput
from cms.events import PostPublished, WorkChanged
from cms.models import Post, Published
from cms.models.post import Kind, Visibility
from cms.policy import Actor, Capability
from cms.services import audit, documents, link_cards, outbox, posts, publishing, search_index, site, surroundings


async def choose(work: Work, actor: Actor, post_id: int, wanted: Visibility, password_hash: str | None) -> Post:
    """``password_hash``: of a new password; None leaves the one that is there.

    Raises ``InvalidInput`` on ``password`` if one is needed and there is none.
    """
    post = await posts.hold(work, actor, post_id)
    require_changeable(actor, post)
    if wanted is Visibility.PASSWORD and not (password_hash or post.password_hash):
        raise InvalidInput({"password": "Readers need a password to be asked for."})
    former, post.visibility = post.visibility, wanted
    if wanted is not Visibility.PASSWORD:
        post.password_hash = None
    elif password_hash:
        post.password_hash = password_hash
    audit.note(work, actor, f"{post.kind}.visibility", post.kind, post_id, before=former, after=wanted, password=bool(password_hash))
    outbox.record(work, WorkChanged(post_id))
    published = await work.session.get(Published, post_id)
    if published and published.visibility is not wanted:
        await _show(work, published, wanted)
    return post


def require_changeable(actor: Actor, post: Post) -> None:
    """Whoever may put it before readers says which readers. Raises ``Forbidden``, or ``Conflict`` while it is in the trash."""
    policy.require(actor, Capability.of(post.kind, "publish"), post)
    if post.is_trashed:
        raise Conflict("This is in the trash; take it out first.")


async def _show(work: Work, published: Published, wanted: Visibility) -> None:
    """Let the lists have it, or take it out of them; what stands around it follows."""
    session = work.session
    before, around = documents.listed(published), await surroundings.around(session, [published])
    was_listed, published.visibility = published.is_listed, wanted
    await session.flush()
    if published.is_listed and not was_listed:
        await search_index.index(work, [(published, plain_text(published.html))])
    elif was_listed and not published.is_listed:
        await search_index.remove(work, published.post_id)
    others = await surroundings.others(session, around | await surroundings.around(session, [published]), [published])
    changed = await surroundings.renew(session, [published, *others])
    await link_cards.follow(work, [published.post_id])
    now = documents.listed(published)
    aspects = ("visibility", *changed.get(published.post_id, ()))
    months = await publishing.months_that_came_or_went(session, [(before, now)])
    outbox.record(
        work,
        PostPublished(published.post_id, published.kind, aspects, published.path, published.path, before, now, tuple(sorted(months))),
    )
    surroundings.announce(work, others, changed)
    if published.kind is Kind.PAGE:
        await publishing.renew_below(work, published)
        await site.renew_frame(work)
