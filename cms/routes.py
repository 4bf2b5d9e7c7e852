"""The whole URL map on one page, most-read first; every route named. The last one asks ``addresses`` what is at any other path."""

import functools
import re
from collections.abc import Iterable

from tornado.routing import PathMatches, Rule, URLSpec
from tornado.web import url

from cms.handlers import operations
from cms.handlers.admin import (
    assets,
    audit,
    backups,
    bulk,
    cache,
    calendar,
    capabilities,
    checks,
    confirmation,
    dashboard,
    fields,
    invitations,
    link_targets,
    links,
    menus,
    notifications,
    openid,
    page_tree,
    palette,
    passkeys,
    people,
    permalinks,
    post_templates,
    preview,
    preview_links,
    privacy,
    profile,
    publication,
    redirects,
    reviews,
    revisions,
    second_factor,
    security,
    sessions,
    setup,
    site,
    snippets,
    system,
    terms,
    threads,
    transfers,
    trash,
    undoing,
    uploads,
    views,
    visibility,
    welcome,
)
from cms.handlers.admin import media as library
from cms.handlers.admin import posts as desk
from cms.handlers.base import BaseHandler
from cms.handlers.live import documents, events, previews
from cms.handlers.site import archives, feeds, media, posts, programs, search, sitemaps, sources, static, unlock
from cms.handlers.site import preview_links as guests
from cms.models.address import TargetKind
from cms.policy import Capability

NUMBER = r"([1-9][0-9]{0,17})"
CARRIER = r"([A-Za-z0-9_-]{20,60})"  # of a right that is used once
TERM = r"([^/]+)"
LISTS = {TargetKind.TAG: TERM, TargetKind.CATEGORY: r"(.+)", TargetKind.AUTHOR: TERM, TargetKind.SERIES: TERM}
FEEDS = {"feed": feeds.RssHandler, "atom": feeds.AtomHandler, "jsonfeed": feeds.JsonFeedHandler}


def routes() -> list[URLSpec]:
    """All of them, in the order in which they are tried."""
    return [spec for rule in rules() for spec in ([rule] if isinstance(rule, URLSpec) else rule.target)]


def requirement(route: URLSpec) -> Capability | None:
    """The desk is the same for posts and pages; below ``/admin/pages`` it is the pages' capability that counts."""
    wanted: Capability | None = route.handler_class.requires
    kind = (route.kwargs or {}).get("kind")
    return wanted.for_kind(kind) if kind and wanted else wanted


def refuse_undeclared(routes: Iterable[URLSpec]) -> None:
    """Raise ``TypeError`` for a handler that does not say whom it is for: forgotten is not the same as open."""
    for route in routes:
        handler = route.handler_class
        if not issubclass(handler, BaseHandler) or not hasattr(handler, "requires"):
            raise TypeError(f"{handler.__name__} at {route.regex.pattern} does not say what it requires (a Capability, or None)")


def rules() -> list[Rule]:
    return [*_site(), *_programs(), *_people(), *_operators(), _below("/admin", _desk()), *_live(), *_rest()]


def _below(start: str, rules: list[URLSpec]) -> Rule:
    """Tried only for addresses that begin so: a post's own stands after all of them."""
    return Rule(PathMatches(rf"(?:{start})(?:/.*)?"), rules)


def _site() -> list[Rule]:
    return [
        url(r"/", posts.HomeHandler, name="home"),
        url(rf"/page/{NUMBER}", posts.NewestHandler, name="home.page"),
        _below("/" + "|/".join(LISTS), [*_feeds_of_lists(), *_lists()]),
        url(r"/archive", archives.ArchiveHandler, name="archive"),
        url(r"/archive/([0-9]{4})", archives.ArchiveHandler, name="archive.year"),
        url(r"/archive/([0-9]{4})/([0-9]{2})", archives.ArchiveHandler, name="archive.month"),
        url(r"/search", search.SearchHandler, name="search"),
        url(r"/unlock", unlock.UnlockHandler, name="unlock"),
        url(rf"/preview/{CARRIER}", guests.PreviewLinkHandler, name="preview"),
        url(rf"/media/{NUMBER}/([0-9a-f]{{12}})/([^/]+)", media.MediaHandler, name="media"),
        url(rf"/media/{NUMBER}/([0-9a-f]{{12}})/([^/]+)/([^/]+)", media.RenditionHandler, name="media.rendition"),
        url(rf"/media/{NUMBER}/([^/]+)", media.LatestMediaHandler, name="media.latest"),
        url(r"/static/(.*)", static.StaticHandler, name="static"),
        url(r"/favicon\.ico", static.FaviconHandler, name="favicon"),
    ]


def _lists() -> list[URLSpec]:
    return [
        url(rf"/tag/{TERM}", archives.TagHandler, name="tag"),
        url(rf"/tag/{TERM}/page/{NUMBER}", archives.TagHandler, name="tag.page"),
        url(rf"/category/(.+)/page/{NUMBER}", archives.CategoryHandler, name="category.page"),
        url(r"/category/(.+)", archives.CategoryHandler, name="category"),
        url(rf"/author/{TERM}", archives.AuthorHandler, name="author"),
        url(rf"/author/{TERM}/page/{NUMBER}", archives.AuthorHandler, name="author.page"),
        url(rf"/series/{TERM}", archives.SeriesHandler, name="series"),
        url(rf"/series/{TERM}/page/{NUMBER}", archives.SeriesHandler, name="series.page"),
    ]


def _feeds_of_lists() -> list[URLSpec]:
    """Before the lists, as the address of a category may have any number of parts."""
    return [
        url(rf"/{kind}/{path}/{re.escape(feed.file)}", feed, {"kind": kind}, name=f"{kind}.{name}")
        for kind, path in LISTS.items()
        for name, feed in FEEDS.items()
    ]


def _programs() -> list[URLSpec]:
    return [
        *(url(rf"/{re.escape(feed.file)}", feed, name=name) for name, feed in FEEDS.items()),
        url(r"/sitemap\.xml", sitemaps.SitemapIndexHandler, name="sitemap"),
        url(r"/sitemap/([1-9][0-9]{0,11})\.xml", sitemaps.SitemapPartHandler, name="sitemap.part"),
        url(r"/sitemap/lists\.xml", sitemaps.SitemapListsHandler, name="sitemap.lists"),
        url(r"/robots\.txt", programs.RobotsHandler, name="robots"),
        url(r"/llms\.txt", programs.LlmsHandler, name="llms"),
        url(r"/opensearch\.xml", programs.OpenSearchHandler, name="opensearch"),
        url(r"/manifest\.webmanifest", programs.ManifestHandler, name="manifest"),
        url(r"/\.well-known/security\.txt", programs.SecurityHandler, name="security"),
    ]


def _people() -> list[URLSpec]:
    return [
        url(r"/login", sessions.LoginHandler, name="login"),
        url(r"/login/openid", openid.DepartureHandler, name="login.openid"),
        url(r"/login/openid/callback", openid.ReturnHandler, name="login.openid.callback"),
        url(r"/login/passkey", second_factor.PasskeyDoorHandler, name="login.passkey"),
        url(r"/login/passkey/challenge", second_factor.PasskeyDoorChallengeHandler, name="login.passkey.challenge"),
        url(r"/login/second-factor", second_factor.SecondFactorHandler, name="login.factor"),
        url(r"/login/second-factor/challenge", second_factor.SecondFactorChallengeHandler, name="login.factor.challenge"),
        url(r"/logout", sessions.LogoutHandler, name="logout"),
        url(r"/setup/([A-Za-z0-9_-]+)", setup.SetupHandler, name="setup"),
        url(rf"/invitation/{CARRIER}", links.InvitationHandler, name="invitation"),
        url(rf"/invitation/{CARRIER}/openid", openid.AcceptanceHandler, name="invitation.openid"),
        url(r"/password", links.ForgottenHandler, name="password"),
        url(rf"/password/{CARRIER}", links.NewPasswordHandler, name="password.new"),
        *_account(),
    ]


def _account() -> list[URLSpec]:
    """What everybody keeps of his own account."""
    at = r"/account/security"
    return [
        url(r"/account", profile.ProfileHandler, name="account"),
        url(r"/account/notifications", profile.NoticesHandler, name="account.notifications"),
        url(r"/account/email", profile.OwnAddressHandler, name="account.email"),
        url(rf"/account/email/{CARRIER}", links.NewAddressHandler, name="account.email.new"),
        url(r"/account/confirmation", confirmation.ConfirmationHandler, name="account.confirmation"),
        url(r"/account/confirmation/challenge", confirmation.ConfirmationChallengeHandler, name="account.confirmation.challenge"),
        url(at, security.SecurityHandler, name="account.security"),
        url(rf"{at}/second-factor", security.FactorHandler, name="account.factor"),
        url(rf"{at}/password", security.PasswordHandler, name="account.password"),
        url(rf"{at}/authenticator", security.AuthenticatorHandler, name="account.authenticator"),
        url(rf"{at}/codes", security.CodesHandler, name="account.codes"),
        url(rf"{at}/passkeys", passkeys.PasskeysHandler, name="account.passkeys"),
        url(rf"{at}/passkeys/challenge", passkeys.RegistrationChallengeHandler, name="account.passkeys.challenge"),
        url(rf"{at}/passkeys/{NUMBER}", passkeys.PasskeyHandler, name="account.passkey"),
        url(rf"{at}/sessions", security.SessionsHandler, name="account.sessions"),
        url(rf"{at}/sessions/{NUMBER}", security.SessionHandler, name="account.session"),
        url(r"/account/identities", openid.IdentitiesHandler, name="account.identities"),
        url(rf"/account/identities/{NUMBER}", openid.IdentityHandler, name="account.identity"),
        url(r"/account/data", privacy.OwnDataHandler, name="account.data"),
    ]


@functools.cache  # most of them, which each site of a process shares
def _desk() -> list[URLSpec]:
    at_the_desk = [*_administrators(), *_people_at_the_desk()]
    return [*_admin("post"), *_admin("page"), *_page_tree(), *_terms(), *_kept_to_use_again(), *_trash(), *at_the_desk]


def _admin(kind: str) -> list[URLSpec]:
    """Posts and pages have the same desk: ``/admin/posts/…`` and ``/admin/pages/…``."""
    given = {"kind": kind}
    at = rf"/admin/{kind}s"
    home = [] if kind == "page" else [
        url(r"/admin", dashboard.DeskHandler, name="admin"),
        url(r"/admin/preview", preview.PreviewHandler, name="admin.preview"),
        url(r"/admin/notifications", notifications.NotificationsHandler, name="admin.notifications"),
        url(r"/admin/calendar", calendar.CalendarHandler, name="admin.calendar"),
        url(r"/admin/palette", palette.PaletteHandler, name="admin.palette"),
        url(r"/admin/links", link_targets.LinkTargetsHandler, name="admin.links"),
    ]  # fmt: skip
    return [
        *home,
        url(at, desk.ListHandler, given, name=f"admin.{kind}s"),
        url(rf"{at}/new", desk.NewHandler, given, name=f"admin.{kind}s.new"),
        url(rf"{at}/bulk", bulk.BulkHandler, given, name=f"admin.{kind}s.bulk"),
        url(rf"{at}/trash", bulk.TrashHandler, given, name=f"admin.{kind}s.trash"),
        url(rf"{at}/views", views.ViewsHandler, given, name=f"admin.{kind}s.views"),
        url(rf"{at}/views/{NUMBER}", views.ViewHandler, given, name=f"admin.{kind}s.view"),
        url(rf"{at}/{NUMBER}/copy", bulk.CopyHandler, given, name=f"admin.{kind}.copy"),
        url(rf"{at}/checks", checks.ChecksHandler, given, name=f"admin.{kind}s.checks"),
        url(rf"{at}/{NUMBER}", desk.EditHandler, given, name=f"admin.{kind}"),
        url(rf"{at}/{NUMBER}/checks", checks.ChecksHandler, given, name=f"admin.{kind}.checks"),
        url(rf"{at}/{NUMBER}/publication", publication.PublicationHandler, given, name=f"admin.{kind}.publication"),
        url(rf"{at}/{NUMBER}/schedule", publication.ScheduleHandler, given, name=f"admin.{kind}.schedule"),
        url(rf"{at}/{NUMBER}/end", publication.EndHandler, given, name=f"admin.{kind}.end"),
        url(rf"{at}/{NUMBER}/changes", publication.ChangesHandler, given, name=f"admin.{kind}.changes"),
        url(rf"{at}/undo", undoing.UndoHandler, given, name=f"admin.{kind}s.undo"),
        url(rf"{at}/{NUMBER}/review", reviews.ReviewHandler, given, name=f"admin.{kind}.review"),
        url(rf"{at}/{NUMBER}/visibility", visibility.VisibilityHandler, given, name=f"admin.{kind}.visibility"),
        url(rf"{at}/{NUMBER}/threads", threads.ThreadsHandler, given, name=f"admin.{kind}.threads"),
        url(rf"{at}/{NUMBER}/threads/{NUMBER}", threads.ThreadHandler, given, name=f"admin.{kind}.thread"),
        url(rf"{at}/{NUMBER}/links", preview_links.LinksHandler, given, name=f"admin.{kind}.links"),
        url(rf"{at}/{NUMBER}/links/{NUMBER}", preview_links.LinkHandler, given, name=f"admin.{kind}.link"),
        url(rf"{at}/{NUMBER}/restoration", publication.RestorationHandler, given, name=f"admin.{kind}.restoration"),
        *_history(rf"{at}/{NUMBER}", f"admin.{kind}", given),
    ]


def _history(post: str, name: str, given: dict[str, str]) -> list[URLSpec]:
    at = f"{post}/revisions"
    one = rf"{at}/{NUMBER}"
    return [
        url(at, revisions.RevisionsHandler, given, name=f"{name}.revisions"),
        url(one, revisions.RevisionHandler, given, name=f"{name}.revision"),
        url(rf"{one}/page", revisions.RevisionPageHandler, given, name=f"{name}.revision.page"),
        url(rf"{one}/restoration", revisions.RevisionRestorationHandler, given, name=f"{name}.revision.restoration"),
        url(rf"{at}/comparison", revisions.ComparisonHandler, given, name=f"{name}.comparison"),
        url(rf"{at}/comparison/page", revisions.ComparisonPageHandler, given, name=f"{name}.comparison.page"),
        url(rf"{at}/playback", revisions.PlaybackHandler, given, name=f"{name}.playback"),
    ]


def _kept_to_use_again() -> list[URLSpec]:
    return [
        url(r"/admin/media/uploads", uploads.UploadsHandler, name="admin.uploads"),
        url(rf"/admin/media/uploads/{CARRIER}", uploads.UploadHandler, name="admin.upload"),
        url(rf"/admin/media/uploads/{CARRIER}/completion", uploads.CompletionHandler, name="admin.upload.completion"),
        url(r"/admin/media", library.MediaHandler, name="admin.media"),
        url(r"/admin/media/bulk", library.MediaBulkHandler, name="admin.media.bulk"),
        url(r"/admin/media/alternative-texts", library.AlternativeTextsHandler, name="admin.media.alts"),
        url(r"/admin/media/room", library.MediaRoomHandler, name="admin.media.room"),
        url(rf"/admin/media/unfinished/{CARRIER}", library.UnfinishedHandler, name="admin.media.unfinished"),
        url(r"/admin/media/folders", library.FoldersHandler, name="admin.media.folders"),
        url(rf"/admin/media/folders/{NUMBER}", library.FolderHandler, name="admin.media.folder"),
        url(rf"/admin/media/{NUMBER}", assets.AssetHandler, name="admin.asset"),
        url(rf"/admin/media/{NUMBER}/original", assets.OriginalHandler, name="admin.asset.original"),
        url(rf"/admin/media/{NUMBER}/tracks", assets.TracksHandler, name="admin.asset.tracks"),
        url(r"/admin/snippets", snippets.SnippetsHandler, name="admin.snippets"),
        url(r"/admin/snippets/new", snippets.NewSnippetHandler, name="admin.snippets.new"),
        url(r"/admin/snippets/choices", snippets.SnippetChoicesHandler, name="admin.snippets.choices"),
        url(rf"/admin/snippets/{NUMBER}", snippets.SnippetHandler, name="admin.snippet"),
        url(r"/admin/templates", post_templates.TemplatesHandler, name="admin.templates"),
        url(r"/admin/templates/new", post_templates.NewTemplateHandler, name="admin.templates.new"),
        url(rf"/admin/templates/{NUMBER}", post_templates.TemplateHandler, name="admin.template"),
    ]


def _administrators() -> list[URLSpec]:
    return [
        url(r"/admin/fields", fields.FieldsHandler, name="admin.fields"),
        url(rf"/admin/fields/{NUMBER}", fields.FieldHandler, name="admin.field"),
        url(rf"/admin/fields/{NUMBER}/place", fields.FieldPlaceHandler, name="admin.field.place"),
        url(r"/admin/welcome", welcome.WelcomeHandler, name="admin.welcome"),
        url(r"/admin/site", site.SettingsHandler, {"part": "general"}, name="admin.site"),
        *(
            url(rf"/admin/site/{part}", site.SettingsHandler, {"part": part}, name=f"admin.site.{part}")
            for part in site.PARTS
            if part != "general"
        ),
        url(r"/admin/site/look/preview", site.LookPreviewHandler, name="admin.site.look.preview"),
        url(r"/admin/site/access", visibility.AccessHandler, name="admin.site.access"),
        url(r"/admin/site/permalinks", permalinks.PermalinksHandler, name="admin.site.permalinks"),
        url(r"/admin/site/mail", site.MailHandler, name="admin.site.mail"),
        url(r"/admin/site/review", reviews.ReviewRulesHandler, name="admin.site.review"),
        url(r"/admin/menus", menus.MenusHandler, name="admin.menus"),
        url(r"/admin/menus/targets", menus.TargetsHandler, name="admin.menus.targets"),
        url(r"/admin/menus/main", menus.MenuHandler, {"name": "main"}, name="admin.menu.main"),
        url(r"/admin/menus/footer", menus.MenuHandler, {"name": "footer"}, name="admin.menu.footer"),
        url(r"/admin/redirects", redirects.RedirectsHandler, name="admin.redirects"),
        url(r"/admin/redirects\.csv", redirects.RedirectsFileHandler, name="admin.redirects.csv"),
        url(r"/admin/redirects/new", redirects.NewRedirectHandler, name="admin.redirects.new"),
        url(r"/admin/redirects/table", redirects.RedirectsTableHandler, name="admin.redirects.table"),
        url(rf"/admin/redirects/{NUMBER}", redirects.RedirectHandler, name="admin.redirect"),
        url(r"/admin/cache", cache.CacheHandler, name="admin.cache"),
        url(r"/admin/system", system.SystemHandler, name="admin.system"),
        url(r"/admin/jobs", system.JobsHandler, name="admin.jobs"),
        url(rf"/admin/jobs/{NUMBER}", system.JobHandler, name="admin.job"),
        url(r"/admin/backups", backups.BackupsHandler, name="admin.backups"),
        url(rf"/admin/backups/{NUMBER}", backups.BackupHandler, name="admin.backup"),
        url(rf"/admin/backups/{NUMBER}/file", backups.BackupFileHandler, name="admin.backup.file"),
        url(r"/admin/transfers", transfers.TransfersHandler, name="admin.transfers"),
        url(r"/admin/transfers/imports", transfers.ImportsHandler, name="admin.imports"),
        url(r"/admin/transfers/exports", transfers.ExportsHandler, name="admin.exports"),
        url(rf"/admin/transfers/{NUMBER}", transfers.TransferHandler, name="admin.transfer"),
        url(rf"/admin/transfers/{NUMBER}/file", transfers.TransferFileHandler, name="admin.transfer.file"),
        url(rf"/admin/transfers/{NUMBER}/report", transfers.TransferReportHandler, name="admin.transfer.report"),
        url(rf"/admin/people/{NUMBER}/data", privacy.DataHandler, name="admin.person.data"),
        url(rf"/admin/people/{NUMBER}/erasure", privacy.ErasureHandler, name="admin.person.erasure"),
        url(r"/admin/capabilities", capabilities.CapabilitiesHandler, name="admin.capabilities"),
        url(r"/admin/audit", audit.AuditHandler, name="admin.audit"),
        url(r"/admin/audit\.csv", audit.AuditFileHandler, {"form": "csv"}, name="admin.audit.csv"),
        url(r"/admin/audit\.json", audit.AuditFileHandler, {"form": "json"}, name="admin.audit.json"),
    ]


def _trash() -> list[URLSpec]:
    return [
        url(r"/admin/trash", trash.ThingsHandler, name="admin.trash"),
        url(r"/admin/trash/emptying", trash.ThingsEmptyingHandler, name="admin.trash.emptying"),
        url(rf"/admin/trash/{NUMBER}", trash.ThingHandler, name="admin.trash.thing"),
        url(rf"/admin/trash/{NUMBER}/restoration", trash.ThingRestorationHandler, name="admin.trash.restoration"),
    ]


def _page_tree() -> list[URLSpec]:
    return [url(r"/admin/pages/tree", page_tree.TreeHandler, {"kind": "page"}, name="admin.pages.tree")]


def _terms() -> list[URLSpec]:
    category, tag, series = ({"kind": kind} for kind in ("category", "tag", "series"))
    return [
        url(r"/admin/categories", terms.CategoriesHandler, category, name="admin.categories"),
        url(rf"/admin/categories/{NUMBER}", terms.TermHandler, category, name="admin.category"),
        url(rf"/admin/categories/{NUMBER}/deletion", terms.DeletionHandler, category, name="admin.category.deletion"),
        url(r"/admin/tags", terms.TagsHandler, tag, name="admin.tags"),
        url(r"/admin/tags/merging", terms.MergeHandler, tag, name="admin.tags.merging"),
        url(r"/admin/tags/unused", terms.UnusedTagsHandler, tag, name="admin.tags.unused"),
        url(rf"/admin/tags/{NUMBER}", terms.TermHandler, tag, name="admin.tag"),
        url(rf"/admin/tags/{NUMBER}/deletion", terms.DeletionHandler, tag, name="admin.tag.deletion"),
        url(r"/admin/series", terms.SeriesHandler, series, name="admin.series"),
        url(rf"/admin/series/{NUMBER}", terms.TermHandler, series, name="admin.one-series"),
        url(rf"/admin/series/{NUMBER}/deletion", terms.DeletionHandler, series, name="admin.one-series.deletion"),
        url(rf"/admin/series/{NUMBER}/parts", terms.PartsHandler, series, name="admin.one-series.parts"),
    ]


def _people_at_the_desk() -> list[URLSpec]:
    one = rf"/admin/people/{NUMBER}"
    return [
        url(r"/admin/people", people.PeopleHandler, name="admin.people"),
        url(r"/admin/people/invitations", invitations.InvitationsHandler, name="admin.invitations"),
        url(rf"/admin/people/invitations/{NUMBER}", invitations.OpenInvitationHandler, name="admin.invitation"),
        url(one, people.PersonHandler, name="admin.person"),
        url(rf"{one}/access", people.AccessHandler, name="admin.person.access"),
        url(rf"{one}/sessions", people.SignedInHandler, name="admin.person.sessions"),
        url(rf"{one}/password", people.PasswordLinkHandler, name="admin.person.password"),
        url(rf"{one}/role", people.RoleHandler, name="admin.person.role"),
        url(rf"{one}/email", people.AddressHandler, name="admin.person.email"),
        url(rf"{one}/deletion", people.DeletionHandler, name="admin.person.deletion"),
        url(rf"{one}/ownership", people.OwnershipHandler, name="admin.person.ownership"),
    ]


def _operators() -> list[URLSpec]:
    return [
        url(r"/healthz", operations.HealthHandler, name="healthz"),
        url(r"/readyz", operations.ReadyHandler, name="readyz"),
        url(r"/metrics", operations.MetricsHandler, name="metrics"),
    ]


def _live() -> list[URLSpec]:
    """What stays open."""
    return [
        url(r"/live/events", events.EventsHandler, name="live.events"),
        url(rf"/live/posts/{NUMBER}", documents.DocumentHandler, name="live.post"),
        url(rf"/live/previews/{CARRIER}", previews.PreviewStreamHandler, name="live.preview"),
    ]


def _rest() -> list[URLSpec]:
    return [url(r"/(.+)\.md", sources.SourceHandler, name="source"), url(r"/(.+)", posts.PlaceHandler, name="place")]
