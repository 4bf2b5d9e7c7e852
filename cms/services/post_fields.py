"""What may stand in the map of a working copy: asked when a form is saved, and when a document is read."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cms.content.slugs import slugify
from cms.errors import InvalidInput
from cms.models import Asset, Post, Series, Tag, User, WorkingCopy
from cms.models.address import TargetKind, is_reserved
from cms.models.post import Kind
from cms.policy import Actor
from cms.schemas.post import MAX_SLUG, META, PostFields, TypedFields
from cms.services import custom_fields, documents, media, people, site, taxonomies
from cms.wording import say

_WORDS = frozenset({"title", "slug", "excerpt", "date", *META})  # typed letter by letter: what is not right yet is left to whoever types
_EMPTY = PostFields().to_json()


async def settled(
    session: AsyncSession, post: Post, said: Mapping[str, Any], before: PostFields, by_id: int | None
) -> tuple[PostFields, dict[str, Any]]:
    """The fields as the working copy keeps them, and what has to be set back in the document that says this.

    What is not valid stays as it was, and so does what only a newer version of the program knows. ``by_id``: who wrote last.
    """
    writer = await session.get(User, by_id) if by_id else None
    kept, back = before.to_json(), dict[str, Any]()
    for key in PostFields.model_fields:
        value = said.get(key, _EMPTY[key])
        if value == kept[key]:
            continue
        try:
            kept[key] = await _valid(session, writer, post, key, value)
        except (ValidationError, InvalidInput):
            if key not in _WORDS:
                back[key] = kept[key]
    custom, custom_back = await custom_fields.settled(session, post.kind, writer, said, before.custom)
    return PostFields.model_validate({**kept, **custom}), {**back, **custom_back}


async def _valid(session: AsyncSession, writer: User | None, post: Post, key: str, value: Any) -> Any:
    """As JSON. Raises ``ValidationError`` or ``InvalidInput``."""
    fields = TypedFields.model_validate({key: value})
    now = getattr(fields, key)
    match key:
        case "slug":
            now = slug(now, is_top=post.kind is Kind.POST)
        case "date":
            documents.typed_date(fields, await site.get_frame(session))
        case "authors":
            now = await _there(session, User, now or (0,))  # somebody wrote it
        case "tags":
            merged = await taxonomies.went(session, TargetKind.TAG, now)
            now = await _there(session, Tag, (merged.get(tag_id, tag_id) for tag_id in now))
        case "category":
            now = now and (await taxonomies.require_category(session, now)).id
        case "picture":
            await _there(session, Asset, (now,))
            if writer:
                await picture(session, writer.actor, now, PostFields())
        case "parent":
            now = await parent(session, post, now)
        case "series":
            await _there(session, Series, (now and now.id,))
            now = now if post.kind is Kind.POST else None
        case "featured":
            now = now and post.kind is Kind.POST
    return fields.model_copy(update={key: now}).to_json()[key]


async def picture(session: AsyncSession, actor: Actor, asset_id: int | None, before: PostFields) -> int | None:
    if asset_id and asset_id != before.picture and not await media.is_picture_for(session, actor, asset_id):
        raise InvalidInput({"picture": "There is no such picture any more; choose another."})
    return asset_id or None


async def authors(session: AsyncSession, wanted: Sequence[int], before: PostFields) -> Sequence[int]:
    known = {user_id for user_id, _ in await people.list_writers(session, before.authors)}
    if not known.issuperset(wanted):
        raise InvalidInput({"authors": "Somebody of these does not write here any more; choose somebody else."})
    return wanted


def slug(typed: str, *, is_top: bool) -> str:
    made = slugify(typed, MAX_SLUG)
    if typed and not made:
        raise InvalidInput({"slug": "An address needs at least one letter or digit."})
    if made and is_top and is_reserved(made):
        raise InvalidInput({"slug": say("/{path} is used by Squall itself; choose another address.", path=made)})
    return made


async def parent(session: AsyncSession, post: Post, parent_id: int | None) -> int | None:
    """A page's parent, which must be a page that does not stand below it. Posts have none."""
    if post.kind is not Kind.PAGE or parent_id is None:
        return None
    above: int | None = parent_id
    seen: set[int] = set()
    while above is not None and above not in seen:
        seen.add(above)
        page = await session.get(Post, above)
        if page is None or page.kind is not Kind.PAGE or page.is_trashed:
            raise InvalidInput({"parent": "There is no such page any more; choose another."})
        if above == post.id:
            raise InvalidInput({"parent": "A page cannot stand below itself."})
        copy = await session.get_one(WorkingCopy, above)
        above = PostFields.model_validate(copy.fields).parent
    return parent_id


async def _there(session: AsyncSession, table: type[Any], ids: Iterable[int | None]) -> tuple[int | None, ...]:
    """Each once; None stands for nothing."""
    wanted = tuple(dict.fromkeys(ids))
    asked = [number for number in wanted if number is not None]
    if asked and await session.scalar(select(func.count()).where(table.id.in_(asked))) != len(asked):
        raise InvalidInput({"": "It is not there any more."})
    return wanted
