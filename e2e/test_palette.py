"""The palette of commands, by keyboard alone."""

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from e2e.axe import problems
from e2e.desk import fill, texts
from e2e.pages.screen import Waiting
from e2e.program import Program

pytestmark = pytest.mark.browser

IS_IN_SIGHT = """
const current = document.querySelector(".side [aria-current]"), { x, y, height } = current.getBoundingClientRect();
return current.contains(document.elementFromPoint(x + 20, y + height / 2));
"""


def chosen(driver: Chrome) -> str:
    return driver.find_element(By.CSS_SELECTOR, "#palette [aria-selected=true] cite").text


def ask(driver: Chrome, words: str, first: str) -> None:
    driver.find_element(By.TAG_NAME, "body").send_keys(Keys.CONTROL, "k")
    driver.switch_to.active_element.send_keys(words)
    Waiting(driver).until(lambda driver: driver.find_elements(By.CSS_SELECTOR, "#found [role=option]") and chosen(driver) == first)


def test_any_text_section_setting_or_action_is_a_few_letters_away(site: Program, at_desk: Chrome) -> None:
    fill(site, "", texts("Low tide", "High tide"))
    at_desk.get(f"{site.url}/admin/posts")
    ask(at_desk, "tide", "High tide")
    assert problems(at_desk) == []
    at_desk.switch_to.active_element.send_keys(Keys.ARROW_DOWN)
    assert chosen(at_desk) == "Low tide"
    at_desk.switch_to.active_element.send_keys(Keys.ENTER)
    Waiting(at_desk).until(lambda driver: driver.title.startswith("Edit: Low tide"))
    ask(at_desk, "backu", "Backups")
    at_desk.switch_to.active_element.send_keys(Keys.ENTER)
    Waiting(at_desk).until(lambda driver: driver.title.startswith("Backups"))
    ask(at_desk, "limi", "Site settings: Limits")
    at_desk.switch_to.active_element.send_keys(Keys.ENTER)
    Waiting(at_desk).until(lambda driver: driver.current_url.endswith("/admin/site/limits"))
    ask(at_desk, "new pa", "New page")
    at_desk.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert not at_desk.find_element(By.ID, "palette").is_displayed()
    ask(at_desk, "audit", "Record of acts")
    at_desk.switch_to.active_element.send_keys(Keys.ENTER)
    Waiting(at_desk).until(lambda driver: driver.title.startswith("Record of acts"))
    Waiting(at_desk).until(lambda driver: driver.execute_script(IS_IN_SIGHT))


def test_a_place_is_found_by_what_other_programs_call_it(site: Program, at_desk: Chrome) -> None:
    at_desk.get(f"{site.url}/admin/posts")
    for words, first in (
        ("theme", "Site settings: Look"),
        ("permalink", "Site settings: Addresses"),
        ("audit", "Record of acts"),
        ("users", "People"),
        ("wordpress", "Import, export"),
        ("navigation", "Menus"),
        ("deleted", "Trash: Posts"),
        ("invite", "Invite somebody"),
        ("exact", "Exact times"),
        ("sign out", "Sign out"),
        ("log out", "Sign out"),
        ("shortcuts", "Keyboard"),
    ):
        ask(at_desk, words, first)
        at_desk.switch_to.active_element.send_keys(Keys.ESCAPE)
    ask(at_desk, "recover", "Trash: Posts")
    at_desk.switch_to.active_element.send_keys(Keys.ENTER)
    Waiting(at_desk).until(lambda driver: driver.find_elements(By.CSS_SELECTOR, ".tabs [aria-current=page]"))
    assert at_desk.find_element(By.CSS_SELECTOR, ".tabs [aria-current=page]").text.startswith("Trash")


def test_the_palette_fits_a_phone(site: Program, at_desk: Chrome) -> None:
    fill(site, "", texts("A title that is longer than any telephone is wide, and goes on for a while"))
    at_desk.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": False})
    at_desk.get(f"{site.url}/admin/posts")
    ask(at_desk, "telephone", "A title that is longer than any telephone is wide, and goes on for a while")
    assert at_desk.execute_script(
        "return [...document.querySelectorAll('#palette, #found')].every((box) => box.scrollWidth <= box.clientWidth)"
    )
