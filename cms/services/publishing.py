"""What readers see: making it from a working copy, taking it away. Rendering was done before, outside the transaction."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from cms import policy
from cms.content.context import Rendered
from cms.content.slugs import slugify
from cms.content.titles import plain_title, render_title
from cms.db.session import Work
from cms.errors import Conflict, InvalidInput
from cms.events import Listed, PostPublished, PostWithdrawn, WorkChanged
from cms.models import Asset, Category, Post, PostSeries, Published, Revision, Schedule, Tag, User, WorkingCopy
from cms.models.address import TargetKind
from cms.models.post import Kind, Live, Reason, ScheduledAct, Side, WorkState
from cms.models.site import Frame
from cms.policy import Actor, Capability
from cms.schemas.post import PostFields
from cms.services import addresses, audit, outbox, posts, search_index, site, surroundings, taxonomies

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
    "source": ("revision_id",),  # what a program that asks for the Markdown gets
    "updated": ("updated_at",),
    **{aspect: (aspect,) for aspect in surroundings.ASPECTS},
}
_TEXT = frozenset({"title", "excerpt", "standfirst", "body", "picture"})  # what makes a post "updated" for its readers


@dataclass(frozen=True, slots=True)
class Version:
    """The working copy that the editor saw, and what rendering made of it."""

    number: int
    rendered: Rendered


@dataclass(frozen=True, slots=True)
class Dates:
    published: datetime
    updated: datetime


async def publish(work: Work, actor: Actor, post_id: int, version: Version, dates: Dates | None = None) -> Published:
    """Make this version what readers see.

    ``dates``: what readers read of its past, for texts that were public elsewhere before.

    Raises ``Conflict`` if the working copy is another by now, ``InvalidInput`` if it cannot go out.
    """
    post = await posts.get_visible(work.session, actor, post_id, lock=True)
    policy.require(actor, Capability.of(post.kind, "publish"), post)
    if post.is_trashed:
        raise Conflict("This is in the trash; take it out before you publish it.")
    await site.hold(work)  # a parent that moves and a child that comes would miss each other, and so would two neighbours
    copy = await work.session.get_one(WorkingCopy, post_id)
    if copy.version != version.number:
        raise Conflict
    fields = PostFields.model_validate(copy.fields)
    if not plain_title(fields.title):
        raise InvalidInput({"title": "Readers need a title."})
    revision = await _revision(work, actor, copy)
    before = await work.session.get(Published, post_id)
    old, former = _aspect_values(before), await _listed(work.session, before)
    former_path = before.path if before else ""
    around = await _around(work.session, before)
    post.first_published_at = dates.published if dates else post.first_published_at or work.now
    values = await document(work.session, post, fields, version.rendered, await site.get_frame(work.session))
    values["path"] = await _place(work, post, fields, str(values["path"]))
    published = before or Published(post_id=post_id, kind=post.kind, updated_at=work.now)
    for name, value in {**values, "revision_id": revision.id}.items():
        setattr(published, name, value)
    if dates:
        published.updated_at = dates.updated
    elif _TEXT & set(_changed(published, old)):
        published.updated_at = work.now
    work.session.add(published)
    await posts.set_terms(work, post_id, Side.LIVE, fields, is_new=before is None)
    await surroundings.choose_related(work, published)
    await surroundings.renew(work, published)
    post.live, post.work, post.has_changes, post.updated_at = Live.PUBLISHED, WorkState.DRAFT, False, work.now
    await work.session.execute(delete(Schedule).where(Schedule.post_id == post_id, Schedule.act == ScheduledAct.PUBLISH))
    await search_index.index(work, published, version.rendered.plain_text)
    audit.note(work, actor, f"{post.kind}.publish", post.kind, post_id, path=published.path, revision=revision.id)
    aspects, now = _changed(published, old), await _listed(work.session, published)
    assert now is not None  # noqa: S101 - it is public
    await work.session.flush()  # what follows looks at readers' versions as they are now
    months = await _months_that_came_or_went(work.session, post_id, former, now)
    outbox.record(work, PostPublished(post_id, post.kind, aspects, published.path, former_path, former, now, months))
    await surroundings.renew_others(work, (around | await _around(work.session, published)) - {post_id})
    if post.kind is Kind.PAGE:
        await _renew_below(work, published)
        await site.renew_frame(work)
    return published


async def _around(session: AsyncSession, published: Published | None) -> set[int]:
    """Posts whose pages say something of this one."""
    if published is None or published.kind is not Kind.POST:
        return set()
    beside = await surroundings.neighbours(session, published)
    series = await surroundings.series_of(session, published.post_id)
    return {*beside, *series, *await surroundings.mentioned_by(session, published.post_id)}


async def withdraw(work: Work, actor: Actor, post_id: int) -> Post:
    """Take it away from readers; its addresses answer 410 and stay its own."""
    post = await posts.get_visible(work.session, actor, post_id, lock=True)
    policy.require(actor, Capability.of(post.kind, "publish"), post)
    if not post.is_published:
        raise Conflict("This is not public any more.")
    await _take_away(work, post)
    post.live, post.has_changes = Live.WITHDRAWN, False
    audit.note(work, actor, f"{post.kind}.withdraw", post.kind, post_id)
    return post


async def trash(work: Work, actor: Actor, post_id: int) -> Post:
    """Into the trash; taken away from readers if it was public."""
    post = await posts.get_visible(work.session, actor, post_id, lock=True)
    policy.require(actor, Capability.of(post.kind, "trash"), post)
    if post.is_trashed:
        raise Conflict("This is in the trash already.")
    post.live_before_trash = post.live
    if post.is_published:
        await _take_away(work, post)
    else:
        outbox.record(work, WorkChanged(post_id))
    post.live, post.trashed_at, post.has_changes = Live.TRASHED, work.now, False
    await work.session.execute(delete(Schedule).where(Schedule.post_id == post_id))
    audit.note(work, actor, f"{post.kind}.trash", post.kind, post_id)
    return post


async def planned_path(session: AsyncSession, post: Post, fields: PostFields, now: datetime) -> str:
    """Where it would stand if it were published now."""
    frame = await site.get_frame(session)
    return await _settled(session, post, fields, await _wanted_path(session, post, fields, frame, post.first_published_at or now))


# --- the read document -----------------------------------------------------------------------------------------------------


async def document(session: AsyncSession, post: Post, fields: PostFields, rendered: Rendered, frame: Frame) -> dict[str, Any]:
    """The columns of the read document, for a post that has its date."""
    at = post.first_published_at
    assert at is not None  # noqa: S101 - set by the caller
    return {
        "path": await _wanted_path(session, post, fields, frame, at),
        "parent_id": fields.parent,
        "title": plain_title(fields.title),
        "title_html": render_title(fields.title),
        "excerpt": fields.excerpt or rendered.excerpt,
        "standfirst": fields.excerpt,
        "html": rendered.html,
        "toc": [asdict(heading) for heading in rendered.toc],
        "words": rendered.words,
        "reading_minutes": rendered.reading_minutes,
        "language": fields.language or frame.language,
        "published_at": at,
        "month": f"{at.astimezone(frame.zone):%Y-%m}",
        "authors": await _authors(session, fields),
        "tags": await _tags(session, fields),
        "category": await _category(session, fields),
        "picture": await _picture(session, fields),
        "trail": await _trail(session, fields.parent),
        "is_featured": fields.featured and post.kind is Kind.POST,
    }


async def _authors(session: AsyncSession, fields: PostFields) -> list[dict[str, Any]]:
    people = {user.id: user for user in await session.scalars(select(User).where(User.id.in_(fields.authors)))}
    return [
        {"id": user.id, "name": user.name, "path": f"/author/{user.slug}", "bio": user.bio}
        for user in (people[user_id] for user_id in fields.authors if user_id in people)
    ]


async def _tags(session: AsyncSession, fields: PostFields) -> list[dict[str, Any]]:
    tags = {tag.id: tag for tag in await session.scalars(select(Tag).where(Tag.id.in_(fields.tags)))}
    return [
        {"id": tag.id, "name": tag.name, "path": f"/tag/{tag.slug}"} for tag in (tags[tag_id] for tag_id in fields.tags if tag_id in tags)
    ]


async def _category(session: AsyncSession, fields: PostFields) -> dict[str, Any] | None:
    category = await session.get(Category, fields.category) if fields.category is not None else None
    if category is None:
        return None
    return {"id": category.id, "name": category.name, "path": f"/category/{await taxonomies.category_path(session, category)}"}


async def _picture(session: AsyncSession, fields: PostFields) -> dict[str, Any] | None:
    asset = await session.get(Asset, fields.picture) if fields.picture is not None else None
    if asset is None:
        return None
    return {"id": asset.id, "path": asset.path, "width": asset.width, "height": asset.height, "alt": asset.alt}


async def _trail(session: AsyncSession, parent_id: int | None) -> list[dict[str, str]]:
    parent = await session.get(Published, parent_id) if parent_id is not None else None
    return [] if parent is None else [*parent.trail, {"title": parent.title, "path": f"/{parent.path}"}]


def _aspect_values(published: Published | None) -> dict[str, tuple[Any, ...]]:
    if published is None:
        return {}
    return {aspect: tuple(getattr(published, column) for column in columns) for aspect, columns in ASPECTS.items()}


def _changed(published: Published, old: dict[str, tuple[Any, ...]]) -> tuple[str, ...]:
    return tuple(name for name, value in _aspect_values(published).items() if value != old.get(name))


async def _listed(session: AsyncSession, published: Published | None) -> Listed | None:
    """Where readers find it."""
    if published is None:
        return None
    at = published.published_at.timestamp()
    if published.kind is Kind.PAGE:
        return Listed(at, (f"below:{published.parent_id or 0}",))
    series = await session.scalars(
        select(PostSeries.series_id).where(PostSeries.post_id == published.post_id, PostSeries.side == Side.LIVE)
    )
    return Listed(
        at,
        (
            "home",
            f"month:{published.month}",
            *(f"author:{author['id']}" for author in published.authors),
            *(f"tag:{tag['id']}" for tag in published.tags),
            *((f"category:{published.category['id']}",) if published.category else ()),
            *(f"series:{series_id}" for series_id in series),
        ),
    )


async def _months_that_came_or_went(session: AsyncSession, post_id: int, before: Listed | None, now: Listed | None) -> tuple[str, ...]:
    """Months in which this is the only post: the archive has them, or has them no more, because of it."""
    entered = set(before.lists if before else ()) ^ set(now.lists if now else ())
    months = sorted(name.removeprefix("month:") for name in entered if name.startswith("month:"))
    others = select(Published.month).where(Published.kind == Kind.POST, Published.month.in_(months), Published.post_id != post_id)
    full = set(await session.scalars(others.distinct())) if months else set()
    return tuple(month for month in months if month not in full)


async def _revision(work: Work, actor: Actor, copy: WorkingCopy) -> Revision:
    """The newest revision if it is this very text, else one made of it now."""
    newest = (
        await work.session.scalars(select(Revision).where(Revision.post_id == copy.post_id).order_by(Revision.id.desc()).limit(1))
    ).one_or_none()
    if newest and newest.is_same_as(copy):
        return newest
    revision = Revision(
        post_id=copy.post_id,
        reason=Reason.PUBLISHED,
        content=copy.content,
        fields=copy.fields,
        created_at=work.now,
        created_by_id=actor.user_id,
    )
    work.session.add(revision)
    await work.session.flush()
    return revision


# --- addresses -------------------------------------------------------------------------------------------------------------


async def _wanted_path(session: AsyncSession, post: Post, fields: PostFields, frame: Frame, at: datetime) -> str:
    slug = fields.slug or slugify(plain_title(fields.title)) or str(post.id)
    if post.kind is Kind.PAGE:
        return await _page_path(session, post, fields.parent, slug)
    local = at.astimezone(frame.zone)
    category = await session.get(Category, fields.category) if fields.category is not None else None
    author = await session.get(User, fields.authors[0]) if fields.authors else None
    return frame.permalink.format(
        year=f"{local:%Y}",
        month=f"{local:%m}",
        day=f"{local:%d}",
        slug=slug,
        id=post.id,
        category=await taxonomies.category_path(session, category) if category else "uncategorised",
        author=author.slug if author else "nobody",
    ).strip("/")


async def _page_path(session: AsyncSession, post: Post, parent_id: int | None, slug: str) -> str:
    if parent_id is None:
        return slug
    parent = await session.get(Published, parent_id)
    if parent is None:
        raise InvalidInput({"parent": "The page above is not public; publish it first, or choose another."})
    above = parent
    while above.parent_id is not None:  # working copies may have been turned round one by one; readers' pages must not be a ring
        if above.parent_id == post.id:
            raise InvalidInput({"parent": f"For readers “{above.title}” still stands below this page; publish that one first."})
        above = await session.get_one(Published, above.parent_id)
    return f"{parent.path}/{slug}"


async def _place(work: Work, post: Post, fields: PostFields, wanted: str) -> str:
    path = await _settled(work.session, post, fields, wanted)
    await addresses.assign(work, path, TargetKind.POST, post.id)
    return path


async def _settled(session: AsyncSession, post: Post, fields: PostFields, wanted: str) -> str:
    """A slug made from the title gives way to what is there; one that somebody typed stays, and is refused if the path is taken.

    A post that has an address for the same automatic slug keeps it, number and all.
    """
    if fields.slug:
        return wanted
    here = await addresses.find_current(session, TargetKind.POST, post.id)
    if here and _is_numbered(here.path, wanted):
        return here.path
    return await addresses.free_path(session, wanted, TargetKind.POST, post.id)


def _is_numbered(path: str, wanted: str) -> bool:
    return path == wanted or (path.startswith(f"{wanted}-") and path.removeprefix(f"{wanted}-").isdigit())


async def _renew_below(work: Work, parent: Published) -> None:
    """Pages below a page show its title and stand below its address: both follow."""
    trail = [*parent.trail, {"title": parent.title, "path": f"/{parent.path}"}]
    for child in (await work.session.scalars(select(Published).where(Published.parent_id == parent.post_id))).all():
        old, before, former_path = _aspect_values(child), await _listed(work.session, child), child.path
        child.trail = trail
        path = f"{parent.path}/{child.path.rsplit('/', 1)[-1]}"
        if path != child.path:
            await addresses.assign(work, path, TargetKind.POST, child.post_id)
            child.path = path
        aspects = _changed(child, old)
        if not aspects or before is None:
            continue
        outbox.record(work, PostPublished(child.post_id, child.kind, aspects, child.path, former_path, before, before))
        await _renew_below(work, child)


async def _take_away(work: Work, post: Post) -> None:
    await site.hold(work)
    published = await work.session.get_one(Published, post.id)
    below = select(Published.title).where(Published.parent_id == post.id).limit(1)
    if child := await work.session.scalar(below):
        raise InvalidInput({"": f"“{child}” stands below this page; withdraw or move it first."})
    before, around = await _listed(work.session, published), await _around(work.session, published)
    assert before is not None  # noqa: S101 - it is public
    await work.session.delete(published)
    await addresses.retire(work, TargetKind.POST, post.id)
    await posts.set_terms(work, post.id, Side.LIVE, PostFields())
    await surroundings.forget(work, post.id)
    await search_index.remove(work, post.id)
    await work.session.flush()
    months = await _months_that_came_or_went(work.session, post.id, before, None)
    outbox.record(work, PostWithdrawn(post.id, post.kind, published.path, before, months))
    await surroundings.renew_others(work, around - {post.id})
    if post.kind is Kind.PAGE:
        await site.renew_frame(work)
