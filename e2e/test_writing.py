"""The writing surface in a real browser: by typing, by keys, by pasting; and what the content policy and axe say of it."""

import time
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, Keys

from e2e.axe import problems
from e2e.pages.editor import EditorScreen
from e2e.pages.screen import Waiting
from e2e.pages.writing import WritingScreen
from e2e.program import Program

pytestmark = pytest.mark.browser

CLIPBOARD = Path(__file__).parents[1] / "editor/test/clipboard"


@pytest.fixture
def writer(site: Program, at_desk: Chrome) -> WritingScreen:
    """An empty post."""
    EditorScreen(at_desk).open_new(site.url)
    return WritingScreen(at_desk)


def complaints(driver: Chrome) -> list[str]:
    said = [entry["message"] for entry in driver.get_log("browser")]
    return [each for each in said if "Content Security Policy" in each or "Uncaught" in each]


def test_keys_do_what_people_know(writer: WritingScreen) -> None:
    writer.start()
    writer.type("- one")
    writer.keys(Keys.SHIFT, Keys.ENTER)
    writer.type("and on")
    assert writer.text == "- one\\\n  and on", "a line of its own in the same item"
    writer.start()
    writer.type("- one\ntwo\n\n")
    assert writer.text == "- one\n- two\n\n", "a list goes on, ends at an empty item, and what follows is none of it"
    writer.type("- one\ntwo")
    writer.keys(Keys.TAB)
    assert writer.text.endswith("- one\n  - two")
    writer.keys(Keys.SHIFT, Keys.TAB)
    writer.type("\n\nHarbour 🦀")
    writer.choose_back(2)
    writer.keys(Keys.CONTROL, "b")
    assert writer.text.endswith("Harbour** 🦀**") or writer.text.endswith("Harbour **🦀**")
    writer.keys(Keys.CONTROL, "z")
    assert writer.text.endswith("Harbour 🦀")
    writer.keys(Keys.CONTROL, Keys.ALT, "2")
    assert writer.text.endswith("## Harbour 🦀")
    focus = writer.button("Focus")
    for is_on in ("true", "false"):
        writer.keys(Keys.CONTROL, Keys.ALT, Keys.SHIFT, "f")
        Waiting(writer.driver).until(lambda _, is_on=is_on: focus.get_attribute("aria-pressed") == is_on)
    writer.keys(Keys.ESCAPE)
    writer.keys(Keys.TAB)
    assert writer.focused != "Text, in Markdown", "Escape, then Tab leaves"
    assert complaints(writer.driver) == []


def test_blocks_are_found_by_their_names_and_tables_stay_aligned(writer: WritingScreen) -> None:
    writer.start()
    writer.type("/tab")
    assert writer.shown(".blocks [role=option][aria-selected]").text == "Table"
    assert writer.surface.get_attribute("aria-activedescendant") == writer.shown("[role=option][aria-selected]").get_attribute("id")
    writer.choose_block("Table")
    writer.type("what")
    writer.keys(Keys.TAB)
    writer.type("how many")
    writer.keys(Keys.TAB)
    writer.type("rope and twine")
    writer.keys(Keys.TAB)
    writer.type("3")
    writer.keys(Keys.CONTROL, Keys.END)
    writer.keys(Keys.ENTER)
    writer.keys(Keys.ENTER)
    table = "| what           | how many |\n| -------------- | -------- |\n| rope and twine | 3        |\n"
    writer.wait_for_text(f"{table}\n")
    writer.type("A word /foot")
    writer.choose_block("Footnote")
    writer.type("The note.")
    writer.wait_for_text(f"{table}\nA word[^1]\n\n[^1]: The note.")
    writer.start()
    writer.type("/call")
    writer.choose_block("Callout")
    writer.type("TIP\tMud.")
    writer.wait_for_text("> [!TIP]\n> Mud.")
    writer.start()
    writer.type("| a | b |\n| - | - |\n| rope | 3 |\n\nBy hand.")
    writer.wait_for_text("| a    | b   |\n| ---- | --- |\n| rope | 3   |\n\nBy hand.")


def test_the_bar_of_formats_and_the_link_picker_go_by_keys_alone(site: Program, writer: WritingScreen) -> None:
    editor = EditorScreen(writer.driver)
    editor.fill("Title", "Low tide")
    editor.save()
    writer.start("see there")
    writer.choose_back(5)
    assert writer.shown("[role=toolbar]")
    writer.keys(Keys.ALT, Keys.F10)
    writer.keys(Keys.ARROW_RIGHT)
    assert writer.focused == "Italic"
    writer.keys(Keys.ENTER)
    assert writer.text == "see *there*"
    writer.keys(Keys.CONTROL, "k")
    writer.type("tide")
    writer.wait_in(".linker", "Low tide")
    assert problems(writer.driver) == [], "the picker"
    writer.keys(Keys.ENTER)
    writer.wait_for_text("see *[[Low tide|there]]*")
    editor.open_new(site.url)
    editor.fill("Title", "What a list shows before anything is typed")
    editor.save()
    writer.start()
    writer.keys(Keys.CONTROL, "k")
    writer.type("tide\n")
    writer.wait_for_text("[[Low tide]]")  # and not what was found for less of it
    writer.start("https")
    writer.keys(Keys.CONTROL, "a")
    writer.paste(plain="https://example.org/a")
    assert writer.text == "[https](https://example.org/a)"
    assert complaints(writer.driver) == []


@pytest.mark.parametrize("kind", ["docs", "word", "page"])
def test_what_other_programs_put_on_the_clipboard_becomes_markdown(writer: WritingScreen, kind: str) -> None:
    writer.start("Before")
    writer.paste(html=(CLIPBOARD / f"{kind}.html").read_text(encoding="utf-8"), plain="x")
    assert writer.text == "Before\n\n" + (CLIPBOARD / f"{kind}.md").read_text(encoding="utf-8").rstrip("\n")
    assert complaints(writer.driver) == []


def test_words_are_found_and_replaced_and_axe_finds_nothing(writer: WritingScreen) -> None:
    writer.start("one tide, two tides, three\n\n## Heading\n\n```js\nlet tide = 1;\n```\n\n- [x] done\n\n> [!NOTE]\n> Mud.")
    writer.keys(Keys.CONTROL, "f")
    writer.shown(".finder")
    writer.type("tide")
    writer.wait_in(".finder", "3")
    writer.keys(Keys.ENTER)
    writer.wait_in(".finder", "1 of 3")
    assert problems(writer.driver) == [], "find and replace"
    writer.field_named("Replace with").send_keys("wave")
    writer.button("Replace all").click()
    writer.keys(Keys.ESCAPE)
    assert writer.text.startswith("one wave, two waves")
    assert writer.focused == "Text, in Markdown"
    writer.keys(Keys.CONTROL, Keys.END)
    writer.type("\n\n/")
    writer.shown(".blocks [role=option]")
    assert problems(writer.driver) == [], "the menu of blocks"
    writer.keys(Keys.ESCAPE)
    writer.choose_back(1)
    writer.shown("[role=toolbar]")
    assert problems(writer.driver) == [], "the bar of formats"
    assert complaints(writer.driver) == []


def test_a_megabyte_stays_usable(writer: WritingScreen) -> None:
    text = "## Tide 🦀\n\nThe *harbour* wakes in [this](/order) order, `every` day.\n\n- rope\n- lamp\n\n" * 13_000
    assert len(text) > 1_000_000
    writer.start()
    writer.paste(plain=text)
    writer.type("The end.")
    assert writer.text == text + "The end."
    assert len(writer.driver.find_elements("css selector", ".cm-line")) < 500, "only what is seen is drawn"
    editor = EditorScreen(writer.driver)
    editor.wait_for_state("Saved")
    began = time.monotonic()
    editor.open(writer.driver.current_url)
    assert time.monotonic() - began < 20, "it took half a minute where the browser looked for the direction of the text"
    assert not writer.driver.find_element("name", "text").is_displayed(), "nor are its lines broken twice"
    writer.driver.find_element("css selector", ".skip").send_keys(Keys.ENTER)
    assert writer.focused == "Text, in Markdown"


def test_the_line_that_is_typed_is_seen_and_at_the_beginning_the_title(writer: WritingScreen) -> None:
    editor = EditorScreen(writer.driver)
    editor.fill("Title", "Long")
    writer.start()
    writer.paste(plain="\n\n".join(f"## Part {number}\n\n{'The tide comes and goes. ' * 20}" for number in range(20)))
    writer.type("\n\nThe end.")
    editor.wait_for_preview("The end.")
    line = """const { view } = document.querySelector("post-editor").writer;
        return [view.coordsAtPos(view.state.selection.main.head).bottom, document.querySelector(".foot").getBoundingClientRect().top]"""
    bottom, foot = writer.driver.execute_script(line)
    assert bottom < foot
    writer.keys(Keys.CONTROL, Keys.HOME)
    Waiting(writer.driver).until(lambda driver: driver.execute_script('return document.querySelector(".write").scrollTop') == 0)
