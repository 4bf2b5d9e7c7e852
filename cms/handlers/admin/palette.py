"""Posts and pages by a few letters of their titles, for the palette of commands."""

from cms.handlers.admin.base import AdminHandler
from cms.policy import Capability
from cms.services import palette
from cms.ui.admin import STATUSES


class PaletteHandler(AdminHandler):
    requires = Capability.POST_EDIT

    async def get(self) -> None:
        async with self.read() as session:
            found = await palette.find(session, self.actor, self.get_query_argument("q", "")[:200])
        texts = [
            {
                "title": post.title or self.locale.translate("Without a title"),
                "kind": post.kind.value,
                "status": self.locale.translate(STATUSES[post.status][0]),
                "path": self.reverse_url(f"admin.{post.kind}", post.id),
            }
            for post in found
        ]
        self.write({"texts": texts})
