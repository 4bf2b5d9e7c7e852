"""What holds for all handlers of the desk; who may be at which address is walked in ``tests/handlers/test_walk.py``."""

import pytest

from cms.handlers.admin.base import AdminHandler
from cms.handlers.base import safe_path
from cms.policy import Capability
from tests.handlers.admin.pages import published, written
from tests.web import Site


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
    links = dict[str, None]()  # most are on every page
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
        links |= dict.fromkeys((link.get("href") or "").split("#")[0] for link in (await browser.get(path)).page.iter("a"))
    for href in filter(None, links):
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
