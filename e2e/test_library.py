"""Journeys through the library: by keyboard alone, a focus that every crop follows, files dragged into folders, the picker of the editor,
and all of it without scripts."""

import hashlib
import io
from collections.abc import Awaitable, Callable

import pytest
from PIL import Image
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from cms.content.folding import fold
from cms.db.session import Database
from cms.models import Asset, Folder
from cms.policy import Actor
from cms.services.media import storage_name
from e2e.conftest import OpenBrowser
from e2e.desk import fill
from e2e.pages.editor import EditorScreen
from e2e.pages.first_run import EMAIL, PASSWORD
from e2e.pages.screen import Screen, Waiting
from e2e.pages.sign_in import SignInScreen
from e2e.pages.writing import WritingScreen
from e2e.program import Program
from tests.factories import asset_row

pytestmark = pytest.mark.browser


def shelf(program: Program, *names: str, alt: str = "About {}") -> Callable[[Database, Actor], Awaitable[list[int]]]:
    """Pictures of these names, the last the newest, and a folder "Maps"."""

    async def make(database: Database, actor: Actor) -> list[int]:
        async with database.transaction() as work:
            work.session.add(Folder(name="Maps", folded="maps", created_at=work.now, created_by_id=actor.user_id))
            rows = []
            for n, name in enumerate(names):
                kept = io.BytesIO()
                Image.new("RGB", (300, 200), (40 * n, 90, 120)).save(kept, "PNG")
                content = kept.getvalue()
                digest = hashlib.sha256(content).hexdigest()
                place = program.data / "media" / storage_name(digest)
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(content)
                rows.append(
                    asset_row(
                        digest=digest, name=name, folded=fold(name), width=300, height=200, size=len(content),
                        shown_size=len(content), alt=alt.format(name), created_at=work.now, created_by_id=actor.user_id,
                    )
                )  # fmt: skip
            work.session.add_all(rows)
            await work.session.flush()
            return [asset.id for asset in rows]

    return make


def asset_of(program: Program, number: int) -> Asset:
    async def read(database: Database, _actor: Actor) -> Asset:
        async with database.read() as session:
            return await session.get_one(Asset, number)

    found: Asset = fill(program, "", read)
    return found


def box(driver: Chrome, name: str) -> WebElement:
    return driver.find_element(By.XPATH, f"//li[contains(@class, 'asset')][a[text()='{name}']]//input[@name='id']")


def test_files_are_chosen_moved_and_thrown_away_by_keyboard_alone(program: Program, owner: Chrome) -> None:
    numbers = fill(program, "", shelf(program, "third.png", "second.png", "first.png"))
    owner.get(f"{program.url}/admin/media")
    desk = Screen(owner)
    for key in "jxjjX":
        desk.keys(key)
    assert [box(owner, f"{name}.png").is_selected() for name in ("first", "second", "third")] == [True, True, True]
    desk.keys("m")
    desk.keys("Maps")
    desk.keys(Keys.TAB)
    desk.keys(Keys.ENTER)
    desk.wait_for("3 files were moved.")
    assert asset_of(program, numbers[0]).folder_id is not None
    desk.keys("jt")
    desk.keys("Ebb")
    desk.keys(Keys.ENTER)
    desk.wait_for("Tags were added to 1 file.")
    desk.keys("j")
    desk.keys("#")
    desk.wait_for("1 file was moved to the trash.")
    assert "first.png" not in desk.text
    desk.press("Undo")
    desk.wait_for("1 file was taken out of the trash.")
    box(owner, "first.png").send_keys(Keys.SPACE, Keys.ENTER)  # which once threw it away
    desk.keys("k")
    desk.keys(Keys.ENTER)
    Waiting(owner).until(lambda driver: driver.title.startswith("first.png"))
    assert not desk.is_wider_than_the_window()


def test_alternative_texts_are_written_one_after_the_other(program: Program, owner: Chrome) -> None:
    two, one = fill(program, "", shelf(program, "two.png", "one.png", alt=""))
    owner.get(f"{program.url}/admin/media")
    desk = Screen(owner)
    desk.press("Without alternative text")
    owner.find_element(By.NAME, f"alt-{one}").click()
    for words, after in (("A pale harbour", "Alternative text of two.png"), ("Blue water", "Save alternative texts")):
        ActionChains(owner).send_keys(words, Keys.ENTER).perform()
        assert owner.switch_to.active_element.accessible_name == after
        desk.wait_for("Saved")
    Waiting(owner).until(lambda _: [asset_of(program, number).alt for number in (one, two)] == ["A pale harbour", "Blue water"])
    desk.press("Save alternative texts")
    desk.wait_for("Nothing is like that")


def test_file_and_folder_are_dragged_into_a_folder(program: Program, owner: Chrome) -> None:
    one, two = fill(program, "", shelf(program, "one.png", "two.png"))
    owner.get(f"{program.url}/admin/media")
    desk = Screen(owner)
    box(owner, "one.png").click()
    box(owner, "two.png").click()
    tile = owner.find_element(By.XPATH, "//li[contains(@class, 'asset')][a[text()='two.png']]/a")
    ActionChains(owner).drag_and_drop(tile, owner.find_element(By.CSS_SELECTOR, "[data-name=Maps]")).perform()
    desk.wait_for("2 files were moved.")
    assert asset_of(program, one).folder_id == asset_of(program, two).folder_id is not None


def test_crops_follow_the_focus_that_is_set_on_the_picture(program: Program, owner: Chrome) -> None:
    (number,) = fill(program, "", shelf(program, "harbour.png"))
    owner.get(f"{program.url}/admin/media/{number}")
    desk = Screen(owner)
    owner.find_element(By.CSS_SELECTOR, "#focus summary").send_keys(Keys.ENTER)
    picture = owner.find_element(By.CSS_SELECTOR, "focal-point svg")
    square = owner.find_element(By.CSS_SELECTOR, "[data-shape=square]")
    assert square.get_dom_attribute("viewBox") == "50 0 200 200"
    ActionChains(owner).move_to_element_with_offset(picture, picture.size["width"] // 2 - 5, 0).click().perform()
    assert square.get_dom_attribute("viewBox") == "100 0 200 200"
    for _ in range(9):
        desk.keys(Keys.SHIFT, Keys.ARROW_LEFT)
    left = owner.find_element(By.NAME, "focus_x").get_attribute("value")
    assert int(left or 0) < 10
    assert square.get_dom_attribute("viewBox") == "0 0 200 200"
    assert owner.switch_to.active_element.aria_role == "slider"
    assert owner.switch_to.active_element.get_attribute("aria-valuetext") == f"{left} percent from the left, 50 percent from the top"
    owner.find_element(By.CSS_SELECTOR, "#cut summary").send_keys(Keys.ENTER)
    Waiting(owner).until(lambda driver: driver.find_elements(By.CSS_SELECTOR, "crop-box[data-ready]"))
    corner = owner.find_elements(By.CSS_SELECTOR, ".corner")[2]
    owner.execute_script("arguments[0].focus()", corner)  # type: ignore[no-untyped-call]
    for _ in range(10):
        desk.keys(Keys.SHIFT, Keys.ARROW_LEFT)
    assert owner.find_element(By.NAME, "crop_width").get_attribute("value") == "50"
    ActionChains(owner).drag_and_drop_by_offset(corner, 0, -37).perform()  # a hand stops at no whole percent
    height = float(owner.find_element(By.NAME, "crop_height").get_attribute("value") or 100)
    assert height % 1
    desk.press("Save")
    desk.wait_for("Saved. Texts that show it follow within a minute.")
    kept = asset_of(program, number)
    assert (kept.focus, kept.edits, kept.width) == ((int(left or 0), 50), {"crop": [0, 0, 5000, round(100 * height)]}, 150)


def test_picture_of_the_library_is_put_into_a_text_and_above_it(program: Program, owner: Chrome) -> None:
    one, two = fill(program, "", shelf(program, "one.png", "two.png"))
    EditorScreen(owner).open_new(program.url)
    editor = WritingScreen(owner)
    editor.start("Before.\n\n")
    editor.type("/pict")
    editor.choose_block("Picture")
    dialog = Waiting(owner).until(lambda driver: driver.find_element(By.CSS_SELECTOR, ".library-dialog[open]"))
    dialog.find_element(By.CSS_SELECTOR, "[data-name=Maps]").send_keys(Keys.ENTER)
    editor.wait_in("[data-found]", "This folder is empty")
    assert owner.switch_to.active_element.accessible_name == "Maps 0", "the link that was followed"
    dialog.find_element(By.CSS_SELECTOR, "[data-folder='0']").send_keys(Keys.ENTER)
    editor.wait_in("[data-found]", "1 to 2 of 2")
    dialog.find_element(By.NAME, "q").send_keys("one", Keys.ENTER)
    editor.wait_in("[data-found]", "1 to 1 of 1")
    assert owner.switch_to.active_element.accessible_name == "Search in names and texts"
    dialog.find_element(By.CSS_SELECTOR, "[data-pick]").send_keys(Keys.ENTER)
    Waiting(owner).until(lambda driver: f"![](/media/{one}/one.png)" in driver.find_element(By.CSS_SELECTOR, ".cm-content").text)
    editor.start("Before.\n\n")
    editor.type("/gall")
    editor.choose_block("Gallery")
    for number in (two, one):
        editor.shown(f".library-dialog[open] [data-pick='{number}']").click()
    editor.wait_in(".library-dialog footer", "2 chosen")
    editor.button("Put them into the text").click()
    editor.wait_for_text(f"Before.\n\n![](/media/{two}/two.png)\n![](/media/{one}/one.png)")
    for ask in (lambda: editor.keys(Keys.CONTROL, Keys.ALT, "p"), lambda: editor.shown("[data-picture]").click()):
        editor.start("Before.\n\n")
        ask()
        editor.shown(f".library-dialog[open] [data-pick='{one}']").click()
        editor.wait_for_text(f"Before.\n\n![](/media/{one}/one.png)")
    editor.start("Before.")
    editor.choose_back(7)
    editor.shown("[role=toolbar] [aria-label=Picture]").click()
    editor.shown(f".library-dialog[open] [data-pick='{one}']").click()
    editor.wait_for_text(f"Before.\n\n![](/media/{one}/one.png)")
    editor.start()
    editor.type(f"![](/media/{two}/two.png)\n![](/media/{one}/one.png){{.wide}}")
    assert editor.text.endswith(".png){.wide}")
    assert len(owner.find_elements(By.CSS_SELECTOR, ".cm-picture")) == 2, "where they go is no reason not to draw them"
    owner.find_element(By.ID, "panel").find_element(By.XPATH, "..").click()
    field = owner.find_element(By.ID, "picture")
    owner.execute_script("arguments[0].closest('details').open = true", field)  # type: ignore[no-untyped-call]
    owner.find_element(By.CSS_SELECTOR, "media-choice [data-open-library]").click()
    editor.shown(f".library-dialog[open] [data-pick='{two}']").click()
    Waiting(owner).until(lambda driver: field.get_attribute("value") == str(two))
    assert owner.find_element(By.CSS_SELECTOR, "img.chosen").is_displayed()


def test_library_works_on_a_phone_without_scripts(program: Program, owner: Chrome, open_browser: OpenBrowser) -> None:
    (number,) = fill(program, "", shelf(program, "ebb.png"))
    driver = open_browser(width=375, scripts=False)
    desk = SignInScreen(driver)
    desk.come_in(program.url, EMAIL, PASSWORD)
    driver.get(f"{program.url}/admin/media")
    assert not desk.is_wider_than_the_window()
    box(driver, "ebb.png").click()
    desk.button("Move…").click()
    driver.find_element(By.CSS_SELECTOR, "#to_folder option[value='1']").click()
    desk.press("Move there")
    desk.wait_for("1 file was moved.")
    driver.find_element(By.LINK_TEXT, "ebb.png").click()
    assert not desk.is_wider_than_the_window()
    driver.find_element(By.CSS_SELECTOR, "#cut summary").send_keys(Keys.ENTER)
    driver.find_element(By.CSS_SELECTOR, "#rotation option[value='90']").click()
    desk.press("Save")
    desk.wait_for("Saved. Texts that show it follow within a minute.")
    assert (asset_of(program, number).width, asset_of(program, number).height) == (200, 300)


def test_what_somebody_else_brings_comes_up_while_the_library_is_open(program: Program, owner: Chrome, open_browser: OpenBrowser) -> None:
    fill(program, "", shelf(program, "ebb.png"))
    program.make_person("ana@example.org", "Ana Rey", "author", PASSWORD)
    other = open_browser()
    SignInScreen(other).come_in(program.url, "ana@example.org", PASSWORD)
    owner.get(f"{program.url}/admin/media")
    other.get(f"{program.url}/admin/media/folders")
    page = Screen(other)
    page.fill("Name", "Surveys")
    page.press("Make the folder")
    page.wait_for("Made. It is empty so far.")
    Waiting(owner).until(lambda driver: "Surveys" in driver.find_element(By.ID, "live-folders").text)
