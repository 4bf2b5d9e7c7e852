"""Posts and pages at the desk: who sees which, making, saving, trash. What readers see is changed by ``publishing`` only."""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, exists, false, not_, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from cms import policy
from cms.db.session import Work
from cms.errors import Conflict, Forbidden, InvalidInput, NotFound
from cms.events import WorkChanged
from cms.models import Post, PostAuthor, SearchDocument, Series, User, WorkingCopy
from cms.models.post import Kind, Live, Reason, Side, Visibility
from cms.policy import Actor, Capability, Scope
from cms.schemas.post import CUSTOM, MAX_TITLE, META, PartOfSeries, PostFields, PostInput
from cms.services import audit, custom_fields, documents, link_cards, outbox, post_fields, references, site, taxonomies, working_copies

SHORT = ("title", "slug", "date")  # fields that the audit has as they were and are


@dataclass(frozen=True, slots=True)
class Draft:
    """A post with its working copy, as an editor opens it."""

    post: Post
    content: str
    fields: PostFields
    version: int
    updated_at: datetime
    updated_by: str  # a name, or ""
    tags: tuple[str, ...]  # names
    series: str = ""  # its name

    @property
    def values(self) -> dict[str, Any]:
        """What the editor's form shows."""
        fields = self.fields
        values = {
            "title": fields.title,
            "text": self.content,
            "slug": fields.slug,
            "excerpt": fields.excerpt,
            "tags": ", ".join(self.tags),
            "category": fields.category,
            "parent": fields.parent,
            "authors": ",".join(map(str, fields.authors)),
            "language": fields.language,
            "date": fields.date,
            "picture": fields.picture,
            **{name: getattr(fields, name) for name in META},
            "series": self.series,
            "part": fields.series.position if fields.series else None,
            "featured": "on" if fields.featured else "",
            "version": self.version,
            **fields.sent_custom,
        }
        return {name: value for name, value in values.items() if value not in (None, "")}


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """The condition of every query that lists posts: others' drafts are seen by editors and above."""
    if policy.scope(actor, Capability.DRAFT_SEE) is Scope.ANY:
        return Post.id.is_not(None)
    return or_(is_in_public(), is_own(actor))


def is_in_public() -> ColumnElement[bool]:
    """What everybody may know of: not what has to be given an address or a password for."""
    return and_(Post.live == Live.PUBLISHED, Post.visibility == Visibility.PUBLIC)


def is_own(actor: Actor) -> ColumnElement[bool]:
    """What the actor began, or is an author of."""
    wrote = exists().where(PostAuthor.post_id == Post.id, PostAuthor.side == Side.WORK, PostAuthor.user_id == actor.user_id)
    return or_(Post.created_by_id == actor.user_id, wrote) if actor.is_signed_in else false()


# --- who knows of which ----------------------------------------------------------------------------------------------------


def sees_work(actor: Actor) -> ColumnElement[bool]:
    """The posts whose working copy the actor may know of."""
    return true() if policy.scope(actor, Capability.DRAFT_SEE) is Scope.ANY else is_own(actor)


def has_in_title(actor: Actor, word: str) -> ColumnElement[bool]:
    """The word, folded, in the title of the working copy where the actor may know of it, else in the one that readers see."""
    in_public = exists().where(
        SearchDocument.kind == "post", SearchDocument.ref == Post.id, SearchDocument.title.contains(word, autoescape=True)
    )
    in_work = Post.folded_title.contains(word, autoescape=True)
    if policy.scope(actor, Capability.DRAFT_SEE) is Scope.ANY:
        return in_work
    return or_(and_(is_own(actor), in_work), and_(not_(is_own(actor)), in_public))


def has_in_public(words: Sequence[str]) -> ColumnElement[bool]:
    """The words, or longer ones that begin so, in what readers see."""
    text = " " + SearchDocument.heading + " " + SearchDocument.body
    return exists().where(SearchDocument.kind == "post", SearchDocument.ref == Post.id, *(text.contains(f" {word}") for word in words))


_AUTHORS = (
    select(PostAuthor.post_id, User.id, User.name)
    .join(User, User.id == PostAuthor.user_id)
    .where(PostAuthor.side == Side.WORK, PostAuthor.post_id.in_(bindparam("ids", expanding=True)))
    .order_by(PostAuthor.position)
)


async def _author_names(session: AsyncSession, ids: Sequence[int]) -> dict[int, list[tuple[int, str]]]:
    names: dict[int, list[tuple[int, str]]] = {}
    for post_id, user_id, name in await session.execute(_AUTHORS, {"ids": ids}) if ids else ():
        names.setdefault(post_id, []).append((user_id, name))
    return names


async def named_authors(session: AsyncSession, found: Sequence[Post]) -> dict[int, tuple[str, ...]]:
    """Who wrote each of these, who know their owners from then on."""
    authors = await _author_names(session, [post.id for post in found])
    for post in found:
        with_owners(post, authors.get(post.id, ()))
    return {post.id: tuple(name for _, name in authors.get(post.id, ())) for post in found}


async def list_parents(session: AsyncSession, page_id: int | None, present: int | None) -> Sequence[tuple[int, str]]:
    """Pages that a page may stand below: (id, title), itself left out; and the one that it stands below, which may be in the trash."""
    there = or_(Post.live != Live.TRASHED, Post.id == (present or 0))
    wanted = select(Post.id, Post.title).where(Post.kind == Kind.PAGE, there, Post.id != (page_id or 0))
    return [(row.id, row.title) for row in await session.execute(wanted.order_by(Post.title))]


# --- one -------------------------------------------------------------------------------------------------------------------


async def get_draft(session: AsyncSession, actor: Actor, post_id: int) -> Draft:
    """A post as its editor opens it. Raises ``NotFound`` if the actor may not know of it, ``Forbidden`` if he may only read it."""
    return await _draft(session, await get_editable(session, actor, post_id))


async def read_draft(session: AsyncSession, actor: Actor, post_id: int) -> Draft:
    """The same for whoever may know of it, and perhaps not write in it."""
    post = await get_visible(session, actor, post_id)
    policy.require(actor, Capability.DRAFT_SEE, post)
    return await _draft(session, post)


_WRITTEN = (
    select(WorkingCopy, User.name).outerjoin(User, User.id == WorkingCopy.updated_by_id).where(WorkingCopy.post_id == bindparam("post_id"))
)


async def _draft(session: AsyncSession, post: Post) -> Draft:
    copy, editor = (await session.execute(_WRITTEN, {"post_id": post.id})).one()
    fields = PostFields.model_validate(copy.fields)
    names = await taxonomies.tag_names(session, fields.tags)
    series = await session.get(Series, fields.series.id) if fields.series else None
    return Draft(post, copy.content, fields, copy.version, copy.updated_at, editor or "", tuple(names), series.name if series else "")


async def get_editable(session: AsyncSession, actor: Actor, post_id: int, *, lock: bool = False) -> Post:
    """The post with its owners. Raises ``NotFound`` if the actor may not know of it, ``Forbidden`` if he may only read it."""
    post = await get_visible(session, actor, post_id, lock=lock)
    policy.require(actor, Capability.of(post.kind, "edit"), post)
    return post


async def get_visible(session: AsyncSession, actor: Actor, post_id: int, *, lock: bool = False) -> Post:
    """The post with its owners. What the actor may not know of is not found."""
    return (await all_visible(session, actor, [post_id], lock=lock))[post_id]


async def hold(work: Work, actor: Actor, post_id: int) -> Post:
    """To change what readers have of it. The site first, as by all who change that, or each would wait for the other."""
    await site.hold(work)
    return await get_visible(work.session, actor, post_id, lock=True)


async def all_visible(session: AsyncSession, actor: Actor, post_ids: Sequence[int], *, lock: bool = False) -> dict[int, Post]:
    """Several, by their ids. Raises ``NotFound`` if one of them is not."""
    if not post_ids:
        return {}
    found = (await session.scalars(_visible(actor, lock), {"ids": list(post_ids)})).all()
    if len(found) < len(set(post_ids)):
        raise NotFound
    names = await _author_names(session, post_ids)
    return {post.id: with_owners(post, names.get(post.id, ())) for post in found}


@lru_cache(256)
def _visible(actor: Actor, lock: bool) -> Select[Post]:
    wanted = select(Post).where(Post.id.in_(bindparam("ids", expanding=True)), visible_to(actor)).order_by(Post.id)
    # key_share: whoever refers to the post (a page below it) need not wait for whoever changes it.
    return wanted.with_for_update(key_share=True) if lock else wanted


def with_owners(post: Post, authors: Iterable[tuple[int, str]]) -> Post:
    """``authors``: of the working copy, numbers and names."""
    ids = {user_id for user_id, _ in authors} | {post.created_by_id}
    post.owner_ids = frozenset(user_id for user_id in ids if user_id is not None)
    return post


# --- acts ------------------------------------------------------------------------------------------------------------------


async def create(work: Work, actor: Actor, kind: Kind, wanted: PostInput, *, fields: PostFields | None = None) -> Post:
    """A new post with its first working copy, and a revision of it if there is something in it. The actor is its author.

    ``fields``: what stands in it before the form is filled in (authors, picture), for callers who know more than a new form does.
    """
    policy.require(actor, Capability.of(kind, "create"))
    post = Post(kind=kind, created_by_id=actor.user_id, created_at=work.now, updated_at=work.now, title="", has_changes=False)
    work.session.add(post)
    await work.session.flush()
    authors = (actor.user_id,) if actor.user_id else ()
    wanted = wanted.model_copy(update={"seen": PostInput.model_validate({})})
    fields = await _fields(work, actor, post, wanted, fields or PostFields(authors=authors))
    copy = await working_copies.begin(work, actor, post, wanted.text, fields)
    if copy.content or fields.title:
        await working_copies.keep(work, [copy], Reason.SAVED, actor.user_id)
    audit.note(work, actor, f"{kind}.create", kind, post.id)
    return with_owners(post, [(user_id, "") for user_id in fields.authors])


async def save(work: Work, actor: Actor, post_id: int, wanted: PostInput, *, on_purpose: bool = True) -> Post:
    """The working copy and, if somebody saves on purpose, a revision of it.

    What somebody else wrote since the form was ``seen`` stays. Raises ``Conflict`` if both changed the same field, or the form does not
    say what was seen, and the working copy is no longer the version that was.
    """
    post = await get_editable(work.session, actor, post_id, lock=True)
    if post.is_trashed:
        raise Conflict("This is in the trash; take it out to go on writing.")
    copy = await working_copies.project(work, post_id)
    if wanted.seen is None and copy.version != wanted.version:
        raise Conflict
    text, fields = copy.content, copy.fields
    wished = await _fields(work, actor, post, wanted, PostFields.model_validate(fields))
    if wanted.seen and copy.version != wanted.version and await _overwrites(work, post, wanted.seen, wished):
        raise Conflict
    base = wanted.seen.text if wanted.seen else text
    copy = await working_copies.edit(work, actor, post_id, content=wanted.text, fields=wished.to_json(), base=base)
    note_saved(work, actor, post, fields, copy, _changed(copy, text, fields))
    if on_purpose:
        await working_copies.keep(work, [copy], Reason.SAVED, actor.user_id)
        await link_cards.want(work, await references.bare_addresses(copy.content))
    return post


async def _overwrites(work: Work, post: Post, seen: PostInput, wished: PostFields) -> bool:
    """Whether this changes a field that is another now than it was ``seen``. Texts are merged."""
    draft = await _draft(work.session, post)
    now = PostInput.model_validate({**draft.values, "seen": seen})
    theirs = {"series" if name == "part" else name for name in now.typed} | {f"{CUSTOM}{key}" for key in now.typed_custom}
    is_now = draft.fields.to_json()
    return any(value != is_now.get(name) for name, value in wished.to_json().items() if name in theirs)


async def refile(work: Work, actor: Actor, post_id: int, changes: Callable[[PostFields], Mapping[str, Any]]) -> Post:
    """Change fields of the working copy, whatever the rest of it is by now: nothing that somebody types is lost.

    ``changes``: of the fields as they are, and valid. Raises ``Conflict`` if it is in the trash.
    """
    post = await get_editable(work.session, actor, post_id, lock=True)
    if post.is_trashed:
        raise Conflict("This is in the trash; take it out first.")
    copy = await working_copies.project(work, post_id)
    text, before = copy.content, copy.fields
    wished = PostFields.model_validate(before)
    wished = wished.model_copy(update=changes(wished))
    copy = await working_copies.edit(work, actor, post_id, fields=wished.to_json())
    note_saved(work, actor, post, before, copy, _changed(copy, text, before))
    await working_copies.keep(work, [copy], Reason.SAVED, actor.user_id)
    return post


async def duplicate(work: Work, actor: Actor, post_id: int, *, title: str = "%s (copy)") -> Post:
    """A new draft of the actor's with the text and the fields of another one, as they are written now.

    What is one text's alone stays with it: its address, its date, its part in a series, its place on the home page. Whom it is for goes
    along, as a copy must not open what is closed.
    """
    post = await get_editable(work.session, actor, post_id)
    copy = await working_copies.project(work, post_id)
    fields = PostFields.model_validate(copy.fields)
    named = title.replace("%s", fields.title[: MAX_TITLE - len(title)])
    own = {"title": named, "slug": "", "date": "", "series": None, "featured": False, "authors": (actor.user_id,) if actor.user_id else ()}
    made = await create(work, actor, post.kind, PostInput.model_validate({"text": copy.content}), fields=fields.model_copy(update=own))
    made.visibility, made.password_hash = post.visibility, post.password_hash
    return made


def _changed(copy: WorkingCopy, text: str, fields: Mapping[str, Any]) -> set[str]:
    """The names of what is another now."""
    before = PostFields.model_validate(fields).to_json()
    names = {name for name in copy.fields.keys() | before.keys() if copy.fields.get(name) != before.get(name)}
    return names | ({"text"} if copy.content != text else set())


def note_saved(work: Work, actor: Actor, post: Post, before: Mapping[str, Any], copy: WorkingCopy, changed: Set[str]) -> None:
    """In the audit, unless nothing is another; what is short with what it was, the rest by name, as revisions know it."""
    if changed:
        sides = ({name: str(fields.get(name) or "")[:MAX_TITLE] for name in SHORT} for fields in (before, copy.fields))
        audit.note(work, actor, f"{post.kind}.save", post.kind, post.id, changed=sorted(changed), **audit.difference(*sides))


async def _fields(work: Work, actor: Actor, post: Post, wanted: PostInput, before: PostFields) -> PostFields:
    """The map of the working copy after this input; what the form does not show, and what nobody touched in it, stays as it was."""
    typed, changes = wanted.typed, dict[str, Any]()
    if "title" in typed:
        changes["title"] = wanted.title
    if "slug" in typed and wanted.slug != before.slug:
        changes["slug"] = post_fields.slug(wanted.slug, is_top=post.kind is Kind.POST or wanted.parent is None)
    changes |= {name: getattr(wanted, name) for name in ("excerpt", *META) if name in typed}
    if "language" in typed:
        changes["language"] = wanted.language or None
    if "date" in typed and wanted.date != before.date:
        documents.typed_date(PostFields(date=wanted.date), await site.get_frame(work.session), work.now)
        changes["date"] = wanted.date
    if "picture" in typed:
        changes["picture"] = await post_fields.picture(work.session, actor, wanted.picture, before)
    if "authors" in typed and wanted.authors and policy.allows(actor, Capability.TAXONOMY_MANAGE):
        changes["authors"] = await post_fields.authors(work.session, wanted.authors, before)
    if "tags" in typed:
        changes["tags"] = await taxonomies.ensure_tags(work, wanted.tags)
    if typed & {"category", "new_category"}:
        changes["category"] = await _category(work, actor, wanted)
    if "parent" in typed:
        changes["parent"] = await post_fields.parent(work.session, post, wanted.parent)
    if typed & {"series", "part"} and post.kind is Kind.POST:
        changes["series"] = await _part(work, actor, wanted, before)
    if "featured" in typed and post.kind is Kind.POST and policy.allows(actor, Capability.TAXONOMY_MANAGE):
        changes["featured"] = wanted.featured  # what stands on the home page is the editors' choice
    if wanted.typed_custom:
        changes |= await custom_fields.typed(work.session, actor, post.kind, wanted.typed_custom, before.custom)
    return before.model_copy(update=changes)


async def _category(work: Work, actor: Actor, wanted: PostInput) -> int | None:
    if wanted.new_category:
        return await _new_category(work, actor, wanted.new_category)
    if wanted.category is not None:
        return (await taxonomies.require_category(work.session, wanted.category)).id
    return None


async def _part(work: Work, actor: Actor, wanted: PostInput, before: PostFields) -> PartOfSeries | None:
    """Where it stands in its series; at the end of one that it comes into, unless somebody says otherwise."""
    if not wanted.series:
        return None
    try:
        series = await taxonomies.ensure_series(work, actor, wanted.series)
    except Forbidden:
        raise InvalidInput({"series": "Only editors can begin a new series; choose one of the list."}) from None
    if wanted.part is None and before.series and before.series.id == series.id:
        return before.series
    return PartOfSeries(id=series.id, position=wanted.part or await taxonomies.next_part(work.session, series.id))


async def _new_category(work: Work, actor: Actor, name: str) -> int:
    try:
        return (await taxonomies.ensure_category(work, actor, name)).id
    except Forbidden:
        raise InvalidInput({"new_category": "Only editors can make new categories; choose one of the list."}) from None


async def restore(work: Work, actor: Actor, post_id: int) -> Post:
    """Take a post out of the trash: a draft again, or withdrawn if it was ever public."""
    post = await get_visible(work.session, actor, post_id, lock=True)
    policy.require(actor, Capability.of(post.kind, "trash"), post)
    if not post.is_trashed:
        raise Conflict("This is not in the trash.")
    post.live = Live.WITHDRAWN if post.was_ever_public else Live.NEVER
    post.trashed_at = post.live_before_trash = None
    audit.note(work, actor, f"{post.kind}.restore", post.kind, post.id, before=Live.TRASHED, after=post.live)
    outbox.record(work, WorkChanged(post.id))
    return post
