"""What goes out when: a month of what was published, what waits for its time, and drafts that have a date."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from cms import policy
from cms.content.local_time import moment_of
from cms.db.session import Work
from cms.errors import InvalidInput
from cms.models import Post, Published, Schedule, WorkingCopy
from cms.models.post import Kind, Live, ScheduledAct, Visibility
from cms.policy import Actor, Capability
from cms.services import posts, scheduling, site

MOST = 500  # of each kind in one month
WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Entry:
    """``act``: of what waits. ``may_move``: to another day, by the one who looks; ``may_edit``: the text is open to him."""

    post_id: int
    kind: Kind
    title: str
    at: datetime  # by the site's clock
    what: Literal["published", "publish", "update", "withdraw", "draft"]
    path: str = ""  # where readers find it
    act: ScheduledAct | None = None
    error: str = ""
    may_move: bool = False
    may_edit: bool = False


@dataclass(frozen=True, slots=True)
class Month:
    """Whole weeks, from Monday; days beside the month are in the first and the last."""

    first: date
    weeks: Sequence[Sequence[date]]
    days: Mapping[date, Sequence[Entry]]
    today: date

    @property
    def former(self) -> date:
        return (self.first - timedelta(days=1)).replace(day=1)

    @property
    def following(self) -> date:
        return (self.first + timedelta(days=31)).replace(day=1)


async def month(session: AsyncSession, actor: Actor, first: date | None, now: datetime) -> Month:
    """What the actor may know of. ``first``: of the month; None: the present one."""
    zone = (await site.get_frame(session)).zone
    today = now.astimezone(zone).date()
    first = first or today.replace(day=1)
    weeks = _weeks(first)
    since, until = (datetime.combine(day, time(), zone) for day in (weeks[0][0], weeks[-1][-1] + timedelta(days=1)))
    found = [
        *await _published(session, actor, since, until, zone),
        *await _waiting(session, actor, since, until, zone),
        *await _dated(session, actor, since, until),
    ]
    days: dict[date, list[Entry]] = {}
    for entry in sorted(found, key=lambda each: (each.at, each.post_id)):
        days.setdefault(entry.at.date(), []).append(entry)
    return Month(first, weeks, days, today)


def _weeks(first: date) -> list[list[date]]:
    monday, weeks = first - timedelta(days=first.weekday()), list[list[date]]()
    while monday < first or monday.month == first.month:
        weeks.append([monday + timedelta(days=number) for number in range(7)])
        monday += WEEK
    return weeks


async def _published(session: AsyncSession, actor: Actor, since: datetime, until: datetime, zone: ZoneInfo) -> list[Entry]:
    """What readers find in lists is everybody's to know."""
    columns = (Published.post_id, Published.kind, Published.title, Published.published_at, Published.path)
    everything = Published.kind.in_(list(Kind)) & Published.visibility.in_(list(Visibility))  # as their index begins
    in_time = (Published.published_at >= since) & (Published.published_at < until)
    wanted = select(*columns).join(Post, Post.id == Published.post_id).where(everything, in_time, posts.visible_to(actor))
    rows = (await session.execute(wanted.order_by(Published.published_at).limit(MOST))).all()
    known = await posts.all_visible(session, actor, [row.post_id for row in rows])
    return [
        Entry(
            row.post_id, row.kind, row.title, row.published_at.astimezone(zone), "published", row.path,
            may_edit=policy.allows(actor, Capability.of(row.kind, "edit"), known[row.post_id]),
        )
        for row in rows
    ]  # fmt: skip


async def _waiting(session: AsyncSession, actor: Actor, since: datetime, until: datetime, zone: ZoneInfo) -> list[Entry]:
    wanted = select(Schedule).join(Post, Post.id == Schedule.post_id).where(Schedule.due_at >= since, Schedule.due_at < until)
    rows = (await session.scalars(wanted.where(posts.sees_work(actor)).order_by(Schedule.due_at).limit(MOST))).all()
    known = await posts.all_visible(session, actor, [row.post_id for row in rows])
    return [_planned(actor, row, known[row.post_id], zone) for row in rows]


def _planned(actor: Actor, row: Schedule, post: Post, zone: ZoneInfo) -> Entry:
    may_edit, may_move = (policy.allows(actor, Capability.of(post.kind, verb), post) for verb in ("edit", "publish"))
    what: Literal["publish", "update", "withdraw"] = "update" if post.is_published else "publish"
    return Entry(
        post.id, post.kind, post.title, row.due_at.astimezone(zone), "withdraw" if row.act is ScheduledAct.WITHDRAW else what,
        act=row.act, error=row.error or "", may_move=may_move, may_edit=may_edit,
    )  # fmt: skip


async def _dated(session: AsyncSession, actor: Actor, since: datetime, until: datetime) -> list[Entry]:
    """Drafts that nobody scheduled, and that somebody has given a date. It is kept as it was typed; each draft is asked for its own, which
    keeps PostgreSQL from looking through all texts."""
    typed = select(WorkingCopy.fields["date"].as_string()).where(WorkingCopy.post_id == Post.id).scalar_subquery()
    in_time = (typed >= f"{since:%Y-%m-%dT%H:%M}") & (typed < f"{until:%Y-%m-%dT%H:%M}")
    waits = exists().where(Schedule.post_id == Post.id)
    drafts = Post.kind.in_(list(Kind)) & (Post.live == Live.NEVER)
    wanted = select(Post.id, typed).where(drafts, in_time, ~waits)
    rows = (await session.execute(wanted.where(posts.sees_work(actor)).limit(MOST))).all()
    known = await posts.all_visible(session, actor, [post_id for post_id, _ in rows])
    return [
        Entry(
            post_id, known[post_id].kind, known[post_id].title, datetime.fromisoformat(written).replace(tzinfo=since.tzinfo), "draft",
            may_edit=policy.allows(actor, Capability.of(known[post_id].kind, "edit"), known[post_id]),
        )
        for post_id, written in rows
    ]  # fmt: skip


async def move(work: Work, actor: Actor, post_id: int, act: ScheduledAct, day: date) -> datetime:
    """What waits goes to another day, at the same time of day. Raises ``InvalidInput`` on ``day``. Answers the new moment."""
    zone = (await site.get_frame(work.session)).zone
    row = await scheduling.waiting(work, actor, post_id, act)
    written = f"{day}T{row.due_at.astimezone(zone):%H:%M}"
    try:
        at = moment_of(written, zone, takes_first=True)
        await scheduling.move(work, actor, post_id, act, at)
    except ValueError as error:
        raise InvalidInput({"day": error.args[0]}) from None
    except InvalidInput as error:
        raise InvalidInput({"day": error.message}) from None
    return at
