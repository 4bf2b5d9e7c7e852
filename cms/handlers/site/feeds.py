"""Feeds with the whole text, of the site and of each list, in three formats."""

import json
from typing import ClassVar

from cms.handlers.site.xml import XmlHandler
from cms.models.address import TargetKind
from cms.page_cache import marks
from cms.page_cache.marks import Marks
from cms.services import feeds, shown
from cms.services.feeds import Feed
from cms.ui.feeds import json_feed
from cms.ui.words import href


class FeedHandler(XmlHandler):
    """``kind``: of what the address names one; None: of the whole site. What was renamed has its feeds at its new address."""

    file: ClassVar[str]
    nowhere_marks = Marks.of(marks.TERMS)

    def initialize(self, kind: TargetKind | None = None) -> None:
        self.kind = kind

    async def get(self, name: str = "") -> None:
        async with self.read() as session:
            feed = await (feeds.feed_of(session, self.kind, name) if self.kind else feeds.feed(session))
        self.shows(shown.feed(feed))
        path = f"{feed.path.rstrip('/')}/{self.file}"
        if not self.is_at(path):
            self.move_to(path)
            return
        self.set_header("Cross-Origin-Resource-Policy", "cross-origin")
        self.write_feed(feed, self.public_url + href(path))

    def write_feed(self, feed: Feed, feed_url: str) -> None:
        raise NotImplementedError


class RssHandler(FeedHandler):
    file = "feed.xml"

    def write_feed(self, feed: Feed, feed_url: str) -> None:
        self.show_xml("feeds/rss.xml", "application/rss+xml", feed.frame, feed=feed, feed_url=feed_url)


class AtomHandler(FeedHandler):
    file = "atom.xml"

    def write_feed(self, feed: Feed, feed_url: str) -> None:
        self.show_xml("feeds/atom.xml", "application/atom+xml", feed.frame, feed=feed, feed_url=feed_url)


class JsonFeedHandler(FeedHandler):
    file = "feed.json"

    def write_feed(self, feed: Feed, feed_url: str) -> None:
        self.set_header("Content-Type", "application/feed+json")
        self.finish(json.dumps(json_feed(feed, self.public_url, feed_url), ensure_ascii=False))
