"""What readers are asked for: the password of a text, or of a site that is not open; and what a browser keeps that was given it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cms.models import Post, Published, Site
from cms.models.post import Visibility
from cms.models.site import SITE_ID
from cms.services.throttling import Limit

TRIES = Limit("passwords of readers", 10, 300)  # from one address
MOST = 20  # that one browser keeps; the oldest give way
DAYS = 30  # that it keeps them


@dataclass(frozen=True, slots=True)
class Lock:
    """``stored``: the hash of the password. ``path``: where whoever has it goes on, with a slash before it; "" for where he was."""

    stored: str
    mark: str
    path: str = ""


def mark(of: str, stored: str) -> str:
    """What a browser keeps; another as soon as the password is. ``of``: "post:7", "site"."""
    return hashlib.sha256(f"{of}\0{stored}".encode()).hexdigest()[:32]


def added(marks: Sequence[str], new: str) -> list[str]:
    return [new, *(each for each in marks if each != new)][:MOST]


async def of_post(session: AsyncSession, post_id: int) -> Lock | None:
    """None if there is nothing, or nothing is asked for it."""
    asked = Published.visibility == Visibility.PASSWORD
    wanted = select(Post.password_hash, Published.path).join(Published, Published.post_id == Post.id).where(Post.id == post_id, asked)
    row = (await session.execute(wanted)).one_or_none()
    return Lock(row[0], mark(f"post:{post_id}", row[0]), f"/{row[1]}") if row and row[0] else None


async def of_site(session: AsyncSession) -> Lock | None:
    stored = await session.scalar(select(Site.access_hash).where(Site.id == SITE_ID))
    return Lock(stored, mark("site", stored)) if stored else None
