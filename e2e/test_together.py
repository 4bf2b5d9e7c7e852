"""Writing together, and the text that is never lost: several browsers, a network that goes, a server and a browser that are killed."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By

from e2e.axe import problems
from e2e.conftest import OpenBrowser
from e2e.desk import COLLEAGUE, two_people
from e2e.mishaps import kill, lose_network
from e2e.pages.editor import EditorScreen
from e2e.pages.first_run import EMAIL, PASSWORD
from e2e.pages.screen import Screen, Waiting
from e2e.pages.sign_in import SignInScreen
from e2e.program import Program

pytestmark = pytest.mark.browser

# As when the person comes back from another window; ends when the server has answered whether they may go on.
COME_BACK_TO_THE_WINDOW = """
const [answered] = arguments, { WebSocket } = window;
window.WebSocket = class extends WebSocket {
  constructor(...all) {
    super(...all);
    window.WebSocket = WebSocket;
    clearInterval(again);
    this.addEventListener("close", () => setTimeout(answered));
  }
};
const again = setInterval(() => dispatchEvent(new Event("focus")), 50); // one may be asking already
"""


@dataclass(frozen=True)
class Desk:
    """One site, on which two people are signed in; each test has a post of its own."""

    program: Program
    open_browser: OpenBrowser
    first: EditorScreen
    second: EditorScreen

    def begin(self, title: str, text: str) -> str:
        """The address of a post that the first person has begun."""
        self.first.open_new(self.program.url).write(title, text)
        self.first.wait_for_state("Saved")
        return self.first.driver.current_url

    def begin_together(self, title: str, text: str) -> str:
        address = self.begin(title, text)
        self.second.open(address)
        return address

    def wait_until_both(self, *parts: str) -> str:
        """Until both have one text, in which all of these are."""
        self.first.wait_until(lambda text: all(part in text for part in parts) and text == self.second.written)
        return self.first.written


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with two_people(tmp_path_factory.mktemp("writing")) as (program, open_browser, first, second):
        yield Desk(program, open_browser, EditorScreen(first), EditorScreen(second))


def test_a_new_post_is_there_with_the_first_key(desk: Desk) -> None:
    editor = desk.first.open_new(desk.program.url)
    editor.fill("Title", "Spr")
    editor.type("ing tides")
    editor.fill("Text", "Twice a month. ")
    editor.type("🌊")
    editor.wait_for_state("Saved")
    assert editor.driver.current_url.rsplit("/", 1)[1].isdigit()
    assert editor.driver.get_log("browser") == [], "nothing to complain of"

    editor.open(editor.driver.current_url)
    assert editor.field("Title").get_property("value") == "Spring tides"
    assert editor.written == "Twice a month. 🌊"


def test_two_people_in_one_sentence_keep_every_word(desk: Desk) -> None:
    desk.begin_together("Together", "The tide comes in.")
    for number in range(4):
        desk.first.type_at_the_end(f" a{number}")
        desk.second.type_at_the_start(f"b{number} ")
    desk.second.make_bold()
    desk.first.type_at_the_end(" and out")
    text = desk.wait_until_both("The tide comes in.", " and out", "**", *(f"{who}{number}" for who in "ab" for number in range(4)))
    assert all(text.count(f"{who}{number}") == 1 for who in "ab" for number in range(4)), "and none twice"
    assert desk.first.others == ["Nia Bell is here: follow"]
    assert problems(desk.first.driver) == []

    desk.second.fill("Title", "Together again")
    Screen(desk.first.driver).wait_for("Nia Bell changed this.")
    Waiting(desk.first.driver).until(lambda _: desk.first.field("Title").get_property("value") == "Together again")


def test_who_wrote_this_is_told_by_colour_and_name(desk: Desk) -> None:
    desk.begin_together("By two hands", "The tide comes in.")
    desk.second.type_at_the_end(" It goes out.")
    desk.wait_until_both("comes in. It goes out.")
    desk.first.button("Who wrote this").click()
    assert desk.first.wait_for_authors("The tide comes in.", " It goes out.") == "You wrote this"
    desk.first.move_to_the_end()
    Screen(desk.first.driver).wait_for("Nia Bell wrote this")
    assert problems(desk.first.driver) == []
    desk.second.type_at_the_end(" Twice a day.")
    desk.first.wait_for_authors("The tide comes in.", " It goes out. Twice a day.")
    desk.first.button("Who wrote this").click()
    desk.first.wait_for_authors()


def test_following_a_colleague_leads_to_where_she_writes(desk: Desk) -> None:
    desk.begin_together("A long walk", "\n\n".join(f"Step {number}." for number in range(200)))
    desk.first.move_to_the_start()
    desk.first.button("Nia Bell is here: follow").click()
    desk.second.type_at_the_end(" Here I am.")
    desk.first.wait_until_shown("Step 199. Here I am.")
    desk.first.type_at_the_start("Whoever writes stays. ")
    desk.second.type_at_the_end(" And on.")
    desk.wait_until_both("Whoever writes stays. ", " And on.")
    desk.first.wait_until_shown("Whoever writes stays. Step 0.")


def test_what_is_typed_without_a_network_comes_when_there_is_one(desk: Desk) -> None:
    desk.begin_together("On the train", "Out. ")
    lose_network(desk.second.driver, True)
    desk.second.type_at_the_end("In the tunnel. ")
    desk.second.wait_for_state("Offline: kept on this device")
    desk.second.button("Publish…").click()
    desk.second.wait_for_state("Cannot save: there is no connection just now")
    desk.first.type_at_the_start("Meanwhile. ")
    lose_network(desk.second.driver, False)
    text = desk.wait_until_both("Out. ", "In the tunnel. ", "Meanwhile. ")
    assert len(text) == len("Out. In the tunnel. Meanwhile. ")
    desk.second.wait_for_state("Saved")


def test_a_new_post_that_never_reached_the_server_is_offered_again(desk: Desk) -> None:
    editor = desk.first.open_new(desk.program.url)
    lose_network(editor.driver, True)
    editor.write("In the tunnel", "Only here.")
    editor.wait_for_state("Offline: kept on this device")
    editor.driver.get("about:blank")
    lose_network(editor.driver, False)

    editor.open_new(desk.program.url)
    editor.wait_for("never reached the server: In the tunnel")
    editor.press("Make a new post of it")
    assert editor.field("Title").get_property("value") == "In the tunnel"
    editor.wait_until(lambda text: text == "Only here.")
    editor.open_new(desk.program.url)
    assert "never reached" not in editor.text


def test_a_killed_server_loses_nothing(desk: Desk) -> None:
    address = desk.begin_together("Power cut", "Before. ")
    desk.program.kill()
    desk.first.type_at_the_end("In the dark. ")
    desk.second.type_at_the_start("By candle. ")
    desk.first.wait_for_state("Offline")
    desk.program.start()
    text = desk.wait_until_both("Before. ", "In the dark. ", "By candle. ")
    desk.first.wait_for_state("Saved")
    assert desk.first.open(address).written == text


def test_a_killed_browser_loses_nothing(desk: Desk, tmp_path: Path) -> None:
    address = desk.begin("Flat battery", "Before. ")
    doomed = desk.open_browser(profile=tmp_path)
    SignInScreen(doomed).come_in(desk.program.url, EMAIL, PASSWORD)
    editor = EditorScreen(doomed).open(address)
    lose_network(doomed, True)
    editor.type_at_the_end("Only here. ")
    editor.wait_for_state("Offline: kept on this device")
    kill(doomed)

    (tmp_path / "SingletonLock").unlink(missing_ok=True)
    back = desk.open_browser(profile=tmp_path)
    back.get(address)
    if "/login" in back.current_url:  # cookies are written down later than texts
        SignInScreen(back).sign_in(EMAIL, PASSWORD)
    EditorScreen(back).open(address).wait_until(lambda text: text == "Before. Only here. ")
    desk.first.wait_until(lambda text: text == "Before. Only here. ")


def test_one_person_in_two_windows_is_nobody_else(desk: Desk) -> None:
    address = desk.begin("Two windows", "One. ")
    driver = desk.first.driver
    one = driver.current_window_handle
    driver.switch_to.new_window("tab")
    desk.first.open(address).type_at_the_end("Two. ")
    desk.first.wait_for_state("Saved")
    driver.close()
    driver.switch_to.window(one)
    desk.first.wait_until(lambda text: text == "One. Two. ")
    assert desk.first.others == []


def test_a_form_without_scripts_is_merged_with_what_others_type(desk: Desk) -> None:
    address = desk.begin("Old and new", "First line.\n\nSecond line.\n")
    plain = desk.open_browser(scripts=False)
    SignInScreen(plain).come_in(desk.program.url, COLLEAGUE, PASSWORD)
    plain.get(address)
    form = EditorScreen(plain)
    desk.first.type_at_the_start("Meanwhile. ")
    desk.first.wait_for_state("Saved")
    form.fill("Text", "First line.\n\nSecond line, without scripts.\n")
    form.save()
    both = "Meanwhile. First line.\n\nSecond line, without scripts.\n"
    desk.first.wait_until(lambda text: text == both)
    assert form.written == both


def test_whoever_is_signed_out_signs_in_again_in_place(desk: Desk) -> None:
    desk.begin("Long lunch", "Before. ")
    driver = desk.first.driver
    address = driver.current_url
    driver.switch_to.new_window("tab")
    driver.get(f"{desk.program.url}/account")
    Screen(driver).button("Menu").click()
    Screen(driver).press("Sign out")
    driver.close()
    driver.switch_to.window(driver.window_handles[0])
    desk.first.wait_for("Is it still you?")
    desk.first.button("Not now").click()
    driver.execute_async_script(COME_BACK_TO_THE_WINDOW)
    desk.first.type_at_the_end("Not lost. ")
    desk.first.button("Sign in").click()
    desk.first.fill("Password of", PASSWORD)
    desk.first.button("Go on writing").click()
    desk.first.wait_for_state("Saved")
    desk.first.type_at_the_end("And on. ")
    desk.first.wait_for_state("Saved")
    assert desk.first.open(address).written == "Before. Not lost. And on. "


def test_who_restores_takes_nothing_from_those_who_write_on_and_all_three_publish_one_text(desk: Desk) -> None:
    address = desk.begin_together("High and low", "The tide is low.")
    desk.first.save()
    desk.first.type_at_the_end(" It rises.")
    desk.wait_until_both("low. It rises.")
    third = EditorScreen(desk.open_browser())
    SignInScreen(third.driver).come_in(desk.program.url, EMAIL, PASSWORD)
    third.driver.get(f"{address}/revisions")
    third.driver.find_element(By.CSS_SELECTOR, "form.revisions li .what a").click()
    desk.first.type_at_the_end(" One more.")
    desk.second.type_at_the_start("Another. ")
    third.press("Restore it")
    desk.first.type_at_the_end(" It turns.")
    desk.second.type_at_the_start("Look! ")
    third.when_ready().wait_until(lambda text: all(part in text for part in ("Look! ", "The tide is low.", " It turns.")))
    text = desk.wait_until_both("Look! ", "The tide is low.", " It turns.")
    assert "It rises" not in text
    assert all(text.count(part) == 1 for part in ("Look! ", "The tide is low.", " It turns."))
    third.wait_until(lambda written: written == text)

    third.publish()
    third.wait_for("Readers can see it now")
    third.driver.get(f"{desk.program.url}/high-and-low")
    assert text in third.text


def test_publishing_waits_for_the_last_key(desk: Desk) -> None:
    desk.begin("In print", "Before. ")
    desk.first.type_at_the_end("The last word.")
    desk.first.publish()
    desk.first.wait_for("Readers can see it now")
    reader = desk.second.driver
    reader.get(f"{desk.program.url}/in-print")
    assert "Before. The last word." in Screen(reader).text
