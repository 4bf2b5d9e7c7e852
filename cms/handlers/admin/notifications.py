"""What somebody is told at the desk."""

from cms.handlers.admin.base import AdminHandler
from cms.policy import Capability
from cms.services import notifications


class NotificationsHandler(AdminHandler):
    requires = Capability.ACCOUNT_KEEP

    async def get(self) -> None:
        async with self.read() as session:
            told = await notifications.list_of(session, self.actor)
        self.render("admin/notifications.html", section="notifications", told=told, flash=self.take_flash())

    async def post(self) -> None:
        """All up to the newest that the page showed were seen."""
        async with self.transaction() as work:
            await notifications.mark_seen(work, self.actor, self.number(self.get_body_argument("up_to", "0")))
        self.redirect_to("admin.notifications")
