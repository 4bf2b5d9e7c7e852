"""Where what is not there any more leads: rules that are asked only where nothing stands, or stands no more.

An address always wins. A rule for one path wins over those for all below a path, and of these the longest. Rules that lead to each
other are followed here, so that a reader goes one step; those that would go round in a circle are refused when they are made, and where
one came about all the same, there is nothing.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote, unquote

from sqlalchemy import ColumnElement, and_, bindparam, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from cms import policy
from cms.db.session import ReadSession, Work
from cms.errors import InvalidInput, NotFound
from cms.events import RedirectsChanged
from cms.models import Address, Redirect, TrashedThing
from cms.models.address import MAX_PATH, AddressState, is_reserved, normalise_path
from cms.models.desk import Match, TrashKind
from cms.policy import Actor, Capability
from cms.schemas.redirects import Problem, RedirectInput, RedirectsQuery, Row, as_written
from cms.schemas.seen import Shown
from cms.services import audit, outbox, reading, trashed_things
from cms.services.reading import Place
from cms.wording import say

PER_SCREEN = 50
MOST_STEPS = 8  # from rule to rule, when one is made
MOST_FOLLOWED = 32  # since its end may have been led on, each time by one more
MOST_NAMED = 200  # paths that an event names one by one
MOST_COUNTED = 10_000  # rules whose hits a process remembers until they are written
AT_ONCE = 1000  # rows of one statement
BREATH = 200  # lines that are judged in one go
_PROBE = "\ufffe"  # stands for whatever may be below a path: no path has it
_PLAIN = "/:@!$&'()*+,;=~-._%"  # what an address keeps as it is

BELOW = "This leads below itself, and so on without end."


@dataclass(frozen=True, slots=True)
class Rule:
    """As far as it is followed. ``path`` has no slash at its ends; ``target`` as in the table."""

    id: int
    match: Match
    path: str
    target: str

    def onwards(self, path: str) -> str:
        """Where it leads from a path that it is for: what is below goes along."""
        rest = path[len(self.path) :].strip("/")
        base, tail = _split(self.target)
        return f"{base.rstrip('/')}/{quote(rest, _PLAIN.replace('%', ''))}{tail}" if rest else self.target


@dataclass(frozen=True, slots=True)
class Way:
    """Where the rules lead. ``path``: of this site, decoded, with a slash before it, or "" where they lead ``elsewhere``; ``tail``: a query
    or a fragment behind it, encoded. ``rules``: the ids of those that were followed; ``passed``: what is at the paths on the way."""

    path: str
    tail: str
    elsewhere: str
    rules: tuple[int, ...]
    passed: tuple[tuple[str, Place], ...]


def _split(target: str) -> tuple[str, str]:
    """The path or address, and the query or fragment behind it."""
    at = min((place for place in map(target.find, "?#") if place >= 0), default=len(target))
    return target[:at], target[at:]


def _path_of(target: str) -> str:
    """Of this site, as it is looked up."""
    return normalise_path(unquote(_split(target)[0]))


def _is_elsewhere(target: str) -> bool:
    return not target.startswith("/")


# --- readers ---------------------------------------------------------------------------------------------------------------


async def follow(session: ReadSession, path: str) -> Way | None:
    """Where a path leads at which nothing stands; None if no rule is for it, or if they go round in a circle."""
    here, tail = normalise_path(path), ""
    rules: list[int] = []
    passed: list[tuple[str, Place]] = []
    while rule := await _rule_for(session, here):
        rules.append(rule.id)
        target = rule.onwards(here)
        if _is_elsewhere(target):
            return Way("", "", quote(target, f"{_PLAIN}?#[]"), tuple(rules), tuple(passed))
        here, tail = _path_of(target), quote(_split(target)[1], f"{_PLAIN}?#[]")
        if not here or is_reserved(here):
            break
        if here in dict(passed) or len(rules) > MOST_FOLLOWED:
            return None
        passed.append((here, place := await reading.find_place(session, here)))
        if place.path:
            here = place.path.strip("/") if place.path != place.frame.home_path else ""
            break
    return Way(f"/{here}", tail, "", tuple(rules), tuple(passed)) if rules else None


async def _rule_for(session: AsyncSession, path: str) -> Rule | None:
    above = [each for each in _and_above(path) if len(each) <= MAX_PATH]
    found = [Rule(*row) for row in await session.execute(_RULES_FOR, {"path": path, "above": above})]
    return max(found, key=lambda rule: (rule.match is Match.EXACT, len(rule.path)), default=None)


_RULE = (Redirect.id, Redirect.match, Redirect.path, Redirect.target)
_RULES_FOR = select(*_RULE).where(  # asked wherever nothing stands
    or_(
        and_(Redirect.match == Match.EXACT, Redirect.path == bindparam("path")),
        and_(Redirect.match == Match.PREFIX, Redirect.path.in_(bindparam("above", expanding=True))),
    )
)


def _and_above(path: str) -> Iterator[str]:
    while path:
        yield path
        path = path.rpartition("/")[0].rstrip("/")


class Hits:
    """Which rules led readers since it was last written down. Only counts: a reader does not wait for it."""

    def __init__(self) -> None:
        self._counted: Counter[int] = Counter()

    def note(self, rule_id: int) -> None:
        if rule_id in self._counted or len(self._counted) < MOST_COUNTED:
            self._counted[rule_id] += 1

    def __bool__(self) -> bool:
        return bool(self._counted)

    def take(self) -> dict[int, int]:
        taken, self._counted = dict(self._counted), Counter()
        return taken


async def record_hits(work: Work, counted: Mapping[int, int]) -> None:
    more = update(Redirect).where(Redirect.id == bindparam("rule")).values(hits=Redirect.hits + bindparam("times"), hit_at=work.now)
    connection = await work.session.connection()  # many rows by their keys: no objects are made of them
    await connection.execute(more, [{"rule": rule, "times": times} for rule, times in sorted(counted.items())])


# --- the desk --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Listed:
    """A rule as the list shows it. ``waits``: something stands at its path, so nobody asks for it yet."""

    redirect: Redirect
    waits: bool


@dataclass(frozen=True, slots=True)
class Slice:
    rows: Sequence[Listed]
    page: int
    total: int  # of what was asked for
    all: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PER_SCREEN))


_ORDERS = {
    "": (Redirect.path, Redirect.match),
    "hits": (Redirect.hits.desc(), Redirect.path, Redirect.match),
    "last": (Redirect.hit_at.desc().nulls_last(), Redirect.path, Redirect.match),
}


async def list_redirects(session: AsyncSession, actor: Actor, query: RedirectsQuery) -> Slice:
    """A page beyond the last is the last."""
    policy.require(actor, Capability.SITE_CONFIGURE)
    asked = [_has(word) for word in query.q.replace("\0", " ").lower().split()[:8]]
    everything = await session.scalar(select(func.count()).select_from(Redirect)) or 0
    total = await session.scalar(select(func.count()).select_from(Redirect).where(*asked)) or 0 if asked else everything
    page = max(1, min(query.page, -(-total // PER_SCREEN)))
    wanted = select(Redirect).where(*asked).order_by(*_ORDERS[query.sort]).limit(PER_SCREEN).offset((page - 1) * PER_SCREEN)
    rows = (await session.scalars(wanted)).all()
    taken = await _standing(session, [row.path for row in rows if row.match is Match.EXACT])
    return Slice([Listed(row, row.match is Match.EXACT and row.path in taken) for row in rows], page, total, everything)


def _has(word: str) -> ColumnElement[bool]:
    word = word.lstrip("/") or word
    return or_(*(func.lower(column).contains(word, autoescape=True) for column in (Redirect.path, Redirect.target)))


async def _standing(session: AsyncSession, paths: Iterable[str]) -> set[str]:
    """Those at which something stands, or that lead to where it does."""
    of_something = select(Address.target_kind, Address.target_id).where(Address.state == AddressState.CURRENT).subquery()
    same = (of_something.c.target_kind == Address.target_kind) & (of_something.c.target_id == Address.target_id)
    return set(await session.scalars(select(Address.path).join(of_something, same).where(Address.path.in_(list(paths)))))


async def every(session: AsyncSession, actor: Actor, after: int = 0) -> Sequence[Redirect]:
    """The next few for a file, by id."""
    policy.require(actor, Capability.SITE_CONFIGURE)
    return (await session.scalars(select(Redirect).where(Redirect.id > after).order_by(Redirect.id).limit(AT_ONCE))).all()


async def get(session: AsyncSession, actor: Actor, redirect_id: int, *, lock: bool = False) -> Redirect:
    policy.require(actor, Capability.SITE_CONFIGURE)
    row = await session.get(Redirect, redirect_id, with_for_update=lock)
    if row is None:
        raise NotFound
    return row


def shown(row: Redirect) -> Shown:
    """As a form shows it."""
    return {"path": as_written(row.path), "target": row.target, "match": row.match.value}


async def save(work: Work, actor: Actor, wanted: RedirectInput, redirect_id: int | None = None) -> Redirect:
    """A new rule, or another in the place of one; what others changed of that since the form was shown stays. Raises ``InvalidInput`` by
    field if both changed the same, or it cannot lead anywhere."""
    row = await get(work.session, actor, redirect_id, lock=True) if redirect_id else None
    wanted = wanted.beside(shown(row)) if row else wanted
    old = {"path": row.path, "target": row.target, "match": row.match} if row else {}
    row = await _put(work, actor, wanted, row)
    after = {"path": row.path, "target": row.target, "match": row.match}
    audit.note(work, actor, "redirect.save", "redirect", row.id, name=f"/{row.path}", **audit.difference(old, after))
    return row


async def _put(work: Work, actor: Actor, wanted: RedirectInput, row: Redirect | None) -> Redirect:
    policy.require(actor, Capability.SITE_CONFIGURE)
    rule = _rule(wanted, row.id if row else 0)
    same = select(Redirect.id).where(Redirect.match == rule.match, Redirect.path == rule.path, Redirect.id != rule.id)
    if await work.session.scalar(same):
        raise InvalidInput({"path": say("There is a redirect from /{path} already.", path=rule.path)})

    async def next_of(path: str) -> Rule | None:
        other = await _rule_for(work.session, path)
        is_nearer = other is not None and other.id != rule.id and len(other.path) > len(rule.path)
        return rule if _fits(rule, path) and not is_nearer else other

    if reason := await _goes_round(rule, next_of):
        raise InvalidInput({"target": reason})
    before = [(row.match, row.path)] if row else []
    row = row or Redirect(created_at=work.now, created_by_id=actor.user_id)
    row.match, row.path, row.target = rule.match, rule.path, rule.target
    work.session.add(row)
    await work.session.flush()
    _tell(work, [*before, (rule.match, rule.path)])
    return row


async def remove(work: Work, actor: Actor, redirect_id: int) -> TrashedThing:
    row = await get(work.session, actor, redirect_id, lock=True)
    await work.session.delete(row)
    _tell(work, [(row.match, row.path)])
    line = audit.note(work, actor, "redirect.remove", "redirect", row.id, name=f"/{row.path}", target=row.target)
    was = {"match": row.match, "target": row.target, "hits": row.hits, "hit_at": row.hit_at and row.hit_at.isoformat()}
    return await trashed_things.put(work, TrashKind.REDIRECT, line, f"/{row.path}", was)


async def restore(work: Work, actor: Actor, thing: TrashedThing) -> None:
    """With the readers it has led. Raises ``InvalidInput`` like ``save``."""
    was = thing.was
    wanted = RedirectInput.model_construct(path=as_written(thing.name[1:]), target=was["target"], match=was["match"])  # checked long ago
    row = await _put(work, actor, wanted, None)
    row.hits, row.hit_at = was["hits"], was["hit_at"] and datetime.fromisoformat(was["hit_at"])


def _rule(wanted: RedirectInput, rule_id: int = 0) -> Rule:
    path = normalise_path(unquote(wanted.path))
    if len(path) > MAX_PATH:
        raise InvalidInput({"path": say("At most {most} characters, please.", most=MAX_PATH)})
    if is_reserved(path):
        raise InvalidInput(
            {"path": say("/{path} is used by Squall itself, so nothing can lead away from there.", path=path.split("/", 1)[0])}
        )
    return Rule(rule_id, Match(wanted.match), path, wanted.target)


def _fits(rule: Rule, path: str) -> bool:
    return path == rule.path or (rule.match is Match.PREFIX and path.startswith(f"{rule.path}/"))


async def _goes_round(rule: Rule, next_of: Callable[[str], Awaitable[Rule | None]]) -> str:
    """Why the rule cannot be, or "": readers would come back, from its path or from anything below it, whatever stands on the way today."""
    starts = [rule.path] if rule.match is Match.EXACT else [rule.path, f"{rule.path}/{_PROBE}"]
    for start in starts:
        way, here = [start], start
        found: Rule | None = rule
        while found and not _is_elsewhere(target := found.onwards(here)):
            here = _path_of(target)
            way.append(here)
            if here in way[:-1]:
                circle = " → ".join(f"/{each}" for each in way).replace(_PROBE, "…")
                return say("This would go round in a circle: {way}", way=circle)
            if len(way) > MOST_STEPS:
                return (
                    BELOW
                    if _fits(rule, here)
                    else say("This leads over more than {most} redirects; lead straight to where it ends.", most=MOST_STEPS)
                )
            found = await next_of(here)
    return ""


def _tell(work: Work, changed: Sequence[tuple[Match, str]]) -> None:
    is_wide = any(match is Match.PREFIX for match, _ in changed) or len(changed) > MOST_NAMED
    paths = () if is_wide else tuple(dict.fromkeys(path for _, path in changed))
    outbox.record(work, RedirectsChanged(paths))


# --- with what happens to a post -------------------------------------------------------------------------------------------


def target_of(typed: str, path: str) -> str:
    """Where somebody wants readers of ``path`` to be led, or "". Raises ``InvalidInput`` on ``redirect_to``."""
    if not typed.strip():
        return ""
    try:
        wanted = RedirectInput(path=path or "-", target=typed, match="exact")
    except ValueError:
        raise InvalidInput({"redirect_to": "Write an address of this site, like /about, or one that begins with https://."}) from None
    if not _is_elsewhere(wanted.target) and _path_of(wanted.target) == normalise_path(path):
        raise InvalidInput({"redirect_to": "This is the address that it has itself; choose another, or none."})
    return wanted.target


async def target_from(session: AsyncSession, path: str) -> str:
    """Of the rule for this very path, or ""."""
    wanted = select(Redirect.target).where(Redirect.match == Match.EXACT, Redirect.path == normalise_path(path))
    return await session.scalar(wanted) or ""


async def lead_away(work: Work, actor: Actor, path: str, target: str) -> None:
    """Readers of a path at which something stood are led to ``target`` from now on, or nowhere if that is "". Who calls this has asked
    whether the actor may take it away. Raises ``InvalidInput`` on ``redirect_to``."""
    target, path = target_of(target, path), normalise_path(path)
    dropped = await work.session.scalars(
        delete(Redirect).where(Redirect.match == Match.EXACT, Redirect.path == path).returning(Redirect.id)
    )
    if not target:
        if dropped.all():
            _tell(work, [(Match.EXACT, path)])
        return
    rule = Rule(0, Match.EXACT, path, target)

    async def next_of(here: str) -> Rule | None:
        return rule if here == path else await _rule_for(work.session, here)

    if reason := await _goes_round(rule, next_of):
        raise InvalidInput({"redirect_to": reason})
    work.session.add(Redirect(match=Match.EXACT, path=path, target=target, created_at=work.now, created_by_id=actor.user_id))
    await work.session.flush()
    _tell(work, [(Match.EXACT, path)])


# --- many at once ----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Plan:
    """What a table would do: the rules that are to be, and the lines that are not taken."""

    rules: list[Rule] = field(default_factory=list)
    unchanged: int = 0
    problems: list[Problem] = field(default_factory=list)


async def plan(session: AsyncSession, actor: Actor, lines: Iterable[Row | Problem]) -> Plan:
    """Judges the lines, of which there may be very many: readers are answered in between. What reading them raises goes through."""
    policy.require(actor, Capability.SITE_CONFIGURE)
    known = {(rule.match, rule.path): rule for rule in [Rule(*row) for row in await session.execute(select(*_RULE))]}
    planned, seen = Plan(), dict[tuple[Match, str], int]()
    for number, line in enumerate(lines):
        if number % BREATH == 0:
            await asyncio.sleep(0)
        try:
            await _judge(line, planned, known, seen)
        except InvalidInput as error:
            planned.problems.append(Problem(line.line, line.cells, next(iter(error.errors.values()))))
    return planned


async def _judge(line: Row | Problem, planned: Plan, known: dict[tuple[Match, str], Rule], seen: dict[tuple[Match, str], int]) -> None:
    if isinstance(line, Problem):
        planned.problems.append(line)
        return
    rule = _rule(line.wanted)
    key = (rule.match, rule.path)
    if (first := seen.setdefault(key, line.line)) != line.line:
        raise InvalidInput({"path": say("Line {line} is for the same path already.", line=first)})
    if key in known and known[key].target == rule.target:
        planned.unchanged += 1
        return

    async def next_of(path: str) -> Rule | None:
        if _fits(rule, path) and (rule.match is Match.EXACT or (Match.EXACT, path) not in known):
            return rule
        below = (known.get((Match.PREFIX, each)) for each in _and_above(path))
        return known.get((Match.EXACT, path)) or next(filter(None, below), None)

    if reason := await _goes_round(rule, next_of):
        raise InvalidInput({"target": reason})
    known[key] = rule
    planned.rules.append(rule)


async def take(work: Work, actor: Actor, planned: Plan) -> None:
    """The rules of a table, in the place of those for the same paths."""
    policy.require(actor, Capability.SITE_CONFIGURE)
    insert = work.dialect.insert(Redirect)
    upsert = insert.on_conflict_do_update(index_elements=["match", "path"], set_={"target": insert.excluded.target})
    made = {"hits": 0, "created_at": work.now, "created_by_id": actor.user_id}
    rows = [{"match": rule.match, "path": rule.path, "target": rule.target, **made} for rule in planned.rules]
    for start in range(0, len(rows), AT_ONCE):
        await work.session.execute(upsert, rows[start : start + AT_ONCE])
    if rows:
        _tell(work, [(rule.match, rule.path) for rule in planned.rules])
        audit.note(work, actor, "redirect.import", "redirect", None, lines=len(rows), refused=len(planned.problems))
