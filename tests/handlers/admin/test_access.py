"""Every role at every address of the desk, and what holds for all its handlers."""

import re

import pytest
from tornado.web import URLSpec

from cms.handlers.admin.base import AdminHandler, safe_path
from cms.policy import Capability
from cms.routes import routes
from tests import factories
from tests.handlers.admin.pages import published, written
from tests.web import Browser, Site

EDITORS = {"owner", "administrator", "editor"}
ADMINISTRATORS = {"owner", "administrator"}
WRITERS = EDITORS | {"author", "contributor"}
ROLES = ["owner", "administrator", "editor", "author", "contributor"]

# Method and address → who may, of a post and a page that the owner wrote and nobody has published.
GET = {
    "/admin": (WRITERS, 303),
    "/admin/posts": (WRITERS, 200),
    "/admin/posts/new": (WRITERS, 200),
    "/admin/posts/{post}": (EDITORS, 200),
    "/admin/posts/{post}/publication": (EDITORS, 200),
    "/admin/pages": (EDITORS, 200),
    "/admin/pages/new": (EDITORS, 200),
    "/admin/pages/{page}": (EDITORS, 200),
    "/admin/pages/{page}/publication": (EDITORS, 200),
    "/admin/site": (ADMINISTRATORS, 200),
    "/admin/menus": (ADMINISTRATORS, 303),
    "/admin/menus/main": (ADMINISTRATORS, 200),
    "/admin/menus/footer": (ADMINISTRATORS, 200),
    "/admin/cache": (ADMINISTRATORS, 200),
    "/admin/people": (ADMINISTRATORS, 200),
    "/admin/people/invitations": (ADMINISTRATORS, 200),
    "/admin/people/{person}": (ADMINISTRATORS, 200),
    "/admin/people/{person}/password": (ADMINISTRATORS, 200),
    "/admin/people/{person}/role": (ADMINISTRATORS, 200),
    "/admin/people/{person}/email": (ADMINISTRATORS, 200),
    "/admin/people/{person}/deletion": (ADMINISTRATORS, 200),
    "/admin/people/{person}/ownership": ({"owner"}, 200),
    "/admin/people/{person}/data": (ADMINISTRATORS, 200),
    "/admin/people/{person}/erasure": (ADMINISTRATORS, 200),
    "/admin/site/mail": (ADMINISTRATORS, 303),
}
POST = {
    "/admin/preview": (WRITERS, 200),
    "/admin/posts": (WRITERS, 303),
    "/admin/posts/{post}": (EDITORS, 409),
    "/admin/posts/{post}/publication": (EDITORS, 409),
    "/admin/posts/{post}/restoration": (EDITORS, 409),
    "/admin/pages": (EDITORS, 303),
    "/admin/pages/{page}": (EDITORS, 409),
    "/admin/pages/{page}/publication": (EDITORS, 409),
    "/admin/pages/{page}/restoration": (EDITORS, 409),
    "/admin/site": (ADMINISTRATORS, 422),
    "/admin/menus/main": (ADMINISTRATORS, 409),
    "/admin/menus/footer": (ADMINISTRATORS, 409),
    "/admin/site/mail": (ADMINISTRATORS, 404),
    "/admin/people/invitations": (ADMINISTRATORS, 422),
    "/admin/people/invitations/{invitation}": (ADMINISTRATORS, 404),
    "/admin/people/{person}": (ADMINISTRATORS, 422),
    "/admin/people/{person}/role": (ADMINISTRATORS, 422),
    "/admin/people/{person}/email": (ADMINISTRATORS, 422),
    "/admin/people/{person}/deletion": (ADMINISTRATORS, 422),
    "/admin/people/{person}/password": (ADMINISTRATORS, 200),
    "/admin/people/{person}/sessions": (ADMINISTRATORS, 405),
    "/admin/people/{person}/access": (ADMINISTRATORS, 303),
    "/admin/people/{person}/ownership": ({"owner"}, 403),
}
FORM = {"title": "T", "text": "x", "version": "99"}


async def made(site: Site, owner: Browser) -> dict[str, int]:
    """What the addresses name; the person is one who cannot sign in."""
    person = await factories.person(site.database, "author", "Ana Silva")
    assert person.user_id
    page = await written(owner, "page", title="About")
    return {"post": await written(owner), "page": page, "person": person.user_id, "invitation": 99}


@pytest.mark.parametrize("role", ROLES)
async def test_each_role_at_each_address(site: Site, role: str) -> None:
    owner = await site.signed_in("owner")
    ids = await made(site, owner)
    browser = await site.signed_in(role)
    for addresses, form in ((GET, None), (POST, FORM)):
        for address, (allowed, status) in addresses.items():
            path = address.format(**ids)
            answer = await (browser.post(path, form) if form else browser.get(path))
            if role in allowed:
                assert answer.status == status, (role, path, answer.status)
            else:
                assert answer.status in (403, 404), (role, path, answer.status)
                assert "Stormy night" not in answer.text
            if answer.status != 303:
                assert answer.page is not None


async def test_nobody_gets_in_without_signing_in(site: Site) -> None:
    owner, stranger = await site.signed_in("owner"), site.browser()
    ids = await made(site, owner)
    for address in GET:
        path = address.format(**ids)
        answer = await stranger.get(path)
        assert answer.status == 303
        assert answer.location == "/login?next=" + path.replace("/", "%2F")
    for address in POST:
        assert (await stranger.post(address.format(**ids), FORM)).status == 401


async def test_matrix_knows_every_address(site: Site) -> None:
    known = {re.sub(r"{\w+}", "N", address) for address in GET | POST}
    real = {
        spec.regex.pattern.rstrip("$").replace("([1-9][0-9]{0,17})", "N").replace("\\", "")
        for spec in routes()
        if isinstance(spec, URLSpec) and issubclass(spec.handler_class, AdminHandler)
    }
    assert {path for path in real if path.startswith("/admin")} == known


async def test_query_of_the_wanted_page_survives_signing_in(site: Site) -> None:
    answer = await site.browser().get("/admin/posts?status=draft&q=a%20b")
    assert answer.location == "/login?next=%2Fadmin%2Fposts%3Fstatus%3Ddraft%26q%3Da%2520b"


async def test_every_answer_is_guarded(site: Site) -> None:
    browser = await site.signed_in("owner")
    await published(browser, await written(browser))
    for path in ("/admin/posts", "/admin/posts/1", "/admin/posts/new", "/admin/posts/1/publication", "/admin/posts/9", "/admin/site"):
        answer = await browser.get(path)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        for element in answer.page.iter():
            assert not any(str(name).startswith("on") or name == "style" for name in element.attrib), element.attrib
            assert element.tag != "script" or element.get("src")
        hrefs = [element.get("href") or element.get("src") for element in answer.page.iter() if element.tag in ("link", "script")]
        for href in hrefs:
            assert (await browser.get(href)).status == 200, href


async def test_no_link_of_the_desk_is_dead(site: Site) -> None:
    browser = await site.signed_in("owner")
    await published(browser, await written(browser))
    for path in (
        "/admin/posts",
        "/admin/posts/1",
        "/admin/posts/new",
        "/admin/pages",
        "/admin/posts/1/publication",
        "/admin/posts?status=trashed",
        "/admin/site",
        "/admin/menus/main",
        "/admin/people",
        "/admin/people/invitations",
        f"/admin/people/{await site.person('author')}",
    ):
        for link in (await browser.get(path)).page.iter("a"):
            href = (link.get("href") or "").split("#")[0]
            if href:
                assert (await browser.get(href)).status in (200, 303), href


def test_handler_must_say_what_it_requires() -> None:
    with pytest.raises(TypeError, match="does not say what it requires"):

        class Forgetful(AdminHandler):
            pass


def test_handler_that_forgot_is_not_excused_by_its_parent() -> None:
    class Careful(AdminHandler):
        requires = Capability.POST_EDIT

    with pytest.raises(TypeError):

        class Forgetful(Careful):
            pass


@pytest.mark.parametrize("path", ["/", "/admin", "/a?b=c#d", "/a//b", "/%2F%2Fevil"])
def test_safe_paths(path: str) -> None:
    assert safe_path(path) == path


@pytest.mark.parametrize("path", ["", "x", "//x", "/\\x", "/a\\b", "/\tx", "/ x", "/x\n", "\t//x", "https://x", "/é", "/\x00"])
def test_unsafe_paths(path: str) -> None:
    assert safe_path(path) == ""


async def test_head_of_a_page_is_that_of_the_page(site: Site) -> None:
    owner, stranger = await site.signed_in("owner"), site.browser()
    post_id = await written(owner)
    for browser in (owner, stranger):
        for path in ("/login", "/admin", "/admin/posts", "/admin/posts/new", f"/admin/posts/{post_id}", "/admin/posts/99999"):
            page, head = await browser.get(path), await browser.send("HEAD", path)
            assert (head.status, head.location) == (page.status, page.location), path
            assert head.body == b""
    assert (await stranger.send("HEAD", f"/setup/{site.application.parts.owner_token}")).status == 404
    assert (await owner.send("HEAD", "/logout")).headers["Allow"] == "POST"
