"""A post with everything that the library has: nothing on it is wrong, and its gallery is looked at by keyboard alone."""

import pytest
from selenium.webdriver import ActionChains, Chrome, Keys

from e2e.axe import problems
from e2e.conftest import OpenBrowser
from e2e.desk import fill
from e2e.illustrated import illustrate
from e2e.pages.screen import Screen, Waiting
from e2e.program import Program

pytestmark = pytest.mark.browser

ADDRESS = "/low-water"
SHOWN = """
const box = document.querySelector("light-box dialog");
return box?.open ? [box.ariaLabel, box.querySelector("img").alt, box.querySelector("img").naturalWidth > 960] : null;
"""
FOCUSED = "return document.activeElement.querySelector('img')?.alt ?? document.activeElement.ariaLabel"


@pytest.fixture(scope="module", autouse=True)
def illustrated(site: Program) -> None:
    fill(site, "", illustrate(site.data / "media"))


def press(driver: Chrome, *keys: str) -> None:
    ActionChains(driver).send_keys(*keys).perform()


def test_a_gallery_is_looked_at_by_keyboard_alone(site: Program, at_desk: Chrome) -> None:
    at_desk.get(site.url + ADDRESS)
    Waiting(at_desk).until(lambda _: at_desk.execute_script("return document.querySelector('light-box dialog') !== null"))
    at_desk.execute_script("document.querySelector('.gallery a').focus()")

    press(at_desk, Keys.ENTER)
    Waiting(at_desk).until(lambda _: at_desk.execute_script(SHOWN) == ["Picture 1 of 5", "The mast against the sky", True])
    assert problems(at_desk) == []
    press(at_desk, Keys.ARROW_RIGHT)
    Waiting(at_desk).until(lambda _: at_desk.execute_script(SHOWN)[:2] == ["Picture 2 of 5", "The pier, with nobody on it"])
    assert "the harbour's own again" in at_desk.find_element("css selector", "light-box figcaption").text.replace("’", "'")
    press(at_desk, Keys.ARROW_LEFT, Keys.ARROW_LEFT)
    assert at_desk.execute_script(SHOWN)[0] == "Picture 5 of 5"
    press(at_desk, Keys.HOME, Keys.TAB, Keys.TAB, Keys.ENTER)
    assert at_desk.execute_script(SHOWN)[0] == "Picture 2 of 5", "the button for the next one"

    press(at_desk, Keys.ESCAPE)
    assert at_desk.execute_script(SHOWN) is None
    came_to = "The pier, with nobody on it"  # not where one began, which the dialog itself gives the focus back to
    Waiting(at_desk).until(lambda _: at_desk.execute_script(FOCUSED) == came_to)
    press(at_desk, Keys.ENTER, Keys.ENTER)
    Waiting(at_desk).until(lambda _: at_desk.execute_script(SHOWN) is None)


@pytest.mark.parametrize("width", [360, 1280])
def test_pictures_films_and_cards_stay_within_the_window(site: Program, open_browser: OpenBrowser, width: int) -> None:
    driver = open_browser(width=width)
    for path in (ADDRESS, "/"):
        driver.get(site.url + path)
        assert problems(driver) == [], path
        assert not Screen(driver).is_wider_than_the_window(), path
        for film in driver.find_elements("tag name", "video"):
            assert film.size["width"] / film.size["height"] == pytest.approx(16 / 9, rel=0.01), "not as the square picture before it"


def test_without_scripts_a_picture_leads_to_the_whole_of_it(site: Program, open_browser: OpenBrowser) -> None:
    driver = open_browser(scripts=False)
    driver.get(site.url + ADDRESS)
    driver.find_element("css selector", ".gallery a").send_keys(Keys.ENTER)
    Waiting(driver).until(lambda _: driver.current_url.endswith("/mast.jpg"))
