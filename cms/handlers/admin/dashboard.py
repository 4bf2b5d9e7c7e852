"""The first page of the desk."""

from cms.handlers.admin.base import AdminHandler
from cms.handlers.admin.system import JOBS
from cms.policy import Capability
from cms.services import dashboard, library


class DeskHandler(AdminHandler):
    requires = Capability.POST_EDIT

    async def get(self) -> None:
        async with self.read() as session:
            today = await dashboard.today(session, self.actor)
            undescribed = await library.without_alt(session, self.actor)
        self.render("admin/dashboard.html", section="today", today=today, undescribed=undescribed, jobs=JOBS, flash=self.take_flash())
