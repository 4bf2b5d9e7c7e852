"""Errors have the site's dress, and need no database for it."""

import pytest
from sqlalchemy.exc import OperationalError

from cms.errors import Forbidden, TooManyRequests, Unavailable
from cms.handlers.site.base import SiteHandler
from cms.services import reading
from cms.ui.errors import explain
from tests.web import Site


@pytest.mark.parametrize("status", [400, 403, 404, 405, 410, 413, 421, 422, 429, 500, 503, 507, 418, 502])
def test_every_status_has_words(status: int) -> None:
    explanation = explain(status)
    assert explanation.title
    assert explanation.text.endswith(".")


@pytest.mark.parametrize(
    ("error", "status", "retry"),
    [(Unavailable(), 503, "5"), (TooManyRequests(17), 429, "17"), (Forbidden(), 403, None), (RuntimeError("secret detail"), 500, None),
     (OperationalError("SELECT secret", {}, Exception("secret")), 500, None)],
)  # fmt: skip
async def test_an_error_is_explained_under_the_site_s_name(
    site: Site, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, retry: str | None
) -> None:
    await site.person("owner")
    await site.browser().get("/")

    async def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(reading, "find_place", fail)
    answer = await site.browser().get("/anything")
    assert answer.status in (status, 503)
    assert answer.page.find(".//h1").text == explain(answer.status).title
    assert answer.page.find(".//header//a[@rel='home']").text == "The Tide Table"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers.get("Retry-After") == (retry or ("5" if answer.status == 503 else None))
    assert "secret" not in answer.text
    assert answer.page.find(".//meta[@name='robots']").get("content") == "noindex"


async def test_an_error_of_ours_tells_its_number(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(reading, "find_place", fail)
    answer = await site.browser().get("/anything")
    number = answer.page.find(".//main//code").text
    assert len(number) == 32


async def test_a_page_that_cannot_be_drawn_is_an_error_page(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    await site.person("owner")

    def fail(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(SiteHandler, "show", fail)
    answer = await site.browser().get("/")
    assert answer.status == 500
    assert answer.page is not None
