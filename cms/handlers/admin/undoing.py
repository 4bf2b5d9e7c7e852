"""Taking back what was just done: the ticket that a message brings along, signed, and what is done with it."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from pydantic import ValidationError
from tornado.web import decode_signed_value

from cms.db.session import Work
from cms.errors import Conflict, InvalidInput, NotFound
from cms.handlers.admin.base import AdminHandler
from cms.handlers.admin.listing import ListingHandler
from cms.policy import Capability
from cms.schemas.publication import UndoInput
from cms.services import undoing
from cms.services.undoing import Ticket

Result = TypeVar("Result")


class UndoableHandler(AdminHandler, is_base=True):
    """What changes how a post stands: each act can be taken back for some seconds."""

    async def undoably(self, post_id: int, act: Callable[[Work], Awaitable[Result]]) -> tuple[Result, tuple[str, dict[str, str]]]:
        """Do it in a transaction; also the address and the form that take it back, for ``flash``."""
        result, ticket = await self.in_transaction(lambda work: undoing.undoable(work, self.actor, post_id, lambda: act(work)))
        return result, way_back(self, ticket)


def way_back(handler: AdminHandler, ticket: Ticket) -> tuple[str, dict[str, str]]:
    signed = handler.create_signed_value("undo", ticket.model_dump_json()).decode()
    return handler.reverse_url(f"admin.{ticket.kind}.undo", ticket.post_id), {"ticket": signed}


class UndoHandler(ListingHandler):
    requires = Capability.POST_TRASH

    async def post(self, number: str) -> None:
        post_id = self.number(number)
        await self.load(post_id)
        ticket = self._ticket(post_id)
        try:
            former = ticket.before.revision
            version = await self.revision(ticket.post_id, former) if former else None
            await self.in_transaction(lambda work: undoing.undo(work, self.actor, ticket, version))
        except (Conflict, InvalidInput) as error:
            self.flash(error.message, is_refusal=True)
        else:
            self.flash("Undone: everything is as it was before.")
        if "list" in self.request.body_arguments:
            self.redirect(self.list_address(self.came_from()[1]), status=303)
        else:
            self.redirect_to(f"admin.{self.kind}", ticket.post_id)

    def _ticket(self, post_id: int) -> Ticket:
        """What was signed here, for this post. Raises ``NotFound``."""
        sent = self.form(UndoInput).value().ticket
        opened = decode_signed_value(self.settings["cookie_secret"], "undo", sent, max_age_days=1, min_version=2)
        try:
            ticket = Ticket.model_validate_json(opened or b"")
        except ValidationError:
            raise NotFound from None
        if (ticket.post_id, ticket.kind) != (post_id, self.kind):
            raise NotFound
        return ticket
