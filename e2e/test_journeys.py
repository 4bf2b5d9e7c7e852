"""Journeys of people: the first evening, the door, writing without scripts, by keyboard alone, two at once."""

from pathlib import Path

import pytest
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By

from e2e.conftest import OpenBrowser
from e2e.pages.editor import EditorScreen
from e2e.pages.first_run import EMAIL, PASSWORD, SetupScreen
from e2e.pages.screen import Screen
from e2e.pages.sign_in import SignInScreen
from e2e.program import Program

pytestmark = pytest.mark.browser

TEXT = "The *tide* comes in.\n\n## Low water\n\nAnd it goes out.[^1]\n\n[^1]: Twice a day.\n"


def test_a_stranger_makes_the_site_his_and_publishes_a_post(program_on_each: Program, open_browser: OpenBrowser) -> None:
    program, driver = program_on_each, open_browser()
    driver.get(program.url)
    assert "terminal" in Screen(driver).text

    SetupScreen(driver).sign_up(program.owner_link)
    SetupScreen(driver).begin()
    editor = EditorScreen(driver).open_new(program.url)
    editor.write("Spring tides", TEXT)
    editor.wait_for_preview("And it goes out.")
    assert driver.get_log("browser") == [], "nothing to complain of"
    editor.wait_for("13 words")
    editor.open_publication("Publish…")
    editor.wait_for("13 words, 1 min to read")
    editor.press("Publish now")
    editor.wait_for("Readers can see it now")

    reader = open_browser()
    reader.get(f"{program.url}/spring-tides")
    assert Screen(reader).heading == "Spring tides"
    assert reader.find_element(By.CSS_SELECTOR, ".prose em").text == "tide"
    reader.get(program.url)
    assert "Spring tides" in Screen(reader).text
    reader.get(program.owner_link)
    assert "Name of the site" not in Screen(reader).text, "the link works once"


def test_a_title_of_any_length_has_no_scrollbar(program: Program, owner: Chrome) -> None:
    owner.set_window_size(1280, 800)
    editor = EditorScreen(owner).open_new(program.url)
    for length in range(1, 6):
        editor.fill("Title", "The harbour that forgets its name " * length)
        beside = "const title = document.querySelector('[name=title]'); return title.offsetWidth - title.clientWidth"
        assert owner.execute_script(beside) == 0, length  # type: ignore[no-untyped-call]


def test_the_door_opens_for_the_right_password_only(program: Program, owner: Chrome, open_browser: OpenBrowser) -> None:
    door = SignInScreen(open_browser()).open(program.url)
    door.sign_in(EMAIL, "not the password")
    assert door.field("E-mail").get_attribute("value") == EMAIL, "what was typed is still there"
    wrong = door.text
    door.sign_in("nobody@example.org", PASSWORD)
    assert door.text == wrong, "nobody learns who has an account"

    door.sign_in(EMAIL, PASSWORD)
    door.wait_for("Today")
    door.press("Sign out")
    door.driver.get(f"{program.url}/admin/posts")
    assert door.driver.current_url.startswith(f"{program.url}/login")


def test_everything_works_without_scripts(program: Program, open_browser: OpenBrowser) -> None:
    driver = open_browser(scripts=False)
    SetupScreen(driver).sign_up(program.owner_link)
    SetupScreen(driver).begin()
    editor = EditorScreen(driver).open_new(program.url, scripts=False)
    editor.write("Without scripts", TEXT)
    editor.save()
    editor.button("Show what is typed").click()
    editor.wait_for_preview("And it goes out.")
    editor.publish()
    editor.wait_for("Readers can see it now")
    driver.get(f"{program.url}/without-scripts")
    driver.find_element(By.CSS_SELECTOR, ".footnote-ref").click()
    assert "#" in driver.current_url
    assert "Twice a day." in Screen(driver).text


def test_a_post_is_written_and_published_by_keyboard_alone(program: Program, owner: Chrome) -> None:
    owner.get(f"{program.url}/admin/posts")
    keyboard = ActionChains(owner)
    keyboard.send_keys("n").perform()
    editor = EditorScreen(owner)
    editor.wait_for_state("Not saved yet")
    keyboard.send_keys("By hand").perform()  # the title has the focus
    _tab_to(owner, "Text")
    keyboard.send_keys("No mouse was used.").perform()
    _tab_to(owner, "Publish…")
    keyboard.send_keys(Keys.ENTER).perform()
    editor.wait_for("Publish now")
    _tab_to(owner, "Publish now")
    keyboard.send_keys(Keys.ENTER).perform()
    editor.wait_for("Readers can see it now")
    owner.get(f"{program.url}/by-hand")
    assert "No mouse was used." in Screen(owner).text


def _tab_to(driver: Chrome, words: str) -> None:
    """Press Tab until the focus is on what has this name."""
    for _ in range(80):
        ActionChains(driver).send_keys(Keys.TAB).perform()
        if driver.switch_to.active_element.accessible_name.startswith(words):
            return
    raise AssertionError(f"Tab does not lead to {words!r}")


REAL = sorted((Path(__file__).parent / "data" / "rust-blog").glob("*.md"))


def test_ten_real_posts_are_written_published_and_read(program: Program, owner: Chrome, open_browser: OpenBrowser) -> None:
    assert len(REAL) == 10
    reader = open_browser(width=360)
    seen: set[str] = set()
    for path in REAL:
        front, _, text = path.read_text(encoding="utf-8").removeprefix("+++").partition("+++\n")
        title = next(line.split('"', 1)[1].rsplit('"', 1)[0] for line in front.splitlines() if line.startswith("title"))
        title = title.replace('\\"', '"')
        editor = EditorScreen(owner).open_new(program.url)
        editor.write(title, text)
        editor.publish()
        editor.wait_for("Readers can see it now")
        owner.find_element(By.LINK_TEXT, "View it").click()
        reader.get(owner.current_url)
        page = Screen(reader)
        assert page.heading == title.replace("`", ""), path.name
        assert not page.is_wider_than_the_window(), path.name
        for name, selector in {"code": ".highlight .k, .highlight .kd", "table": ".table table", "footnote": ".footnote li"}.items():
            if reader.find_elements(By.CSS_SELECTOR, selector):
                seen.add(name)
    assert seen == {"code", "table", "footnote"}
    reader.get(program.url)
    assert len(reader.find_elements(By.CSS_SELECTOR, ".lead, .entry")) == 10
