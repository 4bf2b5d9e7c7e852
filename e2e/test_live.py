"""Two people at the desk: what one does, the other sees without asking, and nothing moves under his hands."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from cms.db.session import Database
from cms.models.desk import TransferKind
from cms.policy import Actor
from cms.services import jobs, transfer_runs
from e2e.axe import problems
from e2e.conftest import OpenBrowser
from e2e.desk import box, fill, pages, texts, two_people
from e2e.pages.editor import EditorScreen
from e2e.pages.first_run import PASSWORD
from e2e.pages.screen import Screen, Waiting
from e2e.pages.sign_in import SignInScreen
from e2e.program import Program

pytestmark = pytest.mark.browser

PRESS = """for (const [page, key] of arguments[0]) document.querySelector(`[data-post='${page}'] [data-grip]`)
  .dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));"""
WINDOWS = 8  # more than a browser opens connections to one host


@dataclass(frozen=True)
class Desk:
    program: Program
    open_browser: OpenBrowser
    olga: Chrome
    nia: Chrome

    def drafts(self, *titles: str) -> list[int]:
        made: list[int] = fill(self.program, "", texts(*titles))
        return made

    def publish(self, post_id: int) -> None:
        """As Olga."""
        self.olga.get(f"{self.program.url}/admin/posts/{post_id}/publication")
        Screen(self.olga).press("Publish now")

    def publish_again(self, post_id: int) -> None:
        self.olga.get(f"{self.program.url}/admin/posts/{post_id}/publication")
        Screen(self.olga).press("Update now")

    def open(self, path: str) -> Screen:
        """For Nia, when her browser has begun to listen."""
        self.nia.get(f"{self.program.url}{path}")
        Waiting(self.nia).until(lambda driver: driver.execute_script("return document.querySelector('desk-news').stream?.readyState === 1"))
        return Screen(self.nia)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with two_people(tmp_path_factory.mktemp("live")) as (program, open_browser, olga, nia):
        program.make_person("cem@example.org", "Cem Öz", "contributor", PASSWORD)
        yield Desk(program, open_browser, olga, nia)


def status(driver: Chrome, post_id: int) -> str:
    return str(driver.find_element(By.CSS_SELECTOR, f"tr[data-post='{post_id}'] td .status").text)


def test_list_and_the_first_page_show_what_somebody_else_publishes(desk: Desk) -> None:
    (post_id,) = desk.drafts("Spring tide")
    desk.open("/admin/posts")
    assert status(desk.nia, post_id) == "Draft"
    desk.publish(post_id)
    Waiting(desk.nia).until(lambda driver: status(driver, post_id) == "Published")
    row = desk.nia.find_element(By.CSS_SELECTOR, f"tr[data-post='{post_id}']")
    assert "fresh" in str(row.get_attribute("class"))
    states = desk.nia.find_element(By.ID, "live-states").text.split()
    assert states[states.index("Published") + 1] == "1", "the numbers of the states, too"
    assert not desk.nia.find_element(By.CSS_SELECTOR, ".news").is_displayed()
    assert desk.nia.find_element(By.CSS_SELECTOR, "[data-all]").is_displayed()

    (post_id,) = desk.drafts("Neap tide")
    today = desk.open("/admin")
    assert not desk.nia.find_elements(By.CSS_SELECTOR, f"#live-out [data-post='{post_id}']")
    desk.publish(post_id)
    Waiting(desk.nia).until(lambda driver: driver.find_elements(By.CSS_SELECTOR, f"#live-out [data-post='{post_id}']"))
    assert today.heading == "Today"


def test_nothing_moves_under_the_hands_of_who_has_chosen_rows(desk: Desk) -> None:
    one, _ = desk.drafts("Ebb", "Flood")
    screen = desk.open("/admin/posts")
    box(desk.nia, "Flood").click()
    desk.publish(one)
    screen.wait_for("1 post changed.")
    assert status(desk.nia, one) == "Draft", "as it was"
    assert problems(desk.nia) == []
    screen.button("Show").click()
    Waiting(desk.nia).until(lambda driver: status(driver, one) == "Published")
    assert box(desk.nia, "Flood").is_selected()
    assert not box(desk.nia, "Ebb").is_selected()
    assert desk.nia.find_element(By.CLASS_NAME, "bulk").is_displayed()
    assert "Flood" in desk.nia.switch_to.active_element.find_element(By.XPATH, "ancestor::tr").text, "where it was"
    assert "1 post changed." not in screen.text


def test_editor_and_dialog_say_that_somebody_published_meanwhile(desk: Desk) -> None:
    (post_id,) = desk.drafts("Slack water")
    editor = EditorScreen(desk.open(f"/admin/posts/{post_id}").driver).when_ready()
    state = desk.nia.find_element(By.CSS_SELECTOR, "[data-stands='badges']")
    assert state.text == "Draft"
    desk.publish(post_id)
    editor.wait_for("Olga Owner published this while you were looking.")
    Waiting(desk.nia).until(lambda _: state.text == "Published")
    editor.button("Update…")
    assert problems(desk.nia) == []
    editor.button("Close").click()
    assert "while you were looking" not in editor.text
    editor.type_at_the_end(" And gulls.")
    Waiting(desk.nia).until(lambda _: state.text == "Unpublished changes")

    editor.open_publication("Update…")
    desk.publish_again(post_id)
    editor.wait_for("Olga Owner published this while you were looking.")
    note = desk.nia.find_element(By.CSS_SELECTOR, "dialog[open] .news")
    assert note.is_displayed(), "over the dialog"
    assert problems(desk.nia) == []
    editor.press("Load it again")
    assert "while you were looking" not in editor.text


def test_what_one_publishes_is_no_news_on_the_page_that_follows(desk: Desk) -> None:
    (post_id,) = desk.drafts("High water")
    desk.publish(post_id)
    Waiting(desk.olga).until(lambda driver: driver.execute_script("return performance.now() > 2000"))
    assert "while you were looking" not in Screen(desk.olga).text


def test_number_of_notifications_is_renewed_and_said(desk: Desk) -> None:
    cem = desk.open_browser()
    SignInScreen(cem).come_in(desk.program.url, "cem@example.org", PASSWORD)
    writer = EditorScreen(cem).open_new(desk.program.url)
    told = desk.open("/admin/notifications")
    assert "Nothing yet" in told.text
    desk.nia.switch_to.new_window("tab")
    desk.nia.get(f"{desk.program.url}/admin/posts")
    writer.write("Low tide", "Mud, mostly.")
    writer.wait_for_state("Saved")
    writer.press("Submit for review…")
    writer.press("Submit for review")
    Waiting(desk.nia).until(lambda driver: driver.title.startswith("(1) Posts"))
    assert desk.nia.find_element(By.CSS_SELECTOR, "desk-news [role=status]").get_attribute("textContent") == "1 new notification"
    bell = desk.nia.find_element(By.CSS_SELECTOR, ".side [data-bell]")
    assert (bell.get_attribute("hidden"), bell.get_attribute("textContent")) == (None, "1 new")
    assert problems(desk.nia) == []
    desk.nia.close()
    desk.nia.switch_to.window(desk.nia.window_handles[0])
    told.wait_for("Cem Öz asks you to review “Low tide”")


def test_more_windows_than_connections_share_one_stream(desk: Desk) -> None:
    (post_id,) = desk.drafts("Storm surge")
    desk.open("/admin/posts")
    first = desk.nia.current_window_handle
    for _ in range(WINDOWS - 1):
        desk.nia.switch_to.new_window("tab")
        desk.nia.get(f"{desk.program.url}/admin/posts")
        assert status(desk.nia, post_id) == "Draft"
    desk.publish(post_id)
    Waiting(desk.nia).until(lambda driver: status(driver, post_id) == "Published")
    others = [each for each in desk.nia.window_handles if each != first]
    desk.nia.switch_to.window(first)
    desk.nia.close()  # the one that listened
    desk.nia.switch_to.window(others[0])
    Waiting(desk.nia).until(lambda driver: status(driver, post_id) == "Published")
    (post_id,) = desk.drafts("Seiche")
    Waiting(desk.nia).until(lambda driver: status(driver, post_id) == "Draft")
    for other in others[1:]:
        desk.nia.switch_to.window(other)
        desk.nia.close()
    desk.nia.switch_to.window(others[0])


def test_jobs_and_exports_are_true_while_one_looks(desk: Desk) -> None:
    async def plan(database: Database, actor: Actor) -> None:
        async with database.transaction() as work:
            await jobs.enqueue(work, "reindex_desk", due_at=work.now + timedelta(hours=1))

    async def export(database: Database, actor: Actor) -> None:
        async with database.transaction() as work:
            await transfer_runs.ask(work, actor, TransferKind.EXPORT)

    for path, act, words in (("/admin/jobs", plan, "Makes the search of the desk anew"), ("/admin/transfers", export, "Done")):
        desk.olga.get(f"{desk.program.url}{path}")
        shown = Screen(desk.olga)
        assert words not in shown.text
        desk.olga.execute_script("window.isTheSamePage = true")
        fill(desk.program, "", act)
        shown.wait_for(words)
        assert desk.olga.execute_script("return window.isTheSamePage")
        assert problems(desk.olga) == []


def test_tree_of_pages_is_true_while_one_looks_and_goes_on_moving(desk: Desk) -> None:
    first, second, third = fill(desk.program, "", pages("About", "Team", "Way"))
    screen = desk.open("/admin/pages/tree")

    def order() -> list[str]:
        rows = desk.nia.find_elements(By.CSS_SELECTOR, "#live-tree [data-post] .title")
        return [str(row.text) for row in rows]

    assert order() == ["About", "Team", "Way"]
    desk.olga.get(f"{desk.program.url}/admin/pages/tree")
    Screen(desk.olga).button("Move “Team” up").click()
    Waiting(desk.nia).until(lambda _: order() == ["Team", "About", "Way"])
    assert not desk.nia.find_element(By.CSS_SELECTOR, ".news").is_displayed()
    assert problems(desk.nia) == []
    grip = desk.nia.find_element(By.CSS_SELECTOR, f"[data-post='{first}'] [data-grip]")
    grip.send_keys(Keys.ARROW_UP)
    screen.wait_for("Moved.")
    assert order() == ["About", "Team", "Way"]
    desk.nia.find_element(By.CSS_SELECTOR, f"[data-post='{second}'] [data-grip]").send_keys("")
    desk.olga.get(f"{desk.program.url}/admin/pages/tree")
    Screen(desk.olga).button("Move “Team” up").click()
    screen.wait_for("2 posts changed.")
    assert order() == ["About", "Team", "Way"], "nothing moves under somebody's hands"
    screen.button("Show").click()
    Waiting(desk.nia).until(lambda _: order() == ["Team", "About", "Way"])
    desk.nia.execute_script(PRESS, [[second, "ArrowDown"], [third, "ArrowUp"]])  # one right after the other
    screen.wait_for("Moved.")
    assert order() == ["About", "Way", "Team"], "both have"


def test_what_is_looked_at_in_the_background_is_shown_when_it_is_done(desk: Desk) -> None:
    desk.olga.get(f"{desk.program.url}/admin/system")
    screen = Screen(desk.olga)
    screen.press("Look now")
    desk.olga.execute_script("window.isTheSamePage = true")
    screen.wait_for("All checks")
    assert desk.olga.execute_script("return window.isTheSamePage"), "without a reload"
    assert not desk.olga.find_element(By.TAG_NAME, "under-way").get_attribute("busy")
