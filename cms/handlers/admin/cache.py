"""How the page cache is doing, in this process."""

from cms.handlers.admin.base import AdminHandler
from cms.policy import Capability
from cms.wording import phrases

WHAT = phrases(
    {
        "hits": "Answered from the cache",
        "misses": "Had to be made",
        "stored": "Kept since the start",
        "purged": "Forgotten because something they show changed",
        "evicted": "Forgotten to make room",
        "refused": "Not kept, as something changed while they were made",
    }
)


class CacheHandler(AdminHandler):
    requires = Capability.SITE_CONFIGURE

    def get(self) -> None:
        pages = self.parts.pages
        asked = pages.counts["hits"] + pages.counts["misses"]
        self.render(
            "admin/cache.html", section="cache", pages=pages, share=pages.counts["hits"] / asked if asked else None,
            processes=self.parts.settings.processes, lines=[(words, pages.counts[name]) for name, words in WHAT.items()],
        )  # fmt: skip
