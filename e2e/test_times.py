"""Times at the desk: near ones stay true while a page is open, and exact ones are reached by pointer, finger and keyboard."""

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from e2e.desk import fill, texts
from e2e.pages.screen import Screen
from e2e.program import Program

pytestmark = pytest.mark.browser

LATER = "const then = Date.now() + 180000; Date.now = () => then; document.querySelector('td relative-time').show();"


def test_a_time_is_told_anew_and_exactly_for_whoever_wants_it_so(program: Program, owner: Chrome) -> None:
    fill(program, "", texts("Ebb"))
    owner.get(f"{program.url}/admin/posts")
    desk = Screen(owner)

    def shown() -> tuple[str, str]:
        time = owner.find_element(By.CSS_SELECTOR, "td relative-time time")
        return time.text, str(time.get_attribute("title"))

    near, title = shown()
    full = title.partition(" (")[0]
    assert (near, title.endswith("(UTC)")) == ("just now", True)
    owner.execute_script(LATER)
    assert shown()[0] == "3 minutes ago"
    owner.find_element(By.CSS_SELECTOR, "td relative-time").click()
    assert shown()[0] == full
    owner.find_element(By.CSS_SELECTOR, "td relative-time").click()
    assert shown()[0] == "3 minutes ago"
    desk.keys("T")
    assert shown()[0] == full
    owner.refresh()
    assert shown()[0] == full, "the next page is drawn so"
    exact = desk.button("Exact times")
    assert exact.get_attribute("aria-pressed") == "true"
    owner.execute_script("arguments[0].scrollIntoView({ block: 'nearest' })", exact)  # from below one's name, which stays in sight
    exact.click()
    assert shown()[0] in ("just now", "1 minute ago")
