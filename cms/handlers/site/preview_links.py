"""A text as it is being written, or one of its revisions, shown to whoever has the link: the site's page, with a bar that says so."""

import re
from urllib.parse import urlencode

from cms.handlers.site.base import SiteHandler
from cms.handlers.site.media import BY_PREVIEW
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
_TAG = re.compile(rb"""<(?:a|img|source|video|audio|track)\b(?:[^>"]|"[^"]*")*>""")
_ADDRESSES = re.compile(rb"""(?<=\s)(?:href|src|srcset|poster)="[^"]*\"""")
_FILE = re.compile(rb"""(?<=[" ])/media/([1-9][0-9]{0,17})/[^"\s?#]*[^"\s?#,](?=["\s#,])""")


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
            frame = await site.get_frame(session)
            self.parts.use_frame(frame)
            sight = await preview_links.find(session, carrier, self.parts.database.clock())
            revision = await preview_links.shown_by(session, sight) if sight.link.revision_id else None
        article, version = await self.parts.guests.article(sight)
        guest = {"link": sight.link, "version": version, "stream": self.reverse_url("live.preview", carrier), "revision": revision}
        template = "site/page.html" if sight.post.kind is Kind.PAGE else "site/post.html"
        page = self.render_string(template, article=article, branch=Branch(None, (), ()), is_preview=True, guest=guest)
        self.finish(page if frame.is_open and not frame.private_media else self._with_passes(page, sight.link.id))
        await self._count(sight)

    def _with_passes(self, page: bytes, link_id: int) -> bytes:
        """The files that it shows are open to whoever has the page, though others may not have them."""

        def passed(found: re.Match[bytes]) -> bytes:
            return found[0] + b"?" + urlencode({BY_PREVIEW: preview_links.file_pass(self.parts.sealer, link_id, int(found[1]))}).encode()

        return _TAG.sub(lambda tag: _ADDRESSES.sub(lambda found: _FILE.sub(passed, found[0]), tag[0]), page)

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
