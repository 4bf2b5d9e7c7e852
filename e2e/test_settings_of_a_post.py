"""The settings beside a text: what is said of them while somebody types, and how others will show the text."""

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from e2e.axe import problems
from e2e.pages.editor import EditorScreen
from e2e.pages.screen import Waiting
from e2e.program import Program

pytestmark = pytest.mark.browser

OPEN = "document.getElementById('panel').checked = true; for (const part of document.querySelectorAll('.groups details')) part.open = true;"


def text_of(driver: Chrome, selector: str) -> str:
    return driver.find_element(By.CSS_SELECTOR, selector).text


def test_what_is_typed_is_checked_and_drawn_as_others_will_show_it(program: Program, owner: Chrome) -> None:
    editor = EditorScreen(owner).open_new(program.url)
    owner.execute_script(OPEN)
    editor.write("Spring tides", "The *tide* comes in.\n\n![](/static/icons/favicon.svg)")
    editor.wait_for("/spring-tides is free.")
    assert text_of(owner, ".serp") == f"{program.url.partition('//')[2]}/spring-tides\nSpring tides · The Tide Table\nThe tide comes in."
    editor.wait_for("The picture favicon.svg has no text that says what it shows. Line 3")

    editor.fill("Address", "login")
    editor.wait_for("/login is used by Squall itself")
    slug = owner.find_element(By.ID, "slug")
    assert "slug-check" in (slug.get_attribute("aria-describedby") or "").split()
    editor.fill("Excerpt", "x" * 501)
    editor.wait_for("At most 500 characters, please.")
    editor.fill("Excerpt", "")
    editor.fill("Address", "springs")
    editor.fill("Title for search", "Tides of spring")
    editor.fill("Title when shared", "ربيع المد")
    Select(owner.find_element(By.ID, "language")).select_by_visible_text("Arabic")
    editor.wait_for("/springs is free.")
    assert "Tides of spring · The Tide Table" in text_of(owner, ".serp")
    assert text_of(owner, ".share strong") == "ربيع المد"
    assert owner.find_element(By.CSS_SELECTOR, ".share").get_attribute("dir") == "rtl"
    assert text_of(owner, "#search_title-count") == "15 of about 60 characters"

    authors = Select(owner.find_element(By.NAME, "authors"))
    assert authors.first_selected_option.text == "Olga Owner"
    Select(owner.find_elements(By.NAME, "authors")[-1]).select_by_visible_text("Olga Owner")
    assert len(owner.find_elements(By.NAME, "authors")) == 3, "another one follows"
    assert problems(owner) == []
    assert owner.get_log("browser") == []  # type: ignore[no-untyped-call]

    owner.execute_script("for (const part of document.querySelectorAll('.groups details')) part.open = false;")
    assert text_of(owner, ".groups summary small") == "/springs, Olga Owner, Olga Owner, Arabic"

    editor.open_publication("Publish…")
    editor.wait_for("The picture favicon.svg has no text that says what it shows. Line 3")
    assert problems(owner) == []
    assert not editor.is_wider_than_the_window()
    editor.button("Add it").click()
    Waiting(owner).until(lambda driver: driver.switch_to.active_element.get_attribute("name") == "excerpt")
    assert owner.switch_to.active_element.is_displayed(), "in the part that is opened for it"
