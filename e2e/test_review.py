"""Somebody outside follows a text while it is written, and two people talk about a passage that moves."""

from collections.abc import Iterator

import pytest
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By

from e2e.axe import problems
from e2e.conftest import browsers, owned_site
from e2e.pages.editor import EditorScreen
from e2e.pages.first_run import PASSWORD
from e2e.pages.screen import Screen, Waiting
from e2e.pages.sign_in import SignInScreen
from e2e.program import Program

pytestmark = pytest.mark.browser

PHONE = {"width": 360, "height": 780, "deviceScaleFactor": 1, "mobile": False}
TEXT = "\n\n".join(f"The ebb follows the flood, {number}." for number in range(60))


@pytest.fixture(scope="module")
def screens(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[EditorScreen, EditorScreen, Screen, str]]:
    """Who writes, a colleague in the same text, somebody outside, and the text's address."""
    program = owned_site.start(Program(tmp_path_factory.mktemp("review")))
    with browsers() as open_browser:
        writer, colleague, guest = owned_site.let_in(open_browser()), open_browser(), open_browser()
        program.make_person("nia@example.org", "Nia Bell", "editor", PASSWORD)
        SignInScreen(colleague).come_in(program.url, "nia@example.org", PASSWORD)
        screen = EditorScreen(writer)
        screen.open_new(program.url).write("Low tide", TEXT)
        screen.wait_for_state("Saved")
        yield screen, EditorScreen(colleague), Screen(guest), writer.current_url
    program.stop()


def open_talk(screen: EditorScreen, address: str) -> None:
    """The text, with what is said about it beside it."""
    screen.open(address)
    screen.driver.execute_script("const panel = document.getElementById('panel'); if (!panel.checked) panel.click()")
    screen.driver.execute_script("document.getElementById('review').open = true")


def choose(driver: Chrome, count: int) -> None:
    """The first signs of the text, with the keyboard."""
    driver.execute_script("arguments[0].focus()", driver.find_element(By.CSS_SELECTOR, ".cm-content"))  # type: ignore[no-untyped-call]
    chain = ActionChains(driver).key_down(Keys.CONTROL).send_keys(Keys.HOME).key_up(Keys.CONTROL).key_down(Keys.SHIFT)
    chain.send_keys(Keys.RIGHT * count).key_up(Keys.SHIFT).perform()


def shows(driver: Chrome, selector: str, words: str) -> None:
    found = "return [...document.querySelectorAll(arguments[0])].some((each) => each.textContent.includes(arguments[1]))"
    Waiting(driver).until(lambda _: driver.execute_script(found, selector, words))  # type: ignore[no-untyped-call]


def test_outsider_sees_what_is_typed_and_keeps_the_place(screens: tuple[EditorScreen, EditorScreen, Screen, str]) -> None:
    writer, _, guest, address = screens
    writer.driver.get(f"{address}/links")
    writer.press("Make the link")
    link = writer.driver.find_element(By.CSS_SELECTOR, "copy-field input").get_property("value")
    guest.driver.get(str(link))
    assert problems(guest.driver) == []
    guest.driver.execute_script("document.querySelectorAll('.prose p')[40].scrollIntoView()")
    place = "return document.querySelectorAll('.prose p')[arguments[0]].getBoundingClientRect().top"
    before = guest.driver.execute_script(place, 40)
    writer.open(address)
    writer.type_at_the_start("At first a new paragraph.\n\n")
    shows(guest.driver, ".prose p", "At first a new paragraph.")
    assert abs(float(guest.driver.execute_script(place, 41)) - float(before)) < 3
    writer.driver.get(f"{address}/links")
    writer.press("Revoke Link 1")
    shows(guest.driver, ".guest", "This preview has ended.")


def test_comment_moves_with_its_passage_and_comes_to_the_colleague(screens: tuple[EditorScreen, EditorScreen, Screen, str]) -> None:
    writer, colleague, _, address = screens
    writer.open(address)
    writer.fill("Text", "The ebb follows the flood.")
    writer.wait_for_state("Saved")
    for each in (writer, colleague):
        open_talk(each, address)
    colleague.wait_until(lambda text: text == "The ebb follows the flood.")
    choose(writer.driver, 7)
    writer.button("Comment on what is chosen").click()
    writer.fill("Comment", "Which one?")
    writer.button("Send").click()
    for each in (writer, colleague):
        shows(each.driver, ".thread", "Which one?")
        shows(each.driver, ".anchored", "The ebb")
    colleague.type_at_the_start("Look: ")
    writer.wait_until(lambda text: text.startswith("Look: The ebb"))
    passage = writer.driver.find_element(By.CSS_SELECTOR, ".anchored")
    assert passage.text == "The ebb"
    passage.click()
    assert "Which one?" in writer.driver.switch_to.active_element.text
    writer.button("Resolve").click()
    shows(colleague.driver, "[data-none]:not([hidden])", "Nothing is open.")
    assert problems(writer.driver) == []


def test_suggestion_of_one_is_taken_up_by_the_other(screens: tuple[EditorScreen, EditorScreen, Screen, str]) -> None:
    writer, colleague, _, address = screens
    for each in (writer, colleague):
        open_talk(each, address)
    colleague.fill("Text", "The ebb 😀 follows the flood.")
    writer.wait_until(lambda text: "😀" in text)
    choose(writer.driver, 7)
    writer.button("Comment on what is chosen").click()
    writer.driver.find_element(By.CSS_SELECTOR, "review-threads form[data-new] summary").click()
    writer.fill("Instead", "Low water")
    writer.button("Send").click()
    shows(colleague.driver, ".thread ins", "Low water")
    colleague.type_at_the_start("日本 ")
    colleague.wait_for_state("Saved")
    colleague.button("Take it up").click()
    for each in (writer, colleague):
        each.wait_until(lambda text: text == "日本 Low water 😀 follows the flood.")


def test_comment_begins_in_the_bar_of_formats_and_no_answer_is_lost(screens: tuple[EditorScreen, EditorScreen, Screen, str]) -> None:
    writer, colleague, _, address = screens
    writer.open_new(address.partition("/admin/")[0]).write("New", "High water at noon.")
    writer.wait_for_state("Saved")
    choose(writer.driver, 10)
    writer.button("Comment").click()
    writer.fill("Comment", "Which noon?")
    writer.button("Send").click()
    shows(writer.driver, ".foot", "1 comment")
    assert problems(writer.driver) == []

    colleague.open(writer.driver.current_url)
    colleague.button("1 comment").click()
    shows(colleague.driver, ".thread", "Which noon?")
    colleague.fill("Answer", "Ours.")
    writer.fill("Answer", "The sun's.")
    writer.button("Resolve").click()
    shows(writer.driver, "[data-none]:not([hidden])", "Nothing is open.")
    shows(colleague.driver, ".thread", "Which noon?")
    colleague.button("Answer").click()
    shows(colleague.driver, "[data-none]:not([hidden])", "Nothing is open.")
    colleague.press("All threads")
    assert "The sun's." in colleague.text
    assert "Ours." in colleague.text


def test_many_leave_room_for_how_it_stands_with_the_text(screens: tuple[EditorScreen, EditorScreen, Screen, str]) -> None:
    writer, colleague, _, address = screens
    writer.open(address)
    colleague.open(address)
    colleague.fill("Text", "The cursor is at the end of this line.")
    writer.wait_until(lambda text: text.endswith("this line."))
    Waiting(writer.driver).until(lambda _: writer.others)
    writer.driver.execute_script("""const here = document.querySelector(".here");
        for (let more = 0; more < 20; more++) here.append(here.firstElementChild.cloneNode(true));
        document.querySelector(".cm-ySelectionInfo").textContent = "Somebody with a rather long name";""")  # type: ignore[no-untyped-call]
    writer.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
    cut = "return [...document.querySelectorAll('.saved > span, .write')].filter((each) => each.scrollWidth > each.clientWidth).length"
    Waiting(writer.driver).until(lambda driver: driver.execute_script(cut) == 0)
