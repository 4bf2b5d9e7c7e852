"""What is in front of us, a CDN or a cache, is told what an event changed: by a job of the transaction that made the event.

Told twice: at once, and once more when every process has heard of it and nobody waits any more for a page that was made before
(docs/decisions/0018-front-ends.md).
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import quote

from cms.db.session import Database, Work
from cms.events import Event, PostPublished, PostWithdrawn, RedirectsChanged, SiteChanged, TermChanged
from cms.page_cache import marks
from cms.page_cache.marks import EVERYTHING, NOTHING, changed_by, outside
from cms.services import jobs
from cms.settings import Settings

JOB = "purge"
AGAIN = timedelta(seconds=10)
MOST = 500  # names; more than so many are everything
EVERY_ADDRESS = "/*"
# Where texts stand in lists, and what programs read.
LISTS = (
    "/", "/page/*", "/archive*", "/tag/*", "/category/*", "/author/*", "/series/*", "/feed.xml", "/atom.xml", "/feed.json", "/sitemap*",
    "/llms.txt",
)  # fmt: skip
_OF_A_PAGE_ALONE = ("page", "source", "found")  # sides of a post that are shown at its own address, or by searches


def follow(database: Database, settings: Settings) -> None:
    """Have all that is changed through this database told, if the settings name to whom."""
    if settings.purge_url:
        database.follow(partial(_note, by_address=settings.purges_addresses))


async def _note(work: Work, *, by_address: bool) -> None:
    names = {name for event in work.events for name in (addresses if by_address else tags)(event)}
    if names:
        for due_at in (work.now, work.now + AGAIN):
            await jobs.enqueue(work, JOB, due_at=due_at, names=_fitting(names, by_address=by_address))


async def forget_everything(work: Work) -> None:
    """After what no event tells of: another version of the program, a restored backup."""
    await jobs.enqueue(work, JOB, names=[EVERYTHING])


async def try_again(work: Work) -> None:
    """What was given up."""
    if await jobs.has_failed(work, JOB):
        await jobs.enqueue(work, JOB, names=[])


async def gather(work: Work, job_id: int, payload: dict[str, Any], *, by_address: bool) -> Sequence[str]:
    """What a job is to tell, with what all others wait to tell."""
    others = await jobs.take_along(work, job_id, JOB)
    names = _fitting({name for each in (payload, *others) for name in each["names"]}, by_address=by_address)
    await jobs.go_on_from(work, job_id, names=names)
    return names


def _fitting(names: Iterable[str], *, by_address: bool) -> list[str]:
    """In order; everything, if there are too many, or if some are of the other kind: the settings were changed meanwhile."""
    found, everything = sorted(set(names)), EVERY_ADDRESS if by_address else EVERYTHING
    is_all = len(found) > MOST or everything in found or any(name.startswith("/") is not by_address for name in found)
    return [everything] if is_all else found


def tags(event: Event) -> frozenset[str]:
    """What pages that are over have shown, as they told it."""
    is_closed = isinstance(event, SiteChanged) and not {"access", "access_mark", "private_media"}.isdisjoint(event.aspects)
    return frozenset({EVERYTHING}) if is_closed else outside(changed_by(event))


def addresses(event: Event) -> frozenset[str]:
    """Where pages that are over stood. What is shown all over the site, or nobody knows where, is everything."""
    changed = changed_by(event)
    if changed == NOTHING:
        return frozenset()
    if isinstance(event, (PostPublished, PostWithdrawn)):
        return _of_post(event, changed)
    if isinstance(event, TermChanged):  # the texts that name it tell of themselves
        return frozenset({*LISTS, *map(_address, event.paths)})
    if isinstance(event, RedirectsChanged) and event.paths:
        return frozenset(map(_address, event.paths))
    return frozenset({EVERY_ADDRESS})


def _of_post(event: PostPublished | PostWithdrawn, changed: marks.Marks) -> frozenset[str]:
    """A page may be the home page; and others show its title."""
    former = event.former_path if isinstance(event, PostPublished) else event.path
    own = {address + end for path in (event.path, former or event.path) for address in [_address(path)] for end in ("", ".md")}
    alone = {marks.post(event.post_id, view) for view in _OF_A_PAGE_ALONE} | {marks.TITLES, marks.WORDS}
    if changed.tags <= alone and not changed.spans:
        return frozenset({*own, "/"} if event.kind == "page" else own)
    return frozenset({EVERY_ADDRESS} if event.kind == "page" else {*own, *LISTS})


def _address(path: str) -> str:
    return "/" + quote(path, safe="/:@!$&'()+,;=~-._")
