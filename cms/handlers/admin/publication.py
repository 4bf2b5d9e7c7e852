"""Publishing a post or page, now or at a time; withdrawing it, and its end; and taking it out of the trash."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from cms.content.diff import count_words
from cms.content.local_time import moment_of
from cms.db.session import Work
from cms.errors import Conflict, InvalidInput
from cms.handlers.admin.editing import EditorHandler
from cms.handlers.admin.undoing import UndoableHandler
from cms.handlers.forms import Form
from cms.models.post import ScheduledAct
from cms.policy import Capability
from cms.schemas.post import PostInput
from cms.schemas.publication import EndInput, PublicationInput
from cms.services import desk, posts, publishing, revisions, scheduling
from cms.services.desk import Plan
from cms.services.posts import Draft
from cms.services.publishing import Version
from cms.services.scheduling import Waiting
from cms.ui.acts import ASPECTS
from cms.ui.admin import desk_locale, in_full
from cms.wording import say

MEANWHILE = "Somebody saved a newer version meanwhile. This is what would go out now; nothing has been published yet."
PASSED = "This time has passed: it is published now if you go on. Or choose a time that is still to come."
WITHDRAWN = "Withdrawn. Its address now says that it is gone; publish it again and it is back."
LED_AWAY = "Withdrawn. Its address now leads elsewhere; publish it again and it is back."
DISCARDED = "The text is again what readers see; what stood here before is kept as a revision."
DAY, CLOCK = "%Y-%m-%d", "%H:%M"


class PublicationPage(UndoableHandler, EditorHandler, is_base=True):
    """The page that says what will happen, with all that can be decided there."""

    async def show(
        self,
        draft: Draft,
        *,
        form: Form[PublicationInput] | None = None,
        ending: Form[EndInput] | None = None,
        status: int = 200,
        error: InvalidInput | None = None,
        notice: str = "",
    ) -> None:
        """If it cannot go out, why, instead of a button."""
        plan, refused = await self._plan(draft)
        draft, waiting = plan.draft if plan else draft, plan.waiting if plan else await self._waiting(draft)
        form, ending = form or self._proposed(waiting), ending or self._proposed_end(waiting)
        asked = {*PublicationInput.model_fields, *EndInput.model_fields} - {"version"}
        found = error or refused
        problems = {name: words for name, words in found.errors.items() if name not in asked} if found else {}
        if not draft.post.title:
            problems.setdefault("title", "Readers need a title.")
        self.set_status(status)
        self.render(
            "admin/posts/publication.html", draft=draft, post=draft.post, plan=plan, aspects=_aspects(plan), problems=problems,
            notice=notice, form=form, ending=ending, changed=await self._changed(draft), zone=self.parts.last_frame.zone.key,
            **{f"waiting_{act}": next((each for each in waiting if each.act is act), None) for act in ScheduledAct},
        )  # fmt: skip

    async def _plan(self, draft: Draft) -> tuple[Plan | None, InvalidInput | None]:
        try:
            rendered = await self.rendered(draft.post.id, draft.content, draft.fields.language)
            async with self.read() as session:
                return await desk.plan(session, self.actor, draft.post.id, rendered, self.parts.database.clock()), None
        except InvalidInput as refused:
            return None, refused

    async def _waiting(self, draft: Draft) -> Sequence[Waiting]:
        async with self.read() as session:
            return await scheduling.list_of(session, draft.post.id)

    async def _changed(self, draft: Draft) -> tuple[int, int]:
        """Words that came and went since readers' version."""
        if not (draft.post.is_published and draft.post.has_changes):
            return (0, 0)
        async with self.read() as session:
            _, (live,) = await revisions.get(session, self.actor, draft.post.id, revisions.LIVE)
        return count_words(await self.parts.renderer.compare(live.content, draft.content))

    @property
    def _tomorrow(self) -> datetime:
        """By the site's clock."""
        return self.parts.database.clock().astimezone(self.parts.last_frame.zone) + timedelta(days=1)

    def _proposed(self, waiting: Sequence[Waiting]) -> Form[PublicationInput]:
        planned = next((each for each in waiting if each.act is ScheduledAct.PUBLISH), None)
        local = planned.due_at.astimezone(self.parts.last_frame.zone) if planned else None
        values = {"when": "later" if local else "now", "what": "editor", "day": (local or self._tomorrow).strftime(DAY)}
        return Form(PublicationInput, {**values, "time": local.strftime(CLOCK) if local else "09:00"})

    def _proposed_end(self, waiting: Sequence[Waiting]) -> Form[EndInput]:
        planned = next((each for each in waiting if each.act is ScheduledAct.WITHDRAW), None)
        local = planned.due_at.astimezone(self.parts.last_frame.zone) if planned else None
        values = {"end_when": "later", "end_day": (local or self._tomorrow).strftime(DAY), "redirect_to": planned and planned.redirect_to}
        return Form(EndInput, {**values, "end_time": local.strftime(CLOCK) if local else "09:00"})

    def moment(self, day: str, time: str, field: str) -> datetime:
        """By the site's clock. Raises ``InvalidInput`` on the field."""
        if not day or not time:
            raise InvalidInput({field: "Choose a day and a time."})
        try:
            return moment_of(f"{day}T{time[:5]}", self.parts.last_frame.zone, takes_first=True)
        except ValueError as error:
            raise InvalidInput({field: error.args[0]}) from None

    def in_full(self, moment: datetime) -> str:
        return in_full(moment, self.parts.last_frame.zone, desk_locale(self.locale))

    async def back(
        self, post_id: int, words: str, link: tuple[str, str] = ("", ""), undo: tuple[str, Mapping[str, str]] | None = None
    ) -> None:
        self.flash(words, link, undo=undo)
        self.redirect_to(f"admin.{self.kind}", post_id)


def _aspects(plan: Plan | None) -> list[str]:
    return list(dict.fromkeys(ASPECTS[aspect] for aspect in plan.aspects if aspect in ASPECTS)) if plan else []


class PublicationHandler(PublicationPage):
    requires = Capability.POST_PUBLISH

    async def get(self, number: str) -> None:
        await self.show(await self.load(self.number(number)))

    async def post(self, number: str) -> None:
        post_id, form = self.number(number), self.form(PublicationInput)
        draft = await self.load(post_id)
        try:
            wanted = form.value()
            await (self._schedule(draft, wanted, form) if wanted.when == "later" else self._publish(draft, wanted))
        except InvalidInput as error:
            form.errors |= {name: words for name, words in error.errors.items() if name in form.values}
            await self.show(draft, form=form, status=422, error=error)
        except Conflict as error:
            if draft.post.is_trashed:
                raise
            await self.show(await self.load(post_id), status=409, notice=MEANWHILE if error.message == Conflict.message else error.message)

    async def _publish(self, draft: Draft, wanted: PublicationInput) -> None:
        post_id, version = draft.post.id, await self._chosen(draft, wanted)
        published, undo = await self.undoably(
            post_id, lambda work: publishing.publish(work, self.actor, post_id, version, without_review=wanted.without_review)
        )
        await self.back(post_id, say("Readers can see it now."), (f"/{published.path}", say("View it")), undo)

    async def _schedule(self, draft: Draft, wanted: PublicationInput, form: Form[PublicationInput]) -> None:
        at, post_id = self.moment(wanted.day, wanted.time, "day"), draft.post.id
        if at <= self.parts.database.clock():
            form.values["when"] = "now"
            raise InvalidInput({"day": PASSED})
        version = await self._chosen(draft, wanted)

        async def act(work: Work) -> object:
            if version.revision_id is None:
                return await scheduling.schedule(work, self.actor, post_id, version, at, without_review=wanted.without_review)
            return await scheduling.move(work, self.actor, post_id, ScheduledAct.PUBLISH, at)

        _, undo = await self.undoably(post_id, act)
        await self.back(post_id, self.locale.translate("It goes out on %s.") % self.in_full(at), undo=undo)

    async def _chosen(self, draft: Draft, wanted: PublicationInput) -> Version:
        """What stands in the editor, or what was scheduled: if it is what the person saw."""
        if wanted.what == "scheduled":
            planned = [each.revision_id for each in await self._waiting(draft) if each.revision_id]
            if not planned:
                raise Conflict(say("This is not scheduled any more."))
            if planned != [wanted.revision]:
                raise Conflict
            return await self.revision(draft.post.id, planned[0])
        if wanted.version != draft.version:
            raise Conflict
        return Version(wanted.version, await self.rendered(draft.post.id, draft.content, draft.fields.language))

    async def delete(self, number: str) -> None:
        """Withdraw it at once; what was typed is kept."""
        form, post_id = self.form(PostInput), self.number(number)

        async def act(work: Work) -> None:
            await self.save_typed(work, post_id, form)
            await publishing.withdraw(work, self.actor, post_id)

        try:
            _, undo = await self.undoably(post_id, act)
        except (InvalidInput, Conflict) as error:
            await self.refuse(form, post_id, error)
            return
        await self.back(post_id, WITHDRAWN, undo=undo)


class ScheduleHandler(PublicationPage):
    requires = Capability.POST_PUBLISH

    async def delete(self, number: str) -> None:
        """It does not go out; the text stays as it is."""
        post_id = (await self.load(self.number(number))).post.id
        _, undo = await self.undoably(post_id, lambda work: scheduling.cancel(work, self.actor, post_id, ScheduledAct.PUBLISH))
        await self.back(post_id, say("It is not scheduled any more."), undo=undo)


class EndHandler(PublicationPage):
    requires = Capability.POST_PUBLISH

    async def post(self, number: str) -> None:
        """Readers lose it, at once or at a time."""
        post_id, form = self.number(number), self.form(EndInput)
        draft = await self.load(post_id)
        try:
            wanted = form.value()
            await (self._plan_end(post_id, wanted) if wanted.end_when == "later" else self._withdraw(post_id, wanted.redirect_to))
        except InvalidInput as error:
            form.errors |= error.errors
            await self.show(draft, ending=form, status=422)

    async def _withdraw(self, post_id: int, redirect_to: str) -> None:
        _, undo = await self.undoably(post_id, lambda work: publishing.withdraw(work, self.actor, post_id, redirect_to))
        await self.back(post_id, LED_AWAY if redirect_to else WITHDRAWN, undo=undo)

    async def _plan_end(self, post_id: int, wanted: EndInput) -> None:
        at = self.moment(wanted.end_day, wanted.end_time, "end_day")
        _, undo = await self.undoably(
            post_id, lambda work: scheduling.schedule_end(work, self.actor, post_id, at, wanted.redirect_to)
        )  # fmt: skip
        await self.back(post_id, self.locale.translate("Readers have it until %s.") % self.in_full(at), undo=undo)

    async def delete(self, number: str) -> None:
        """It does not end."""
        post_id = (await self.load(self.number(number))).post.id
        _, undo = await self.undoably(post_id, lambda work: scheduling.cancel(work, self.actor, post_id, ScheduledAct.WITHDRAW))
        await self.back(post_id, say("It has no end any more."), undo=undo)


class ChangesHandler(EditorHandler):
    requires = Capability.POST_EDIT

    async def delete(self, number: str) -> None:
        """The text becomes what readers see."""
        post_id = (await self.load(self.number(number))).post.id
        await self.in_transaction(lambda work: revisions.discard(work, self.actor, post_id))
        self.flash(DISCARDED)
        self.redirect_to(f"admin.{self.kind}", post_id)


class RestorationHandler(EditorHandler):
    """Out of the trash; what was public before is not by that alone. Whoever wants it to be goes on to where one publishes."""

    requires = Capability.POST_TRASH

    async def post(self, number: str) -> None:
        async with self.transaction() as work:
            post = self.of_kind(await posts.restore(work, self.actor, self.number(number)))
        may_again, place = post.was_ever_public and self.may(f"{post.kind}.publish", post), f"admin.{post.kind}.publication"
        if may_again and self.get_body_argument("then", "") == "publish":
            self.redirect_to(place, post.id)
            return
        link = (self.reverse_url(place, post.id), "Publish it again…") if may_again else ("", "")
        self.flash("Taken out of the trash. Readers do not see it until you publish it.", link)
        self.redirect_to(f"admin.{post.kind}", post.id)
