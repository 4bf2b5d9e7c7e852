"""Categories, tags and series into the trash and out of it again. Their texts stay, without them; out of the trash, a thing has its
number again, its addresses, its texts and all that led to it."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from cms import policy
from cms.db.session import Work
from cms.errors import InvalidInput
from cms.events import TermChanged
from cms.models import Address, Category, PassedOn, PostTemplate, Tag, TrashedThing
from cms.models.address import AddressState, TargetKind
from cms.models.desk import TrashKind
from cms.policy import Actor, Capability
from cms.schemas.terms import TermInput
from cms.services import addresses, audit, bringing_back, catalogue, outbox, passing_on, site, trashed_things, trashed_trees
from cms.services.catalogue import Thing
from cms.services.passing_on import SHELVES

AT_ONCE = 200  # that no text has


async def delete(work: Work, actor: Actor, kind: TargetKind, term_id: int) -> tuple[TrashedThing, bool]:
    """Also whether all is done already. What stands below a category moves up."""
    policy.require(actor, Capability.TAXONOMY_MANAGE)
    await site.hold(work)
    term = await catalogue.present(work.session, kind, term_id)
    (thing,) = await _put(work, actor, kind, [term])
    if isinstance(term, Category):
        await catalogue.raise_those_below(work, term, term.parent_id)
    return thing, await passing_on.pass_on(work, kind, term.id, None)


async def delete_unused_tags(work: Work, actor: Actor) -> int:
    """The next ``AT_ONCE``; how many they were."""
    policy.require(actor, Capability.TAXONOMY_MANAGE)
    await site.hold(work)
    unused = (await work.session.scalars(select(Tag).where(catalogue.is_unused()).order_by(Tag.folded).limit(AT_ONCE))).all()
    if unused:
        await _put(work, actor, TargetKind.TAG, unused)
        await passing_on.drop_unused(work, TargetKind.TAG, [tag.id for tag in unused])
    return len(unused)


async def _put(work: Work, actor: Actor, kind: TargetKind, terms: Sequence[Thing]) -> list[TrashedThing]:
    was, shelf = await _as_they_are(work.session, kind, terms), SHELVES[kind]
    lines = [audit.note(work, actor, f"{shelf.kind}.delete", shelf.kind, term.id, before=term.name) for term in terms]
    return [await trashed_things.put(work, TrashKind(kind), line, term.name, was[term.id]) for term, line in zip(terms, lines, strict=True)]


async def _as_they_are(session: AsyncSession, kind: TargetKind, terms: Sequence[Thing]) -> dict[int, dict[str, Any]]:
    """``paths``: that have led to it; ``merged``: what has become this one; ``below``: of a category; ``templates``: that name it."""
    was: dict[int, dict[str, Any]] = {
        term.id: {"parent": None, **catalogue.shown(term), "paths": [], "merged": [], "below": [], "templates": []} for term in terms
    }
    old = (Address.target_kind == kind, Address.target_id.in_(was), Address.state == AddressState.MOVED)
    wanted: dict[str, Select[Any, Any]] = {
        "paths": select(Address.target_id, Address.path).where(*old),
        "merged": select(PassedOn.target_id, PassedOn.term_id).where(PassedOn.kind == kind, PassedOn.target_id.in_(was)),
    }
    if kind is TargetKind.CATEGORY:
        wanted["below"] = select(Category.parent_id, Category.id).where(Category.parent_id.in_(was))
    for name, of_each in wanted.items():
        for term_id, value in await session.execute(of_each):
            was[term_id][name].append(value)
    for template_id, fields in await session.execute(select(PostTemplate.id, PostTemplate.fields)):
        for term_id in was:
            if _names(kind, fields, term_id):
                was[term_id]["templates"].append(template_id)
    return was


def _names(kind: TargetKind, fields: Mapping[str, Any], term_id: int) -> bool:
    said = fields.get(SHELVES[kind].field)
    return term_id in said if isinstance(said, list) else said == term_id


async def restore(work: Work, actor: Actor, thing: TrashedThing) -> bool:
    """Whether its texts stand under it already. Raises ``InvalidInput`` if it cannot be there at this moment."""
    policy.require(actor, Capability.TAXONOMY_MANAGE)
    kind, was, session = TargetKind(thing.kind), thing.was, work.session
    if await session.get(SHELVES[kind].table, thing.number):
        raise InvalidInput({"": "Its posts are still being taken out of it. Try again when that is done."})
    term: Thing = SHELVES[kind].table(id=thing.number, name="", slug="", description="")
    await _stand(work, kind, term, thing)
    await addresses.lead(work, kind, {term.id: was["paths"]})
    merged = (PassedOn.kind == kind, PassedOn.term_id.in_(was["merged"]), PassedOn.target_id.is_(None))
    # Some of their names may mean new tags by now.
    await session.execute(update(PassedOn).where(*merged, PassedOn.folded.in_(select(Tag.folded))).values(folded=""))
    await session.execute(update(PassedOn).where(*merged).values(target_id=term.id))
    await _name_in_templates(session, kind, term.id, was["templates"])
    if isinstance(term, Category):
        await _move_below(work, thing, term)
    now = await addresses.find_current(session, kind, term.id)
    outbox.record(work, TermChanged(kind, term.id, ("name",), tuple(dict.fromkeys([now.path if now else "", *was["paths"]]))))
    await site.renew_frame(work)
    return await bringing_back.bring_back(work, kind, term.id)


async def _stand(work: Work, kind: TargetKind, term: Thing, thing: TrashedThing) -> None:
    """At its place and its address; at another if that was given away meanwhile."""
    values = {name: thing.was[name] for name in ("name", "slug", "description")}
    above = await trashed_trees.above(work.session, thing, term.id, await _categories(work.session)) if thing.was["parent"] else None
    wanted = TermInput(**values, parent=above)
    try:
        await catalogue.put(work, kind, term, wanted)
    except InvalidInput as error:
        if "slug" not in error.errors:
            raise
        await catalogue.put(work, kind, term, wanted.model_copy(update={"slug": ""}))


async def _categories(session: AsyncSession) -> dict[int, int]:
    """Those that are there, and of those that are being merged or were, the others."""
    there = {number: number for number in await session.scalars(select(Category.id))}
    passed_on = select(PassedOn.term_id, PassedOn.target_id).where(PassedOn.kind == TargetKind.CATEGORY)
    heirs: dict[int, int | None] = dict((await session.execute(passed_on)).all())
    now = {number: heirs.get(number, number) for number in (*there, *heirs)}
    return {number: heir for number, heir in now.items() if heir in there}


async def _move_below(work: Work, thing: TrashedThing, category: Category) -> None:
    """What stood below it stands there again, unless it was moved meanwhile."""
    moved_up = trashed_trees.all_of(await trashed_trees.below(work.session, thing, category.id, category.parent_id), "below")
    beside = Category.parent_id.is_not_distinct_from(category.parent_id)
    wanted = select(Category).where(Category.id.in_(moved_up), beside, Category.id != category.id)
    await catalogue.move_below(work, (await work.session.scalars(wanted)).all(), category.id)


async def _name_in_templates(session: AsyncSession, kind: TargetKind, term_id: int, template_ids: list[int]) -> None:
    field = SHELVES[kind].field
    for template in await session.scalars(select(PostTemplate).where(PostTemplate.id.in_(template_ids))):
        said = template.fields.get(field)
        template.fields = {**template.fields, field: [*(said or ()), term_id] if kind is TargetKind.TAG else said or term_id}
    await session.flush()
