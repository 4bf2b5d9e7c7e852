"""The preview: the site's own page of what is typed, in which nothing runs and which is kept nowhere."""

import re
from typing import Any

import pytest
from sqlalchemy import func, select

from cms.errors import InvalidInput
from cms.models import Post, Revision, Tag
from tests.content.hostile import cases, faults
from tests.handlers.admin.pages import editor, published, saved, words, written
from tests.web import Site


async def test_preview_is_the_page_that_readers_get(site: Site) -> None:
    browser = await site.signed_in("owner")
    post_id = await written(
        browser, title="Stormy *night*", text="It was dark[^1].\n\n## Rain\n\n[^1]: Very.", tags="Weather", new_category="Novels"
    )
    typed = await editor(browser, post_id)
    preview = await browser.post("/admin/preview", {**typed, "post": post_id})
    await published(browser, post_id)
    public = await site.browser().get("/stormy-night")
    assert preview.status == 200
    for name in ("h1", "article", "title"):
        assert words(next(preview.page.iter(name))) == words(next(public.page.iter(name)))
    prose = re.compile(r'<div class="prose".*?</div>\n', re.DOTALL)
    assert prose.findall(preview.text) == prose.findall(public.text)


async def test_preview_has_no_script_that_its_sandbox_would_refuse(site: Site) -> None:
    browser = await site.signed_in("owner")
    for kind in ("post", "page"):
        answer = await browser.post("/admin/preview", {"title": "Still", "text": "Typed.", "kind": kind})
        assert "<script" not in answer.text
        assert "css/site.css" in answer.text
    assert "<script" in (await browser.get("/")).text


async def test_new_text_is_previewed_and_not_kept(site: Site) -> None:
    browser = await site.signed_in("owner")
    answer = await browser.post("/admin/preview", {"title": "Not yet", "text": "Typed.", "tags": "New one", "new_category": "New too"})
    assert answer.status == 200
    for what in ("Not yet", "Typed.", "New one", "New too", "Olga Owner"):
        assert what in answer.words
    async with site.database.read() as session:
        for table in (Post, Revision, Tag):
            assert await session.scalar(select(func.count()).select_from(table)) == 0


async def test_page_is_previewed_as_a_page(site: Site) -> None:
    browser = await site.signed_in("owner")
    above = await written(browser, "page", title="Not public")
    answer = await browser.post("/admin/preview", {"title": "Imprint", "text": "Here.", "kind": "page", "parent": above})
    assert answer.status == 200
    assert "Imprint" in words(next(answer.page.iter("h1")))


async def test_nothing_runs_in_a_preview(site: Site) -> None:
    browser = await site.signed_in("owner")
    answer = await browser.post("/admin/preview", {"title": "T"})
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy
    assert "sandbox allow-same-origin" in policy
    assert "allow-scripts" not in policy
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert answer.headers["Cache-Control"] == "no-store"


async def test_hostile_text_is_harmless_in_a_preview(site: Site) -> None:
    browser = await site.signed_in("owner")
    text = "\n\n".join(case.encode("utf-8", "replace").decode() for case in cases())
    answer = await browser.post("/admin/preview", {"title": "<script>alert(1)</script>", "excerpt": "<img src=x onerror=y>", "text": text})
    assert answer.status == 200
    prose = re.search(r'<div class="prose"[^>]*>(.*)</div>\s*<footer class="post-foot"', answer.text, re.DOTALL)
    assert prose
    assert faults(prose[1]) == []
    assert "<script>alert(1)" not in answer.text
    assert "<img src=x" not in answer.text


async def test_text_beyond_the_limit_gets_a_sentence_in_the_frame(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = await site.signed_in("owner")
    post_id = await written(browser)

    async def too_slow(*_: Any) -> None:
        raise InvalidInput({"text": "This text takes too long to render."})

    monkeypatch.setattr(site.application.parts.renderer, "render", too_slow)
    answer = await browser.post("/admin/preview", {"text": "x"})
    assert answer.status == 422
    assert answer.words == "No preview Text: This text takes too long to render."
    assert "frame-ancestors 'self'" in answer.headers["Content-Security-Policy"]
    answer = await browser.get(f"/admin/posts/{post_id}/publication")
    assert "This text takes too long to render." in answer.words


@pytest.mark.parametrize(
    ("form", "status"), [({"title": "x" * 301}, 422), ({"post": "x"}, 422), ({"post": "9" * 30}, 422), ({"post": "77"}, 404)]
)
async def test_wrong_input_gets_a_sentence(site: Site, form: dict[str, str], status: int) -> None:
    browser = await site.signed_in("owner")
    answer = await browser.post("/admin/preview", form)
    assert answer.status == status
    assert answer.words.startswith("No preview ")


async def test_ended_session_gets_a_sentence_and_not_a_form(site: Site) -> None:
    browser = await site.signed_in("owner")
    del browser.cookies["session"]
    answer = await browser.post("/admin/preview", {"text": "x"})
    assert answer.status == 401
    assert answer.words == "No preview Your session has ended, so this was not done."
    assert (await browser.get("/admin/preview")).status == 303


async def test_nobody_previews_over_the_draft_of_another(site: Site) -> None:
    owner, author = await site.signed_in("owner"), await site.signed_in("author")
    post_id = await written(owner)
    assert (await author.post("/admin/preview", {"post": post_id})).status == 404
    await saved(owner, post_id)
