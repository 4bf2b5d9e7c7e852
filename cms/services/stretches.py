"""What somebody writes in a document without a long silence, or until he leaves: one line of the audit, as a form that is saved is one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from cms import crdt
from cms.db.session import Work
from cms.models import Post, User, WorkingCopy
from cms.policy import Actor
from cms.services import posts


@dataclass(slots=True)
class Stretch:
    """``before``: the document's fields when it began. ``changed``: keys of the document. ``at``: when he wrote last."""

    actor: Actor
    request_id: str
    address: str
    before: Mapping[str, Any]
    at: float
    changed: set[str] = field(default_factory=set)


async def note(work: Work, post_id: int, stretch: Stretch) -> None:
    """From where is left out if the person was forgotten meanwhile, and nothing noted of what was changed back."""
    held = select(User).where(User.id == stretch.actor.user_id).with_for_update(read=True)
    person = (await work.session.scalars(held)).one_or_none()
    if person is None or person.is_erased:
        work.address = ""
    post, copy = await work.session.get(Post, post_id), await work.session.get(WorkingCopy, post_id)
    if post is None or copy is None:
        return
    changed = {key for key in stretch.changed & copy.fields.keys() if stretch.before.get(key) != copy.fields[key]}
    posts.note_saved(work, stretch.actor, post, stretch.before, copy, changed | ({"text"} if crdt.CONTENT in stretch.changed else set()))
