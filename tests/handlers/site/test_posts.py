"""What stands at a path: a post, a page, where it went, that it is gone, or nothing."""

import asyncio
from typing import Any
from urllib.parse import quote, urlsplit

from sqlalchemy import update

from cms.models import Address, WorkingCopy
from tests import factories
from tests.watching import questions
from tests.web import Answer, Site


async def post(site: Site, **fields: Any) -> int:
    await site.person("owner")
    author = await factories.person(site.database, "author")
    return (await factories.published(site.database, author, **fields)).post_id


async def raw_status(site: Site, target: bytes) -> int:
    """The status for a request line that no client would send."""
    parts = urlsplit(site.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(b"GET " + target + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    answer = await reader.read()
    writer.close()
    return int(answer.split(b" ", 2)[1]) if answer else 0


def text_of(answer: Answer, path: str) -> str:
    return "".join(answer.page.find(path).itertext()).strip()


async def test_a_post_has_its_title_text_by_line_and_head(site: Site) -> None:
    await post(
        site, title="Low *tide*", text="Mud.\n\n## One\n\nA.\n\n## Two\n\nB.\n\n### Three\n\nC.", excerpt="How low it gets.", tags=("Sea",)
    )
    answer = await site.browser().get("/low-tide")
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    assert [("".join(h.itertext())) for h in answer.page.findall(".//h1")] == ["Low tide"]
    assert text_of(answer, ".//title") == "Low tide · The Tide Table"
    assert text_of(answer, ".//p[@class='standfirst']") == "How low it gets."
    assert answer.page.find(".//meta[@name='description']").get("content") == "How low it gets."
    assert answer.page.find(".//link[@rel='canonical']").get("href").endswith("/low-tide")
    assert answer.page.find(".//a[@rel='author']").text == "Ana Silva"
    assert answer.page.find(".//a[@rel='tag']").get("href") == "/tag/sea"
    assert [link.get("href") for link in answer.page.findall(".//nav[@aria-label='Contents']//a")] == ["#one", "#two", "#three"]
    feeds = {link.get("type"): link.get("href") for link in answer.page.findall(".//link[@rel='alternate']")}
    assert feeds == {
        "application/rss+xml": "/feed.xml",
        "application/atom+xml": "/atom.xml",
        "application/feed+json": "/feed.json",
        "text/markdown": "/low-tide.md",
    }
    assert "Set-Cookie" not in answer.headers


async def test_an_excerpt_taken_from_the_text_does_not_stand_above_it(site: Site) -> None:
    await post(site, title="Short", text="Mud, *mostly*, and `code` with a note.[^1]\n\n[^1]: Here.")
    answer = await site.browser().get("/short")
    assert answer.page.find(".//p[@class='standfirst']") is None


async def test_few_headings_need_no_contents(site: Site) -> None:
    await post(site, title="Short", text="## One\n\n## Two")
    assert (await site.browser().get("/short")).page.find(".//nav[@aria-label='Contents']") is None


async def test_hostile_words_in_titles_are_shown_and_do_nothing(site: Site) -> None:
    await post(site, title="</title><script>alert(1)</script>", slug="hostile", tags=('"><img src=x onerror=alert(1)>',), excerpt="<b>&")
    answer = await site.browser().get("/hostile")
    assert "<script>alert" not in answer.text
    assert "onerror=alert(1)>" not in answer.text.replace("&gt;", "")
    assert text_of(answer, ".//h1") == "</title><script>alert(1)</script>"
    assert (await site.browser().get("/")).page is not None


async def test_a_post_is_two_statements_at_most(site: Site) -> None:
    await post(site, title="Low tide")
    await site.browser().get("/low-tide")
    site.application.parts.pages.clear()
    with questions(site.database) as statements:
        await site.browser().get("/low-tide")
    assert 0 < len(statements) <= 2, statements


async def test_a_page_shows_the_trail_above_it_and_stands_in_the_menu(site: Site) -> None:
    await site.person("owner")
    editor = await factories.person(site.database, "editor")
    about = await factories.published_page(site.database, editor, title="About")
    await factories.published_page(site.database, editor, title="The team", parent=about.post_id)
    answer = await site.browser().get("/about/the-team")
    trail = answer.page.findall(".//nav[@aria-label='Above this page']//a")
    assert [(link.get("href"), link.text) for link in trail] == [("/about", "About")]
    menu = [link.get("href") for link in answer.page.findall(".//nav[@aria-label='Main']//a")]
    assert menu == ["/archive", "/about"]
    assert answer.page.find(".//*[@class='byline ui']") is None


async def test_a_text_in_another_language_says_so(site: Site) -> None:
    await site.person("owner")
    author = await factories.person(site.database, "author")
    draft = await factories.draft(site.database, author, title="هدوء", slug="calm", text="نص")
    async with site.database.transaction() as work:
        copy = await work.session.get_one(WorkingCopy, draft.id)
        copy.fields = {**copy.fields, "language": "ar"}
    await factories.publish(site.database, author, draft.id)
    answer = await site.browser().get("/calm")
    assert answer.page.get("lang") == "en"
    assert answer.page.find(".//article").get("dir") == "rtl"
    assert answer.page.find(".//*[@data-copy]").get("lang") == "ar"


# --- where it went ---


async def test_a_moved_post_leads_to_where_it_is_in_one_step(site: Site) -> None:
    post_id = await post(site, title="One")
    author = await factories.person(site.database, "author")
    for title in ("two", "three"):
        await factories.edited(site.database, author, post_id, slug=title)
        await factories.publish(site.database, author, post_id)
    for old in ("/one", "/two", "/one/"):
        answer = await site.browser().get(f"{old}?utm=x&y=%20")
        assert (answer.status, answer.location) == (301, "/three?utm=x&y=%20")


async def test_other_spellings_lead_to_the_one_address(site: Site) -> None:
    await post(site, title="Low tide")
    for spelling in ("/low-tide/", "//low-tide", "/low%2Dtide", "/%6Cow-tide", "/low-tide//", "///low-tide/"):
        answer = await site.browser().get(spelling)
        assert (answer.status, answer.location) == (301, "/low-tide"), spelling


async def test_letters_beyond_ascii_have_one_spelling_too(site: Site) -> None:
    await post(site, title="夜の海")
    browser = site.browser()
    address = quote("/夜の海")
    assert (await browser.get(address)).status == 200
    assert (await browser.get(address.lower())).status == 200  # the same octets; proxies differ in this
    assert await raw_status(site, "/夜の海".encode()) == 200


async def test_a_composed_and_a_decomposed_letter_are_the_same_place(site: Site) -> None:
    post_id = await post(site, title="Low tide")
    async with site.database.transaction() as work:
        await work.session.execute(update(Address).where(Address.target_id == post_id, Address.path == "low-tide").values(path="café"))
        from cms.models import Published

        await work.session.execute(update(Published).where(Published.post_id == post_id).values(path="café"))
    browser = site.browser()
    assert (await browser.get(quote("/café"))).status == 200
    answer = await browser.get(quote("/cafe\u0301"))
    assert (answer.status, answer.location) == (301, "/caf%C3%A9")


async def test_no_redirect_leaves_the_site(site: Site) -> None:
    await post(site, title="evil.example", slug="evil-example")
    async with site.database.transaction() as work:
        from cms.models import Published

        await work.session.execute(update(Address).where(Address.path == "evil-example").values(path="evil.example"))
        await work.session.execute(update(Published).values(path="evil.example"))
    for path in ("//evil.example", "//evil.example/", "/%2Fevil.example", "/%2F%2Fevil.example/", "//"):
        answer = await site.browser().get(path)
        assert answer.status in (301, 404)
        assert answer.location in ("", "/evil.example", "/")
    assert (await site.browser().get("/\\evil.example")).status == 404


async def test_the_program_s_own_addresses_lose_a_slash_at_the_end(site: Site) -> None:
    await post(site, title="Low tide", tags=("Sea",))
    for path in ("/archive/", "/feed.xml/", "/tag/sea/", "/author/ana-silva/", "/page/2/", "/login/"):
        answer = await site.browser().get(path + "?q=1")
        assert (answer.status, answer.location) == (301, path.rstrip("/") + "?q=1")


# --- gone, or never there ---


async def test_what_was_withdrawn_is_gone_also_at_its_former_addresses(site: Site) -> None:
    post_id = await post(site, title="One")
    author = await factories.person(site.database, "author")
    await factories.edited(site.database, author, post_id, slug="two")
    await factories.publish(site.database, author, post_id)
    await factories.withdraw(site.database, author, post_id)
    for path in ("/two", "/one", "/two/"):
        answer = await site.browser().get(path)
        assert answer.status == 410
        assert "withdrawn" in answer.words


async def test_a_draft_is_not_found(site: Site) -> None:
    await site.person("owner")
    author = await factories.person(site.database, "author")
    await factories.draft(site.database, author, title="Secret")
    answer = await site.browser().get("/secret")
    assert answer.status == 404
    assert answer.page.find(".//meta[@name='robots']").get("content") == "noindex"


HOSTILE = (
    "/nothing", "/%FF%FE", "/%C0%AF", "/%00", "/tag/%00", "/tag/%FF", "/author/%00x", "/category/%00", "/a/../b", "/%2e%2e/etc/passwd",
    "/%", "/%zz", "/?q=%00", "/.env", "/wp-admin.php", "/" + "x" * 5000, "/%0d%0aSet-Cookie:x", "/static/%00", "/static/../cms/app.py",
    "/archive/0000", "/archive/9999/99", "/tag/none/page/2", "/media/1/000000000000/x.png", "/media/99999999999999999999/x", "/admin/x",
)  # fmt: skip


async def test_hostile_paths_are_refused_politely(site: Site) -> None:
    await site.person("owner")
    for path in HOSTILE:
        answer = await site.browser().get(path)
        assert answer.status in (400, 403, 404) or path.startswith("/?"), path
        assert answer.status < 500, path
        assert "Set-Cookie" not in answer.headers or path.startswith("/admin"), path


async def test_hostile_request_lines_are_refused_politely(site: Site) -> None:
    for target in (b"/\xff\xfe", b"/%E0%A4", b"*", b"http://localhost/nothing", b"http://localhost/%00", b"/caf\xc3\xa9"):
        assert await raw_status(site, target) in (0, 400, 404), target


# --- methods and hosts ---


async def test_head_works_and_other_methods_do_not(site: Site) -> None:
    await post(site, title="Low tide")
    browser = site.browser()
    head = await browser.send("HEAD", "/low-tide")
    assert (head.status, head.body) == (200, b"")
    assert (await browser.send("HEAD", "/nothing")).status == 404
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
        answer = await browser.send(method, "/low-tide", {} if method in ("POST", "PUT", "PATCH") else None)
        assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")


async def test_a_strange_host_gets_no_site(site: Site) -> None:
    answer = await site.browser().get("/", Host="evil.example")
    assert answer.status == 421
    assert "The Tide Table" in answer.text or "Squall" in answer.text
