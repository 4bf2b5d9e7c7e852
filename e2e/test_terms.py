"""Journeys of those who put things in order: tags that become one, a menu and a series without a mouse."""

import asyncio

import pytest
from selenium.webdriver import ActionChains, Chrome, Keys

from cms.db.session import Database
from e2e.axe import problems
from e2e.pages.screen import Screen, Waiting
from e2e.program import Program
from tests import factories

pytestmark = pytest.mark.browser


@pytest.fixture
def filled(program: Program, owner: Chrome) -> Chrome:
    """A site with a few posts, at whose desk the owner is."""

    async def fill() -> None:
        database = Database(f"sqlite+aiosqlite:///{program.data / 'squall.db'}")
        editor = await factories.person(database, "editor")
        for title, tags in (("Low tide", ("Sea", "Mud")), ("High tide", ("Oceans",)), ("Neap tide", ("Sea",))):
            await factories.published(database, editor, title=title, tags=tags, series="Tides")
        await factories.published_page(database, editor, title="About")
        await database.dispose()

    asyncio.run(fill())
    return owner


def test_merged_tags_are_one_and_the_old_address_leads_to_it(program: Program, filled: Chrome) -> None:
    desk = Screen(filled)
    filled.get(f"{program.url}/admin/tags")
    for name in ("Oceans", "Sea"):
        filled.find_element("css selector", f"input[aria-label='Merge “{name}”']").click()
    desk.press("Merge the chosen ones…")
    assert problems(filled) == []
    assert filled.find_element("css selector", "[name=target]:checked").get_attribute("value"), "the larger one is proposed"
    desk.press("Merge")
    desk.wait_for("Merged. The old addresses lead to the one that stays.")
    filled.get(f"{program.url}/tag/oceans")
    assert filled.current_url == f"{program.url}/tag/sea"
    assert {"Low tide", "High tide", "Neap tide"} <= set(desk.text.split("\n"))


def test_a_menu_is_made_by_the_keyboard_alone(program: Program, filled: Chrome) -> None:
    filled.get(f"{program.url}/admin/menus/main")
    desk = Screen(filled)

    def typed(words: str, *then: str) -> None:
        filled.switch_to.active_element.send_keys(words, *then)

    filled.execute_script("arguments[0].focus()", filled.find_element("name", "items-1-label"))
    typed("Low", Keys.TAB)
    typed("low tid")
    Waiting(filled).until(lambda _: filled.execute_script("return document.getElementById('targets').options.length") == 1)
    typed(Keys.CONTROL + "a" + Keys.NULL + "/low-tide", Keys.TAB)
    typed("All", Keys.TAB)
    typed("/archive", Keys.ENTER)
    desk.wait_for("Saved. Readers see it now.")
    grips = filled.find_elements("css selector", "[data-grip]")
    filled.execute_script("arguments[0].focus()", grips[2])
    typed(Keys.ARROW_RIGHT, Keys.ARROW_UP)
    assert filled.find_element("css selector", "[data-said]").get_attribute("textContent") == "Place 2 of 3, level 2"
    assert problems(filled) == []
    filled.execute_script("arguments[0].focus()", filled.find_element("name", "items-0-label"))
    typed(Keys.ENTER)
    desk.wait_for("Saved. Readers see it now.")
    labels = [filled.find_element("name", f"items-{number}-label").get_attribute("value") for number in range(3)]
    levels = [filled.find_element("name", f"items-{number}-level").get_attribute("value") for number in range(3)]
    assert (labels, levels) == (["About", "All", "Low"], ["0", "1", "0"])
    filled.get(program.url)
    assert [each.get_attribute("textContent") for each in filled.find_elements("css selector", "nav[aria-label=Main] details a")] == [
        "About", "All",
    ]  # fmt: skip


def test_a_part_of_a_series_is_dragged_past_all_others(program: Program, filled: Chrome) -> None:
    filled.get(f"{program.url}/admin/series/1")
    first, *_, last = filled.find_elements("css selector", "[data-grip]")
    way = last.rect["y"] - first.rect["y"]
    dragging = ActionChains(filled, duration=20).click_and_hold(first)
    for _ in range(10):
        dragging.move_by_offset(0, round(way / 10))
    dragging.release().perform()
    titles = [each.text for each in filled.find_elements("css selector", ".sorted .title")]
    assert titles == ["High tide", "Neap tide", "Low tide"]


def test_parts_of_a_series_are_sorted_by_arrows_and_saved_once(program: Program, filled: Chrome) -> None:
    filled.get(f"{program.url}/admin/series/1")
    desk = Screen(filled)
    grip = filled.find_elements("css selector", "[data-grip]")[2]
    grip.send_keys(Keys.ARROW_UP, Keys.ARROW_UP)
    desk.press("Save the order")
    desk.wait_for("The parts stand in this order, for readers, too.")
    filled.get(f"{program.url}/series/tides")
    text = desk.text
    assert text.index("Neap tide") < text.index("Low tide") < text.index("High tide")
