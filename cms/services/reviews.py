"""Reviews: a text is submitted; whoever may publish asks for changes or approves, in one step or in several; and a site may demand it.

An approval is for a revision: what is typed later is not approved by it. docs/decisions/0014-reviews.md says why.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cms import policy
from cms.content.plain_text import shorten
from cms.db.session import Work
from cms.errors import Conflict, Forbidden, InvalidInput
from cms.events import WorkChanged
from cms.models import Category, PassedOn, Post, Review, Revision, Site, User, WorkingCopy
from cms.models.address import TargetKind
from cms.models.desk import ReviewAct
from cms.models.post import Reason, WorkState
from cms.models.site import SITE_ID
from cms.policy import Actor, Capability, Role, Scope
from cms.schemas.desk import ReviewInput, ReviewRulesInput
from cms.schemas.post import PostFields
from cms.services import audit, notifications, outbox, posts, site, taxonomies, working_copies
from cms.services.posts import Draft

MOST_SHOWN = 200  # acts of one text
TOLD = 200  # characters of what was said that a notification shows
UNDER_WAY = (WorkState.IN_REVIEW, WorkState.APPROVED)

NEEDED = "This needs to be approved before it goes out."
CHANGED = "This has changed since it was approved, and needs to be approved as it is now."
CHANGED_SINCE = "The text has changed since it was submitted, so nothing was done. Look at what has changed, and approve it as it is now."
OWN = "Somebody else approves your own texts."
MEANWHILE = "Somebody was faster: this was dealt with meanwhile, and nothing of yours was done."


@dataclass(frozen=True, slots=True)
class Step:
    """Done by whoever has the role, or more than it. ``name``: "" where there is but one."""

    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class Rules:
    """What the site says: whose texts and which categories need a review, its steps, and whether administrators may do without."""

    roles: frozenset[Role]
    categories: frozenset[int]
    steps: tuple[Step, ...]
    is_waivable: bool

    @classmethod
    def of(cls, row: Site) -> "Rules":
        kept = row.review
        roles = {Role(name) for name in kept.get("roles", ())}
        roles |= {Role.OWNER} if Role.ADMINISTRATOR in roles else set()
        steps = tuple(Step(each["name"], Role(each["role"])) for each in kept.get("steps", ()))
        waivable = bool(kept.get("is_waivable", False))
        return cls(frozenset(roles), frozenset(kept.get("categories", ())), steps or (Step("", Role.EDITOR),), waivable)

    @property
    def is_demanding(self) -> bool:
        return bool(self.roles or self.categories)

    def step(self, number: int) -> Step:
        """The last one, if the site has fewer by now."""
        return self.steps[min(number, len(self.steps) - 1)]


@dataclass(frozen=True, slots=True)
class Act:
    """``by``: a name, or "" of somebody who is gone; ``step``: the name that it has now."""

    review: Review
    by: str
    step: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the review of a text stands. ``revision_id``: what was submitted or approved last, while that is under way; ``is_changed``: the
    text is another by now. ``refusal``: why it may not go out as it is, or ""."""

    rules: Rules
    acts: Sequence[Act] = ()  # newest first
    number: int = 0  # of the step that waits
    revision_id: int | None = None
    is_changed: bool = False
    is_needed: bool = False
    refusal: str = ""

    @property
    def step(self) -> Step:
        return self.rules.step(self.number)


# --- reading ---------------------------------------------------------------------------------------------------------------


async def standing(session: AsyncSession, draft: Draft) -> Standing:
    """Of a text as it stands. Whoever calls has asked whether the actor may know of it."""
    rules, post = Rules.of(await site.get(session)), draft.post
    rows = await _rows(session, post.id)
    names = dict((await session.execute(select(User.id, User.name).where(User.id.in_({row.created_by_id for row in rows})))).all())
    acts = [Act(row, names.get(row.created_by_id or 0, ""), rules.step(row.step).name) for row in reversed(rows)]
    is_needed = await _is_needed(session, rules, post, draft.fields)
    refusal = await _refusal(session, rules, rows, draft.content, draft.fields) if is_needed else ""
    if post.work not in UNDER_WAY or not rows:
        return Standing(rules, acts, is_needed=is_needed, refusal=refusal)
    under_way = rows[-1].revision_id
    is_changed = not await _with_text(session, {under_way}, draft.content, draft.fields)
    return Standing(rules, acts, _number(rows), under_way, is_changed, is_needed, refusal)


async def submitted_text(session: AsyncSession, standing: Standing) -> tuple[str, PostFields] | None:
    """What was submitted or approved, if the text is another by now."""
    found = await session.get(Revision, standing.revision_id) if standing.is_changed and standing.revision_id else None
    return (found.content, PostFields.model_validate(found.fields)) if found else None


async def reviewers(session: AsyncSession, post: Post, step: Step) -> Mapping[int, str]:
    """Names of those who may deal with this step of this text."""
    roles = [role for role in Role if _is_at_least(role, step.role) and policy.TABLE[_publish(post)].get(role) is Scope.ANY]
    wanted = select(User.id, User.name).where(User.disabled_at.is_(None), User.role.in_(roles), User.id.not_in(post.owner_ids))
    return dict((await session.execute(wanted.order_by(User.name))).all())


def may_decide(actor: Actor, post: Post, step: Step) -> bool:
    may_publish_any = policy.scope(actor, _publish(post)) is Scope.ANY
    return may_publish_any and _is_at_least(actor.role, step.role) and actor.user_id not in post.owner_ids


def may_waive(actor: Actor, rules: Rules) -> bool:
    """Whether the actor may publish without a review, if he says so."""
    return rules.is_waivable and policy.allows(actor, Capability.SITE_CONFIGURE)


async def numbers(session: AsyncSession, post_ids: Sequence[int]) -> dict[int, int]:
    """Of texts that are in review, the step that waits."""
    by_post: dict[int, list[Review]] = {}
    for row in await session.scalars(select(Review).where(Review.post_id.in_(post_ids)).order_by(Review.id)):
        by_post.setdefault(row.post_id, []).append(row)
    return {post_id: _number(rows) for post_id, rows in by_post.items()}


async def require(session: AsyncSession, actor: Actor, row: Site, post: Post, text: WorkingCopy | Revision, *, waived: bool) -> None:
    """Raise ``InvalidInput`` on ``review`` if the post needs an approval, and this very text of it has none."""
    rules, fields = Rules.of(row), PostFields.model_validate(text.fields)
    is_held = rules.is_demanding and not (waived and may_waive(actor, rules)) and await _is_needed(session, rules, post, fields)
    if is_held and (words := await _refusal(session, rules, await _rows(session, post.id), text.content, fields)):
        raise InvalidInput({"review": words})


async def _rows(session: AsyncSession, post_id: int) -> Sequence[Review]:
    """Oldest first."""
    wanted = select(Review).where(Review.post_id == post_id).order_by(Review.id.desc()).limit(MOST_SHOWN)
    return (await session.scalars(wanted)).all()[::-1]


def _number(rows: Sequence[Review]) -> int:
    """Of the step that waits: the one after what was approved since the text was submitted."""
    last = rows[-1]
    return last.step + 1 if last.act is ReviewAct.APPROVED else 0


async def _is_needed(session: AsyncSession, rules: Rules, post: Post, fields: PostFields) -> bool:
    """By who wrote it, and by where it stands, or what that stands below."""
    bound = select(User.id).where(User.id.in_(post.owner_ids), User.role.in_(rules.roles)).limit(1)
    if rules.roles and await session.scalar(bound):
        return True
    named = await merged(session, rules.categories)
    tree = dict((await session.execute(select(Category.id, Category.parent_id))).all()) if named else {}
    category = fields.category
    while category is not None and category not in named:
        category = tree.get(category)
    return category is not None


async def _refusal(session: AsyncSession, rules: Rules, rows: Sequence[Review], content: str, fields: PostFields) -> str:
    """Why it may not go out, or "" if all steps have approved this very text, and nobody has gone back on it since."""
    same = await _with_text(session, {row.revision_id for row in rows}, content, fields)
    last = next((row for row in reversed(rows) if row.revision_id in same), None)
    is_final = {row for row in rows if row.act is ReviewAct.APPROVED and row.step >= len(rules.steps) - 1}
    if last in is_final:
        return ""
    return CHANGED if is_final and last is None else NEEDED


async def _with_text(session: AsyncSession, revision_ids: Set[int | None], content: str, fields: PostFields) -> set[int | None]:
    """Which of these revisions say just this."""
    wanted = select(Revision.id, Revision.fields).where(Revision.id.in_(revision_ids), Revision.content == content)
    return {number for number, kept in await session.execute(wanted) if PostFields.model_validate(kept) == fields}


def _publish(post: Post) -> Capability:
    return Capability.of(post.kind, "publish")


def _is_at_least(role: Role, least: Role) -> bool:
    ranks = list(Role)  # from most to least
    return ranks.index(role) <= ranks.index(least)


# --- acts ------------------------------------------------------------------------------------------------------------------


async def submit(work: Work, actor: Actor, post_id: int, wanted: ReviewInput) -> Post:
    """The text as it stands, for review; those who may deal with its first step are told. What was submitted before gives way to it."""
    post = await _held(work, actor, post_id, Capability.POST_EDIT)
    copy, rows = await working_copies.project(work, post_id), await _rows(work.session, post_id)
    if post.work is WorkState.SCHEDULED:
        raise Conflict("This waits for its time; take that back first.")
    if not post.title:
        raise InvalidInput({"": "Whoever reviews it needs a title."})
    fields = PostFields.model_validate(copy.fields)
    if post.work in UNDER_WAY and rows and await _with_text(work.session, {rows[-1].revision_id}, copy.content, fields):
        raise Conflict("This very text was submitted already.")
    rules = Rules.of(await site.get(work.session))
    revision = await _kept(work, copy, actor)
    _note(work, actor, post, ReviewAct.SUBMITTED, revision, 0, wanted.words)
    post.work = WorkState.IN_REVIEW
    await _tell_reviewers(work, actor, post, rules.steps[0], wanted.words)
    return post


async def take_back(work: Work, actor: Actor, post_id: int, wanted: ReviewInput) -> Post:
    """By those who wrote it, or who submitted it: a draft again."""
    post = await _held(work, actor, post_id, Capability.POST_EDIT)
    rows = await _under_way(work, post)
    submitted_by = next((row.created_by_id for row in reversed(rows) if row.act is ReviewAct.SUBMITTED), None)
    if actor.user_id not in post.owner_ids | {submitted_by}:
        raise Forbidden("Those who wrote it, or who submitted it, can take it back.")
    _note(work, actor, post, ReviewAct.TAKEN_BACK, rows[-1].revision_id, _number(rows), wanted.words)
    post.work = WorkState.DRAFT
    return post


async def ask_for_changes(work: Work, actor: Actor, post_id: int, wanted: ReviewInput) -> Post:
    """A draft again, and those who wrote it are told what is missing; also when it was approved, and somebody thinks better of it."""
    post = await _held(work, actor, post_id, Capability.POST_PUBLISH)
    rows, rules = await _under_way(work, post), Rules.of(await site.get(work.session))
    number = min(_number(rows), len(rules.steps) - 1)
    _refuse_others(actor, post, rules.step(number))
    if not wanted.words.strip():
        raise InvalidInput({"words": "Say what should change; the writer reads it."})
    if rows[-1].id != wanted.last:
        raise Conflict(MEANWHILE)
    _note(work, actor, post, ReviewAct.CHANGES_ASKED, rows[-1].revision_id, number, wanted.words)
    post.work = WorkState.DRAFT
    await _tell_writers(work, actor, post, rows, "changes_asked", wanted.words)
    return post


async def approve(work: Work, actor: Actor, post_id: int, wanted: ReviewInput) -> Post:
    """This step of the text. Raises ``Conflict`` if it has changed since it was submitted, and not this version was looked at, or if
    something was done since the actor looked.
    """
    post = await _held(work, actor, post_id, Capability.POST_PUBLISH)
    rows, rules = await _under_way(work, post), Rules.of(await site.get(work.session))
    number = _number(rows)
    if post.work is not WorkState.IN_REVIEW or rows[-1].id != wanted.last:
        raise Conflict(MEANWHILE)
    _refuse_others(actor, post, rules.step(number))
    copy = await working_copies.project(work, post_id)
    is_same = await _with_text(work.session, {rows[-1].revision_id}, copy.content, PostFields.model_validate(copy.fields))
    if not is_same and copy.version != wanted.version:
        raise Conflict(CHANGED_SINCE)
    revision = rows[-1].revision_id if is_same else await _kept(work, copy, actor)
    _note(work, actor, post, ReviewAct.APPROVED, revision, number, wanted.words)
    if number + 1 < len(rules.steps):
        await _tell_reviewers(work, actor, post, rules.steps[number + 1], wanted.words)
        return post
    post.work = WorkState.APPROVED
    await _tell_writers(work, actor, post, rows, "approved", wanted.words)
    return post


async def _held(work: Work, actor: Actor, post_id: int, wanted: Capability) -> Post:
    post = await posts.get_visible(work.session, actor, post_id, lock=True)
    policy.require(actor, Capability.DRAFT_SEE, post)
    policy.require(actor, wanted.for_kind(post.kind), post)
    if post.is_trashed:
        raise Conflict("This is in the trash; take it out to go on.")
    return post


async def _under_way(work: Work, post: Post) -> Sequence[Review]:
    rows = await _rows(work.session, post.id)
    if post.work not in UNDER_WAY or not rows:
        raise Conflict("This is not in review any more.")
    return rows


def _refuse_others(actor: Actor, post: Post, step: Step) -> None:
    if actor.user_id in post.owner_ids:
        raise Forbidden(OWN)
    if not may_decide(actor, post, step):
        raise Forbidden("This step is for others.")


async def _kept(work: Work, copy: WorkingCopy, actor: Actor) -> int:
    return (await working_copies.keep(work, [copy], Reason.SUBMITTED, actor.user_id))[copy.post_id].id


def _note(work: Work, actor: Actor, post: Post, act: ReviewAct, revision_id: int | None, step: int, words: str) -> None:
    work.session.add(
        Review(
            post_id=post.id,
            revision_id=revision_id,
            act=act,
            step=step,
            words=words.strip(),
            created_at=work.now,
            created_by_id=actor.user_id,
        )
    )
    audit.note(work, actor, f"{post.kind}.{act}", post.kind, post.id, revision=revision_id)
    outbox.record(work, WorkChanged(post.id))


async def _tell_reviewers(work: Work, actor: Actor, post: Post, step: Step, words: str) -> None:
    people = await reviewers(work.session, post, step)
    await notifications.tell(work, actor, people, "submitted", post, shorten(words, TOLD))


async def _tell_writers(work: Work, actor: Actor, post: Post, rows: Sequence[Review], kind: str, words: str) -> None:
    submitted_by = next((row.created_by_id for row in reversed(rows) if row.act is ReviewAct.SUBMITTED), None)
    people = select(User.id).where(User.id.in_(post.owner_ids | {submitted_by}), User.disabled_at.is_(None))
    await notifications.tell(work, actor, await work.session.scalars(people), kind, post, shorten(words, TOLD))


# --- the rules -------------------------------------------------------------------------------------------------------------


async def list_categories(session: AsyncSession) -> Sequence[tuple[int, str]]:
    return [(each.id, each.name) for each in await taxonomies.list_categories(session)]


async def merged(session: AsyncSession, categories: Set[int]) -> Set[int]:
    """These categories, and where those went that were merged with others."""
    went = select(PassedOn.target_id).where(PassedOn.kind == TargetKind.CATEGORY, PassedOn.term_id.in_(categories))
    return categories | {target for target in await session.scalars(went) if target} if categories else categories


async def save_rules(work: Work, actor: Actor, wanted: ReviewRulesInput) -> None:
    """Raises ``Conflict`` if the settings were changed since their version was seen."""
    policy.require(actor, Capability.SITE_CONFIGURE)
    row = await site.hold(work)
    if row.version != wanted.version:
        raise Conflict
    if set(wanted.categories) - {category_id for category_id, _ in await list_categories(work.session)}:
        raise InvalidInput({"categories": "Choose categories that are there."})
    kept = wanted.model_dump(mode="json", exclude={"version"})
    audit.note(work, actor, "site.configure", "site", SITE_ID, **audit.difference({"review": row.review}, {"review": kept}))
    await site.configure(work, review=kept)
