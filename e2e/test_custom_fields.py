"""Custom fields from their definition to the reader, and snippets and templates in the editor."""

import pytest
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from e2e.axe import problems
from e2e.conftest import OpenBrowser
from e2e.pages.editor import EditorScreen
from e2e.pages.first_run import EMAIL, PASSWORD
from e2e.pages.screen import Screen
from e2e.pages.writing import WritingScreen
from e2e.program import Program

pytestmark = pytest.mark.browser

OPEN = "document.getElementById('panel').checked = true; for (const part of document.querySelectorAll('.groups details')) part.open = true;"


def define(screen: Screen, url: str, label: str, type: str, *, choices: str = "", is_needed: bool = False) -> None:
    screen.driver.get(f"{url}/admin/fields")
    screen.fill("Label", label)
    Select(screen.field("Type")).select_by_visible_text(type)
    if choices:
        screen.fill("Choices", choices)
    if is_needed:
        screen.driver.find_element(By.NAME, "is_required").click()
    screen.press("Define it")


def keep_snippet(screen: Screen, url: str, name: str, text: str) -> None:
    screen.driver.get(f"{url}/admin/snippets/new")
    screen.fill("Name", name)
    screen.fill("Text", text)
    screen.press("Save")


def read(driver: Chrome, address: str) -> list[str]:
    driver.get(address)
    return [row.text for row in driver.find_elements(By.CSS_SELECTOR, "dl.own > div")]


def test_fields_are_defined_filled_in_with_and_without_scripts_and_read(program: Program, owner: Chrome, open_browser: OpenBrowser) -> None:
    editor = EditorScreen(owner)
    define(editor, program.url, "Height of the tide", "Number", is_needed=True)
    define(editor, program.url, "Sky", "Choice", choices="clear\ncloudy")
    assert problems(owner) == []

    editor.open_new(program.url)
    owner.execute_script(OPEN)
    editor.write("Spring tides", "The tide comes in.")
    editor.fill("Height of the tide", "three")
    editor.wait_for("Write a number, like 12 or 3.5.")
    assert problems(owner) == []
    editor.open_publication("Publish…")
    editor.wait_for("Height of the tide: Write a number, like 12 or 3.5.")
    editor.button("Change it").click()
    owner.execute_script(OPEN)
    assert editor.field("Height of the tide").get_attribute("value") == "three", "nothing is lost"
    editor.fill("Height of the tide", "3,5")
    Select(editor.field("Sky")).select_by_visible_text("cloudy")
    editor.save()
    editor.publish()
    assert read(owner, f"{program.url}/spring-tides") == ["Height of the tide\n3.5", "Sky\ncloudy"]
    assert problems(owner) == []

    plain = EditorScreen(open_browser(width=375, scripts=False))
    plain.driver.get(f"{program.url}/login")
    plain.fill("E-mail", EMAIL)
    plain.fill("Password", PASSWORD)
    plain.press("Sign in")
    plain.open_new(program.url, scripts=False)
    plain.fill("Title", "Neap tides")
    plain.driver.find_element(By.XPATH, "//label[.//input[@id='view-settings']]").click()
    plain.driver.find_element(By.XPATH, "//details/summary[starts-with(normalize-space(), 'More')]").click()
    plain.fill("Height of the tide", "low")
    plain.press("Save")
    assert plain.field("Height of the tide").get_attribute("value") == "low"
    assert "Write a number" in plain.text
    plain.fill("Height of the tide", "1")
    plain.press("Publish…")
    plain.press("Publish now")
    assert read(plain.driver, f"{program.url}/neap-tides") == ["Height of the tide\n1"]


def test_snippet_comes_in_by_keys_alone_and_a_text_becomes_a_template(program: Program, owner: Chrome) -> None:
    writer, editor = WritingScreen(owner), EditorScreen(owner)
    keep_snippet(writer, program.url, "Note on sources", "*From the gauge.*")
    keep_snippet(writer, program.url, "Table", "| a |\n| - |")
    editor.open_new(program.url)
    writer.start("Before ")
    writer.type("/snip")
    writer.choose_block("Snippet")
    writer.wait_in(".linker", "Note on sources")
    writer.type("gauge")
    writer.shown("#linker-0")
    assert problems(owner) == [], "the picker"
    writer.keys(Keys.ENTER)
    writer.wait_for_text("Before *From the gauge.*")
    assert writer.focused == "Text, in Markdown"
    writer.keys(Keys.CONTROL, "z")
    writer.wait_for_text("Before ")
    writer.type("/snip")
    writer.choose_block("Snippet")
    writer.type("nowhere")
    writer.wait_in(".linker", "No snippet found")
    writer.keys(Keys.ESCAPE)
    writer.type("after")
    writer.wait_for_text("Before after")

    editor.fill("Title", "Review")
    editor.save()
    editor.button("More").click()
    editor.press("Make a template of it")
    assert problems(owner) == []
    editor.open_new(program.url)
    editor.press("Review")
    editor.when_ready()
    writer.wait_for_text("Before after")
    editor.fill("Title", "Second review")
    editor.wait_for_state("Saved")
    assert not owner.find_elements(By.CSS_SELECTOR, "[data-starts]")
    owner.refresh()
    editor.when_ready()
    writer.wait_for_text("Before after")
