"""Journeys through lists: by keyboard alone, without scripts on a phone, and with a number that is somebody else's."""

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from e2e.axe import problems
from e2e.conftest import OpenBrowser
from e2e.desk import box, fill, texts
from e2e.pages.first_run import EMAIL, PASSWORD, SetupScreen
from e2e.pages.screen import Screen, Waiting
from e2e.pages.sign_in import SignInScreen
from e2e.program import Program

pytestmark = pytest.mark.browser


def test_list_is_worked_through_by_keyboard_alone(program: Program, owner: Chrome) -> None:
    fill(program, "", texts("Third", "Second", "First"))
    owner.get(f"{program.url}/admin/posts")
    desk = Screen(owner)
    for key in "jjxkx":
        desk.keys(key)
    assert [box(owner, title).is_selected() for title in ("First", "Second", "Third")] == [True, True, False]
    assert owner.switch_to.active_element.accessible_name == "Choose First", "it is heard that it is chosen"
    assert owner.find_element(By.CLASS_NAME, "bulk").is_displayed()
    assert problems(owner) == []
    desk.keys("#")
    desk.wait_for("2 were moved to the trash.")
    assert "First" not in desk.text
    desk.press("Undo")
    desk.wait_for("Undone: everything is as it was before.")
    desk.keys("jx")
    desk.button("Tags…").click()
    owner.find_element(By.ID, "tags").send_keys("Sea", Keys.ENTER)  # the field's own act, not the first of the form, which publishes
    desk.wait_for("Tags were added to 1 text.")
    box(owner, "First").send_keys(Keys.ENTER)  # nothing: it once was the first act of the first row
    desk.keys("j")
    title = owner.switch_to.active_element.text
    assert title in ("First", "Second", "Third")
    desk.keys(Keys.ENTER)
    Waiting(owner).until(lambda driver: driver.title.startswith(f"Edit: {title}"))


def test_list_works_on_a_phone_without_scripts(program: Program, owner: Chrome, open_browser: OpenBrowser) -> None:
    fill(program, "", texts("Ebb", "Flood"))
    driver = open_browser(width=375, scripts=False)
    desk = SignInScreen(driver)
    desk.come_in(program.url, EMAIL, PASSWORD)
    driver.get(f"{program.url}/admin/posts")
    assert not driver.find_element(By.CLASS_NAME, "bulk").is_displayed()
    box(driver, "Ebb").click()
    assert driver.find_element(By.CLASS_NAME, "bulk").is_displayed()
    assert not desk.is_wider_than_the_window()
    desk.button("Tags…").click()
    driver.find_element(By.ID, "tags").send_keys("Sea")
    desk.press("Add")
    assert "Tags were added to 1 text." in desk.text
    desk.button("Filter").click()
    driver.find_element(By.ID, "tag").send_keys("sea")
    driver.find_element(By.CSS_SELECTOR, "#filters .primary").click()
    Waiting(driver).until(lambda driver: "tag=sea" in driver.current_url)
    assert "Ebb" in desk.text
    assert "Flood" not in desk.text


def test_number_of_somebody_else_is_refused_and_what_is_ones_own_comes_back(
    program_on_each: Program, open_browser: OpenBrowser, request: pytest.FixtureRequest
) -> None:
    program = program_on_each
    is_embedded = "postgresql" not in request.node.name
    url = "" if is_embedded else request.getfixturevalue("empty_postgresql_url")
    SetupScreen(open_browser()).make_owner(program.owner_link)
    program.make_person("cem@example.org", "Cem Öz", "contributor", PASSWORD)
    (secret,) = fill(program, url, texts("Secret"))
    fill(program, url, texts("Mine"), "cem@example.org")
    driver = open_browser()
    desk = SignInScreen(driver)
    desk.come_in(program.url, "cem@example.org", PASSWORD)
    driver.get(f"{program.url}/admin/posts")
    mine = box(driver, "Mine")
    mine.click()
    other = "const other = arguments[0].cloneNode(); other.value = arguments[1]; other.checked = true; arguments[0].after(other)"
    driver.execute_script(other, mine, secret)  # type: ignore[no-untyped-call]
    driver.find_element(By.XPATH, "//button[normalize-space()='Trash']").click()  # beside the chosen ones: the place has this name, too
    desk.wait_for("1 was moved to the trash.")
    assert f"No. {secret}" in desk.text
    assert "This is not yours, or not there." in desk.text
    assert "Secret" not in desk.text
    assert problems(driver) == []

    driver.get(f"{program.url}/admin/posts?status=trashed")
    box(driver, "Mine").click()
    desk.press("Take out of the trash")
    driver.get(f"{program.url}/admin/posts?status=draft")
    assert "Mine" in desk.text
