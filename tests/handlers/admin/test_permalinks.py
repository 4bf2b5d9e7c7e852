"""The pattern of addresses at the desk."""

from pathlib import Path

from cms.telemetry import Metrics
from cms.worker import loop
from tests import factories
from tests.handlers.admin.pages import by_class, fields, words
from tests.web import Site

AT = "/admin/site/permalinks"


async def test_an_administrator_sees_what_would_change_changes_it_and_sees_how_far_it_is(site: Site, tmp_path: Path) -> None:
    browser = await site.signed_in("administrator")
    await site.person("owner")
    owner = await factories.person(site.database, "owner")
    await factories.published(site.database, owner, title="Low tide", date="2020-05-06T07:00")
    assert fields((await browser.get(AT)).page)["choice"] == "/{slug}"
    wanted = {"choice": "own", "own": "/notes/{year}/{slug}"}
    looked = await browser.post(AT, {**wanted, "look": "on"})
    assert "1 of 1 post gets another address." in looked.words
    assert [words(each) for each in looked.page.find(".//tbody/tr")] == ["Low tide", "/low-tide", "/notes/2020/low-tide"]
    assert (await site.browser().get("/low-tide")).status == 200, "it was only looked at"
    assert (await browser.post(AT, wanted)).location == AT
    assert "about to be written" in (await browser.get(AT)).words
    while await loop.run_next(factories.means(site.database, tmp_path), Metrics()):
        pass
    assert "about to be written" not in (await browser.get(AT)).words
    assert (await site.browser().get("/low-tide")).location == "/notes/2020/low-tide"
    assert "Changed the addresses of posts /{slug} → /notes/{year}/{slug}" in (await browser.get("/admin/audit")).words


async def test_a_wrong_pattern_is_said_by_its_field_and_kept(site: Site) -> None:
    browser = await site.signed_in("owner")
    answer = await browser.post(AT, {"choice": "own", "own": "/{year}/{month}"})
    assert answer.status == 422
    assert "Your own pattern: Without {slug} or {id} two posts would have one address." in words(by_class(answer.page, "problems")[0])
    assert fields(answer.page)["own"] == "/{year}/{month}"
    assert (await browser.post(AT, {"choice": "/{slug}", "own": ""})).status == 422, "it is so already"
