"""What the editor's pages show around a text: what there is to choose from, how it would look, what publishing would change."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from cms.content.context import Rendered
from cms.errors import InvalidInput
from cms.models import Post, Published
from cms.models.address import AddressState, TargetKind
from cms.models.post import Kind
from cms.models.site import Frame
from cms.policy import Actor
from cms.schemas.post import PostFields, PostInput
from cms.services import addresses, documents, posts, publishing, site, taxonomies
from cms.services.posts import Draft
from cms.services.reading import Article


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a form is drawn with. ``public_path`` has a slash before it and is "" while readers have nothing."""

    frame: Frame
    categories: Sequence[tuple[int, str]]
    parents: Sequence[tuple[int, str]]
    series: Sequence[str]  # names
    public_path: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What publishing the working copy would do. ``aspects``: what readers would see change; all of them are new if nothing is public."""

    draft: Draft
    article: Article
    path: str
    aspects: tuple[str, ...]
    public_path: str


async def surroundings(session: AsyncSession, kind: Kind, post_id: int | None) -> Surroundings:
    categories = [(category.id, category.name) for category in await taxonomies.list_categories(session)]
    parents = await posts.list_parents(session, post_id) if kind is Kind.PAGE else ()
    path = await public_path(session, post_id) if post_id else ""
    series = await taxonomies.list_series(session) if kind is Kind.POST else ()
    return Surroundings(await site.get_frame(session), categories, parents, series, path)


async def public_path(session: AsyncSession, post_id: int) -> str:
    """Where readers find it now, with a slash before it; "" if nowhere."""
    address = await addresses.find_current(session, TargetKind.POST, post_id)
    return f"/{address.path}" if address and address.state is AddressState.CURRENT else ""


async def plan(session: AsyncSession, actor: Actor, post_id: int, rendered: Rendered, now: datetime) -> Plan:
    """Raises ``InvalidInput`` if there is no address it could have."""
    draft = await posts.get_draft(session, actor, post_id)
    path = await publishing.planned_path(session, draft.post, draft.fields, now)
    if not await addresses.is_free(session, path, TargetKind.POST, post_id):
        raise InvalidInput({"slug": f"/{path} belongs to something else; choose another address."})
    document = await _document(session, _dated(draft.post, now), draft.fields, rendered)
    document["path"] = path
    live = await session.get(Published, post_id)
    aspects = tuple(
        aspect
        for aspect, columns in documents.ASPECTS.items()
        if live and any(name in document and document[name] != getattr(live, name) for name in columns)
    )
    return Plan(draft, _article(draft.post, document), f"/{path}", aspects, f"/{live.path}" if live else "")


async def preview(
    session: AsyncSession, actor: Actor, subject: tuple[Kind, int | None], wanted: PostInput, rendered: Rendered, now: datetime
) -> Article:
    """The article that readers would see if this input were published now. Nothing is stored."""
    kind, post_id = subject
    if post_id:
        draft = await posts.get_draft(session, actor, post_id)
        post, before = draft.post, draft.fields
    else:
        post, before = Post(id=0, kind=kind), PostFields(authors=(actor.user_id,) if actor.user_id else ())
    changes = {"title": wanted.title, "excerpt": wanted.excerpt, "category": wanted.category, "parent": wanted.parent}
    fields = before.model_copy(update=changes)
    article = await article_of(session, post, fields, rendered, now)
    tags = [{"id": 0, "name": name, "path": f"/tag/{name}"} for name in wanted.tags]
    category = {"id": 0, "name": wanted.new_category, "path": "/"} if wanted.new_category else article.category
    return replace(article, tags=tags, category=category)


async def article_of(session: AsyncSession, post: Post, fields: PostFields, rendered: Rendered, now: datetime) -> Article:
    """The article that readers would see of these fields and this text."""
    try:
        document = await _document(session, _dated(post, now), fields, rendered)
    except InvalidInput:  # the page above is not public: it has no address yet, but can be looked at
        document = await _document(session, _dated(post, now), fields.model_copy(update={"parent": None}), rendered)
    return _article(post, document)


async def _document(session: AsyncSession, post: Post, fields: PostFields, rendered: Rendered) -> dict[str, Any]:
    return documents.compose(await documents.named_by(session, [fields]), post, fields, rendered, await site.get_frame(session))


def _dated(post: Post, now: datetime) -> Post:
    """As publishing would see it: with a date. A copy, so that nothing here can be written."""
    return Post(id=post.id, kind=post.kind, first_published_at=post.first_published_at or now)


def _article(post: Post, document: dict[str, object]) -> Article:
    shown = {name: value for name, value in document.items() if name not in ("month", "parent_id", "path", "is_featured")}
    alone = {"previous": None, "following": None, "series": None, "related": ()}  # known when it is published
    return Article(post_id=post.id, kind=post.kind, path=f"/{document['path']}", updated_at=document["published_at"], **alone, **shown)  # type: ignore[arg-type]
