"""The desk in the language of whoever sits at it; the site's pages in the site's."""

import json
import re
from collections.abc import Iterator
from gettext import NullTranslations
from pathlib import Path
from xml.etree.ElementTree import Element

import pytest

from cms.handlers.admin.preview import FrameHandler
from cms.handlers.admin.site import LookPreviewHandler
from cms.policy import Actor, Role
from cms.services import accounts
from cms.services import site as sites
from cms.settings import data_folder
from cms.ui import writing
from cms.ui.languages import Language
from cms.ui.words import written
from tests.handlers import walk
from tests.handlers.test_walk import ROUTES, World
from tests.handlers.walk import STOPS
from tests.web import Site

EDITOR = Path(__file__).parents[3] / "editor" / "src"


async def speak(site: Site, language: str, role: str = "owner") -> None:
    async with site.database.transaction() as work:
        (await accounts.get(work.session, await site.person(role))).locale = language


async def test_a_browser_decides_for_those_who_are_not_signed_in(site: Site) -> None:
    await site.person("owner")
    browser = site.browser()
    german = await browser.get("/login", **{"Accept-Language": "fr, de-AT;q=0.9, en;q=0.5"})
    assert "Anmelden" in german.words
    assert german.page.get("lang") == "de"
    for other in ("", "fr", "en-US,en;q=0.9", "xx-Nonsense;q=1"):
        english = await browser.get("/login", **{"Accept-Language": other})
        assert "Sign in" in english.words
        assert (english.page.get("lang"), english.page.get("dir")) == ("en", "ltr")


async def test_a_person_decides_for_himself(site: Site) -> None:
    browser = await site.signed_in("owner")
    assert "Your account" in (await browser.get("/account", **{"Accept-Language": "en"})).words
    assert (await browser.post("/account", {"name": "Olive Owner", "locale": "de"})).status == 303
    answer = await browser.get("/account", **{"Accept-Language": "en"})
    assert "Dein Konto" in answer.words
    assert answer.page.get("lang") == "de"
    assert (await browser.post("/account", {"name": "Olive Owner", "locale": "tlh"})).status == 422
    assert "Dein Konto" in (await browser.get("/account")).words
    assert (await browser.post("/account", {"name": "Olive Owner", "locale": ""})).status == 303
    assert "Your account" in (await browser.get("/account")).words


async def test_what_is_wrong_is_said_in_german_wherever_it_was_found(site: Site) -> None:
    browser = await site.signed_in("owner")
    await speak(site, "de")
    service = await browser.post("/admin/redirects/new", {"path": "/login", "target": "/x", "match": "exact"})
    assert "/login verwendet Squall selbst" in service.words
    schema = await browser.post("/admin/redirects/new", {"path": "", "target": "/x", "match": "exact"})
    assert "Das wird gebraucht." in schema.words
    nowhere = await browser.get("/admin/posts/999999")
    assert nowhere.status == 404
    assert nowhere.page.get("lang") == "de"
    assert "Hier gibt es nichts." in nowhere.words
    contributor = await site.signed_in("contributor")
    await speak(site, "de", "contributor")
    refused = await contributor.get("/admin/people")
    assert refused.status == 403
    assert "Nicht möglich" in refused.words or "steht dir nicht offen" in refused.words


async def test_readers_have_the_language_of_the_site_whatever_they_ask_for(site: Site) -> None:
    await site.person("owner")
    browser = site.browser()
    english = await browser.get("/archive", **{"Accept-Language": "de"})
    assert english.page.get("lang") == "en"
    assert english.body == (await browser.get("/archive", **{"Accept-Language": "en"})).body


async def test_the_pages_of_a_german_site_are_in_german(site: Site) -> None:
    async with site.database.transaction() as work:
        await sites.configure(work, language="de")
    await site.person("owner")
    answer = await site.browser().get("/archive")
    assert answer.page.get("lang") == "de"
    assert "Archiv" in answer.words
    assert "Archive" not in answer.words


async def test_the_editor_has_all_its_words_in_german(site: Site) -> None:
    browser = await site.signed_in("owner")
    await speak(site, "de")
    (editor,) = (await browser.get("/admin/posts/new")).page.iter("post-editor")
    words = json.loads(editor.get("data-words") or "")
    assert words["cannotSave"] == "Speichern nicht möglich: {why}"
    assert words.keys() == writing.english().keys()


def test_the_editor_knows_the_words_that_it_says() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in EDITOR.rglob("*.js"))
    named = {*re.findall(r"\bwords\.(\w+)", sources), *re.findall(r"\{\{(\w+)\}\}", sources)} - {"js", "json", "length"}
    assert named <= writing.english().keys()


def test_a_fraction_is_written_as_each_language_does() -> None:
    assert [written(language, "UTC").number(1282.6) for language in ("en-GB", "de")] == ["1,282.6", "1.282,6"]


class Marked(Language):
    """Says what the program says, between brackets, in a language that is written from the right."""

    def translate(self, message: str, plural_message: str | None = None, count: int | None = None) -> str:
        said = super().translate(message, plural_message, count)
        return f"⟦{said}⟧" if said else ""


@pytest.fixture
def marked(monkeypatch: pytest.MonkeyPatch) -> None:
    everywhere = Marked("ar", NullTranslations())
    monkeypatch.setattr("cms.handlers.base.language", lambda _: everywhere)


PHYSICAL = re.compile(
    r"(?:^|[;{\s])(?:(?:margin|padding|border|inset)-)?(?:left|right)\s*:|(?:text-align|float|clear):\s*(?:left|right)|border-(?:top|bottom)-(?:left|right)",
    re.MULTILINE,
)


@pytest.mark.parametrize("sheet", ["admin", "calendar", "editor", "lists", "marks", "tokens"])
def test_no_style_of_the_desk_knows_left_or_right(sheet: str) -> None:
    assert PHYSICAL.findall((data_folder("static") / "css" / f"{sheet}.css").read_text(encoding="utf-8")) == []


SAID = ("aria-label", "title", "placeholder", "alt")
QUOTED = {"script", "code", "kbd", "pre", "textarea"}
NAMES = re.compile(  # of people, programs and things of the site, and what is no word
    "Sel?kie|The Tide Table|Low tide|Owner|Other|Edna|Former author|Squall|SQLite|PostgreSQL|CSV|JSON|Zola|Hugo|Jekyll|UTC|Deutsch|English|"
    r"Sea|Coast|Tides|tide-chart|[@/_]|^: \w+$"
)
SKIPPED = {
    "account.authenticator", "account.codes",  # secrets
    "admin.audit",  # its sentences end around names
}  # fmt: skip


def unmarked(element: Element) -> Iterator[str]:
    """What did not come through the translation. Texts of people stand in ``dir="auto"``."""
    if element.tag in QUOTED or element.get("dir") == "auto" or element.get("lang"):
        return
    data = (value for name, value in element.attrib.items() if name.startswith("data-") and value[:1].isupper())
    for text in (element.text, *map(element.get, SAID), *data, *(child.tail for child in element)):
        rest = text or ""
        while rest != (less := re.sub("⟦[^⟦⟧]*⟧", "", rest)):
            rest = less
        if re.search("[A-Za-z]{3,}", rest) and not NAMES.search(rest):
            yield rest.strip()
    for child in element:
        yield from unmarked(child)


async def test_every_word_of_the_desk_comes_through_the_translation(site: Site, marked: None) -> None:
    if site.database.dialect.name != "sqlite":
        pytest.skip("what a template says is no matter of the database")
    browser, actor = await site.signed_in("owner"), Actor(await site.person("owner"), Role.OWNER)
    world, found, looked_at = await World.on(site), set[tuple[str, str]](), 0
    for name, stop in STOPS.items():
        speaks_to_readers = issubclass(ROUTES[name].handler_class, (FrameHandler, LookPreviewHandler))
        if not name.startswith(("admin", "account")) or name in SKIPPED or speaks_to_readers:
            continue
        for thing in await world.things(stop, actor):
            path = world.path(stop, thing)
            for form in (None, dict(stop.form))[: 1 if name in walk.ENDS_THE_SESSION else 2]:
                answer = await browser.get(path) if form is None else await browser.post(path, form)
                if answer.body and "html" in answer.headers.get("Content-Type", ""):
                    assert (answer.page.get("lang"), answer.page.get("dir")) == ("ar", "rtl"), path
                    found |= {(path, text) for text in unmarked(answer.page.find("body"))}
                    looked_at += 1
    assert found == set()
    assert looked_at > 200
