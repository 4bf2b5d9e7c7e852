"""A text as it is being written, or one of its revisions, shown to whoever has the link: the site's page, with a bar that says so."""

import re

from cms.handlers.site.base import SiteHandler
from cms.models.post import Kind
from cms.services import preview_links, site
from cms.services.preview_links import ENDED, Sight
from cms.services.reading import Branch
from cms.ui.errors import Explanation
from cms.wording import say

# Whoever fetches a page for its card or index says so in such words; people's browsers have none of them.
_ROBOT = re.compile(
    r"bot|crawl|spider|preview|fetch|scan|monitor|curl|wget|python|http-client|facebookexternalhit|whatsapp|slack", re.IGNORECASE
)


class PreviewLinkHandler(SiteHandler):
    is_kept = False
    is_open_to_all = True  # a right of its own
    path_is_secret = True

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.set_header("X-Robots-Tag", "noindex, nofollow")
        self.set_header("Cache-Control", "no-store, private")
        self.set_header("Referrer-Policy", "no-referrer")

    async def get(self, carrier: str) -> None:
        async with self.read() as session:
            self.parts.use_frame(await site.get_frame(session))
            sight = await preview_links.find(session, carrier, self.parts.database.clock())
            revision = await preview_links.shown_by(session, sight) if sight.link.revision_id else None
        article, version = await self.parts.guests.article(sight)
        guest = {"link": sight.link, "version": version, "stream": self.reverse_url("live.preview", carrier), "revision": revision}
        template = "site/page.html" if sight.post.kind is Kind.PAGE else "site/post.html"
        self.render(template, article=article, branch=Branch(None, (), ()), is_preview=True, guest=guest)
        await self._count(sight)

    async def _count(self, sight: Sight) -> None:
        """When the page is out: people who open it, but not its maker, nor a page that only looks for what is new."""
        headers = self.request.headers
        is_opened = headers.get("Sec-Fetch-Mode", "navigate") == "navigate" and "Sec-Purpose" not in headers
        if self.request.method == "HEAD" or not is_opened or _ROBOT.search(headers.get("User-Agent", "")):
            return
        await self.load_actor()
        if self.actor.user_id is None or self.actor.user_id != sight.link.created_by_id:
            self.parts.guests.count(sight.link.id)

    def explain(self, status: int) -> Explanation:
        return Explanation(say("This preview has ended"), ENDED) if status == 410 else super().explain(status)
