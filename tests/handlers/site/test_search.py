"""The page of results, its filters, and what else leads to it."""

from urllib.parse import quote, urlencode

from cms.handlers.site.search import SearchHandler
from cms.services import search
from tests.factories import person, published, withdraw
from tests.web import Answer, Site


async def ask(site: Site, **asked: str) -> Answer:
    return await site.browser().get(f"/search?{urlencode(asked)}")


async def harbour(site: Site) -> None:
    await site.person("owner")
    editor = await person(site.database, "editor")
    await published(site.database, editor, title="The harbour", text="Wer im **März** kommt & bleibt.", tags=("Sea & wall",))
    await published(site.database, editor, title="Mussels", text="Below the harbour", new_category="Coast")


def links(answer: Answer) -> list[str]:
    return [link.get("href") for link in answer.page.findall(".//main//h2/a")]


async def test_results_link_to_what_was_found_with_its_words_marked(site: Site) -> None:
    await harbour(site)
    answer = await ask(site, q="marz")
    assert answer.status == 200
    assert links(answer) == ["/the-harbour"]
    assert [mark.text for mark in answer.page.findall(".//main//mark")] == ["März"]
    assert "Wer im <mark>März</mark> kommt &amp; bleibt." in answer.text
    assert answer.page.find(".//input[@id='q']").get("value") == "marz"
    assert answer.page.find(".//meta[@name='robots']").get("content") == "noindex"


async def test_nothing_asked_is_a_page_that_says_how(site: Site) -> None:
    await harbour(site)
    answer = await site.browser().get("/search")
    assert answer.status == 200
    assert "the words side by side" in answer.words
    assert answer.page.find(".//*[@role='status']").text is None


async def test_nothing_found_is_a_page_that_helps(site: Site) -> None:
    await harbour(site)
    answer = await ask(site, q="zzzzz", tag="sea-wall")
    assert answer.status == 200
    assert "Nothing was found." in answer.words
    assert answer.page.find(".//a[@href='/search?q=zzzzz']") is not None
    assert answer.page.find(".//main//a[@href='/archive']") is not None


async def test_filters_are_shown_kept_and_removable(site: Site) -> None:
    await harbour(site)
    answer = await ask(site, q="harbour", tag="sea-wall", nonsense="x")
    assert links(answer) == ["/the-harbour"]
    (chip,) = answer.page.findall(".//a[@class='chip']")
    assert chip.get("href") == "/search?q=harbour"
    assert "Sea & wall" in "".join(chip.itertext())
    assert answer.page.find(".//form//input[@type='hidden'][@name='tag']").get("value") == "sea-wall"


async def test_a_misspelt_word_is_corrected_and_said_to_be(site: Site) -> None:
    await harbour(site)
    answer = await ask(site, q="harbuor")
    assert "Nothing was found for “harbuor”; this is what there is for harbour." in answer.words
    assert answer.page.find(".//main//a[@href='/search?q=harbour']") is not None
    assert len(links(answer)) == 2


async def test_results_of_many_are_numbered_pages(site: Site) -> None:
    await site.person("owner")
    editor = await person(site.database, "editor")
    author = await person(site.database, "author")
    for number in range(11):
        await published(
            site.database, (editor, author)[number % 2], title=f"Mud {number}", tags=("Sea",), new_category=("Coast", "")[number % 2]
        )
    answer = await ask(site, q="mud & tag")
    answer = await ask(site, q="mud")
    assert "11 articles, best match first." in answer.words
    assert answer.page.find(".//nav[@aria-label='Pages']/a[@rel='next']").get("href") == "/search?q=mud&page=2"
    offered = {link.get("href") for link in answer.page.findall(".//nav[@aria-label='Narrow down']//a")}
    assert offered == {"/search?q=mud&tag=sea", "/search?q=mud&author=edna-reed", "/search?q=mud&author=ana-silva"}, (
        "not the year, in which all are"
    )
    narrowed = await ask(site, q="mud", author="ana-silva")
    assert len(links(narrowed)) == 5
    assert len(links(await ask(site, q="mud", page="2"))) == 1
    assert len(links(await ask(site, q="mud", page="-3"))) == 10


LONG = "x" * 3_000  # five of them are nearly as much as the head of a request may have
TYPED = ["%00", "%ff%fe", quote("\"<script>'\\ AND ( NEAR * -- ;"), "%F0%9F%A6%80", quote("مد وجزر"), LONG, "%22", "a%00b", "%2520"]


async def test_whatever_is_typed_is_a_page(site: Site) -> None:
    await harbour(site)
    for typed in TYPED:
        for path in (f"/search?q={typed}", f"/search?q=x&page={typed}&tag={typed}&category={typed}&author={typed}&year={typed}"):
            answer = await site.browser().get(path)
            assert answer.status == 200, path
            assert answer.page.find(".//main") is not None, path
            assert "<script>" not in answer.text.split("<main")[1], path


async def test_every_argument_is_declared(site: Site) -> None:
    assert SearchHandler.arguments == ("q", "page", "tag", "category", "author", "year")


async def test_what_is_not_found_is_counted_without_writing(site: Site) -> None:
    await harbour(site)
    for query in ("zzzzz", "harbour", "harbuor"):
        await ask(site, q=query)
    async with site.database.read() as session:
        assert await search.list_misses(session) == []
    assert site.application.parts.misses.take() == {"zzzzz": 1, "harbuor": 1}


async def test_answer_for_one_reader_is_every_readers(site: Site) -> None:
    await harbour(site)
    answer = await ask(site, q="harbour")
    assert "Set-Cookie" not in answer.headers


async def test_withdrawn_text_is_in_no_result(site: Site) -> None:
    await harbour(site)
    editor = await person(site.database, "editor")
    post = await published(site.database, editor, title="Quagga secret", tags=("Secrecy",))
    await withdraw(site.database, editor, post.post_id)
    for asked in ({"q": "quagga"}, {"q": "quaga"}, {"tag": "secrecy"}):
        text = (await ask(site, **asked)).text
        assert "Quagga" not in text
        assert "Secrecy" not in text


async def test_a_masthead_leads_to_the_search(site: Site) -> None:
    await harbour(site)
    assert (await site.browser().get("/")).page.find(".//header//a[@href='/search']").get("aria-label") == "Search"


async def test_nothing_at_an_address_offers_a_search_and_near_titles(site: Site) -> None:
    await harbour(site)
    answer = await site.browser().get("/2026/musels")
    assert answer.status == 404
    assert answer.page.find(".//main//ul//a[@href='/mussels']").text == "Mussels"
    assert answer.page.find(".//main//form[@action='/search']//input[@name='q']") is not None


async def test_nothing_near_is_no_list(site: Site) -> None:
    await harbour(site)
    answer = await site.browser().get("/wp-login.php")
    assert answer.status == 404
    assert "Did you mean" not in answer.words
