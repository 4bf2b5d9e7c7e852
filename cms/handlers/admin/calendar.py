"""What goes out when, by months; and moving it to another day."""

from cms.errors import Conflict, InvalidInput, NotFound
from cms.handlers.admin.undoing import UndoableHandler
from cms.handlers.forms import Form
from cms.models.post import ScheduledAct
from cms.policy import Capability
from cms.schemas.publication import CalendarQuery, MoveInput
from cms.services import calendar
from cms.ui.admin import desk_locale, in_full


class CalendarHandler(UndoableHandler):
    requires = Capability.POST_EDIT

    async def get(self) -> None:
        await self._show(self._query())

    async def post(self) -> None:
        """What waits goes to another day, at the same time of day. The month that was looked at stands in the address."""
        form, query = self.form(MoveInput), self._query()
        try:
            wanted = form.value()
            post_id, act = wanted.post, ScheduledAct(wanted.act)
            at, undo = await self.undoably(post_id, lambda work: calendar.move(work, self.actor, post_id, act, wanted.day))
        except (InvalidInput, Conflict) as error:
            await self._show(query, refusal=error.message, status=422 if isinstance(error, InvalidInput) else 409)
            return
        self.flash(self.locale.translate("Moved to %s.") % in_full(at, self.parts.last_frame.zone, desk_locale(self.locale)), undo=undo)
        self.redirect(f"{self.reverse_url('admin.calendar')}?month={wanted.day:%Y-%m}", status=303)

    def _query(self) -> CalendarQuery:
        try:
            return Form.of_request(CalendarQuery, self.request.query_arguments).value()
        except InvalidInput:
            raise NotFound from None

    async def _show(self, query: CalendarQuery, *, refusal: str = "", status: int = 200) -> None:
        async with self.read() as session:
            month = await calendar.month(session, self.actor, query.first, self.parts.database.clock())
        self.set_status(status)
        self.render("admin/calendar.html", section="calendar", month=month, refusal=refusal, flash=self.take_flash())
