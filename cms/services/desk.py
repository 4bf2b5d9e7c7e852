"""What the editor's pages show around a text: what there is to choose from, how it would look, what publishing would change."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from cms import policy
from cms.content.context import Flaw, Rendered
from cms.errors import InvalidInput
from cms.models import Asset, CustomField, Post, Published
from cms.models.address import AddressState, TargetKind
from cms.models.post import Kind
from cms.models.site import Frame
from cms.policy import Actor, Capability
from cms.schemas.post import CUSTOM, META, PostFields, PostInput
from cms.services import (
    addresses,
    checks,
    custom_fields,
    documents,
    media,
    people,
    post_fields,
    posts,
    preview_links,
    publishing,
    reviews,
    scheduling,
    site,
    taxonomies,
    threads,
)
from cms.services.posts import Draft
from cms.services.preview_links import Openness
from cms.services.reading import Article
from cms.services.reviews import Standing
from cms.services.scheduling import Waiting
from cms.services.threads import Shown as Thread
from cms.wording import say


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a form is drawn with. ``public_path`` has a slash before it and is "" while readers have nothing. ``taken``: why the text cannot
    have the address that it was given, or ""."""

    frame: Frame
    categories: Sequence[tuple[int, str]]
    parents: Sequence[tuple[int, str]]
    series: Sequence[str]  # names
    writers: Sequence[tuple[int, str]]  # who may stand as author above it; those who do, if the actor may not change that
    pictures: Sequence[Asset]  # that may be chosen, the present one among them
    custom: Sequence[CustomField]
    public_path: str = ""
    taken: str = ""
    guests: Openness = Openness()  # noqa: RUF009 - frozen
    threads: Sequence[Thread] = ()  # what is said about it
    review: Standing | None = None
    waiting: Sequence[Waiting] = ()  # acts that wait for their time


@dataclass(frozen=True, slots=True)
class Plan:
    """What publishing the working copy would do. ``aspects``: what readers would see change; all of them are new if nothing is public."""

    draft: Draft
    article: Article
    path: str
    aspects: tuple[str, ...]
    public_path: str
    flaws: Sequence[Flaw]
    compulsory: Sequence[str]  # the kinds of flaws with which nothing goes out here
    review: Standing
    may_waive: bool  # the actor may publish it without a review
    waiting: Sequence[Waiting]  # acts that wait for their time


@dataclass(frozen=True, slots=True)
class Note:
    """What there is to say of a field while somebody types in it."""

    words: str
    is_wrong: bool = False
    value: str = ""  # what becomes of it


async def surroundings(
    session: AsyncSession, actor: Actor, kind: Kind, draft: Draft | None, now: datetime, *, begins: PostFields | None = None
) -> Surroundings:
    """``begins``: what a text has that nobody has begun yet."""
    own = begins or PostFields(authors=(actor.user_id,) if actor.user_id else ())
    post_id, fields = (draft.post.id, draft.fields) if draft else (None, own)
    categories = [(category.id, category.name) for category in await taxonomies.list_categories(session)]
    parents = await posts.list_parents(session, post_id, fields.parent) if kind is Kind.PAGE else ()
    path = await public_path(session, post_id) if post_id else ""
    taken = await taken_address(session, draft, now) if draft else ""
    series = await taxonomies.list_series(session) if kind is Kind.POST else ()
    writers = await people.list_writers(session, fields.authors)
    if not policy.allows(actor, Capability.TAXONOMY_MANAGE):
        names = dict(writers)
        writers = [(user_id, names[user_id]) for user_id in fields.authors if user_id in names]
    pictures = await media.list_pictures(session, actor)
    guests = await preview_links.openness(session, post_id, now) if post_id else Openness()
    said = await threads.list_of(session, actor, post_id) if post_id else ()
    custom = await custom_fields.list_of(session, kind)
    chosen = [fields.picture or 0, *custom_fields.pictures_of({kind: custom}, [fields])]
    pictures = [*await media.list_missing(session, chosen, pictures), *pictures]
    review = await reviews.standing(session, draft) if draft else None
    waiting = await scheduling.list_of(session, post_id) if post_id else ()
    frame = await site.get_frame(session)
    return Surroundings(frame, categories, parents, series, writers, pictures, custom, path, taken, guests, said, review, waiting)


async def public_path(session: AsyncSession, post_id: int) -> str:
    """Where readers find it now, with a slash before it; "" if nowhere."""
    address = await addresses.find_current(session, TargetKind.POST, post_id)
    return f"/{address.path}" if address and address.state is AddressState.CURRENT else ""


async def plan(session: AsyncSession, actor: Actor, post_id: int, rendered: Rendered, now: datetime) -> Plan:
    """Raises ``InvalidInput`` if there is no address it could have."""
    draft = await posts.get_draft(session, actor, post_id)
    path = await _free_path(session, draft.post, draft.fields, now)
    document = await _document(session, await _dated(session, draft.post, draft.fields, now), draft.fields, rendered)
    document["path"] = path
    live = await session.get(Published, post_id)
    aspects = tuple(
        aspect
        for aspect, columns in documents.ASPECTS.items()
        if live and any(name in document and document[name] != getattr(live, name) for name in columns)
    )
    await custom_fields.require(session, await custom_fields.list_of(session, draft.post.kind), draft.fields)
    flaws = await checks.find(session, actor, checks.Text(draft.post, draft.fields, rendered))
    compulsory, review = (await site.get(session)).compulsory_checks, await reviews.standing(session, draft)
    public, article, may_waive = f"/{live.path}" if live else "", _article(draft.post, document), reviews.may_waive(actor, review.rules)
    waiting = await scheduling.list_of(session, post_id)
    return Plan(draft, article, f"/{path}", aspects, public, flaws, compulsory, review, may_waive, waiting)


async def _free_path(session: AsyncSession, post: Post, fields: PostFields, now: datetime) -> str:
    path = await publishing.planned_path(session, post, fields, now)
    if not await addresses.is_free(session, path, TargetKind.POST, post.id):
        raise InvalidInput({"slug": say("/{path} belongs to something else; choose another address.", path=path)})
    return path


async def taken_address(session: AsyncSession, draft: Draft, now: datetime) -> str:
    """Why a text cannot have the address that somebody typed, or ""."""
    try:
        if draft.fields.slug and not draft.post.is_trashed:
            await _free_path(session, draft.post, draft.fields, now)
    except InvalidInput as error:
        return error.errors.get("slug", "")
    return ""


async def preview(
    session: AsyncSession, actor: Actor, subject: tuple[Kind, int | None], wanted: PostInput, rendered: Rendered, now: datetime
) -> Article:
    """The article that readers would see if this input were published now. Nothing is stored."""
    post, fields = await _as_typed(session, actor, subject, wanted)
    article = await looked_at(session, post, fields, rendered, now)
    tags = [{"id": 0, "name": name, "path": f"/tag/{name}"} for name in wanted.tags]
    category = {"id": 0, "name": wanted.new_category, "path": "/"} if wanted.new_category else article.category
    return replace(article, tags=tags, category=category)


async def looked_at(session: AsyncSession, post: Post, fields: PostFields, rendered: Rendered, now: datetime) -> Article:
    """The article of a text that is not published, or not so."""
    try:
        document = await _document(session, await _dated(session, post, fields, now), fields, rendered)
    except InvalidInput:  # the page above is not public, or the date is none yet: it can be looked at all the same
        fields = fields.model_copy(update={"parent": None, "date": ""})
        document = await _document(session, await _dated(session, post, fields, now), fields, rendered)
    return _article(post, document)


async def _as_typed(session: AsyncSession, actor: Actor, subject: tuple[Kind, int | None], wanted: PostInput) -> tuple[Post, PostFields]:
    """The post, and its map as it would be; terms that are named and not numbered are left as they are."""
    kind, post_id = subject
    if post_id:
        draft = await posts.get_draft(session, actor, post_id)
        post, before = draft.post, draft.fields
    else:
        post, before = Post(id=0, kind=kind), PostFields(authors=(actor.user_id,) if actor.user_id else ())
    changes: dict[str, Any] = {name: getattr(wanted, name) for name in (*META, "title", "excerpt", "category", "parent", "date")}
    changes |= {f"{CUSTOM}{key}": value for key, value in wanted.custom.items()}
    changes |= {"language": wanted.language or None, "picture": wanted.picture or None}
    if wanted.authors and policy.allows(actor, Capability.TAXONOMY_MANAGE):
        changes["authors"] = wanted.authors
    return post, before.model_copy(update=changes)


# --- while somebody types --------------------------------------------------------------------------------------------------


async def flaws(
    session: AsyncSession, actor: Actor, subject: tuple[Kind, int | None], wanted: PostInput, rendered: Rendered
) -> tuple[Sequence[Flaw], Sequence[str]]:
    """Of the text as it is typed, and the kinds with which nothing goes out here."""
    post, fields = await _as_typed(session, actor, subject, wanted)
    return await checks.find(session, actor, checks.Text(post, fields, rendered)), (await site.get(session)).compulsory_checks


async def notes(session: AsyncSession, actor: Actor, subject: tuple[Kind, int | None], wanted: PostInput, now: datetime) -> dict[str, Note]:
    """By field: where it would stand, and what its date means, or what is wrong with them."""
    post, fields = await _as_typed(session, actor, subject, wanted)
    said: dict[str, Note] = {}
    frame = await site.get_frame(session)
    try:
        if moment := documents.typed_date(fields, frame, now):
            after = (
                say("Readers see this date; the address stays.") if post.first_published_at else say("It counts as first published then.")
            )
            said["date"] = Note(f"A {moment.astimezone(frame.zone):%A}. {after}")
        if wanted.slug != fields.slug:
            slug = post_fields.slug(wanted.slug, is_top=post.kind is Kind.POST or wanted.parent is None)
            fields = fields.model_copy(update={"slug": slug})
        if fields.slug or fields.title:
            path = await _free_path(session, post, fields, now)
            is_here = post.id and await public_path(session, post.id) == f"/{path}"
            words = say("Readers find it at /{path} now.", path=path) if is_here else await _taken_over(session, post, path)
            said["slug"] = Note(words, value=f"/{path}")
    except InvalidInput as error:
        said |= {name: Note(words, is_wrong=True) for name, words in error.errors.items()}
    wrong = await custom_fields.wrong(session, post.kind, fields.custom)
    return said | {name: Note(words, is_wrong=True) for name, words in wrong.items()}


async def _taken_over(session: AsyncSession, post: Post, path: str) -> str:
    """Whoever types an address may take it from what it led to so far."""
    if await addresses.is_unused(session, path, TargetKind.POST, post.id):
        return say("/{path} is free.", path=path)
    return say("/{path} has led to something else so far; it would lead here then.", path=path)


async def _document(session: AsyncSession, post: Post, fields: PostFields, rendered: Rendered) -> dict[str, Any]:
    return documents.compose(await documents.named_by(session, [fields]), post, fields, rendered, await site.get_frame(session))


async def _dated(session: AsyncSession, post: Post, fields: PostFields, now: datetime) -> Post:
    """As publishing would see it: with a date. A copy, so that nothing here can be written."""
    first = post.first_published_at or documents.typed_date(fields, await site.get_frame(session), now) or now
    return Post(id=post.id, kind=post.kind, first_published_at=first)


def _article(post: Post, document: dict[str, object]) -> Article:
    shown = {name: value for name, value in document.items() if name not in ("month", "parent_id", "path", "is_featured")}
    alone = {"previous": None, "following": None, "series": None, "related": ()}  # known when it is published
    return Article(post_id=post.id, kind=post.kind, path=f"/{document['path']}", updated_at=document["published_at"], **alone, **shown)  # type: ignore[arg-type]
