"""What machines read of a page beside its text: cards, and structured data."""

import re
from typing import Any

import pytest
from sqlalchemy import update

from cms.models import Category, Published, User
from cms.models.address import TargetKind
from cms.services import addresses
from cms.services import site as sites
from tests import factories, specifications
from tests.handlers.site.test_feeds import public, written
from tests.web import Answer, Site

HOSTILE = "</script><!--<script>alert(1)</script> & \u2028 “a”"


def meta(answer: Answer) -> dict[str, list[str]]:
    """Property or name → contents."""
    found: dict[str, list[str]] = {}
    for element in answer.page.findall(".//meta"):
        if name := element.get("property") or element.get("name"):
            found.setdefault(name, []).append(element.get("content") or "")
    return found


def data(answer: Answer) -> dict[str, dict[str, Any]]:
    (block,) = answer.page.findall(".//script[@type='application/ld+json']")
    return specifications.structured_data(block.text or "")


async def illustrated(site: Site) -> None:
    """The post of the feeds with a picture above it."""
    await written(site)
    async with site.database.transaction() as work:
        picture = {"id": 1, "path": "/media/1/abc/low tide.png", "width": 1200, "height": 800, "alt": "Mud & boats"}
        await work.session.execute(update(Published).values(picture=picture))


async def test_a_post_has_a_card(site: Site) -> None:
    await illustrated(site)
    found = meta(await site.browser().get("/low-tide"))
    base = public(site)
    assert {name: values for name, values in found.items() if name.startswith(("og:", "twitter:", "article:"))} == {
        "og:type": ["article"],
        "og:title": ["Low <tide> & mud"],
        "og:url": [f"{base}/low-tide"],
        "og:site_name": ["The Tide Table"],
        "og:locale": ["en_US"],
        "og:description": found["description"],
        "og:image": [f"{base}/media/1/abc/low%20tide.png"],
        "og:image:width": ["1200"],
        "og:image:height": ["800"],
        "og:image:alt": ["Mud & boats"],
        "twitter:card": ["summary_large_image"],
        "twitter:image:alt": ["Mud & boats"],
        "article:published_time": found["article:published_time"],
        "article:modified_time": found["article:modified_time"],
        "article:author": [f"{base}/author/ana-silva"],
        "article:section": ["Coast"],
        "article:tag": ["Sea & salt"],
    }
    for name in ("article:published_time", "article:modified_time"):
        assert specifications.RFC3339.fullmatch(found[name][0])


async def test_other_pages_have_a_small_card(site: Site) -> None:
    await written(site)
    for path in ("/", "/tag/sea-salt", "/archive"):
        found = meta(await site.browser().get(path))
        assert (found["og:type"], found["twitter:card"]) == (["website"], ["summary"])
        assert not any(name.startswith(("og:image", "article:")) for name in found)


async def test_a_post_has_structured_data(site: Site) -> None:
    await illustrated(site)
    nodes = data(await site.browser().get("/low-tide"))
    base, posting = public(site), nodes["BlogPosting"]
    assert set(nodes) == {"BlogPosting", "BreadcrumbList"}
    assert (posting["headline"], posting["articleSection"], posting["keywords"]) == ("Low <tide> & mud", "Coast", ["Sea & salt"])
    assert posting["mainEntityOfPage"]["@id"] == f"{base}/low-tide"
    assert [(author["name"], author["url"]) for author in posting["author"]] == [("Ana Silva", f"{base}/author/ana-silva")]
    assert posting["publisher"]["name"] == "The Tide Table"
    assert (posting["image"]["url"], posting["image"]["width"]) == (f"{base}/media/1/abc/low%20tide.png", 1200)
    assert posting["wordCount"] > 5
    assert steps(nodes) == [("The Tide Table", "/"), ("Coast", "/category/coast"), ("Low <tide> & mud", "/low-tide")]


async def test_the_way_to_a_post_leads_through_the_categories_above_its_own(site: Site) -> None:
    await written(site)
    async with site.database.transaction() as work:
        parent = Category(name="The & sea", slug="the-sea", description="")
        work.session.add(parent)
        await work.session.flush()
        await addresses.assign(work, "category/the-sea", TargetKind.CATEGORY, parent.id)
        await work.session.execute(update(Category).where(Category.slug == "coast").values(parent_id=parent.id))
        await addresses.assign(work, "category/the-sea/coast", TargetKind.CATEGORY, 1)
    editor = await factories.person(site.database, "editor")
    await factories.publish(site.database, editor, 1)
    nodes = data(await site.browser().get("/low-tide"))
    assert steps(nodes)[1:3] == [("The & sea", "/category/the-sea"), ("Coast", "/category/the-sea/coast")]


def steps(nodes: dict[str, Any]) -> list[tuple[str, str]]:
    items = nodes["BreadcrumbList"]["itemListElement"]
    return [(item["name"], re.sub("^https?://[^/]+", "", item["item"])) for item in items]


async def test_a_post_without_anything_has_structured_data(site: Site) -> None:
    await site.person("owner")
    await factories.published(site.database, await factories.person(site.database, "author"), title="Bare", text="")
    assert set(data(await site.browser().get("/bare"))) == {"BlogPosting"}


async def test_home_tells_of_the_site_and_how_to_search_it(site: Site) -> None:
    await written(site)
    nodes = data(await site.browser().get("/"))
    assert set(nodes) == {"WebSite", "Organization"}
    assert nodes["WebSite"]["potentialAction"]["target"]["urlTemplate"] == f"{public(site)}/search?q={{search_term_string}}"
    assert nodes["WebSite"]["publisher"]["@id"] == nodes["Organization"]["@id"]


async def test_an_author_is_a_person(site: Site) -> None:
    await written(site)
    person = data(await site.browser().get("/author/ana-silva"))["ProfilePage"]["mainEntity"]
    assert (person["name"], person["url"]) == ("Ana Silva", f"{public(site)}/author/ana-silva")
    article = data(await site.browser().get("/low-tide"))["BlogPosting"]
    assert article["author"][0]["@id"] == person["@id"]


async def test_pages_and_categories_say_where_they_stand(site: Site) -> None:
    await written(site)
    editor = await factories.person(site.database, "editor")
    about = await factories.published_page(site.database, editor, title="About")
    await factories.published_page(site.database, editor, title="The team", parent=about.post_id)
    nodes = data(await site.browser().get("/about/the-team"))
    assert steps(nodes) == [("The Tide Table", "/"), ("About", "/about"), ("The team", "/about/the-team")]
    assert steps(data(await site.browser().get("/category/coast"))) == [("The Tide Table", "/"), ("Coast", "/category/coast")]


@pytest.mark.parametrize("path", ["/hostile", "/tag/hostile", "/author/hostile", "/"])
async def test_hostile_words_stay_inside_their_block(site: Site, path: str) -> None:
    await site.person("owner")
    author = await factories.person(site.database, "author", "Hostile")
    async with site.database.transaction() as work:
        await sites.configure(work, name=HOSTILE[:100], description=HOSTILE)
        await work.session.execute(update(User).values(bio=HOSTILE))
    await factories.published(site.database, author, title=HOSTILE, slug="hostile", excerpt=HOSTILE, tags=("Hostile",))
    answer = await site.browser().get(path)
    page = answer.page
    blocks = page.findall(".//script[@type='application/ld+json']")
    assert len(blocks) == (0 if path == "/tag/hostile" else 1)
    assert "alert(1)" not in "".join(script.text or "" for script in page.iter("script") if script not in blocks)
    for block in blocks:
        assert not set("<>&\u2028") & set(block.text or "")
        assert "</script><!--<script>alert(1)</script> &" in str(specifications.structured_data(block.text or ""))


async def test_pictures_are_offered_in_sizes_and_cut_where_the_page_cuts(site: Site) -> None:
    await illustrated(site)
    async with site.database.transaction() as work:
        known = {"type": "image/jpeg", "frames": 1, "focus": [20, 70], "caption": "Low <water>", "rights": "Ana Rey"}
        picture = {"id": 1, "path": "/media/1/abc/low.jpg", "width": 2400, "height": 1600, "alt": "Mud & boats", **known}
        await work.session.execute(update(Published).values(picture=picture))
    post, home = await site.browser().get("/low-tide"), await site.browser().get("/")
    cover = post.page.find(".//figure/picture/img")
    assert cover is not None
    assert (cover.get("src"), cover.get("alt"), cover.get("fetchpriority")) == ("/media/1/abc/low.jpg", "Mud & boats", "high")
    below = post.page.find(".//figure[picture]/figcaption")
    assert below is not None
    assert "".join(below.itertext()) == "Low <water> Ana Rey"
    (lead,) = home.page.findall(".//article/div/a/picture")
    assert [source.get("type") for source in lead.findall("source")] == ["image/avif", "image/webp"]
    assert "/media/1/abc/wide-320-20-70/low.avif 320w" in (lead[0].get("srcset") or "")
    found = meta(post)
    assert found["og:image"] == [f"{public(site)}/media/1/abc/card-1280-20-70/low.jpg"]
    assert (found["og:image:width"], found["og:image:height"]) == (["1280"], ["672"])
    assert data(post)["BlogPosting"]["image"]["url"] == found["og:image"][0]
