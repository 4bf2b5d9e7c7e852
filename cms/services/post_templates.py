"""What new texts begin with: a text and some of its fields. All who write use them, editors keep them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cms import policy
from cms.db.session import Work
from cms.errors import Conflict, InvalidInput, NotFound
from cms.models import Category, PostTemplate, Tag, TrashedThing
from cms.models.address import TargetKind
from cms.models.desk import TrashKind
from cms.models.post import Kind
from cms.policy import Actor, Capability
from cms.schemas.post import CUSTOM, PostFields
from cms.schemas.snippets import MAX_TEMPLATE, TemplateInput
from cms.services import audit, custom_fields, posts, site, taxonomies, trashed_things, working_copies
from cms.wording import say

MOST = 100
_TAKEN = {"category", "tags", "language"}  # of a text that is made a template, and its custom fields


@dataclass(frozen=True, slots=True)
class Start:
    """A template as a new text has it: without what is not there any more, and with what things were merged with. ``tags``: names."""

    template: PostTemplate
    fields: PostFields
    tags: Sequence[str]


async def list_of(session: AsyncSession, kind: Kind | None = None) -> Sequence[PostTemplate]:
    """By name; of both kinds unless one is asked for."""
    wanted = select(PostTemplate).order_by(PostTemplate.kind.desc(), PostTemplate.name, PostTemplate.id)
    return (await session.scalars(wanted.where(PostTemplate.kind == kind) if kind else wanted)).all()


async def start(session: AsyncSession, template_id: int, kind: Kind | None = None) -> Start:
    """Raises ``NotFound`` if there is none, or it is of another kind."""
    template = await session.get(PostTemplate, template_id)
    if template is None or (kind and template.kind is not kind):
        raise NotFound
    fields = PostFields.model_validate(template.fields)
    merged = await taxonomies.went(session, TargetKind.TAG, fields.tags) if fields.tags else {}  # until a job has rewritten the template
    above = await taxonomies.went(session, TargetKind.CATEGORY, [fields.category]) if fields.category else {}
    fields = fields.model_copy(
        update={
            "tags": tuple(dict.fromkeys(merged.get(number, number) for number in fields.tags)),
            "category": above.get(fields.category or 0, fields.category),
        }
    )
    names = {tag.id: tag.name for tag in await session.scalars(select(Tag).where(Tag.id.in_(fields.tags)))} if fields.tags else {}
    category = await session.get(Category, fields.category) if fields.category else None
    tags = tuple(number for number in fields.tags if number in names)
    there = fields.model_copy(update={"category": category and category.id, "tags": tags})
    return Start(template, there, [names[number] for number in tags])


async def take(work: Work, actor: Actor, post_id: int) -> PostTemplate:
    """A template made of a text as it stands at the desk, under its title."""
    policy.require(actor, Capability.SNIPPET_MANAGE)
    post = await posts.get_editable(work.session, actor, post_id)
    copy = await working_copies.project(work, post_id)
    if len(copy.content) > MAX_TEMPLATE:
        raise Conflict(say("A template has at most {most} characters; this text is longer.", most=MAX_TEMPLATE))
    fields = {key: value for key, value in copy.fields.items() if key in _TAKEN or key.startswith(CUSTOM)}
    template = await _add(work, actor, post.kind, (post.title or "Template")[:70], copy.content, fields)
    audit.note(work, actor, "template.create", "template", template.id)
    return template


async def _add(work: Work, actor: Actor, kind: Kind, name: str, content: str, fields: Mapping[str, Any], number: int = 0) -> PostTemplate:
    """With a number behind its name, if another is called so. ``number``: its own, if that is free."""
    await site.hold(work)
    known = await list_of(work.session, kind)
    if len(known) >= MOST:
        raise Conflict(say("There are {most} templates already; delete one that nobody needs any more.", most=MOST))
    name, by = _free_name(name, {template.name for template in known}), {"updated_at": work.now, "updated_by_id": actor.user_id}
    template = PostTemplate(kind=kind, name=name, content=content, fields=dict(fields), **by)
    if number and await work.session.get(PostTemplate, number) is None:
        template.id = number
    work.session.add(template)
    await work.session.flush()
    return template


async def change(work: Work, actor: Actor, template_id: int, wanted: TemplateInput) -> PostTemplate:
    """Raises ``Conflict`` if it is another by now than what was seen."""
    policy.require(actor, Capability.SNIPPET_MANAGE)
    await site.hold(work)
    template = (await start(work.session, template_id)).template
    if template.version != wanted.version:
        raise Conflict
    if any(each.name == wanted.name and each is not template for each in await list_of(work.session, template.kind)):
        raise InvalidInput({"name": "There is a template of this name already."})
    values: Mapping[str, Any] = {"name": wanted.name, "content": wanted.text, "fields": await _fields(work, actor, template, wanted)}
    changed = [name for name, value in values.items() if getattr(template, name) != value]
    if changed:
        for name, value in values.items():
            setattr(template, name, value)
        template.updated_at, template.updated_by_id = work.now, actor.user_id
        audit.note(work, actor, "template.edit", "template", template_id, changed=changed)
    return template


async def delete(work: Work, actor: Actor, template_id: int) -> TrashedThing:
    policy.require(actor, Capability.SNIPPET_MANAGE)
    await site.hold(work)
    template = (await start(work.session, template_id)).template
    await work.session.delete(template)
    line = audit.note(work, actor, "template.delete", "template", template_id, name=template.name)
    was = {"kind": template.kind, "content": template.content, "fields": template.fields}
    return await trashed_things.put(work, TrashKind.TEMPLATE, line, template.name, was)


async def restore(work: Work, actor: Actor, thing: TrashedThing) -> None:
    """Raises ``Conflict`` if there are too many."""
    policy.require(actor, Capability.SNIPPET_MANAGE)
    await _add(work, actor, Kind(thing.was["kind"]), thing.name, thing.was["content"], thing.was["fields"], thing.number)


async def _fields(work: Work, actor: Actor, template: PostTemplate, wanted: TemplateInput) -> dict[str, Any]:
    before = PostFields.model_validate(template.fields).custom
    custom = await custom_fields.typed(work.session, actor, template.kind, wanted.custom, before)
    if wanted.category:
        await taxonomies.require_category(work.session, wanted.category)
    kept = {f"{CUSTOM}{key}": value for key, value in before.items()}
    said = {
        "category": wanted.category or None, "tags": list(await taxonomies.ensure_tags(work, wanted.tags)),
        "language": wanted.language or None, **kept, **custom,
    }  # fmt: skip
    return {key: value for key, value in said.items() if value not in (None, "", [])}


def _free_name(name: str, taken: set[str]) -> str:
    names = (name if number == 1 else f"{name} {number}" for number in range(1, MOST + 2))
    return next(each for each in names if each not in taken)
