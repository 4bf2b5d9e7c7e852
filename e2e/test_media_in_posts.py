"""What readers see of the library follows it: the crops of a cover its focus, every text a file that takes another's place."""

import io
import urllib.request
from pathlib import Path

import pytest
from PIL import Image
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from cms.db.session import Database
from cms.policy import Actor
from e2e.conftest import OpenBrowser
from e2e.desk import fill
from e2e.pages.screen import Screen, Waiting
from e2e.program import Program
from tests import factories

pytestmark = pytest.mark.browser


def halves(left: str, right: str, folder: Path) -> str:
    image = Image.new("RGB", (1200, 500), right)
    image.paste(left, (0, 0, 600, 500))
    path = folder / f"{left}-{right}.png"
    image.save(path)
    return str(path)


def shown(driver: Chrome, url: str, selector: str) -> str:
    """The address that a browser chooses of the picture."""
    driver.get(url)
    found = Waiting(driver).until(lambda _: driver.execute_script("return document.querySelector(arguments[0])?.currentSrc", selector))
    return str(found)


def colour(address: str) -> tuple[int, ...]:
    """In the middle."""
    with urllib.request.urlopen(address) as answer:
        image = Image.open(io.BytesIO(answer.read())).convert("RGB")
    found = image.getpixel((image.width // 2, image.height // 2))
    assert isinstance(found, tuple)
    return tuple(round(value / 255) for value in found)


def test_readers_see_the_focus_and_the_file_that_take_the_place_of_others(
    program: Program, owner: Chrome, open_browser: OpenBrowser, tmp_path: Path
) -> None:
    owner.get(f"{program.url}/admin/media")
    desk = Screen(owner)
    owner.find_element(By.CSS_SELECTOR, "input[type=file]").send_keys(halves("red", "blue", tmp_path))
    desk.wait_for("No alternative text")

    async def post(database: Database, actor: Actor) -> None:
        for title, picture in (("Newest", 1), ("Cover", 1)):
            text = f"Words.\n\n![Halves](/media/{picture}/red-blue.png)"
            await factories.published(database, actor, title=title, text=text, picture=picture)

    fill(program, "", post)
    reader = open_browser()
    old = shown(reader, program.url, ".lead img")
    assert "/wide-640-50-50/" in old

    owner.get(f"{program.url}/admin/media/1")
    owner.execute_script("document.getElementById('focus').open = true; document.querySelector('[name=focus_x]').value = 0")
    desk.press("Save")
    desk.wait_for("Saved")
    Waiting(reader).until(lambda driver: "/wide-640-0-50/" in (now := shown(driver, program.url, ".lead img")) and colour(now) == (1, 0, 0))

    owner.get(f"{program.url}/admin/media/1")
    owner.find_element(By.XPATH, "//summary[contains(., 'Replace')]").click()
    owner.find_element(By.ID, "file").send_keys(halves("lime", "lime", tmp_path))
    desk.press("Replace")
    for place in ("/newest", "/cover"):
        Waiting(reader).until(lambda driver, at=program.url + place: colour(shown(driver, at, ".prose figure img")) == (0, 1, 0))
    assert colour(old) == (0, 1, 0), "it leads on"
