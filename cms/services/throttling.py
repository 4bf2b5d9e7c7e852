"""How often something may be done, whichever process is asked: one row for each who does it.

GCRA, the generic cell rate algorithm (ITU-T I.371): a row holds how far into the future somebody has used up what is allowed. What is kept
is a hash, neither addresses nor names.
"""

import hashlib
import ipaddress
from dataclasses import dataclass, replace
from math import ceil

from sqlalchemy import delete, select

from cms.db.session import Database, Work
from cms.errors import TooManyRequests
from cms.models import Throttle

MOST_COUNTED = 10_000  # addresses or people that a process remembers


@dataclass(frozen=True, slots=True)
class Limit:
    """``most`` acts at once, and as many again in ``seconds``."""

    name: str
    most: int
    seconds: float

    @property
    def interval(self) -> float:
        return self.seconds / self.most


SEARCHES = Limit("search", 300, 60)  # of one address; typing one query asks a few times, and an office has one address
WRITES = Limit("write", 300, 60)  # of one person at the desk


async def take(database: Database, limit: Limit, who: str, number: int = 1) -> None:
    """Count acts of ``who`` (an address, an account). Raises ``TooManyRequests`` when there were too many; those are not counted.

    A transaction of its own: what is refused afterwards has been tried all the same.
    """
    async with database.transaction() as work:
        wait = await _take(work, limit, who, number)
    if wait > 0:
        raise TooManyRequests(ceil(wait))


async def may(work: Work, limit: Limit, who: str) -> bool:
    """Count an act that is done in this very transaction, if it may be."""
    return await _take(work, limit, who, 1) == 0


async def give_back(database: Database, limit: Limit, who: str) -> None:
    """Forget what was counted: it turned out well."""
    async with database.transaction() as work:
        await work.session.execute(delete(Throttle).where(Throttle.key == _key(limit, who)))


@dataclass(frozen=True, slots=True)
class _Count:
    number: int  # of acts that no row knows of yet
    since: float
    refused_until: float = 0


class Tally:
    """Counts here what is done often, and takes it from the shared row by the portion: most people never cost a write, and somebody
    who is refused costs none either. In each process a portion more is done than is allowed, at most."""

    def __init__(self, database: Database, limit: Limit, portion: int = 0) -> None:
        self._database = database
        self._limit = limit
        self._portion = portion or max(1, limit.most // 10)
        self._counts: dict[str, _Count] = {}

    async def count(self, who: str) -> None:
        """Raises ``TooManyRequests`` when there were too many."""
        who, now = _counted_as(who), self._database.clock().timestamp()
        known = self._counts.pop(who, None)
        if known is None or now - known.since > self._limit.seconds:
            known = _Count(0, now)
        self._counts[who] = known  # the last of all
        if len(self._counts) > MOST_COUNTED:
            del self._counts[next(iter(self._counts))]
        if now < known.refused_until:
            raise TooManyRequests(ceil(known.refused_until - now))
        if known.number < self._portion:
            self._counts[who] = replace(known, number=known.number + 1)
            return
        self._counts[who] = _Count(1, now)  # before waiting: others of the same go on counting
        try:
            await take(self._database, self._limit, who, self._portion)
        except TooManyRequests as refused:
            self._counts[who] = _Count(self._portion, now, now + refused.retry_after)
            raise


async def _take(work: Work, limit: Limit, who: str, number: int) -> float:
    """Seconds to wait; 0 if the act may be done."""
    now, key = work.now.timestamp(), _key(limit, who)
    row = (await work.session.execute(select(Throttle.used_until).where(Throttle.key == key).with_for_update())).scalar_one_or_none()
    used = limit.interval * number
    used_until = max(now, row or 0) + used
    if used_until - now > limit.seconds + limit.interval / 1000:  # what time has rounded off
        return used_until - now - limit.seconds
    insert = work.dialect.insert(Throttle).values(key=key, used_until=used_until)
    longer = {"used_until": insert.excluded.used_until} if row is not None else {"used_until": Throttle.used_until + used}
    await work.session.execute(insert.on_conflict_do_update(index_elements=["key"], set_=longer))
    return 0


async def prune(work: Work) -> None:
    """Forget those who have not used up anything any more."""
    await work.session.execute(delete(Throttle).where(Throttle.used_until < work.now.timestamp()))


def _key(limit: Limit, who: str) -> str:
    return hashlib.sha256(f"{limit.name}\0{_counted_as(who)}".encode()).hexdigest()


def _counted_as(who: str) -> str:
    """An IPv6 address counts as its network: whoever has one has 2^64 of them (RFC 6177). One that carries an IPv4 address is that."""
    try:
        address = ipaddress.IPv6Address(who)
    except ValueError:
        return who
    return str(address.ipv4_mapped or ipaddress.IPv6Network((address, 64), strict=False))
