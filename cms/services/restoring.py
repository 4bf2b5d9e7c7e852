"""Things out of the trash again: whose act that is, for each kind."""

from collections.abc import Awaitable, Callable, Mapping

from cms.db.session import Work
from cms.errors import Conflict, InvalidInput
from cms.models import TrashedThing
from cms.models.desk import TrashKind
from cms.policy import Actor
from cms.services import audit, custom_fields, folders, post_templates, redirects, site, snippets, trashed_terms, trashed_things
from cms.wording import say, sentences

_AGAIN: Mapping[TrashKind, Callable[[Work, Actor, TrashedThing], Awaitable[bool | None]]] = {
    TrashKind.CATEGORY: trashed_terms.restore,
    TrashKind.TAG: trashed_terms.restore,
    TrashKind.SERIES: trashed_terms.restore,
    TrashKind.SNIPPET: snippets.restore,
    TrashKind.TEMPLATE: post_templates.restore,
    TrashKind.FIELD: custom_fields.restore,
    TrashKind.REDIRECT: redirects.restore,
    TrashKind.FOLDER: folders.restore,
}


async def restore(work: Work, actor: Actor, thing_id: int) -> tuple[TrashedThing, bool]:
    """Also whether all is as it was already; of much, the rest follows by a job. Raises ``Conflict`` if it has to stay in the trash."""
    await site.hold(work)
    thing = (await trashed_things.get(work.session, actor, thing_id)).thing
    try:
        is_done = await _AGAIN[thing.kind](work, actor, thing)
    except (InvalidInput, Conflict) as error:
        raise Conflict(sentences(say("“{name}” stays in the trash.", name=thing.name), error.message)) from None
    await work.session.delete(thing)
    audit.note(work, actor, "trash.restore", thing.kind, thing.number, name=thing.name)
    return thing, is_done is not False
