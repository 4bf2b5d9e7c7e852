"""Who wrote a text: names in the read documents, so that a reader's page is one row; and giving texts to somebody else."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from sqlalchemy import delete, exists, func, or_, select, update
from sqlalchemy.orm import aliased, load_only

from cms.db.session import Work
from cms.events import PostPublished
from cms.models import Address, Asset, MenuItem, Post, PostAuthor, Published, SearchDocument, User
from cms.models.address import AddressState, TargetKind
from cms.models.post import Side
from cms.services import documents, kept_fields, outbox, site, terms
from cms.services.kept_fields import Place

BATCH = 500  # posts whose history is looked at in one statement


async def renew(work: Work, user: User) -> None:
    """Write the person's present name, words and address into every public text of theirs; in what readers see nothing else changes.

    The desk's lists are sorted by the present name, too.
    """
    await terms.sort_by(work, user)
    theirs = select(PostAuthor.post_id).where(PostAuthor.user_id == user.id, PostAuthor.side == Side.LIVE)
    rows = await work.session.execute(select(Published.post_id, Published.authors).where(Published.post_id.in_(theirs)))
    byline = documents.byline(user)
    values = [{"post_id": post_id, "authors": [byline if each["id"] == user.id else each for each in authors]} for post_id, authors in rows]
    if values:
        await work.session.execute(update(Published), values)


async def give(work: Work, user: User, heir: User) -> None:
    """All that a person wrote or brought is another's from now on: at the desk with its history, for readers, in menus. The address of the
    person's own list leads to the heir's."""
    await site.hold(work)  # as whatever changes what readers see
    written = select(PostAuthor.post_id).where(PostAuthor.user_id == user.id)
    posts = (await work.session.scalars(select(Post.id).where(or_(Post.created_by_id == user.id, Post.id.in_(written))))).all()
    for start in range(0, len(posts), BATCH):
        some = posts[start : start + BATCH]
        await _in_public(work, some, user, heir)
        await kept_fields.rewrite(work, some, "authors", partial(_inherited, user.id, heir.id))
    await _in_rows(work, user.id, heir.id)
    await terms.sort_by(work, heir)
    await site.renew_frame(work)


async def _in_public(work: Work, post_ids: Sequence[int], user: User, heir: User) -> None:
    """The read documents, each with its event: it leaves one person's list and comes into the other's."""
    seen = (Published.kind, Published.parent_id, Published.path, Published.published_at, Published.month, Published.authors)
    wanted = select(Published).where(Published.post_id.in_(post_ids))
    wanted = wanted.options(load_only(*seen, Published.tags, Published.category, Published.series, Published.visibility))
    for row in (await work.session.scalars(wanted)).all():
        if all(each["id"] != user.id for each in row.authors):
            continue
        before = documents.listed(row)
        row.authors = _passed_on(row.authors, user.id, documents.byline(heir))
        outbox.record(work, PostPublished(row.post_id, row.kind, ("authors",), row.path, row.path, before, documents.listed(row)))
    await work.session.flush()


def _inherited(user_id: int, heir_id: int, _place: Place, authors: Sequence[int] | None) -> Sequence[int] | None:
    """A revision that is restored must not name somebody who is not there."""
    return kept_fields.passed_on(authors, user_id, heir_id) if authors and user_id in authors else authors


def _passed_on(authors: Sequence[Any], user_id: int, heir: Any) -> list[Any]:
    """The heir in the person's place; once, if he was among them."""
    is_there = any(each["id"] == heir["id"] for each in authors)
    return [heir if each["id"] == user_id else each for each in authors if not (is_there and each["id"] == user_id)]


async def _in_rows(work: Work, user_id: int, heir_id: int) -> None:
    session, other = work.session, aliased(PostAuthor)
    with_heir = exists().where(other.post_id == PostAuthor.post_id, other.side == PostAuthor.side, other.user_id == heir_id)
    await session.execute(delete(PostAuthor).where(PostAuthor.user_id == user_id, with_heir).execution_options(synchronize_session=False))
    for theirs in (PostAuthor.user_id, Post.created_by_id, Asset.created_by_id):
        await session.execute(update(theirs.class_).where(theirs == user_id).values({theirs: heir_id}))
    mine = (MenuItem.target_kind == TargetKind.AUTHOR) & (MenuItem.target_id == user_id)
    await session.execute(update(MenuItem).where(mine).values(target_id=heir_id))
    list_of = (Address.target_kind == TargetKind.AUTHOR) & (Address.target_id == user_id)
    await session.execute(update(Address).where(list_of).values(target_id=heir_id, state=AddressState.MOVED))
    marks = func.replace(" " + SearchDocument.marks + " ", f" #author{user_id} ", f" #author{heir_id} ")
    found = SearchDocument.marks.contains(f"#author{user_id}")
    await session.execute(update(SearchDocument).where(found).values(marks=func.trim(marks)).execution_options(synchronize_session=False))
