"""Named people, posts and pages for tests, made through the real services; texts are rendered in this process.

ana = await person(database, "author")
post = await published(database, ana, title="Low tide", tags=("Sea",))
await edited(database, ana, post.post_id, title="High tide")
"""

import hashlib
import mimetypes
from pathlib import Path
from typing import Any

from sqlalchemy import select

from cms.content.folding import fold
from cms.content.pipeline import render
from cms.content.slugs import slugify
from cms.db.session import Database, Work
from cms.imaging import Imaging
from cms.mail import Mailer, Terminal
from cms.media.storage import Folder
from cms.models import Asset, Post, PostSeries, Published, Series, User
from cms.models.address import TargetKind
from cms.models.post import Kind, Side
from cms.policy import SYSTEM, Actor, Role
from cms.rendering import Renderer
from cms.schemas.account import OwnerInput, UserInput
from cms.schemas.post import PostInput
from cms.sealing import Sealer
from cms.services import accounts, addresses, posts, publishing, working_copies
from cms.services.intake import FOLDER, Intake
from cms.services.renditions import Renditions
from cms.settings import SecretKeys
from cms.worker.tasks import Means

PASSWORD = "correct horse battery"
NAMES = {"owner": "Olga Owner", "administrator": "Adam Mills", "editor": "Edna Reed", "author": "Ana Silva", "contributor": "Cem Öz"}


async def person(database: Database, role: str, name: str = "", *, password_hash: str | None = None) -> Actor:
    """Somebody with this role, made when first asked for. Their address is ``ROLE@example.org``, or ``NAME@example.org`` if named."""
    email = f"{name or role}@example.org".lower().replace(" ", ".")
    name = name or NAMES[role]
    async with database.transaction() as work:
        known = await accounts.find_by_email(work.session, email)
        if known:
            return known.actor
        if role == Role.OWNER:
            wanted = OwnerInput(site_name="The Tide Table", name=name, email=email, password=PASSWORD)
            return (await accounts.create_owner(work, wanted, password_hash or "")).actor
        made = await accounts.create(work, SYSTEM, UserInput(email=email, name=name, role=role), password_hash)
        return made.actor


def means(database: Database, folder: Path, mailer: Mailer | None = None, renderer: Renderer | None = None) -> Means:
    """What the worker works with; without a mailer links come to the terminal."""
    sealer = Sealer(SecretKeys({1: "k" * 40}, 1))
    storage, imaging = Folder(folder / "media"), Imaging()
    made = Renditions(database, storage, imaging, folder / "incoming")
    return Means(database, sealer, mailer or Terminal(), storage, renderer or Renderer(), imaging, made, "https://tides.example", folder)


async def user_of(database: Database, actor: Actor) -> User:
    async with database.read() as session:
        return (await session.scalars(select(User).where(User.id == actor.user_id))).one()


async def draft(
    database: Database, actor: Actor, *, title: str = "Low tide", text: str = "Mud, *mostly*.", kind: Kind = Kind.POST, **fields: Any
) -> Post:
    async with database.transaction() as work:
        return await posts.create(work, actor, kind, PostInput(title=title, text=text, **fields))


async def page(database: Database, actor: Actor, **fields: Any) -> Post:
    return await draft(database, actor, kind=Kind.PAGE, **{"title": "About", **fields})


async def edited(database: Database, actor: Actor, post_id: int, **changes: Any) -> Post:
    """Saved again as its editor opens it, with these changes."""
    async with database.transaction() as work:
        await working_copies.project(work, post_id)
        seen = await posts.get_draft(work.session, actor, post_id)
        as_it_is = {
            "title": seen.fields.title, "text": seen.content, "slug": seen.fields.slug, "excerpt": seen.fields.excerpt,
            "tags": seen.tags, "category": seen.fields.category, "parent": seen.fields.parent, "series": seen.series,
            "part": seen.fields.series and seen.fields.series.position, "featured": seen.fields.featured, "version": seen.version,
            "language": seen.fields.language or "", "date": seen.fields.date, "picture": seen.fields.picture, **(seen.fields.meta or {}),
        }  # fmt: skip
        return await posts.save(work, actor, post_id, PostInput(**{**as_it_is, **changes}))


async def publish(database: Database, actor: Actor, post_id: int) -> Published:
    """The working copy as it stands becomes what readers see."""
    async with database.read() as session:
        seen = await posts.get_draft(session, actor, post_id)
    version = publishing.Version(seen.version, render(seen.content))
    async with database.transaction() as work:
        return await publishing.publish(work, actor, post_id, version)


async def published(database: Database, actor: Actor, **fields: Any) -> Published:
    return await publish(database, actor, (await draft(database, actor, **fields)).id)


async def published_page(database: Database, actor: Actor, **fields: Any) -> Published:
    return await publish(database, actor, (await page(database, actor, **fields)).id)


async def series(database: Database, name: str, post_ids: list[int]) -> Series:
    """A series of what is public, in this order."""
    async with database.transaction() as work:
        made = Series(name=name, slug=name.lower(), description=f"About {name}.")
        work.session.add(made)
        await work.session.flush()
        await addresses.assign(work, f"series/{made.slug}", TargetKind.SERIES, made.id)
        work.session.add_all(PostSeries(post_id=at, side=Side.LIVE, series_id=made.id, position=n) for n, at in enumerate(post_ids, 1))
    return made


async def withdraw(database: Database, actor: Actor, post_id: int) -> Post:
    async with database.transaction() as work:
        return await publishing.withdraw(work, actor, post_id)


async def trash(database: Database, actor: Actor, post_id: int) -> Post:
    async with database.transaction() as work:
        return await publishing.trash(work, actor, post_id)


async def restore(database: Database, actor: Actor, post_id: int) -> Post:
    async with database.transaction() as work:
        return await posts.restore(work, actor, post_id)


def intake(database: Database, storage: Folder, imaging: Imaging) -> Intake:
    return Intake(database, storage, imaging, storage.folder.parent / FOLDER)


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


async def asset(
    work: Work,
    actor: Actor,
    *,
    name: str,
    digest: str,
    size: int = 1,
    dimensions: tuple[int | None, int | None] = (None, None),
    **values: Any,
) -> Asset:
    """Something in the library; its bytes lie nowhere, unless the test has put them there."""
    stem, _, ending = name.rpartition(".")
    content_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    kind = {"image": "picture", "audio": "audio", "video": "video"}.get(content_type.partition("/")[0], "file")
    said = {"kind": kind, "content_type": content_type, "size": size, "shown_size": size, "created_by_id": actor.user_id}
    of_picture = {"width": dimensions[0], "height": dimensions[1], "folded": fold(f"{name} {values.get('alt', '')}")}
    row = asset_row(digest, f"{slugify(stem)}.{ending}", created_at=work.now, **{**said, **of_picture, **values})
    work.session.add(row)
    await work.session.flush()
    return row


def asset_row(digest: str = "0" * 64, name: str = "a.png", **values: Any) -> Asset:
    """A picture of the library; its bytes lie nowhere. ``created_at`` has to be said."""
    usual = {"kind": "picture", "content_type": "image/png", "size": 1, "shown_size": 1, "shown_digest": digest}
    return Asset(**{**usual, "digest": digest, "name": name, "updated_at": values["created_at"], **values})
