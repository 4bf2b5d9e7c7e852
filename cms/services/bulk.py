"""One act on many posts or pages: each is asked by itself whether it may be done, and one that is refused keeps no other from it."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from cms import policy
from cms.content.context import Rendered
from cms.db.session import ReadSession, Work
from cms.errors import Conflict, Forbidden, InvalidInput, NotFound
from cms.models import Post, UndoTicket
from cms.models.post import Kind, ScheduledAct, WorkState
from cms.policy import Actor, Capability
from cms.schemas.desk import BulkInput, ReviewInput
from cms.schemas.post import MAX_TAGS, PostFields
from cms.services import post_fields, posts, publishing, reviews, scheduling, taxonomies, trash, undoing
from cms.services.posts import Draft
from cms.services.publishing import Release, Version
from cms.services.undoing import Act
from cms.wording import say

UNDOABLE = frozenset({"withdraw", "trash", "restore"})  # and publishing: with what readers had and what waited
NOT_YOURS = "This is not yours, or not there."


class Means(Protocol):
    """What is needed beside the database's rows: units of work, and texts as readers get them."""

    def read(self) -> AbstractAsyncContextManager[ReadSession]: ...

    async def in_transaction(self, act: Callable[[Work], Awaitable[Any]]) -> Any: ...

    async def load(self, post_id: int) -> Draft: ...

    async def rendered(self, post_id: int, text: str, language: str | None) -> Rendered: ...

    async def revision(self, post_id: int, revision_id: int) -> Version: ...


@dataclass(slots=True)
class Report:
    """What was done, by number, and what was refused, with a sentence that says why. ``acts``: those that can be taken back."""

    done: list[int] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)
    acts: dict[int, Act] = field(default_factory=dict)

    async def undoably(self, work: Work, numbers: Sequence[int], act: Callable[[], Awaitable[Any]]) -> None:
        _, acts = await undoing.undoable(work, numbers, act)
        self.acts |= {one.post_id: one for one in acts}


async def apply(means: Means, actor: Actor, kind: Kind, wanted: BulkInput) -> Report:
    """Each in a transaction of its own, but for posts that are published: they go out together if they can."""
    if not wanted.id:
        raise InvalidInput({"id": "Nothing was chosen. Tick the rows that are meant first."})
    if wanted.act == "publish":
        return await _publish(means, actor, kind, wanted.id)
    act = await _act(means, actor, wanted)
    report = Report()

    async def do(work: Work, number: int) -> None:
        if wanted.act in UNDOABLE:
            await report.undoably(work, [number], lambda: _do(work, actor, kind, number, act))
        else:
            await _do(work, actor, kind, number, act)

    await _one_by_one(report, wanted.id, lambda number: means.in_transaction(lambda work: do(work, number)))
    return report


async def undo(means: Means, actor: Actor, ticket: UndoTicket, acts: Sequence[Act]) -> Report:
    """Take back what was done, each in a transaction of its own. A page comes back below one that comes back with it."""
    report, of = Report(), {act.post_id: act for act in acts}

    async def take_back(number: int) -> None:
        await means.load(number)
        former = of[number].before.revision
        version = await means.revision(number, former) if former else None
        await means.in_transaction(lambda work: undoing.undo(work, actor, ticket, of[number], version))

    await _until_none_goes(report, of, take_back)
    return report


# --- acts on one -----------------------------------------------------------------------------------------------------------

_Act = Callable[[Work, Actor, int], Awaitable[Any]]


async def _act(means: Means, actor: Actor, wanted: BulkInput) -> _Act:
    acts: Mapping[str, _Act] = {
        "withdraw": publishing.withdraw,
        "draft": _back_to_draft,
        "trash": publishing.trash,
        "restore": posts.restore,
        "delete": trash.forget,
    }
    return acts[wanted.act] if wanted.act in acts else await _filing(means, actor, wanted)


async def _do(work: Work, actor: Actor, kind: Kind, number: int, act: _Act) -> None:
    """A page does not answer to what is done to posts."""
    if (await posts.get_visible(work.session, actor, number)).kind is not kind:
        raise NotFound
    await act(work, actor, number)


async def _one_by_one(report: Report, numbers: Iterable[int], act: Callable[[int], Awaitable[Any]]) -> None:
    for number in numbers:
        try:
            await act(number)
        except (NotFound, Forbidden) as error:
            is_told = isinstance(error, Forbidden) and error.message != Forbidden.message  # why one may not, of what one may know
            report.refused[number] = error.message if is_told else NOT_YOURS
        except (Conflict, InvalidInput) as error:
            report.refused[number] = error.message
        else:
            report.done.append(number)
            report.refused.pop(number, None)


async def _until_none_goes(report: Report, numbers: Collection[int], act: Callable[[int], Awaitable[Any]]) -> None:
    """One may be possible only when another is done."""
    before = -1
    while before < len(report.done) < len(numbers):
        before = len(report.done)
        await _one_by_one(report, [number for number in numbers if number not in report.done], act)


async def _back_to_draft(work: Work, actor: Actor, post_id: int) -> None:
    """Out of its review, and off its date."""
    post = await posts.get_editable(work.session, actor, post_id, lock=True)
    if post.is_trashed:
        raise Conflict("This is in the trash; take it out first.")
    if post.work is WorkState.DRAFT:
        raise Conflict("Readers see this; withdraw it instead." if post.is_published else "This is no more than a draft already.")
    if post.work is WorkState.SCHEDULED:
        await scheduling.cancel(work, actor, post_id, ScheduledAct.PUBLISH)
    else:
        await reviews.take_back(work, actor, post_id, ReviewInput.model_validate({}))


# --- fields ----------------------------------------------------------------------------------------------------------------


async def _filing(means: Means, actor: Actor, wanted: BulkInput) -> _Act:
    """What is changed in the fields of each. What is wrong with it is wrong for all, and refused before anything is done."""
    if wanted.act in ("add_tags", "remove_tags"):
        if not wanted.tags:
            raise InvalidInput({"tags": "Write the tags, with commas between."})
        return _tagging(wanted.tags, is_adding=wanted.act == "add_tags")
    async with means.read() as session:
        if wanted.act == "authors":
            policy.require(actor, Capability.TAXONOMY_MANAGE)
            if not wanted.to_authors:
                raise InvalidInput({"to_authors": "Choose somebody: a text has at least one author."})
            people = await post_fields.authors(session, wanted.to_authors, PostFields())
            return _setting(lambda _: {"authors": tuple(people)})
        if wanted.to_category:
            await taxonomies.require_category(session, wanted.to_category)
    return _setting(lambda _: {"category": wanted.to_category or None})


def _setting(changes: Callable[[PostFields], Mapping[str, Any]]) -> _Act:
    async def act(work: Work, actor: Actor, post_id: int) -> None:
        await posts.refile(work, actor, post_id, changes)

    return act


def _tagging(names: Sequence[str], *, is_adding: bool) -> _Act:
    async def act(work: Work, actor: Actor, post_id: int) -> None:
        if is_adding:
            new = await taxonomies.ensure_tags(work, names)
            await posts.refile(work, actor, post_id, lambda fields: {"tags": _few((*fields.tags, *new))})
            return
        old = await taxonomies.find_tags(work.session, names)
        await posts.refile(work, actor, post_id, lambda fields: {"tags": tuple(tag for tag in fields.tags if tag not in old)})

    return act


def _few(tags: Sequence[int]) -> tuple[int, ...]:
    found = tuple(dict.fromkeys(tags))
    if len(found) > MAX_TAGS:
        raise InvalidInput({"tags": say("It would have more than {most} tags.", most=MAX_TAGS)})
    return found


# --- publishing ------------------------------------------------------------------------------------------------------------


async def _publish(means: Means, actor: Actor, kind: Kind, numbers: Sequence[int]) -> Report:
    """Rendered before anything is written. A page is found below one that went out with it, so pages are tried until none goes."""
    report, releases = Report(), dict[int, Release]()

    async def prepare(number: int) -> None:
        releases[number] = await _release(means, actor, kind, number)

    async def publish(number: int) -> None:
        await go([number])

    async def go(numbers: Sequence[int]) -> None:
        wanted = [releases[number] for number in numbers]
        await means.in_transaction(lambda work: report.undoably(work, numbers, lambda: publishing.publish_all(work, actor, wanted)))

    await _one_by_one(report, numbers, prepare)
    report.done = []
    if kind is Kind.POST and len(releases) > 1:
        with suppress(NotFound, Forbidden, Conflict, InvalidInput):  # one of them cannot; which, is found out by trying each
            await go(list(releases))
            report.done = list(releases)
            return report
    await _until_none_goes(report, releases, publish)
    return report


async def _release(means: Means, actor: Actor, kind: Kind, number: int) -> Release:
    draft = await means.load(number)
    _require_publishable(actor, kind, draft.post)
    rendered = await means.rendered(number, draft.content, draft.fields.language)
    return Release(number, Version(draft.version, rendered), is_checked=True)


def _require_publishable(actor: Actor, kind: Kind, post: Post) -> None:
    """Asked again when it goes out; here, so that nothing is rendered for nothing."""
    policy.require(actor, Capability.of(kind, "publish"), post)
    if post.is_trashed:
        raise Conflict("This is in the trash; take it out before you publish it.")
    if post.is_published and not post.has_changes:
        raise Conflict("Readers see this as it is.")
