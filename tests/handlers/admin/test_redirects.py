"""Redirects at the desk."""

import csv

from tests.handlers.admin.pages import by_class, by_id, fields, form_of, words
from tests.web import Site


async def test_a_redirect_is_made_changed_found_and_deleted(site: Site) -> None:
    browser = await site.signed_in("owner")
    assert "Nobody has to be led anywhere yet" in (await browser.get("/admin/redirects")).words
    given = {"path": "/old", "target": "/archive", "match": "exact"}
    assert (await browser.post("/admin/redirects/new", given)).location == "/admin/redirects"
    await browser.post("/admin/redirects/new", {"path": "/<b>", "target": "https://x.example/", "match": "prefix"})
    shown = await browser.get("/admin/redirects?q=OLD")
    assert [row.find("th/a").text for row in shown.page.iter("tr") if row.find("th/a") is not None] == ["/old"]
    path = shown.page.find(".//tbody/tr/th/a").get("href")
    assert (await browser.post(path, {**given, "target": "/search"})).status == 303
    assert (await site.browser().get("/old")).location == "/search"
    assert (await browser.post(path, {"_method": "delete"})).status == 303
    assert "nobody is led from /old to /search any more" in (await browser.get("/admin/redirects")).words
    assert (await browser.get(path)).status == 404
    assert "Deleted the redirect from /old" in (await browser.get("/admin/audit")).words


async def test_what_is_wrong_is_said_by_its_field(site: Site) -> None:
    browser = await site.signed_in("owner")
    answer = await browser.post("/admin/redirects/new", {"path": "/login", "target": "javascript:alert(1)", "match": "exact"})
    assert answer.status == 422
    assert "To: Write a whole address, beginning with https://." in words(by_class(answer.page, "problems")[0])
    assert fields(answer.page)["target"] == "javascript:alert(1)"
    answer = await browser.post("/admin/redirects/new", {"path": "/login", "target": "/x", "match": "exact"})
    assert "From: /login is used by Squall itself" in words(by_class(answer.page, "problems")[0])
    answer = await browser.post("/admin/redirects/new", {"path": "/two%0D%0Alines", "target": "/x", "match": "exact"})
    assert "From: Write a path of this site" in words(by_class(answer.page, "problems")[0])


async def test_two_who_change_a_redirect_hear_of_each_other_and_nothing_typed_is_lost(site: Site) -> None:
    browser = await site.signed_in("owner")
    await browser.post("/admin/redirects/new", {"path": "/old", "target": "/new", "match": "exact"})
    at = (await browser.get("/admin/redirects")).page.find(".//tbody/tr/th/a").get("href")
    seen = fields((page := (await browser.get(at)).page), form_of(page, at))
    await browser.post(at, {**seen, "path": "/older"})
    told = await browser.post(at, {**seen, "path": "/oldest", "target": "/newest"})
    assert (told.status, "“/older”" in words(by_id(told.page, "path-error"))) == (422, True)
    assert (await browser.post(at, fields(told.page, form_of(told.page, at)))).status == 303
    assert (await site.browser().get("/oldest")).location == "/newest"


async def test_a_table_comes_in_with_its_bad_lines_back_and_goes_out_for_spreadsheets(site: Site) -> None:
    browser = await site.signed_in("owner")
    await browser.get("/admin/redirects/table")
    table = b"path,target,match\n/a,/b,exact\n/admin,/c,exact\n/d,https://x.example/?q==1,prefix\n/e,ftp://x,\n"
    answer = await browser.upload("/admin/redirects/table", {"_xsrf": browser.cookies["xsrf"]}, "file", "r.csv", "text/csv", table)
    assert answer.status == 422
    assert "2 lines were not taken" in answer.words
    left = fields(answer.page)["lines"]
    rows = list(csv.DictReader(left.strip().splitlines()))
    assert [(row["path"], row["target"]) for row in rows] == [("/admin", "/c"), ("/e", "ftp://x")]
    assert rows[0]["problem"].startswith("/admin is used by Squall itself")
    mended = left.replace("/admin,", "/administration,").replace("ftp://x", "https://x.example/")
    assert (await browser.post("/admin/redirects/table", {"lines": mended})).status == 303
    out = (await browser.get("/admin/redirects.csv")).text
    assert [row["path"] for row in csv.DictReader(out.splitlines())] == ["/a", "/d", "/administration", "/e"]
    again = await browser.post("/admin/redirects/table", {"lines": out})
    assert again.status == 303, "what went out comes in"
    assert (await browser.post("/admin/redirects/table", {"lines": " "})).status == 422
