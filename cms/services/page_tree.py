"""The tree of pages as the desk sees it, by what working copies say stands above each; moving one to another place.

Beside each other pages stand by ``posts.position``; those that nobody has placed come last, by title.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from cms import policy
from cms.content.context import Rendered
from cms.db.session import Work
from cms.errors import Conflict, InvalidInput, NotFound
from cms.events import PagesSorted, WorkChanged
from cms.models import Post, Published, WorkingCopy
from cms.models.post import Kind, Live
from cms.policy import Actor, Capability
from cms.services import audit, outbox, post_fields, posts, publishing, site, working_copies
from cms.services.posts import Draft
from cms.services.publishing import Version

MOST = 2000  # pages that a tree is drawn of


@dataclass(frozen=True, slots=True)
class Branch:
    """A page in the tree. ``path``: where readers find it, "" if nowhere; ``after``: the page before it beside it, 0 for the first."""

    post: Post
    parent_id: int | None
    path: str
    depth: int = 0
    after: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page is to stand: below another, or at the top; after one beside it, 0 for the first, None for the last."""

    page_id: int
    parent_id: int | None
    after: int | None = None


async def list_tree(session: AsyncSession, actor: Actor) -> list[Branch]:
    """Each page before those below it."""
    policy.require(actor, Capability.PAGE_EDIT)
    wanted = (
        select(Post, WorkingCopy.fields["parent"], Published.path)
        .join(WorkingCopy, WorkingCopy.post_id == Post.id)
        .outerjoin(Published, Published.post_id == Post.id)
        .where(Post.kind == Kind.PAGE, Post.live != Live.TRASHED, posts.visible_to(actor))
        .order_by(*Post.in_place(), Post.folded_title, Post.id)
        .limit(MOST)
    )
    found = [Branch(post, parent, path or "") for post, parent, path in await session.execute(wanted)]
    there = {each.post.id for each in found}
    below: dict[int | None, list[Branch]] = {}
    for each in found:
        below.setdefault(each.parent_id if each.parent_id in there else None, []).append(each)
    return list(_descend(below, None, 0))


def _descend(below: Mapping[int | None, Sequence[Branch]], above: int | None, depth: int) -> Iterable[Branch]:
    after = 0
    for each in below.get(above, ()):
        yield replace(each, parent_id=above, depth=depth, after=after)
        yield from _descend(below, each.post.id, depth + 1)
        after = each.post.id


def beside(tree: Sequence[Branch], page_id: int, way: str) -> Place:
    """Where a page comes by one step up, down, in (below the one before it) or out (after the one above it). Raises ``NotFound``."""
    of = {each.post.id: each for each in tree}
    if page_id not in of:
        raise NotFound
    here = of[page_id]
    following = next((each.post.id for each in tree if each.parent_id == here.parent_id and each.after == page_id), here.after)
    match way:
        case "up" if here.after:
            return Place(page_id, here.parent_id, of[here.after].after)
        case "down":
            return Place(page_id, here.parent_id, following)
        case "in" if here.after:
            return Place(page_id, here.after)
        case "out" if here.parent_id:
            return Place(page_id, of[here.parent_id].parent_id, here.parent_id)
    return Place(page_id, here.parent_id, here.after)


def below(tree: Sequence[Branch], page_id: int) -> set[int]:
    """A page and all that stands below it."""
    found = {page_id}
    for each in tree:
        if each.parent_id in found:
            found.add(each.post.id)
    return found


async def to_publish(session: AsyncSession, actor: Actor, place: Place) -> Draft | None:
    """The page, if moving it is to be seen by readers at once: it is public just as it stands, and the actor may publish it."""
    draft = await posts.get_draft(session, actor, place.page_id)
    may = policy.allows(actor, Capability.PAGE_PUBLISH, draft.post)
    moves = draft.fields.parent != place.parent_id
    return draft if moves and may and draft.post.is_published and not draft.post.has_changes else None


async def move(work: Work, actor: Actor, place: Place, seen: tuple[Draft, Rendered] | None = None) -> Post:
    """To its new place at the desk, and for readers where it was ``seen`` so; old addresses lead to the new ones.

    Raises ``InvalidInput`` for a place that it cannot have, ``Conflict`` if somebody wrote in it meanwhile.
    """
    await site.hold(work)
    page = await posts.get_editable(work.session, actor, place.page_id, lock=True)
    if page.kind is not Kind.PAGE or page.is_trashed:
        raise NotFound
    copy = await working_copies.project(work, page.id)
    if seen and copy.version != seen[0].version:
        raise Conflict
    before = copy.fields
    parent_id = await post_fields.parent(work.session, page, place.parent_id)
    if before.get("parent") != parent_id:
        copy = await working_copies.edit(work, actor, page.id, fields={"parent": parent_id})
        posts.note_saved(work, actor, page, before, copy, {"parent"})
    await _put(work, actor, replace(place, parent_id=parent_id))
    if seen:
        await publishing.publish(work, actor, page.id, Version(copy.version, seen[1]))
    return page


async def _put(work: Work, actor: Actor, place: Place) -> None:
    """Number those that stand there, this one at its place."""
    tree = await list_tree(work.session, actor)
    there = [each.post.id for each in tree if each.parent_id == place.parent_id and each.post.id != place.page_id]
    if place.after and place.after not in there:
        raise InvalidInput({"after": "The page beside it is not there any more; look again."})
    number = len(there) if place.after is None else there.index(place.after) + 1 if place.after else 0
    there.insert(number, place.page_id)
    now = {each.post.id: each.post.position for each in tree}
    changed = {page_id: n for n, page_id in enumerate(there, 1) if now.get(page_id) != n}
    for page_id, position in changed.items():
        quietly = {"synchronize_session": False}
        await work.session.execute(update(Post).where(Post.id == page_id).values(position=position).execution_options(**quietly))
    if changed:
        audit.note(work, actor, "page.place", "page", place.page_id)
        outbox.record(work, PagesSorted(place.parent_id))
        outbox.record(work, WorkChanged(place.page_id))
        await site.renew_frame(work)
