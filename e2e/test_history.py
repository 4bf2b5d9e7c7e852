"""The history of a text in a browser: two revisions compared by keyboard, played back, and an older one restored."""

from pathlib import Path

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from cms.db.session import Database
from cms.services.passwords import Passwords
from e2e.axe import problems
from e2e.conftest import OpenBrowser
from e2e.pages.screen import Waiting
from e2e.program import Program
from tests import factories
from tests.conftest import Templates

pytestmark = pytest.mark.browser


def press(driver: Chrome, selector: str, key: str = Keys.ENTER) -> None:
    driver.find_element(By.CSS_SELECTOR, selector).send_keys(key)


def wait_for(driver: Chrome, selector: str, words: str) -> None:
    Waiting(driver).until(lambda _: words in driver.find_element(By.CSS_SELECTOR, selector).text)


async def test_a_text_is_compared_played_back_and_restored(tmp_path: Path, templates: Templates, open_browser: OpenBrowser) -> None:
    data = tmp_path / "data"
    database = Database(await templates.copy_sqlite(data / "squall.db"))
    olga = await factories.person(database, "owner", password_hash=await Passwords().hash(factories.PASSWORD))
    post_id = (await factories.draft(database, olga, title="Tides", text="The tide is low.")).id
    for text in ("The tide is high.", "The tide is high. Gulls came."):
        await factories.edited(database, olga, post_id, text=text)
    await database.dispose()
    program, driver = Program(tmp_path).migrated().start(), open_browser(width=375)
    try:
        history = f"{program.url}/admin/posts/{post_id}/revisions"
        driver.get(f"{program.url}/login")
        press(driver, "[name=email]", "owner@example.org")
        press(driver, "[name=password]", factories.PASSWORD + Keys.ENTER)
        wait_for(driver, "main h1", "Today")

        driver.get(history)
        assert problems(driver) == []
        press(driver, "form.revisions li:last-child input[name=old]", Keys.SPACE)
        press(driver, "form.revisions button")
        wait_for(driver, "main", "3 words came, 1 went")
        assert [each.text for each in driver.find_elements(By.CSS_SELECTOR, ".diff ins")] == ["high", " Gulls came."]
        assert problems(driver) == []

        driver.get(f"{history}/playback")
        wait_for(driver, ".step", "1 of 3")
        press(driver, "revision-player form button", Keys.SPACE)
        wait_for(driver, ".step", "3 of 3")
        press(driver, "input[type=range]", Keys.HOME)
        wait_for(driver, ".step", "1 of 3")
        press(driver, "a[rel=next]")
        wait_for(driver, ".step", "2 of 3")
        assert driver.switch_to.active_element.text == "Next"
        assert problems(driver) == []
        assert driver.get_log("browser") == []  # type: ignore[no-untyped-call]

        driver.get(history)
        press(driver, "form.revisions li:last-child .what a")
        wait_for(driver, "main", "As it was written")
        press(driver, "form[action$=restoration] button")
        Waiting(driver).until(lambda _: driver.current_url.endswith(f"/admin/posts/{post_id}"))
        driver.get(history)
        wait_for(driver, "form.revisions li", "Restored by Olga Owner")
    finally:
        program.stop()
