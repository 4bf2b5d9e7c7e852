"""Which answers are compressed: what Tornado knows to be text, and what else of ours is."""

from tornado.web import GZipContentEncoding


class Compression(GZipContentEncoding):
    CONTENT_TYPES = GZipContentEncoding.CONTENT_TYPES | {
        "application/feed+json",
        "application/manifest+json",
        "application/opensearchdescription+xml",
        "application/rss+xml",
    }
