"""Readers who come to where nothing stands, and are led on."""

from tests import factories
from tests.services.test_redirects import lead, take
from tests.watching import questions
from tests.web import Site


async def answers(site: Site, *paths: str) -> list[tuple[int, str]]:
    browser = site.browser()
    found = [await browser.get(path) for path in paths]
    return [(answer.status, answer.location) for answer in found]


async def test_an_address_wins_and_what_was_withdrawn_leads_on(site: Site) -> None:
    owner = await factories.person(site.database, "owner")
    await site.person("owner")
    one = await factories.published(site.database, owner, title="Low tide")
    two = await factories.published(site.database, owner, title="High tide")
    await lead(site.database, owner, "/low-tide", "/high-tide")
    assert await answers(site, "/low-tide") == [(200, "")]
    await factories.withdraw(site.database, owner, one.post_id)
    assert await answers(site, "/low-tide", "/low-tide/", "/low-tide.md") == [(301, "/high-tide"), (301, "/high-tide"), (410, "")]
    await factories.edited(site.database, owner, two.post_id, slug="flood")
    await factories.publish(site.database, owner, two.post_id)
    assert await answers(site, "/low-tide") == [(301, "/flood")], "one step, wherever it is now"


async def test_an_answer_that_is_kept_is_made_again_when_a_rule_for_it_comes_or_goes(site: Site) -> None:
    owner = await factories.person(site.database, "owner")
    await site.person("owner")
    asked = ("/old", "/old/x", "/notes.md", "/other")
    assert await answers(site, *asked) == [(404, "")] * 4
    await lead(site.database, owner, "/other", "/search?q=tide#found")
    pages = site.application.parts.pages
    assert [path in pages for path in asked] == [True, True, True, False], "a rule for one path meets no other"
    await lead(site.database, owner, "/notes.md", "https://notes.example/")
    await lead(site.database, owner, "/old", "https://old.example/a", "prefix")
    assert await answers(site, *asked, "/other?b=c", "/old/x?b=c") == [
        (301, "https://old.example/a"),
        (301, "https://old.example/a/x"),
        (301, "https://notes.example/"),
        (301, "/search?q=tide#found"),
        (301, "/search?q=tide#found"),
        (301, "https://old.example/a/x?b=c"),
    ]
    await take(site.database, owner, "/old/x,/archive")
    assert await answers(site, "/old/x", "/old/%0D%0ASet-Cookie:a=b") == [
        (301, "/archive"),
        (301, "https://old.example/a/%0D%0ASet-Cookie:a=b"),
    ]


async def test_asking_for_rules_is_one_question_and_what_is_kept_is_counted_without_any(site: Site) -> None:
    owner = await factories.person(site.database, "owner")
    await site.person("owner")
    rule = await lead(site.database, owner, "/old", "/archive", "prefix")
    with questions(site.database) as asked:
        await answers(site, "/old/x")
    assert sum("FROM redirects" in statement for statement, _ in asked) == 1
    assert len([statement for statement, _ in asked if "BEGIN" not in statement]) <= 3, asked
    with questions(site.database) as asked:
        await answers(site, "/old/x", "/old/x")
    assert asked == []
    assert site.application.parts.hits.take() == {rule: 3}
