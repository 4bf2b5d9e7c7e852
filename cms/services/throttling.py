"""How often something may be done, whichever process is asked: one row for each who does it.

GCRA, the generic cell rate algorithm (ITU-T I.371): a row holds how far into the future somebody has used up what is allowed. What is kept
is a hash, neither addresses nor names.
"""

import hashlib
from dataclasses import dataclass
from math import ceil

from sqlalchemy import delete, select

from cms.db.session import Database, Work
from cms.errors import TooManyRequests
from cms.models import Throttle


@dataclass(frozen=True, slots=True)
class Limit:
    """``most`` acts at once, and as many again in ``seconds``."""

    name: str
    most: int
    seconds: float

    @property
    def interval(self) -> float:
        return self.seconds / self.most


async def take(database: Database, limit: Limit, who: str) -> None:
    """Count an act of ``who`` (an address, an account). Raises ``TooManyRequests`` when there were too many; that one is not counted.

    A transaction of its own: what is refused afterwards has been tried all the same.
    """
    async with database.transaction() as work:
        wait = await _take(work, limit, who)
    if wait > 0:
        raise TooManyRequests(ceil(wait))


async def give_back(database: Database, limit: Limit, who: str) -> None:
    """Forget what was counted: it turned out well."""
    async with database.transaction() as work:
        await work.session.execute(delete(Throttle).where(Throttle.key == _key(limit, who)))


async def _take(work: Work, limit: Limit, who: str) -> float:
    """Seconds to wait; 0 if the act may be done."""
    now, key = work.now.timestamp(), _key(limit, who)
    row = (await work.session.execute(select(Throttle.used_until).where(Throttle.key == key).with_for_update())).scalar_one_or_none()
    used_until = max(now, row or 0) + limit.interval
    if used_until - now > limit.seconds + limit.interval / 1000:  # what time has rounded off
        return used_until - now - limit.seconds
    insert = work.dialect.insert(Throttle).values(key=key, used_until=used_until)
    longer = {"used_until": insert.excluded.used_until} if row is not None else {"used_until": Throttle.used_until + limit.interval}
    await work.session.execute(insert.on_conflict_do_update(index_elements=["key"], set_=longer))
    return 0


async def prune(work: Work) -> None:
    """Forget those who have not used up anything any more."""
    await work.session.execute(delete(Throttle).where(Throttle.used_until < work.now.timestamp()))


def _key(limit: Limit, who: str) -> str:
    return hashlib.sha256(f"{limit.name}\0{who}".encode()).hexdigest()
