"""Files that come with the program."""

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPRequest

from tests.web import Site


async def test_a_versioned_address_is_kept_for_ever_and_another_for_a_while(site: Site) -> None:
    browser = site.browser()
    await site.person("owner")
    address = (await browser.get("/")).page.find(".//link[@rel='stylesheet']").get("href")
    answer = await browser.get(address)
    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["Content-Type"].startswith("text/css")
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "Set-Cookie" not in answer.headers
    for other in (address.partition("?")[0], address.partition("?")[0] + "?v=wrong"):
        assert (await browser.get(other)).headers["Cache-Control"] == "public, max-age=300"
    assert (await browser.get(address, **{"If-None-Match": answer.headers["Etag"]})).status == 304
    head = await browser.send("HEAD", address)
    assert (head.status, head.body) == (200, b"")


async def test_a_compressed_file_is_never_sent_in_part(site: Site) -> None:
    answer = await site.browser().get("/static/css/site.css", **{"Range": "bytes=0-9", "Accept-Encoding": "gzip"})
    assert (answer.status, len(answer.body) > 1000) == (200, True)


@pytest.mark.parametrize(("wanted", "coding"), [("gzip, br", "br"), ("zstd", "zstd"), ("gzip", "gzip"), ("br;q=0", None), ("", None)])
async def test_each_gets_the_coding_it_likes_best(site: Site, wanted: str, coding: str | None) -> None:
    sizes, fingerprint = {}, site.application.parts.static.find("css/site.css").fingerprint
    for method in ("GET", "HEAD"):
        request = HTTPRequest(
            f"{site.url}/static/css/site.css", method=method, headers={"Accept-Encoding": wanted}, decompress_response=False
        )
        answer = await AsyncHTTPClient().fetch(request)
        assert answer.headers.get("Content-Encoding") == coding
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert answer.headers["Etag"].endswith(f'-{coding}"' if coding else f'{fingerprint}"')
        sizes[method] = int(answer.headers["Content-Length"])
    assert sizes["GET"] == sizes["HEAD"]
    assert (sizes["GET"] < 8000) is bool(coding)


async def test_only_our_files_are_there(site: Site) -> None:
    for path in (
        "/static/", "/static/css", "/static/css/", "/static/none.css", "/static/%2e%2e/pyproject.toml", "/static//etc/passwd",
        "/static/a%00b", "/static/css%2f..%2f..%2fpyproject.toml", "/static/theme/360.css", "/static/theme/01.css",
    ):  # fmt: skip
        assert (await site.browser().get(path)).status == 404, path


async def test_the_old_place_of_the_icon_leads_to_it(site: Site) -> None:
    answer = await site.browser().get("/favicon.ico")
    assert answer.status == 302
    assert (await site.browser().get(answer.location)).headers["Content-Type"] == "image/svg+xml"


async def test_every_static_file_a_page_names_is_there(site: Site) -> None:
    await site.person("owner")
    browser = site.browser()
    page = (await browser.get("/")).page
    named = {value for element in page.iter() for name, value in element.items() if name in ("href", "src") and "/static/" in value}
    assert len(named) >= 5
    for address in named:
        assert (await browser.get(address.partition("#")[0])).status == 200, address
