"""Does scheduled acts when their time has come, beside the jobs of each process; whoever is first does it, and once."""

import asyncio

from cms.errors import CMSError, Conflict, Unavailable
from cms.services import references, scheduling, site
from cms.services.publishing import Version
from cms.services.scheduling import Due
from cms.telemetry import log
from cms.worker.loop import go_on
from cms.worker.tasks import Means

PAUSE = 1.0  # seconds between looks; the clock is read at each, so that it may jump
BROKEN = "Something went wrong on our side, and it is in the log."


async def run(means: Means) -> None:
    """Until cancelled; an act under way comes to its end then, or is rolled back and left to the next who looks. Outlives a database that
    is away."""
    await go_on(lambda: _look(means), asyncio.Event(), PAUSE)


async def _look(means: Means) -> bool:
    try:
        await do_due(means)
    except Unavailable:
        log.warning("scheduled acts wait: the database is away")
    except Exception:  # the next look may go better
        log.exception("scheduled acts were interrupted")
    return False  # what is due in the next second is done in the next second


async def do_due(means: Means) -> int:
    """All that is due; how many of them were done here."""
    async with means.database.read() as session:
        found = await scheduling.due(session, means.database.clock())
    return sum([await _do(means, each) for each in found])


async def _do(means: Means, found: Due) -> bool:
    try:
        version = await rendered(means, found.post_id, found.revision_id) if found.revision_id else None
        return await means.database.run(lambda work: scheduling.perform(work, found, version))
    except Unavailable:
        raise
    except CMSError as error:
        if isinstance(error, Conflict) and error.message == type(error).message:
            log.info("a scheduled act waits: somebody is at the post", post=found.post_id)
            return False
        reason = error.message
    except Exception:
        log.exception("a scheduled act broke", post=found.post_id, act=found.act)
        reason = BROKEN
    log.warning("a scheduled act could not be done", post=found.post_id, act=found.act)
    async with means.database.transaction() as work:
        await scheduling.fail(work, found, reason)
    return False


async def rendered(means: Means, post_id: int, revision_id: int) -> Version:
    """What is to go out, as readers get it; slow, so before the transaction."""
    async with means.database.read() as session:
        text, language = await scheduling.text_of(session, revision_id)
        language = language or (await site.get_frame(session)).language
        context = await references.context(session, post_id, text, language, means.public_url)
    return Version(0, await means.renderer.render(text, context), revision_id)
