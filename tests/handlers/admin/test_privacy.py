"""What is kept about a person, as a file; and a person who is erased, while readers go on reading."""

import io
import json
import zipfile

import pytest

from tests import factories
from tests.web import Answer, Site


def names_in(answer: Answer) -> set[str]:
    return set(zipfile.ZipFile(io.BytesIO(answer.body)).namelist())


async def test_person_takes_along_what_is_kept(site: Site) -> None:
    browser = await site.signed_in("contributor")
    page = await browser.get("/account/data")
    assert page.status == 200
    assert "Your data" in page.words
    answer = await browser.post("/account/data")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="person-{await site.person("contributor")}.zip"'
    assert answer.headers["Cache-Control"] == "no-store"
    assert "account.json" in names_in(answer)
    account = json.loads(zipfile.ZipFile(io.BytesIO(answer.body)).read("account.json"))
    assert account["email"] == "contributor@example.org"


async def test_administrator_takes_it_for_somebody_else(site: Site) -> None:
    author = await site.person("author")
    browser = await site.signed_in("administrator")
    page = await browser.get(f"/admin/people/{author}/data")
    assert "What is kept about Author Person" in page.words
    assert "account.json" in names_in(await browser.post(f"/admin/people/{author}/data"))
    assert (await browser.get("/admin/people/999/data")).status == 404
    assert (await browser.post("/admin/people/999/data")).status == 404


@pytest.mark.parametrize("role", ["editor", "author", "contributor"])
async def test_others_data_and_erasure_are_closed(site: Site, role: str) -> None:
    other = await site.person("administrator")
    browser = await site.signed_in(role)
    for part in ("data", "erasure"):
        for answer in (await browser.get(f"/admin/people/{other}/{part}"), await browser.post(f"/admin/people/{other}/{part}")):
            assert answer.status == 403


async def test_erased_person_is_gone_from_every_page_at_once(site: Site) -> None:
    await site.signed_in("owner")
    ana = await factories.person(site.database, "author")
    await factories.published(site.database, ana, title="Low tide", tags=("Sea",))
    reader, administrator = site.browser(), await site.signed_in("administrator")
    paths = ("/low-tide", "/", "/tag/sea", "/feed.xml", "/atom.xml", "/low-tide.md", "/search?q=tide", "/sitemap/lists.xml")
    kept = [await reader.get(path) for path in (*paths, "/author/ana-silva", "/author/former-author")]
    assert [("Ana Silva" in answer.text or "ana-silva" in answer.text) for answer in kept[:9]] == [True] * 9
    assert kept[9].status == 404

    asked = await administrator.get(f"/admin/people/{ana.user_id}/erasure")
    assert "Erase Ana Silva" in asked.words
    assert "/author/ana-silva" in asked.words
    answer = await administrator.post(f"/admin/people/{ana.user_id}/erasure")
    assert (answer.status, answer.location) == (303, "/admin/people")
    assert "Erased." in (await administrator.get("/admin/people")).words

    for path in paths:
        answer = await reader.get(path)
        assert answer.status == 200
        assert "Ana Silva" not in answer.text, path
        assert "ana-silva" not in answer.text, path
    assert "Former author" in (await reader.get("/low-tide")).words
    assert (await reader.get("/author/ana-silva")).status == 404
    assert "Low tide" in (await reader.get("/author/former-author")).words
    assert (await administrator.get(f"/admin/people/{ana.user_id}/erasure")).status == 409
    left = await administrator.get(f"/admin/people/{ana.user_id}")
    offered = {path for path in ("role", "email", "access", "erasure", "deletion") if f"/{ana.user_id}/{path}" in left.text}
    assert offered == {"deletion"}
    assert "erased.invalid" not in left.words + (await administrator.get("/admin/people")).words, "no address of anybody"
    assert "nothing any more" in left.words
    for part, form in (("role", {"role": "editor"}), ("email", {"email": "ana@example.org"}), ("password", {})):
        at = f"/admin/people/{ana.user_id}/{part}"
        for refused in (await administrator.get(at), await administrator.post(at, form)):
            assert (refused.status, "This person was erased, and cannot come back." in refused.words) == (403, True), part


async def test_who_is_erased_is_signed_out_at_once(site: Site) -> None:
    author, browser, owner = await site.person("author"), await site.signed_in("author"), await site.signed_in("owner")
    assert (await browser.get("/admin/posts")).status == 200
    await owner.post(f"/admin/people/{author}/erasure")
    assert (await browser.get("/admin/posts")).status == 303
    assert (await browser.sign_in("author@example.org")).status == 422


async def test_nobody_erases_the_owner_or_himself(site: Site) -> None:
    owner, administrator = await site.person("owner"), await site.person("administrator")
    browser = await site.signed_in("administrator")
    for user_id in (owner, administrator):
        assert (await browser.get(f"/admin/people/{user_id}/erasure")).status == 403
        assert (await browser.post(f"/admin/people/{user_id}/erasure")).status == 403
    assert (await browser.get("/admin/posts")).status == 200


async def test_site_chooses_the_name_of_those_who_have_gone(site: Site) -> None:
    browser = await site.signed_in("owner")
    page = await browser.get("/admin/site/publishing")
    version = page.page.find(".//input[@name='version']").get("value")
    answer = await browser.post("/admin/site/publishing", {"former_name": "Somebody who was here", "version": version})
    assert answer.status == 303, answer.words
    ana = await factories.person(site.database, "author")
    assert "under the name “Somebody who was here”" in (await browser.get(f"/admin/people/{ana.user_id}/erasure")).words
