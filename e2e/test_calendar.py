"""What waits is moved to another day in the calendar: by dragging it, and by Alt and an arrow."""

from datetime import UTC, datetime, timedelta

import pytest
from selenium.webdriver import ActionChains, Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from cms.content.pipeline import render
from cms.db.session import Database
from cms.policy import Actor
from cms.services import scheduling
from cms.services.publishing import Version
from e2e.axe import problems
from e2e.desk import fill
from e2e.pages.screen import Screen, Waiting
from e2e.program import Program
from tests import factories

pytestmark = pytest.mark.browser

MONTH = (datetime.now(UTC).replace(day=1) + timedelta(days=62)).replace(day=1, hour=9, minute=30, second=0, microsecond=0)
WRONG = timedelta(days=9)


async def planned(database: Database, actor: Actor) -> None:
    post = await factories.draft(database, actor, title="Spring tide")
    async with database.transaction() as work:
        await scheduling.schedule(work, actor, post.id, Version(1, render("Mud.")), MONTH + WRONG)


def test_what_waits_is_moved_by_dragging_and_by_keys(program: Program, owner: Chrome) -> None:
    fill(program, "", planned)
    owner.get(f"{program.url}/admin/calendar?month={MONTH:%Y-%m}")
    desk = Screen(owner)

    def day(number: int) -> WebElement:
        return owner.find_element(By.CSS_SELECTOR, f'td[data-day="{MONTH:%Y-%m}-{number:02}"]')

    def entry() -> WebElement:
        return owner.find_element(By.CSS_SELECTOR, ".movable > a")

    def is_on(number: int) -> bool:
        return "Spring tide" in day(number).text

    assert is_on(10)
    ActionChains(owner).drag_and_drop(entry(), day(19)).perform()
    Waiting(owner).until(lambda _: is_on(19))
    desk.wait_for("Moved to")
    assert "09:30" in desk.text, "at the same time of day"
    desk.press("Undo")
    Waiting(owner).until(lambda driver: "/posts/" in driver.current_url)
    owner.get(f"{program.url}/admin/calendar?month={MONTH:%Y-%m}")
    assert is_on(10)
    for key, number in ((Keys.ARROW_RIGHT, 11), (Keys.ARROW_DOWN, 18), (Keys.ARROW_LEFT, 17), (Keys.ARROW_UP, 10)):
        owner.execute_script("arguments[0].focus()", entry())
        desk.keys(Keys.ALT, key)
        Waiting(owner).until(lambda _, number=number: is_on(number))
        Waiting(owner).until(lambda driver: "Spring tide" in driver.switch_to.active_element.text)  # to go on from there
    assert problems(owner) == []
