"""Every address of the program as the walk tries it (``test_walk.py``), and what the table of capabilities says must come of it.

A new route needs one line in ``STOPS``, by its name: an address that leads somewhere, and a form that nobody gets anywhere with. What
its handler requires is not written again here. ``{post}`` and the like in an address stand for things of ``THINGS``: one of each kind is
tried, one's own and another's. A new kind of thing needs a function that makes them, and one that says what an actor may expect of one.
"""

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import func, select
from tornado.routing import URLSpec
from tornado.web import RequestHandler

from cms import policy
from cms.content.pipeline import render
from cms.models import Passkey, Revision, Session, Token, User
from cms.models.address import TargetKind
from cms.models.post import Kind
from cms.policy import Actor, Capability
from cms.routes import requirement
from cms.schemas.account import InvitationInput
from cms.schemas.post import PostFields, PostInput
from cms.schemas.redirects import RedirectInput
from cms.schemas.snippets import SnippetInput
from cms.schemas.terms import TermInput
from cms.services import catalogue, invitations, media, posts, publishing, redirects, sessions, snippets
from tests import factories
from tests.web import Site

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
SAFE = ("GET", "HEAD", "OPTIONS")
ADMITTED = frozenset({200, 201, 204, 303, 409, 422})  # whoever may be here; 409 and 422 say what is wrong with what he sent
READ = frozenset({200})
WORDS = "Selkie"  # in everything that is made for the walk


@dataclass(frozen=True)
class Stop:
    path: str
    form: Mapping[str, str] = field(default_factory=dict)
    answers: frozenset[int] = ADMITTED  # of those who may be here
    needs_key: bool = True  # with what is sent; nothing of a person or of the site is changed without


# --- the routes ------------------------------------------------------------------------------------------------------------

_STALE = {"title": "T", "text": "x", "version": "99"}  # another version is there: nothing of it is kept
_MOVED = frozenset({301})
_NOWHERE = frozenset({404})
_DISCUSSED = frozenset({403, 404, 409})  # who may see it talks, who may edit it takes up; there is no such thread; it is in the trash
_UNPLANNED = frozenset({409})  # nothing waits for its time
_REVIEWED = ADMITTED | {403}  # who may see it submits what he may edit, and reviews what is not his own
_LISTS = {"tag": "sea", "category": "coast", "author": "edna-reed", "series": "tides"}


def _desk(kind: str) -> dict[str, Stop]:
    at = f"/admin/{kind}s"
    return {
        f"admin.{kind}s": Stop(at, {"title": "", "text": "", "part": "none"}),
        f"admin.{kind}s.new": Stop(f"{at}/new"),
        f"admin.{kind}s.bulk": Stop(f"{at}/bulk", {"act": "nonsense"}),
        f"admin.{kind}s.trash": Stop(f"{at}/trash"),
        f"admin.{kind}s.views": Stop(f"{at}/views", {"name": ""}),
        f"admin.{kind}s.view": Stop(f"{at}/views/999999", {"name": "x"}, answers=_NOWHERE),
        f"admin.{kind}.copy": Stop(f"{at}/{{{kind}}}/copy"),
        f"admin.{kind}s.checks": Stop(f"{at}/checks", {"text": "x"}),
        f"admin.{kind}.checks": Stop(f"{at}/{{{kind}}}/checks", {"text": "x"}),
        f"admin.{kind}": Stop(f"{at}/{{{kind}}}", _STALE),
        f"admin.{kind}.publication": Stop(f"{at}/{{{kind}}}/publication", _STALE),
        f"admin.{kind}.schedule": Stop(f"{at}/{{{kind}}}/schedule", answers=_UNPLANNED),
        f"admin.{kind}.end": Stop(f"{at}/{{{kind}}}/end", {"end_day": "x"}, answers=ADMITTED | _UNPLANNED),
        f"admin.{kind}.changes": Stop(f"{at}/{{{kind}}}/changes", answers=ADMITTED),
        f"admin.{kind}s.undo": Stop(f"{at}/undo", {"ticket": "999999"}, answers=_NOWHERE),
        f"admin.{kind}.review": Stop(f"{at}/{{{kind}}}/review", {"version": "99"}, answers=_REVIEWED),
        f"admin.{kind}.visibility": Stop(f"{at}/{{{kind}}}/visibility", {"visibility": "?"}),
        f"admin.{kind}.threads": Stop(f"{at}/{{{kind}}}/threads", {"text": ""}),
        f"admin.{kind}.thread": Stop(f"{at}/{{{kind}}}/threads/999999", {"text": "x"}, answers=_DISCUSSED),
        f"admin.{kind}.links": Stop(f"{at}/{{{kind}}}/links", {"lifetime": "?"}),
        f"admin.{kind}.link": Stop(f"{at}/{{{kind}}}/links/999999", answers=_NOWHERE),
        f"admin.{kind}.restoration": Stop(f"{at}/{{{kind}}}/restoration"),
        f"admin.{kind}.revisions": Stop(f"{at}/{{{kind}}}/revisions"),
        f"admin.{kind}.revision": Stop(f"{at}/{{{kind}}}/revisions/{{revision}}"),
        f"admin.{kind}.revision.page": Stop(f"{at}/{{{kind}}}/revisions/{{revision}}/page"),
        f"admin.{kind}.revision.restoration": Stop(f"{at}/{{{kind}}}/revisions/{{revision}}/restoration"),
        f"admin.{kind}.comparison": Stop(f"{at}/{{{kind}}}/revisions/comparison"),
        f"admin.{kind}.comparison.page": Stop(f"{at}/{{{kind}}}/revisions/comparison/page"),
        f"admin.{kind}.playback": Stop(f"{at}/{{{kind}}}/revisions/playback"),
    }


STOPS: dict[str, Stop] = {
    "home": Stop("/", answers=READ),
    "home.page": Stop("/page/1", answers=_MOVED),
    "archive": Stop("/archive", answers=READ),
    "archive.year": Stop("/archive/2026", answers=READ | _NOWHERE),
    "archive.month": Stop("/archive/2026/11", answers=READ | _NOWHERE),
    "search": Stop("/search?q=tide", answers=READ),
    "preview": Stop(f"/preview/{'x' * 43}", answers=_NOWHERE),
    "live.preview": Stop(f"/live/previews/{'x' * 43}", answers=_NOWHERE),
    "media": Stop("/{asset}", answers=READ),
    "media.rendition": Stop("/media/1/0123456789ab/320/tide-chart.webp", answers=_NOWHERE),  # there is no such picture
    "media.latest": Stop("/media/1/tide-chart.png", answers=frozenset({302})),
    "static": Stop("/static/css/site.css", answers=READ),
    "favicon": Stop("/favicon.ico", answers=frozenset({302})),
    **{kind: Stop(f"/{kind}/{name}", answers=READ) for kind, name in _LISTS.items()},
    **{f"{kind}.page": Stop(f"/{kind}/{name}/page/1", answers=_MOVED) for kind, name in _LISTS.items()},
    **{
        f"{kind}.{feed}": Stop(f"/{kind}/{name}/{file}", answers=READ)
        for kind, name in _LISTS.items()
        for feed, file in (("feed", "feed.xml"), ("atom", "atom.xml"), ("jsonfeed", "feed.json"))
    },
    "feed": Stop("/feed.xml", answers=READ),
    "atom": Stop("/atom.xml", answers=READ),
    "jsonfeed": Stop("/feed.json", answers=READ),
    "sitemap": Stop("/sitemap.xml", answers=READ),
    "sitemap.part": Stop("/sitemap/1.xml", answers=READ),
    "sitemap.lists": Stop("/sitemap/lists.xml", answers=READ),
    "robots": Stop("/robots.txt", answers=READ),
    "llms": Stop("/llms.txt", answers=READ),
    "opensearch": Stop("/opensearch.xml", answers=READ),
    "manifest": Stop("/manifest.webmanifest", answers=READ),
    "security": Stop("/.well-known/security.txt", answers=_NOWHERE),
    "healthz": Stop("/healthz", answers=READ),
    "readyz": Stop("/readyz", answers=READ),
    "metrics": Stop("/metrics", answers=READ),
    "source": Stop("/low-tide.md", answers=READ),
    "place": Stop("/low-tide", answers=READ),
    "login": Stop("/login", {"email": "nobody@example.org", "password": "wrong"}),
    "logout": Stop("/logout"),
    "setup": Stop("/setup/wrong", answers=_NOWHERE),
    "admin": Stop("/admin"),
    "admin.notifications": Stop("/admin/notifications", {"up_to": "0"}),
    "admin.preview": Stop("/admin/preview", {"text": "x"}),
    "admin.links": Stop("/admin/links"),
    "admin.calendar": Stop("/admin/calendar", {"post": "999999", "act": "publish", "day": "?"}),
    "admin.palette": Stop("/admin/palette"),
    **_desk("post"),
    **_desk("page"),
    "login.openid": Stop("/login/openid", answers=_NOWHERE),  # no provider is set
    "login.openid.callback": Stop("/login/openid/callback", answers=_NOWHERE),
    "invitation.openid": Stop(f"/invitation/{'x' * 43}/openid", {"name": "X"}, answers=_NOWHERE),
    "account.identities": Stop("/account/identities", answers=_NOWHERE),
    "account.identity": Stop("/account/identities/999999", answers=_NOWHERE),
    "account.data": Stop("/account/data"),
    "login.passkey": Stop("/login/passkey"),
    "login.passkey.challenge": Stop("/login/passkey/challenge"),
    "login.factor": Stop("/login/second-factor"),
    "login.factor.challenge": Stop("/login/second-factor/challenge"),
    "invitation": Stop(f"/invitation/{'x' * 43}", answers=_NOWHERE),
    "password": Stop("/password"),
    "password.new": Stop(f"/password/{'x' * 43}", answers=_NOWHERE),
    "account": Stop("/account", {"name": ""}),
    "account.notifications": Stop("/account/notifications"),
    "account.email": Stop("/account/email"),
    "account.email.new": Stop(f"/account/email/{'x' * 43}", answers=_NOWHERE),
    "account.confirmation": Stop("/account/confirmation"),
    "account.confirmation.challenge": Stop("/account/confirmation/challenge"),
    "account.security": Stop("/account/security"),
    "account.factor": Stop("/account/security/second-factor"),
    "account.password": Stop("/account/security/password"),
    "account.authenticator": Stop("/account/security/authenticator"),
    "account.codes": Stop("/account/security/codes"),
    "account.passkeys": Stop("/account/security/passkeys"),
    "account.passkeys.challenge": Stop("/account/security/passkeys/challenge"),
    "account.passkey": Stop("/account/security/passkeys/{passkey}", {"name": ""}),
    "account.sessions": Stop("/account/security/sessions"),
    "account.session": Stop("/account/security/sessions/{session}"),
    "admin.people": Stop("/admin/people"),
    "admin.invitations": Stop("/admin/people/invitations"),
    "admin.invitation": Stop("/admin/people/invitations/{invitation}"),
    "admin.person": Stop("/admin/people/{person}", {"name": ""}),
    "admin.person.access": Stop("/admin/people/{person}/access"),
    "admin.person.sessions": Stop("/admin/people/{person}/sessions"),
    "admin.person.password": Stop("/admin/people/{person}/password"),
    "admin.person.role": Stop("/admin/people/{person}/role"),
    "admin.person.email": Stop("/admin/people/{person}/email"),
    "admin.person.deletion": Stop("/admin/people/{person}/deletion"),
    "admin.person.data": Stop("/admin/people/{person}/data"),
    "admin.person.erasure": Stop("/admin/people/{person}/erasure"),
    "admin.person.ownership": Stop("/admin/people/{person}/ownership"),
    "admin.snippets": Stop("/admin/snippets"),
    "admin.snippets.new": Stop("/admin/snippets/new", {"name": "", "text": ""}),
    "admin.snippets.choices": Stop("/admin/snippets/choices"),
    "admin.snippet": Stop("/admin/snippets/999999", {"name": ""}, answers=frozenset({403, 404})),  # not all who use them keep them
    "admin.templates": Stop("/admin/templates"),
    "admin.templates.new": Stop("/admin/templates/new", {"post": "999999"}, answers=ADMITTED | {404}),
    "admin.template": Stop("/admin/templates/999999", {"name": ""}, answers=_NOWHERE),
    "admin.fields": Stop("/admin/fields", {"label": ""}),
    "admin.field": Stop("/admin/fields/999999", {"label": ""}, answers=_NOWHERE),
    "admin.field.place": Stop("/admin/fields/999999/place", {"by": "up"}, answers=_NOWHERE),
    "admin.welcome": Stop("/admin/welcome", {"name": ""}),
    "admin.site.permalinks": Stop("/admin/site/permalinks", {"choice": "x"}),
    "admin.site.mail": Stop("/admin/site/mail", answers=frozenset({200, 303, 404})),  # where no mail is sent, there is nothing to try
    "admin.site.access": Stop("/admin/site/access", {"access": "?"}),
    "unlock": Stop("/unlock", {"password": "x"}, answers=_NOWHERE | {303}, needs_key=False),  # the site is open
    "admin.system": Stop("/admin/system"),
    "admin.jobs": Stop("/admin/jobs"),
    "admin.job": Stop("/admin/jobs/999999", answers=_NOWHERE),
    "admin.backups": Stop("/admin/backups", {"keep": "none"}),
    "admin.backup": Stop("/admin/backups/999999", answers=_NOWHERE),
    "admin.backup.file": Stop("/admin/backups/999999/file", answers=_NOWHERE),
    "admin.transfers": Stop("/admin/transfers"),
    "admin.imports": Stop("/admin/transfers/imports", {"program": "none"}),
    "admin.exports": Stop("/admin/transfers/exports"),
    "admin.transfer": Stop("/admin/transfers/999999", answers=_NOWHERE),
    "admin.transfer.file": Stop("/admin/transfers/999999/file", answers=_NOWHERE),
    "admin.transfer.report": Stop("/admin/transfers/999999/report", answers=_NOWHERE),
    "admin.site": Stop("/admin/site", {"name": ""}),
    **{
        f"admin.site.{part}": Stop(f"/admin/site/{part}")
        for part in ("look", "reading", "publishing", "media", "crawlers", "security", "limits")
    },
    "admin.site.look.preview": Stop("/admin/site/look/preview"),
    "admin.site.review": Stop("/admin/site/review", {"version": "99"}),
    "admin.menus": Stop("/admin/menus"),
    "admin.menus.targets": Stop("/admin/menus/targets"),
    "admin.menu.main": Stop("/admin/menus/main", {"version": "99"}),
    "admin.menu.footer": Stop("/admin/menus/footer", {"version": "99"}),
    "admin.pages.tree": Stop("/admin/pages/tree", {"page": "none"}),
    "admin.redirects": Stop("/admin/redirects"),
    "admin.redirects.csv": Stop("/admin/redirects.csv"),
    "admin.redirects.new": Stop("/admin/redirects/new", {"path": ""}),
    "admin.redirects.table": Stop("/admin/redirects/table"),
    "admin.redirect": Stop("/admin/redirects/{redirect}", {"path": ""}, answers=ADMITTED | _NOWHERE),  # one of these methods deletes it
    "admin.trash": Stop("/admin/trash"),
    "admin.trash.emptying": Stop("/admin/trash/emptying"),
    "admin.trash.thing": Stop("/admin/trash/{trashed}", answers=ADMITTED | _NOWHERE),  # one of these methods deletes it
    "admin.trash.restoration": Stop("/admin/trash/{trashed}/restoration", answers=ADMITTED | _NOWHERE),
    "admin.categories": Stop("/admin/categories", {"name": ""}),
    "admin.category": Stop("/admin/categories/{category}", {"name": ""}),
    "admin.category.deletion": Stop("/admin/categories/{category}/deletion", {"heir": "?"}),
    "admin.tags": Stop("/admin/tags", {"name": ""}),
    "admin.tags.merging": Stop("/admin/tags/merging"),
    "admin.tags.unused": Stop("/admin/tags/unused"),
    "admin.tag": Stop("/admin/tags/{tag}", {"name": ""}),
    "admin.tag.deletion": Stop("/admin/tags/{tag}/deletion", {"heir": "?"}),
    "admin.series": Stop("/admin/series", {"name": ""}),
    "admin.one-series": Stop("/admin/series/{series}", {"name": ""}),
    "admin.one-series.deletion": Stop("/admin/series/{series}/deletion", {"heir": "?"}),
    "admin.one-series.parts": Stop("/admin/series/{series}/parts"),
    "admin.media": Stop("/admin/media", answers=READ | {415}),  # a form with files (admin/test_uploads.py)
    "admin.uploads": Stop("/admin/media/uploads", {"name": ""}),
    "admin.upload": Stop(f"/admin/media/uploads/{'x' * 43}", answers=_NOWHERE),
    "admin.upload.completion": Stop(f"/admin/media/uploads/{'x' * 43}/completion", answers=_NOWHERE),
    "admin.media.bulk": Stop("/admin/media/bulk", {"act": "nonsense"}),
    "admin.media.alts": Stop("/admin/media/alternative-texts", {"alt-999999": ""}),
    "admin.media.room": Stop("/admin/media/room"),
    "admin.media.unfinished": Stop(f"/admin/media/unfinished/{'x' * 43}", answers=_NOWHERE),
    "admin.media.folders": Stop("/admin/media/folders", {"name": ""}),
    "admin.media.folder": Stop("/admin/media/folders/999999", {"name": "x"}, answers=_NOWHERE),
    "admin.asset": Stop("/admin/media/999999", {"name": ""}, answers=_NOWHERE),
    "admin.asset.original": Stop("/admin/media/999999/original", answers=_NOWHERE),
    "admin.asset.tracks": Stop("/admin/media/999999/tracks", answers=_NOWHERE),
    "admin.cache": Stop("/admin/cache"),
    "admin.capabilities": Stop("/admin/capabilities"),
    "admin.audit": Stop("/admin/audit"),
    "admin.audit.csv": Stop("/admin/audit.csv"),
    "admin.audit.json": Stop("/admin/audit.json"),
    "live.events": Stop("/live/events", answers=frozenset({429})),  # what stays open is listened to elsewhere (live/test_events.py)
    "live.post": Stop("/live/posts/7", answers=frozenset({400})),  # opened as a socket only (live/test_documents.py)
}
ENDS_THE_SESSION = frozenset({"logout"})  # tried by those who sign in anew


# --- things that addresses name --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Thing:
    """Something that exists, or not. What a scope asks of it is ``policy.Owned``."""

    number: str
    title: str
    owner_ids: frozenset[int] = frozenset()
    was_ever_public: bool = False
    is_public: bool = False
    is_there: bool = True
    revision: str = "999999"  # of a text, its newest


ABSENT = Thing("999999", "?", is_there=False)
STATES = ("draft", "published", "trashed")


async def make_post(site: Site, kind: Kind, state: str, actor: Actor) -> Thing:
    """Of this actor, whether he could have made it or not: an editor makes it and names him as its author."""
    database, title = site.database, f"{WORDS} {kind} {state} of {actor.role}"
    editor = await factories.person(database, "editor", "Edna Reed")
    owners = PostFields(authors=(actor.user_id or 0,))
    async with database.transaction() as work:
        post = await posts.create(work, editor, kind, PostInput(title=title, text=WORDS), fields=owners)
        if state == "published":
            await publishing.publish(work, editor, post.id, publishing.Version(1, render(WORDS)))
        if state == "trashed":
            await publishing.trash(work, editor, post.id)
        revision = await work.session.scalar(select(func.max(Revision.id)).where(Revision.post_id == post.id))
    is_public = state == "published"
    return Thing(
        str(post.id), title, frozenset({actor.user_id or 0}), was_ever_public=is_public, is_public=is_public, revision=str(revision)
    )


def of_content(actor: Actor, wanted: Capability, thing: Thing) -> frozenset[int]:
    if not thing.is_there or not (thing.is_public or policy.allows(actor, Capability.DRAFT_SEE, thing)):
        return frozenset({404})
    return ADMITTED if policy.allows(actor, wanted, thing) else frozenset({403})


async def make_session(site: Site, _state: str, actor: Actor) -> Thing:
    token = secrets.token_hex(16)
    async with site.database.transaction() as work:
        user = await work.session.get_one(User, actor.user_id)
        await sessions.start(work, user, f"{WORDS} {token}")
        number = await work.session.scalar(select(func.max(Session.id)))
    return Thing(str(number), token, frozenset({actor.user_id or 0}))


async def make_passkey(site: Site, _state: str, actor: Actor) -> Thing:
    name = f"{WORDS} {secrets.token_hex(8)}"
    async with site.database.transaction() as work:
        key = Passkey(
            user_id=actor.user_id or 0, name=name, credential_id=name, public_key="x", sign_count=0, transports=[], is_synced=False,
            created_at=work.now, used_at=None,
        )  # fmt: skip
        work.session.add(key)
        await work.session.flush()
        return Thing(str(key.id), name, frozenset({actor.user_id or 0}))


async def make_person(site: Site, state: str, _actor: Actor) -> Thing:
    """Somebody who cannot sign in, and so cannot be given the site."""
    name = f"{WORDS} {secrets.token_hex(8)}"
    return Thing(str((await factories.person(site.database, state, name)).user_id), name)


async def make_invitation(site: Site, _state: str, _actor: Actor) -> Thing:
    owner, name = await factories.person(site.database, "owner"), f"{WORDS} {secrets.token_hex(8)}"
    async with site.database.transaction() as work:
        await invitations.invite(work, owner, InvitationInput(email=f"{secrets.token_hex(8)}@example.org", name=name))
        number = await work.session.scalar(select(func.max(Token.id)))
    return Thing(str(number), name)


async def make_redirect(site: Site, _state: str, _actor: Actor) -> Thing:
    owner, name = await factories.person(site.database, "owner"), f"{WORDS}-{secrets.token_hex(8)}"
    async with site.database.transaction() as work:
        row = await redirects.save(work, owner, RedirectInput(path=name, target="/", match="exact"))
    return Thing(str(row.id), name)


async def make_trashed(site: Site, _state: str, _actor: Actor) -> Thing:
    editor, name = await factories.person(site.database, "editor", "Edna Reed"), f"{WORDS} {secrets.token_hex(8)}"
    async with site.database.transaction() as work:
        made = await snippets.create(work, editor, SnippetInput(name=name, text=WORDS, version=0))
        await work.session.flush()
        thing = await snippets.delete(work, editor, made.id)
    return Thing(str(thing.id), name)


def of_snippets(actor: Actor, _wanted: Capability, thing: Thing) -> frozenset[int]:
    return ADMITTED if thing.is_there and policy.allows(actor, Capability.SNIPPET_MANAGE) else frozenset({404})


def make_term(kind: TargetKind) -> "Maker":
    async def make(site: Site, _state: str, _actor: Actor) -> Thing:
        editor, name = await factories.person(site.database, "editor", "Edna Reed"), f"{WORDS} {secrets.token_hex(8)}"
        async with site.database.transaction() as work:
            made = await catalogue.create(work, editor, kind, TermInput(name=name))
        return Thing(str(made.id), name)

    return make


def of_terms(_actor: Actor, _wanted: Capability, thing: Thing) -> frozenset[int]:
    return ADMITTED if thing.is_there else frozenset({404})


def of_oneself(actor: Actor, _wanted: Capability, thing: Thing) -> frozenset[int]:
    return ADMITTED if actor.user_id in thing.owner_ids else frozenset({404})


def of_people(_actor: Actor, wanted: Capability, thing: Thing) -> frozenset[int]:
    if not thing.is_there:
        return frozenset({404})
    return ADMITTED | {403} if wanted is Capability.OWNERSHIP_GIVE else ADMITTED


Maker = Callable[[Site, str, Actor], Awaitable[Thing]]
THINGS: dict[str, tuple[Sequence[str], Maker, Callable[[Actor, Capability, Thing], frozenset[int]]]] = {
    "post": (STATES, lambda site, state, actor: make_post(site, Kind.POST, state, actor), of_content),
    "page": (STATES, lambda site, state, actor: make_post(site, Kind.PAGE, state, actor), of_content),
    "session": (("open",), make_session, of_oneself),
    "passkey": (("made",), make_passkey, of_oneself),
    "person": (("author",), make_person, of_people),
    "invitation": (("open",), make_invitation, of_people),
    "redirect": (("made",), make_redirect, of_people),
    "trashed": (("thrown away",), make_trashed, of_snippets),
    "category": (("made",), make_term(TargetKind.CATEGORY), of_terms),
    "tag": (("made",), make_term(TargetKind.TAG), of_terms),
    "series": (("made",), make_term(TargetKind.SERIES), of_terms),
}


# --- what must come of it --------------------------------------------------------------------------------------------------


def expected(route: URLSpec, stop: Stop, method: str, actor: Actor, thing: Thing | None) -> frozenset[int]:
    """By what the handler declares and what the table says of it; what he may not know exists is not found."""
    handler, wanted = route.handler_class, requirement(route)
    if method not in handler.SUPPORTED_METHODS:
        return frozenset({405})
    if wanted is not None and not actor.is_signed_in:
        return frozenset({303}) if method in ("GET", "HEAD") and handler.face != "live" else frozenset({401})
    if wanted is not None and not policy.allows(actor, wanted):
        return frozenset({403})
    if not is_done(route, method):
        return frozenset({405})
    if wanted is not None and thing is not None:
        reached = kind_of(stop)[2](actor, wanted, thing)
        return stop.answers if reached == ADMITTED else reached
    return stop.answers


def is_done(route: URLSpec, method: str) -> bool:
    """Whether the handler has something to do by this method; if not, it does not even look at the thing."""
    return getattr(route.handler_class, method.lower()) is not getattr(RequestHandler, method.lower())


def reads_forms(route: URLSpec) -> bool:
    """Whatever is streamed to a handler, it takes no method from a field."""
    return not getattr(route.handler_class, "_stream_request_body", False)


def kind_of(stop: Stop) -> tuple[Sequence[str], Maker, Callable[[Actor, Capability, Thing], frozenset[int]]]:
    return next(THINGS[kind] for kind in THINGS if f"{{{kind}}}" in stop.path)


def has_thing(stop: Stop) -> bool:
    return any(f"{{{kind}}}" in stop.path for kind in THINGS)


async def upload(site: Site) -> str:
    """The address of a picture, without its first slash."""
    content = b"\x89PNG not really"
    digest = factories.digest_of(content)
    await site.application.parts.storage.put(media.storage_name(digest), content)
    editor = await factories.person(site.database, "editor", "Edna Reed")
    async with site.database.transaction() as work:
        return (await factories.asset(work, editor, name="Tide chart.png", digest=digest, size=len(content))).path.lstrip("/")
