"""Taking back what was just done: the form that a message brings along, and what is done with it."""

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from cms.db.session import Work
from cms.errors import NotFound
from cms.handlers.admin.base import AdminHandler
from cms.handlers.admin.listing import ListingHandler
from cms.policy import Capability
from cms.schemas.publication import UndoInput
from cms.services import bulk, undoing
from cms.services.undoing import Act

Result = TypeVar("Result")
Way = tuple[str, dict[str, str]]  # an address, and the form that is sent there


class UndoableHandler(AdminHandler, is_base=True):
    """What changes how a post stands: each act can be taken back for some seconds."""

    async def undoably(self, post_id: int, act: Callable[[Work], Awaitable[Result]]) -> tuple[Result, Way]:
        """Do it in a transaction; also the way back, for ``flash``."""

        async def do(work: Work) -> tuple[Result, Way]:
            result, acts = await undoing.undoable(work, [post_id], lambda: act(work))
            return result, await self.way_to_undo(work, acts)

        return await self.in_transaction(do)

    async def way_to_undo(self, work: Work, acts: Iterable[Act]) -> Way:
        """From acts on posts, or on pages."""
        acts = list(acts)
        ticket = await undoing.keep(work, self.actor, acts)
        return self.reverse_url(f"admin.{acts[0].kind}s.undo"), {"ticket": str(ticket.id)}


class UndoHandler(ListingHandler):
    requires = Capability.POST_TRASH

    async def post(self) -> None:
        number = self.form(UndoInput).value().ticket
        async with self.read() as session:
            ticket, acts = await undoing.find(session, self.actor, number)
        if any(act.kind is not self.kind for act in acts):
            raise NotFound
        report = await bulk.undo(self, self.actor, ticket, acts)
        is_from_list = "list" in self.request.body_arguments
        back = self.list_address(self.came_from()[1]) if is_from_list else self.reverse_url(f"admin.{self.kind}", acts[0].post_id)
        if len(acts) > 1 and report.refused:
            _, done = self.locale.translate, len(report.done)
            said = _("%d is as it was before.", "%d are as they were before.", done) % done if done else _("Nothing was changed.")
            await self.tell_of_refused(said, report, back)
            return
        refusal = next(iter(report.refused.values()), "")
        self.flash(refusal or "Undone: everything is as it was before.", is_refusal=bool(refusal))
        self.redirect(back, status=303)
