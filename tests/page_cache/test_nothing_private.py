"""No word of what is not public is in any answer to somebody who is not signed in."""

import html
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, quote, unquote_plus

import pytest
from sqlalchemy import select, update
from tornado.web import URLSpec

from cms.models import Post, Revision, Schedule
from cms.models.post import Kind, ScheduledAct, Visibility, WorkState
from cms.policy import Actor
from cms.routes import routes
from cms.services import visibility
from tests import factories
from tests.web import Answer, Browser, Site

MARKER = "Flibbertigibbet"
HIDDEN: dict[str, Any] = {
    "title": f"{MARKER} title",
    "text": f"{MARKER} text",
    "excerpt": f"{MARKER} excerpt",
    "tags": (f"{MARKER} tag", "Sea"),
    "new_category": f"{MARKER} places",
    "series": f"{MARKER} series",
    "part": 1,
}
ENDS = (("tag", "tag"), ("category", "places"), ("series", "series"), ("author", "nobody"))
HIDDEN_LISTS = tuple(f"{kind}/{MARKER.lower()}-{end}" for kind, end in ENDS)
LISTS = ("tag/sea", "category/coast", "author/edna-reed", "series/tides", *HIDDEN_LISTS)
FEEDS = ("feed.xml", "atom.xml", "feed.json")
SEARCHES = ("tide", MARKER, MARKER[:-1], f"{MARKER[:4]}", f'"{MARKER} title"', f"tide -{MARKER}", f"{MARKER}s", "Flibertigibet title")


DESK = ("", "/publication", "/restoration", "/revisions", "/revisions/playback", "/writers", "/links", "/threads")


async def fill(site: Site) -> None:
    """Public posts and a page beside everything that is not public, and each of these once public or never."""
    database = site.database
    editor = await factories.person(database, "editor")
    shown = {"tags": ("Sea",), "new_category": "Coast", "series": "Tides"}
    for part, title in enumerate(("Low tide", "High tide", "Neap tide"), 1):
        await factories.published(database, editor, title=title, text=f"Mud.\n\n<!-- {MARKER} -->", **{**shown, "part": part})
    await factories.published_page(database, editor, title="About", text="Us.")

    await factories.draft(database, editor, **HIDDEN)
    await factories.page(database, editor, title=f"{MARKER} page", text=MARKER)
    live = await factories.published(database, editor, title="Spring tide", text="Mud.", tags=("Sea",))
    await factories.edited(database, editor, live.post_id, **{**HIDDEN, "slug": f"{MARKER}-new"})
    former = await factories.published(database, editor, **{**HIDDEN, "slug": "slack-water"})
    as_it_is = {"title": "Slack water", "text": "Mud.", "excerpt": "", "tags": ("Sea",), "series": "", "part": None, "category": None}
    await factories.edited(database, editor, former.post_id, **{**as_it_is, "new_category": ""})
    await factories.publish(database, editor, former.post_id)
    for number, take_away in enumerate((factories.withdraw, factories.trash)):
        post = await factories.published(database, editor, **{**HIDDEN, "slug": f"gone-{number}"})
        await take_away(database, editor, post.post_id)
    for chosen in (Visibility.UNLISTED, Visibility.PASSWORD):
        post = await factories.published(database, editor, **{**HIDDEN, "slug": f"{chosen}-water"})
        async with database.transaction() as work:
            await visibility.choose(work, editor, post.post_id, chosen, "hash" if chosen is Visibility.PASSWORD else None)
    await scheduled(site, editor, live.post_id)
    await scheduled(site, editor, (await factories.draft(database, editor, **HIDDEN)).id)
    await factories.person(database, "author", f"{MARKER} Nobody")


async def scheduled(site: Site, editor: Actor, post_id: int) -> None:
    """Its working copy waits for tomorrow."""
    now = site.database.clock()
    async with site.database.transaction() as work:
        revision = Revision(post_id=post_id, reason="scheduled", content=MARKER, fields={}, created_at=now, created_by_id=editor.user_id)
        work.session.add(revision)
        await work.session.flush()
        work.session.add(Schedule(post_id=post_id, act=ScheduledAct.PUBLISH, revision_id=revision.id, due_at=now + timedelta(days=1)))
        await work.session.execute(update(Post).where(Post.id == post_id).values(work=WorkState.SCHEDULED))


async def previewed(site: Site) -> None:
    browser = await site.signed_in("administrator")
    answer = await browser.post("/admin/preview", {"kind": "post", "title": f"{MARKER} title", "text": MARKER})
    assert MARKER in answer.text


async def addresses(site: Site) -> list[str]:
    """At least one for each route that an anonymous reader may ask for."""
    async with site.database.read() as session:
        posts = list(await session.scalars(select(Post.id).order_by(Post.id)))
    now = site.database.clock()
    texts = ("low-tide", "high-tide", "neap-tide", "spring-tide", "slack-water", "about", "gone-0", "gone-1", "nothing-here",
             f"{MARKER}-new", f"{MARKER.lower()}-title", f"{MARKER.lower()}-page", f"{MARKER.lower()}-titel")  # fmt: skip
    for_programs = ["sitemap.xml", "sitemap/1.xml", "sitemap/lists.xml", "robots.txt", "llms.txt", "opensearch.xml", "manifest.webmanifest"]
    plain = ["", "page/1", "page/2", "archive", f"archive/{now:%Y}", f"archive/{now:%Y/%m}", "archive/1999", "search", "login", "logout"]
    plain += [f"login/{step}{end}" for step in ("passkey", "second-factor") for end in ("", "/challenge")]
    guessed = "g" * 43  # what carries a right
    plain += [f"{link}/{guessed}" for link in ("invitation", "password", "account/email")]
    plain += ["login/openid", "login/openid/callback", f"invitation/{guessed}/openid"]
    plain += [
        "password",
        "account",
        "account/notifications",
        "account/email",
        "account/confirmation",
        "account/security",
        "setup/guessed",
        "static/css/site.css",
        "favicon.ico",
        "unlock",
        "password-water",
        ".well-known/security.txt",
        "healthz",
        "readyz",
        "metrics",
    ]
    live = ["live/events", f"preview/{'x' * 43}", f"live/previews/{'x' * 43}", *(f"live/posts/{post_id}" for post_id in posts)]
    plain += ["media/1/0123456789ab/a.png", "media/1/0123456789ab/320/a.webp", "media/1/a.png"]
    plain += ["admin", "admin/posts", "admin/preview", *live, *for_programs, *FEEDS]
    of_lists = [f"/{at}{end}" for at in LISTS for end in ("", "/page/1", "/page/2", *(f"/{name}" for name in FEEDS))]
    of_texts = [f"/{at}{end}" for at in texts for end in ("", ".md", "/")]
    desk = [f"/admin/{kind}s/{post_id}{end}" for kind in Kind for post_id in posts for end in DESK]
    searches = [f"/search?q={quote(words)}{more}" for words in SEARCHES for more in ("", "&tag=sea", "&page=2")]
    narrowed = [f"/search?q=mud&{kind}={MARKER.lower()}-{end}" for kind, end in ENDS]
    return [*(f"/{path}" for path in plain), *of_lists, *of_texts, *desk, *searches, *narrowed]


def untried(paths: list[str]) -> list[str]:
    """Names of routes for readers that none of the addresses leads to first."""
    specs = [spec for spec in routes() if not str(spec.name).startswith(("admin", "account."))]
    tried = {_first(specs, path.partition("?")[0]) for path in paths}
    return [str(spec.name) for spec in specs if spec.name not in tried]


def _first(specs: list[URLSpec], path: str) -> str | None:
    return next((spec.name for spec in specs if spec.regex.match(path)), None)


def said(answer: Answer, asked: str) -> str:
    """Everything that the answer says, without what was asked in it."""
    text = unquote_plus(html.unescape(f"{answer.text} {dict(answer.headers)}")).casefold()
    path, _, query = asked.casefold().partition("?")
    words = [value for _, value in parse_qsl(query)]
    for own in sorted({path, path.strip("/"), *words} - {""}, key=len, reverse=True):
        text = text.replace(own, "")
    return text


async def test_no_word_of_what_is_not_public_is_in_any_answer(site: Site) -> None:
    """Drafts, working copies, previews, what was withdrawn, waits for its time, lies in the trash or was said before it was corrected;
    notes in comments; names that nobody published under. Asked twice: when pages are made, and when they are kept."""
    await fill(site)
    await previewed(site)
    paths = await addresses(site)
    assert untried(paths) == []
    browser = site.browser()
    for path in [*paths, *paths]:
        await is_silent(browser, path)
    await factories.published(site.database, await factories.person(site.database, "editor"), **HIDDEN)
    with pytest.raises(AssertionError):
        await is_silent(browser, "/")


async def is_silent(browser: Browser, path: str) -> None:
    answer = await browser.get(path)
    assert answer.status < 500, path
    assert MARKER.casefold() not in said(answer, path), path
