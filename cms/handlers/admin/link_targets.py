"""Titles and addresses for the editor's link picker."""

from dataclasses import asdict

from cms.handlers.admin.base import AdminHandler
from cms.policy import Capability
from cms.services import link_targets


class LinkTargetsHandler(AdminHandler):
    requires = Capability.POST_EDIT

    async def get(self) -> None:
        async with self.read() as session:
            found = await link_targets.find(session, self.actor, self.get_query_argument("q", "")[:200])
        self.write({"links": [asdict(target) for target in found]})
