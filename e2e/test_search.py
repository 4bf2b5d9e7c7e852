"""Search by the keyboard alone, with scripts and without."""

import pytest
from selenium.webdriver import Keys

from e2e.conftest import OpenBrowser
from e2e.pages.screen import Waiting
from e2e.program import Program

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("scripts", [True, False])
def test_results_come_while_typing_and_arrows_lead_to_them(owned_demo: Program, open_browser: OpenBrowser, scripts: bool) -> None:
    driver = open_browser(scripts=scripts)
    driver.get(f"{owned_demo.url}/search")
    field = driver.switch_to.active_element
    assert field.get_attribute("name") == "q"
    field.send_keys("musse" if scripts else f"musse{Keys.ENTER}")
    Waiting(driver).until(lambda _: driver.find_elements("css selector", ".entry-title a"))
    assert driver.current_url.endswith("/search?q=musse")
    assert "musse" in driver.title
    assert driver.find_element("css selector", "[role=status]").text
    assert driver.find_element("css selector", "mark").text.lower().startswith("musse")
    if not scripts:
        return
    assert driver.switch_to.active_element == field
    field.send_keys(Keys.ARROW_DOWN)
    assert driver.switch_to.active_element.text == "Mussels from the second ladder"
    driver.switch_to.active_element.send_keys(Keys.ARROW_UP)
    assert driver.switch_to.active_element == field
    field.send_keys(Keys.ARROW_DOWN)
    driver.switch_to.active_element.send_keys(Keys.ENTER)
    Waiting(driver).until(lambda _: "/search" not in driver.current_url)
    driver.back()
    assert driver.find_element("name", "q").get_attribute("value") == "musse"
