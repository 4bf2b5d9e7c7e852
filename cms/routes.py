"""The whole URL map on one page, most-read first; every route named. The last one asks ``addresses`` what is at any other path."""

from tornado.routing import URLSpec
from tornado.web import url

from cms.handlers import operations
from cms.handlers.admin import posts as desk
from cms.handlers.admin import preview, publication, sessions, setup
from cms.handlers.site import archives, feeds, media, posts, search, static

NUMBER = r"([1-9][0-9]{0,17})"
TERM = r"([^/]+)"


def routes() -> list[URLSpec]:
    return [*_site(), *_people(), *_admin("post"), *_admin("page"), *_operators(), *_rest()]


def _site() -> list[URLSpec]:
    return [
        url(r"/", posts.HomeHandler, name="home"),
        url(rf"/page/{NUMBER}", posts.HomeHandler, name="home.page"),
        url(rf"/tag/{TERM}", archives.TagHandler, name="tag"),
        url(rf"/tag/{TERM}/page/{NUMBER}", archives.TagHandler, name="tag.page"),
        url(rf"/category/(.+)/page/{NUMBER}", archives.CategoryHandler, name="category.page"),
        url(r"/category/(.+)", archives.CategoryHandler, name="category"),
        url(rf"/author/{TERM}", archives.AuthorHandler, name="author"),
        url(rf"/author/{TERM}/page/{NUMBER}", archives.AuthorHandler, name="author.page"),
        url(r"/archive", archives.ArchiveHandler, name="archive"),
        url(r"/archive/([0-9]{4})", archives.ArchiveHandler, name="archive.year"),
        url(r"/archive/([0-9]{4})/([0-9]{2})", archives.ArchiveHandler, name="archive.month"),
        url(r"/search", search.SearchHandler, name="search"),
        url(r"/feed\.xml", feeds.RssHandler, name="feed"),
        url(r"/atom\.xml", feeds.AtomHandler, name="atom"),
        url(r"/sitemap\.xml", feeds.SitemapHandler, name="sitemap"),
        url(r"/robots\.txt", feeds.RobotsHandler, name="robots"),
        url(rf"/media/{NUMBER}/([0-9a-f]{{12}})/([^/]+)", media.MediaHandler, name="media"),
        url(rf"/media/{NUMBER}/([^/]+)", media.LatestMediaHandler, name="media.latest"),
        url(r"/static/(.*)", static.StaticHandler, name="static"),
        url(r"/favicon\.ico", static.FaviconHandler, name="favicon"),
    ]


def _people() -> list[URLSpec]:
    return [
        url(r"/login", sessions.LoginHandler, name="login"),
        url(r"/logout", sessions.LogoutHandler, name="logout"),
        url(r"/setup/([A-Za-z0-9_-]+)", setup.SetupHandler, name="setup"),
    ]


def _admin(kind: str) -> list[URLSpec]:
    """Posts and pages have the same desk: ``/admin/posts/…`` and ``/admin/pages/…``."""
    given = {"kind": kind}
    at = rf"/admin/{kind}s"
    home = [] if kind == "page" else [
        url(r"/admin", desk.DeskHandler, name="admin"),
        url(r"/admin/preview", preview.PreviewHandler, name="admin.preview"),
    ]  # fmt: skip
    return [
        *home,
        url(at, desk.ListHandler, given, name=f"admin.{kind}s"),
        url(rf"{at}/new", desk.NewHandler, given, name=f"admin.{kind}s.new"),
        url(rf"{at}/{NUMBER}", desk.EditHandler, given, name=f"admin.{kind}"),
        url(rf"{at}/{NUMBER}/publication", publication.PublicationHandler, given, name=f"admin.{kind}.publication"),
        url(rf"{at}/{NUMBER}/restoration", publication.RestorationHandler, given, name=f"admin.{kind}.restoration"),
    ]


def _operators() -> list[URLSpec]:
    return [
        url(r"/healthz", operations.HealthHandler, name="healthz"),
        url(r"/readyz", operations.ReadyHandler, name="readyz"),
        url(r"/metrics", operations.MetricsHandler, name="metrics"),
    ]


def _rest() -> list[URLSpec]:
    return [url(r"/(.+)", posts.PlaceHandler, name="place")]
