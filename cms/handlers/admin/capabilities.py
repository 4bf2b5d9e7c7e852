"""What each role may do: the one table, for everybody who signs in to look up."""

from cms import policy
from cms.handlers.admin.base import AdminHandler
from cms.policy import Capability, Role

ROLES = [role for role in Role if role is not Role.READER]


class CapabilitiesHandler(AdminHandler):
    requires = Capability.ACCOUNT_KEEP

    def get(self) -> None:
        self.render("admin/capabilities.html", section="capabilities", rows=policy.rows(), roles=ROLES)
