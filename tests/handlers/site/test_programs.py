"""What programs ask of the whole site."""

import json
import re
from datetime import UTC, datetime

import pytest

from cms.models.site import Frame
from cms.services import site as sites
from cms.ui import programs
from cms.ui.crawlers import TRAINING, robots
from tests import factories, specifications
from tests.handlers.site.test_feeds import public, written
from tests.specifications import SEARCH, may_fetch
from tests.watching import questions
from tests.web import Answer, Site


async def configure(site: Site, **changes: object) -> None:
    async with site.database.transaction() as work:
        await sites.configure(work, **changes)
    await site.application.parts.door.frame()  # as whoever came before has asked


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/robots.txt", "text/plain; charset=utf-8"),
        ("/llms.txt", "text/plain; charset=utf-8"),
        ("/.well-known/security.txt", "text/plain; charset=utf-8"),
        ("/manifest.webmanifest", "application/manifest+json"),
        ("/opensearch.xml", "application/opensearchdescription+xml; charset=utf-8"),
    ],
)
async def test_each_is_what_it_says_and_can_be_asked_whether_it_changed(site: Site, path: str, content_type: str) -> None:
    await site.person("owner")
    await configure(site, security_contact="safe@example.org")
    with questions(site.database) as asked:
        answer = await site.browser().get(path)
    assert (answer.status, answer.headers["Content-Type"]) == (200, content_type)
    assert len(asked) <= 3
    assert "Set-Cookie" not in answer.headers
    assert (await site.browser().get(path, **{"If-None-Match": answer.headers["Etag"]})).status == 304
    assert (await site.browser().send("HEAD", path)).status == 200


# --- robots.txt ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("search", [True, False])
@pytest.mark.parametrize("training", [True, False])
def test_crawlers_may_what_the_site_says(search: bool, training: bool) -> None:
    text = robots(Frame(crawlers={"search": search, "training": training}), "https://tide.example/sitemap.xml")
    for agent, allowed in (("Googlebot", search), ("bingbot", search), *((agent, training) for agent in TRAINING)):
        assert may_fetch(text, agent, "/low-tide") is allowed, agent
        for private in ("/admin", "/admin/posts", "/admin?x", "/login", "/login?next=/", "/preview/abc", "/search", "/search?q=x"):
            assert not may_fetch(text, agent, private), (agent, private)
        for public_path in ("/searching", "/administration", "/login-trouble", "/previews", "/"):
            assert may_fetch(text, agent, public_path) is allowed, (agent, public_path)
    assert ("Sitemap: https://tide.example/sitemap.xml\n" in text) is search


async def test_robots_txt_follows_the_settings(site: Site) -> None:
    browser = site.browser()
    answer = await browser.get("/robots.txt")
    assert f"Sitemap: {public(site)}/sitemap.xml" in answer.text
    assert may_fetch(answer.text, "GPTBot", "/")
    await configure(site, crawlers={"search": True, "training": False})
    answer = await browser.get("/robots.txt")
    assert not may_fetch(answer.text, "GPTBot", "/")
    assert may_fetch(answer.text, "Googlebot", "/")


# --- security.txt ----------------------------------------------------------------------------------------------------------


async def test_nobody_to_tell_is_not_found(site: Site) -> None:
    assert (await site.browser().get("/.well-known/security.txt")).status == 404


async def test_somebody_to_tell_is_named(site: Site) -> None:
    await configure(site, security_contact="safe@example.org", language="de")
    fields = specifications.security((await site.browser().get("/.well-known/security.txt")).body, datetime.now(UTC))
    assert fields["Contact"] == "mailto:safe@example.org"
    assert fields["Preferred-Languages"] == "de"
    assert fields["Canonical"] == f"{public(site)}/.well-known/security.txt"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("https://example.org/report?a=1#b", "https://example.org/report?a=1#b"),
        ("mailto:safe@example.org", "mailto:safe@example.org"),
        ("a@example.org\nExpires: never", "mailto:a@example.org%0AExpires:%20never"),
    ],
)
def test_a_contact_is_one_address(written: str, expected: str) -> None:
    assert programs._contact(written) == expected


@pytest.mark.parametrize("now", [datetime(2026, month, day, 23, tzinfo=UTC) for month in (1, 6, 7, 12) for day in (1, 30)])
def test_it_ends_within_a_year_and_stays_the_same_for_half_a_year(now: datetime) -> None:
    text = programs.security(Frame(security_contact="a@example.org"), "https://tide.example/.well-known/security.txt", now)
    fields = specifications.security(text.encode(), now)
    assert fields["Expires"] == ("2026-12-31T23:59:59Z" if now.month <= 6 else "2027-06-30T23:59:59Z")
    assert (datetime.fromisoformat(fields["Expires"]) - now).days >= 180


# --- the others ------------------------------------------------------------------------------------------------------------


async def test_the_manifest_names_the_site(site: Site) -> None:
    await site.person("owner")
    manifest = json.loads((await site.browser().get("/manifest.webmanifest")).body)
    assert (manifest["name"], manifest["short_name"]) == ("The Tide Table", "The Tide…")
    assert (manifest["start_url"], manifest["scope"], manifest["display"], manifest["dir"]) == ("/", "/", "minimal-ui", "ltr")
    assert manifest["theme_color"] == "oklch(0.47 0.13 255)"
    for icon in manifest["icons"]:
        answer = await site.browser().get(icon["src"])
        assert (answer.status, answer.headers["Content-Type"]) == (200, icon["type"])
    page = (await site.browser().get("/")).page
    assert page.find(".//link[@rel='manifest']").get("href") == "/manifest.webmanifest"  # type: ignore[union-attr]


@pytest.mark.parametrize("name", ["The Tide Table", "A & B <c>", "x" * 100, "潮汐表" * 20, "a\x0bb"])
async def test_browsers_can_search_the_site(site: Site, name: str) -> None:
    await site.person("owner")
    await configure(site, name=name, description="")
    answer = await site.browser().get("/opensearch.xml")
    found = specifications.open_search(answer.body)
    (page, _itself) = found.findall(f"{SEARCH}Url")
    assert page.get("template") == f"{public(site)}/search?q={{searchTerms}}"


async def test_pages_name_how_to_search(site: Site) -> None:
    await site.person("owner")
    link = (await site.browser().get("/")).page.find(".//link[@rel='search']")
    assert (link.get("href"), link.get("type")) == ("/opensearch.xml", "application/opensearchdescription+xml")  # type: ignore[union-attr]


async def llms(site: Site) -> Answer:
    return await site.browser().get("/llms.txt")


async def test_an_overview_leads_to_the_markdown_of_posts_and_pages(site: Site) -> None:
    await written(site)
    editor = await factories.person(site.database, "editor")
    await factories.published_page(site.database, editor, title="About [us](x)", slug="about", excerpt="Who *we* are.\n\n# Not a heading")
    await factories.draft(site.database, editor, title="Secret")
    text = (await llms(site)).text
    assert text.startswith("# The Tide Table\n\n> Tides & \\<currents\\>\n\n## Posts\n\n- [Low \\<tide\\> & mud](")
    assert "\n\n## Pages\n\n- [About " in text
    assert "\n#" not in text.split("## Pages", 1)[1], "words of a text are no headings"
    addresses = re.findall(r"[^\\]\]\((http[^)]+)\)", text)
    assert len(addresses) == 2
    for address in addresses:
        answer = await site.browser().get(address.removeprefix(public(site)))
        assert answer.headers["Content-Type"].startswith("text/markdown")
    assert "Secret" not in text


async def test_an_overview_of_nothing_is_its_name(site: Site) -> None:
    await site.person("owner")
    assert (await llms(site)).text == "# The Tide Table\n"
