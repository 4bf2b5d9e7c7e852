"""The read document: what readers get of a working copy. What it names is looked up for many texts at once; the rest is plain work."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import Select, bindparam, inspect, select
from sqlalchemy.ext.asyncio import AsyncSession

from cms.content.context import Rendered
from cms.content.local_time import moment_of
from cms.content.slugs import slugify
from cms.content.titles import plain_title, render_title
from cms.errors import InvalidInput
from cms.events import Listed
from cms.models import Asset, Category, CustomField, Post, Published, Series, Tag, User
from cms.models.address import TargetKind
from cms.models.base import Base
from cms.models.post import Kind, Visibility
from cms.models.site import Frame
from cms.schemas.post import PostFields
from cms.services import custom_fields, surroundings, taxonomies
from cms.wording import say

# What readers can see change, and the columns of the read document it stands in.
ASPECTS: dict[str, tuple[str, ...]] = {
    "title": ("title", "title_html"),
    "excerpt": ("excerpt",),
    "standfirst": ("standfirst",),
    "body": ("html", "toc"),
    "length": ("words", "reading_minutes"),
    "date": ("published_at",),
    "path": ("path",),
    "authors": ("authors",),
    "tags": ("tags",),
    "category": ("category",),
    "language": ("language",),
    "picture": ("picture",),
    "trail": ("trail",),
    "featured": ("is_featured",),
    "meta": ("meta",),
    "custom": ("custom",),
    "visibility": ("visibility",),
    "source": ("revision_id",),  # what a program that asks for the Markdown gets
    "updated": ("updated_at",),
    **{aspect: (aspect,) for aspect in surroundings.ASPECTS},
}

Row = TypeVar("Row", bound=Base)


@dataclass(frozen=True, slots=True)
class Named:
    """What texts name by number. ``categories`` and ``pages`` have those above them, too; ``pictures`` are those that readers can get."""

    people: Mapping[int, User]
    tags: Mapping[int, Tag]
    categories: Mapping[int, Category]
    pictures: Mapping[int, Asset]
    pages: Mapping[int, Published]
    series: Mapping[int, Series]
    custom: Mapping[Kind, Sequence[CustomField]]


async def named_by(session: AsyncSession, texts: Collection[PostFields]) -> Named:
    custom = await custom_fields.all_of(session)
    pictures = await _found(session, Asset, [*(fields.picture for fields in texts), *custom_fields.pictures_of(custom, texts)])
    return Named(
        custom=custom,
        people=await _found(session, User, (user_id for fields in texts for user_id in fields.authors)),
        tags=await _found(session, Tag, (tag_id for fields in texts for tag_id in fields.tags)),
        categories=await _with_those_above(session, Category, (fields.category for fields in texts)),
        pictures={number: asset for number, asset in pictures.items() if asset.is_ready},
        pages=await _with_those_above(session, Published, (fields.parent for fields in texts)),
        series=await _found(session, Series, (fields.series.id for fields in texts if fields.series)),
    )


async def as_it_is(session: AsyncSession, texts: Mapping[int, PostFields]) -> tuple[dict[int, PostFields], Named]:
    """Texts, by post, and what they name: a tag or category that was merged is the other one, and what is deleted is left out."""
    named = await named_by(session, texts.values())
    if all(_without_missing(named, fields) == fields for fields in texts.values()):
        return dict(texts), named
    merged = {post_id: await with_merged(session, fields) for post_id, fields in texts.items()}
    named = await named_by(session, merged.values())
    return {post_id: _without_missing(named, fields) for post_id, fields in merged.items()}, named


async def with_merged(session: AsyncSession, fields: PostFields) -> PostFields:
    """What was merged with another is the other."""
    tags = await taxonomies.went(session, TargetKind.TAG, fields.tags)
    categories = await taxonomies.went(session, TargetKind.CATEGORY, [fields.category] if fields.category else [])
    now = dict.fromkeys(tags.get(tag_id, tag_id) for tag_id in fields.tags)
    return fields.model_copy(update={"tags": tuple(now), "category": categories.get(fields.category or 0, fields.category)})


def _without_missing(named: Named, fields: PostFields) -> PostFields:
    there = {
        "authors": tuple(user_id for user_id in fields.authors if user_id in named.people),
        "tags": tuple(tag_id for tag_id in fields.tags if tag_id in named.tags),
        "category": fields.category if fields.category in named.categories else None,
        "series": fields.series if fields.series and fields.series.id in named.series else None,
    }
    return fields.model_copy(update=there)


async def _found(session: AsyncSession, table: type[Row], ids: Iterable[int | None]) -> dict[int, Row]:
    wanted = {number for number in ids if number is not None}
    rows = await session.scalars(_by_number(table), {"ids": list(wanted)}) if wanted else ()
    return {inspect(row).identity[0]: row for row in rows}


@cache
def _by_number(table: type[Row]) -> Select[Row]:
    (key,) = table.__table__.primary_key
    return select(table).where(key.in_(bindparam("ids", expanding=True)))


async def _with_those_above(session: AsyncSession, table: type[Category | Published], ids: Iterable[int | None]) -> dict[int, Any]:
    found: dict[int, Any] = {}
    level: Mapping[int, Any] = await _found(session, table, ids)
    while level:
        found |= level
        above = {row.parent_id for row in level.values()} - found.keys()
        level = await _found(session, table, above)
    return found


# --- its columns -----------------------------------------------------------------------------------------------------------


def typed_date(fields: PostFields, frame: Frame, now: datetime | None = None) -> datetime | None:
    """The date that somebody has given it, if anybody has. Raises ``InvalidInput`` if it is none, or later than ``now``."""
    if not fields.date:
        return None
    try:
        moment = moment_of(fields.date, frame.zone)
    except ValueError as error:
        raise InvalidInput({"date": error.args[0]}) from None
    if now and moment > now:
        raise InvalidInput({"date": "This is still to come; a text can only be dated back."})
    return moment


def compose(named: Named, post: Post, fields: PostFields, rendered: Rendered, frame: Frame) -> dict[str, Any]:
    """The columns, for a post that has the date of its first publication: its address keeps that, readers see another if one is typed."""
    first = post.first_published_at
    assert first is not None  # noqa: S101 - set by the caller
    at = typed_date(fields, frame) or first
    return {
        "path": wanted_path(named, post, fields, frame, first),
        "parent_id": fields.parent,
        "title": plain_title(fields.title),
        "title_html": render_title(fields.title),
        "standfirst": fields.excerpt,
        **rendered_columns(named, post.kind, fields, rendered),
        "language": fields.language or frame.language,
        "published_at": at,
        "month": f"{at.astimezone(frame.zone):%Y-%m}",
        "authors": [byline(user) for user in _in_order(named.people, fields.authors)],
        "tags": [tag_entry(tag) for tag in _in_order(named.tags, fields.tags)],
        "category": category_entry(named.categories, fields.category),
        "trail": trail(named.pages.get(fields.parent or 0)),
        "is_featured": fields.featured and post.kind is Kind.POST,
        "meta": fields.meta,
        "visibility": post.visibility or Visibility.PUBLIC,
    }


def rendered_columns(named: Named, kind: Kind, fields: PostFields, rendered: Rendered) -> dict[str, Any]:
    """Those that show what is in the library, which may change under a text."""
    return {
        "excerpt": fields.excerpt or rendered.excerpt,
        "html": rendered.html,
        "toc": [asdict(heading) for heading in rendered.toc],
        "words": rendered.words,
        "reading_minutes": rendered.reading_minutes,
        "picture": asset.as_shown if (asset := named.pictures.get(fields.picture or 0)) else None,
        "custom": custom_fields.shown(named.custom[kind], fields.custom, named.pictures) or None,
    }


def byline(user: User) -> dict[str, Any]:
    return {"id": user.id, "name": user.name, "path": f"/author/{user.slug}", "bio": user.bio}


def _in_order(rows: Mapping[int, Row], ids: Iterable[int]) -> list[Row]:
    return [rows[number] for number in ids if number in rows]


def tag_entry(tag: Tag) -> dict[str, Any]:
    return {"id": tag.id, "name": tag.name, "path": f"/tag/{tag.slug}"}


def category_entry(categories: Mapping[int, Category], category_id: int | None) -> dict[str, Any] | None:
    """``categories``: this one and those above it, at least."""
    category = categories.get(category_id or 0)
    if category is None:
        return None
    above = taxonomies.line_to(categories, category)[:-1]
    return {"id": category.id, **_step(categories, category), "above": [_step(categories, each) for each in above]}


def _step(categories: Mapping[int, Category], category: Category) -> dict[str, str]:
    return {"name": category.name, "path": f"/category/{taxonomies.path_in(categories, category)}"}


def trail(parent: Published | None) -> list[dict[str, str]]:
    """The pages above those below this one, but for those that no list has: nor do the pages below name them."""
    if parent is None:
        return []
    return [*parent.trail, {"title": parent.title, "path": f"/{parent.path}"}] if parent.is_listed else list(parent.trail)


def wanted_path(named: Named, post: Post, fields: PostFields, frame: Frame, at: datetime) -> str:
    slug = fields.slug or slugify(plain_title(fields.title)) or str(post.id)
    if post.kind is Kind.PAGE:
        return _page_path(named.pages, post, fields.parent, slug)
    local = at.astimezone(frame.zone)
    category = named.categories.get(fields.category or 0)
    author = named.people.get(fields.authors[0]) if fields.authors else None
    return frame.permalink.format(
        year=f"{local:%Y}",
        month=f"{local:%m}",
        day=f"{local:%d}",
        slug=slug,
        id=post.id,
        category=taxonomies.path_in(named.categories, category) if category else "uncategorised",
        author=author.slug if author else "nobody",
    ).strip("/")


def _page_path(pages: Mapping[int, Published], post: Post, parent_id: int | None, slug: str) -> str:
    if parent_id is None:
        return slug
    parent = pages.get(parent_id)
    if parent is None:
        raise InvalidInput({"parent": "The page above is not public; publish it first, or choose another."})
    above = parent
    while above.parent_id is not None:  # working copies may have been turned round one by one; readers' pages must not be a ring
        if above.parent_id == post.id:
            raise InvalidInput(
                {"parent": say("For readers “{title}” still stands below this page; publish that one first.", title=above.title)}
            )
        above = pages[above.parent_id]
    return f"{parent.path}/{slug}"


# --- what of it readers see, and where -------------------------------------------------------------------------------------


def values_of(published: Published | None) -> dict[str, tuple[Any, ...]]:
    """By aspect."""
    if published is None:
        return {}
    return {aspect: tuple(getattr(published, column) for column in columns) for aspect, columns in ASPECTS.items()}


def changed(published: Published, old: Mapping[str, tuple[Any, ...]]) -> tuple[str, ...]:
    return tuple(name for name, value in values_of(published).items() if value != old.get(name))


def listed(published: Published) -> Listed:
    """Where readers find it."""
    at = published.published_at.timestamp()
    if published.visibility is not Visibility.PUBLIC:
        return Listed(at, ())
    if published.kind is Kind.PAGE:
        return Listed(at, (f"below:{published.parent_id or 0}",))
    return Listed(
        at,
        (
            "home",
            f"month:{published.month}",
            *(f"author:{author['id']}" for author in published.authors),
            *(f"tag:{tag['id']}" for tag in published.tags),
            *((f"category:{published.category['id']}",) if published.category else ()),
            *((f"series:{published.series['id']}",) if published.series else ()),
        ),
    )
