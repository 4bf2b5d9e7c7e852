"""Files on their way, in a real browser: pasted while somebody types, twenty at once, and with the network lost in the middle."""

import base64
import io
import re

import pytest
from PIL import Image
from selenium.webdriver import Chrome, Keys

from cms.db.session import Database
from cms.policy import Actor
from cms.schemas.library import FolderInput
from cms.services import folders
from e2e.conftest import OpenBrowser
from e2e.desk import fill
from e2e.mishaps import lose_network
from e2e.pages.editor import EditorScreen
from e2e.pages.first_run import PASSWORD
from e2e.pages.screen import Waiting
from e2e.pages.sign_in import SignInScreen
from e2e.pages.writing import WritingScreen
from e2e.program import Program

pytestmark = pytest.mark.browser

PICTURE = re.compile(r"!\[\]\(/media/\d+/([\w.-]+)\)")
BRING = """
const [kind, files] = arguments, data = new DataTransfer();
const bytes = (content) => Uint8Array.from(atob(content), (sign) => sign.charCodeAt(0));
for (const [name, content] of files) data.items.add(new File([bytes(content)], name, { type: "image/png" }));
const place = document.querySelector(".cm-content"), at = place.getBoundingClientRect();
const about = { bubbles: true, cancelable: true, clientX: at.left + 5, clientY: at.top + 5, clipboardData: data, dataTransfer: data };
place.dispatchEvent(kind === "paste" ? new ClipboardEvent("paste", about) : new DragEvent("drop", about));
"""
DROP = """
const data = new DataTransfer();
for (const [name, content] of arguments[0]) data.items.add(new File([Uint8Array.from(atob(content), (sign) => sign.charCodeAt(0))], name));
const told = { bubbles: true, cancelable: true, dataTransfer: data }, place = document.querySelector(arguments[1]);
place.dispatchEvent(new DragEvent("dragover", told));
const said = document.querySelector(".drop-here:not([hidden])")?.textContent;
place.dispatchEvent(new DragEvent("drop", told));
return said;
"""
DROP_ON = """
const data = new DataTransfer();
data.items.add(new File(["Low tide."], "tide.txt"));
const told = new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: data });
document.querySelector(arguments[0]).dispatchEvent(told);
return told.defaultPrevented;
"""
BRING_LONG = """
const data = new DataTransfer();
data.items.add(new File(["Low tide at six.\\n".repeat(arguments[0])], "log of tides.txt", { type: "text/plain" }));
document.querySelector(".cm-content").dispatchEvent(new ClipboardEvent("paste", { bubbles: true, cancelable: true, clipboardData: data }));
"""


@pytest.fixture
def writer(site: Program, at_desk: Chrome) -> WritingScreen:
    """An empty post."""
    EditorScreen(at_desk).open_new(site.url)
    return WritingScreen(at_desk)


def picture(colour: str) -> str:
    kept = io.BytesIO()
    Image.new("RGB", (60, 40), colour).save(kept, "PNG")
    return base64.b64encode(kept.getvalue()).decode()


def bring(driver: Chrome, kind: str, *files: tuple[str, str]) -> None:
    driver.execute_script(BRING, kind, [list(file) for file in files])


def wait_for_pictures(writer: WritingScreen, number: int) -> list[str]:
    Waiting(writer.driver).until(lambda _: len(PICTURE.findall(writer.text)) == number, "not all pictures arrived")
    return PICTURE.findall(writer.text)


def progress(driver: Chrome) -> float:
    return float(driver.execute_script("return document.querySelector('.coming progress')?.value ?? -1"))


def test_a_picture_is_pasted_while_somebody_types(writer: WritingScreen) -> None:
    writer.start("Before.\n\n")
    lose_network(writer.driver, True)
    bring(writer.driver, "paste", ("Low tide.png", picture("teal")))
    writer.wait_in(".coming", "No network. It goes on by itself.")
    writer.type("After, and ")
    assert writer.text == "Before.\n\nAfter, and ", "the place is no part of the text"
    lose_network(writer.driver, False)
    assert wait_for_pictures(writer, 1) == ["low-tide.png"]
    writer.type("on.")
    assert PICTURE.sub("PICTURE", writer.text) == "Before.\n\nPICTURE\n\nAfter, and on."
    writer.keys(Keys.CONTROL, "z")
    writer.keys(Keys.CONTROL, "z")
    Waiting(writer.driver).until(lambda _: "![" not in writer.text, "the picture is a step of its own")


def test_twenty_are_dropped_and_come_in_their_order(writer: WritingScreen) -> None:
    writer.start()
    files = [(f"tide {number}.png", picture(f"rgb({number * 10},80,120)")) for number in range(20)]
    bring(writer.driver, "drop", *files)
    assert wait_for_pictures(writer, 20) == [f"tide-{number}.png" for number in range(20)]


def test_what_was_sent_before_the_network_was_lost_is_not_sent_again(writer: WritingScreen) -> None:
    writer.start()
    driver = writer.driver
    driver.execute_cdp_cmd("Network.enable", {})
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 6_000_000}
    driver.execute_cdp_cmd("Network.emulateNetworkConditions", slow)
    driver.execute_script(BRING_LONG, 1_500_000)  # 25 MB: four pieces
    Waiting(driver).until(lambda _: progress(driver) > 0.4)
    lose_network(driver, True)
    writer.wait_in(".coming", "No network. It goes on by itself.")
    arrived = progress(driver)
    assert arrived > 0.3, "whole pieces are there"
    lose_network(driver, False)
    Waiting(driver).until(lambda _: re.fullmatch(r"\[log-of-tides\.txt\]\(/media/\d+/log-of-tides\.txt\)", writer.text))


def test_why_a_file_is_not_taken_is_said_where_it_was_to_be(writer: WritingScreen) -> None:
    writer.start("Before.\n\n")
    bring(writer.driver, "paste", ("a.png", base64.b64encode(b"<script>alert(1)</script>").decode()))
    writer.wait_in(".coming", "Files of this kind are not taken here.")
    writer.shown(".coming .linky").click()  # once more, with the same answer
    writer.wait_in(".coming", "Files of this kind are not taken here.")
    next(each for each in writer.driver.find_elements("css selector", ".coming .linky") if each.text == "Leave it out").click()
    Waiting(writer.driver).until(lambda driver: not driver.find_elements("css selector", ".coming"))
    assert writer.text == "Before.\n\n"


def test_who_may_bring_no_files_is_told_so_and_loses_nothing(site: Program, open_browser: OpenBrowser) -> None:
    site.make_person("cem@example.org", "Cem Öz", "contributor", PASSWORD)
    driver = open_browser()
    SignInScreen(driver).come_in(site.url, "cem@example.org", PASSWORD)
    EditorScreen(driver).open_new(site.url)
    writer = WritingScreen(driver)
    writer.start("Before.")
    writer.choose_back(7)
    bring(driver, "paste", ("Low tide.png", picture("teal")))
    writer.wait_in(".coming", "You may not bring files. Ask an editor to add it.")
    assert writer.text == "Before."


def test_in_the_library_several_go_up_and_each_is_asked_about(program: Program, owner: Chrome) -> None:
    writer, driver = WritingScreen(owner), owner
    driver.get(f"{program.url}/admin/media")
    lose_network(driver, True)
    files = [["Low tide.png", picture("teal")], ["page.png", base64.b64encode(b"<script>").decode()]]
    assert driver.execute_script(DROP, files, "h1") == "Let go to upload"
    assert not driver.find_elements("css selector", ".drop-here:not([hidden])")
    writer.wait_in(".sent li:first-child", "No network. It goes on by itself.")
    writer.shown(".sent li:first-child [data-act=pause]").send_keys(Keys.ENTER)
    assert driver.switch_to.active_element.text == "Go on", "the focus does not go with the button that had it"
    lose_network(driver, False)
    writer.wait_in(".sent li:first-child", "Paused")
    driver.switch_to.active_element.send_keys(Keys.ENTER)
    writer.wait_in(".sent li:first-child", "In the library")
    writer.wait_in(".sent li:last-child", "Files of this kind are not taken here.")
    Waiting(driver).until(lambda _: driver.execute_script("return document.querySelector('.sent .alt img').naturalWidth"), "it is not seen")
    writer.shown(".sent .alt input[name=alt]").send_keys("Mud as far as one sees", Keys.ENTER)
    writer.wait_in(".sent .alt", "Saved")
    assert driver.switch_to.active_element == driver.find_element("id", "files"), "nothing else is asked"
    assert driver.find_element("css selector", "[data-said]").get_attribute("textContent") == "low-tide.png: Saved"
    driver.get(f"{program.url}/admin/media/1")
    assert driver.find_element("name", "alt").get_attribute("value") == "Mud as far as one sees"
    assert driver.execute_script(DROP_ON, "main"), "it would leave the page"
    assert not driver.execute_script(DROP_ON, "[type=file]"), "this takes it"


def test_what_is_dropped_onto_a_folder_is_brought_there(program: Program, owner: Chrome) -> None:
    async def folder(database: Database, actor: Actor) -> None:
        async with database.transaction() as work:
            await folders.create(work, actor, FolderInput(name="Maps", parent=0))

    fill(program, "", folder)
    writer, driver = WritingScreen(owner), owner
    driver.get(f"{program.url}/admin/media?kind=picture")
    assert driver.execute_script(DROP, [["Low tide.png", picture("teal")]], "[data-name=Maps]") == "Let go to upload into “Maps”"
    writer.wait_in(".sent li:first-child", "In the library")
    driver.get(f"{program.url}/admin/media?folder=1")
    writer.wait_in("#live-list", "low-tide.png")
