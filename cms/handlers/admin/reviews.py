"""The review of a text: its page, its four acts, and what the site demands."""

from collections.abc import Awaitable, Callable

from cms.db.session import Work
from cms.errors import Conflict, InvalidInput
from cms.handlers.admin.base import AdminHandler
from cms.handlers.admin.revisions import HistoryHandler, in_words
from cms.handlers.forms import Form
from cms.models import Post
from cms.policy import Actor, Capability
from cms.schemas.desk import MAX_STEPS, ReviewInput, ReviewRulesInput
from cms.services import posts, reviews, revisions, site, threads, working_copies
from cms.wording import phrases, say

WRITERS = phrases(
    (
        ("contributor", "Contributors"),
        ("author", "Authors"),
        ("editor", "Editors"),
        ("administrator", "Administrators and the owner"),
    )
)
REVIEWERS = phrases((("editor", "Editors and above"), ("administrator", "Administrators and the owner"), ("owner", "The owner")))
RULES_CHANGED = "Somebody changed the settings of the site while you did. Yours are below and not saved; saving them now replaces theirs."

Act = Callable[[Work, Actor, int, ReviewInput], Awaitable[Post]]


class ReviewHandler(HistoryHandler):
    """POST submits, PUT approves, PATCH asks for changes, DELETE takes back."""

    requires = Capability.DRAFT_SEE

    async def get(self, number: str) -> None:
        await self._show(self.number(number), Form(ReviewInput))

    async def post(self, number: str) -> None:
        await self._do(number, reviews.submit, say("Submitted. Those who can review it are told."))

    async def put(self, number: str) -> None:
        await self._do(number, reviews.approve, say("Approved."))

    async def patch(self, number: str) -> None:
        await self._do(number, reviews.ask_for_changes, say("It is a draft again, and the writer is told what you ask for."))

    async def delete(self, number: str) -> None:
        await self._do(number, reviews.take_back, say("Taken back: it is a draft again."))

    async def _do(self, number: str, act: Act, done: str) -> None:
        form, post_id = self.form(ReviewInput), self.number(number)
        try:
            wanted = form.value()
            async with self.transaction() as work:
                self.of_kind(await posts.get_visible(work.session, self.actor, post_id))
                await act(work, self.actor, post_id, wanted)
        except (InvalidInput, Conflict) as error:
            await self._refuse(post_id, form, error)
            return
        self.flash(done)
        self.redirect_to(f"admin.{self.kind}.review", post_id)

    async def _refuse(self, post_id: int, form: Form[ReviewInput], error: InvalidInput | Conflict) -> None:
        if isinstance(error, InvalidInput):
            form.refuse(error)
            await self._show(post_id, form, status=422)
            return
        await self._show(post_id, form, status=409, notice=error.message)

    async def _show(self, post_id: int, form: Form[ReviewInput], *, status: int = 200, notice: str = "") -> None:
        await working_copies.catch_up(self.parts.database, post_id)
        async with self.read() as session:
            draft = await posts.read_draft(session, self.actor, post_id)
            self.of_kind(draft.post)
            standing = await reviews.standing(session, draft)
            people = await reviews.reviewers(session, draft.post, standing.step)
            open_threads = await threads.count_open(session, post_id)
            old = await reviews.submitted_text(session, standing)
            fields = in_words(await revisions.differences(session, old[1], draft.fields)) if old else []
        rows = await self.parts.renderer.compare(old[0], draft.content) if old else []
        self.set_status(status)
        self.render(
            "admin/posts/reviewing.html", draft=draft, post=draft.post, form=form, standing=standing, people=list(people.values()),
            may_decide=reviews.may_decide(self.actor, draft.post, standing.step), open_threads=open_threads, fields=fields, rows=rows,
            notice=notice, flash=self.take_flash() if status == 200 else None,
        )  # fmt: skip


class ReviewRulesHandler(AdminHandler):
    requires = Capability.SITE_CONFIGURE

    async def get(self) -> None:
        async with self.read() as session:
            row = await site.get(session)
            categories = await reviews.merged(session, set(row.review.get("categories", ())))
        kept, lists = row.review, {"roles": row.review.get("roles", ()), "categories": sorted(categories)}
        values = {**kept, **{name: ",".join(map(str, chosen)) for name, chosen in lists.items()}, "version": row.version}
        await self._show(Form(ReviewRulesInput, {**values, "is_waivable": "on" if kept.get("is_waivable") else ""}))

    async def post(self) -> None:
        form = self.form(ReviewRulesInput)
        try:
            wanted = form.value()
            async with self.transaction() as work:
                await reviews.save_rules(work, self.actor, wanted)
        except (InvalidInput, Conflict) as error:
            await self._refuse(form, error)
            return
        self.flash("Saved. It counts from now on, also for what is being written.")
        self.redirect_to("admin.site.review")

    async def _refuse(self, form: Form[ReviewRulesInput], error: InvalidInput | Conflict) -> None:
        if isinstance(error, InvalidInput):
            form.refuse(error)
            await self._show(form, status=422)
            return
        async with self.read() as session:
            form.values["version"] = (await site.get(session)).version
        await self._show(form, status=409, notice=RULES_CHANGED)

    async def _show(self, form: Form[ReviewRulesInput], *, status: int = 200, notice: str = "") -> None:
        async with self.read() as session:
            categories = await reviews.list_categories(session)
        self.set_status(status)
        self.render(
            "admin/site/review.html", section="site", form=form, categories=categories, writers=WRITERS, reviewers=REVIEWERS,
            steps=MAX_STEPS, notice=notice, flash=self.take_flash() if status == 200 else None,
        )  # fmt: skip
