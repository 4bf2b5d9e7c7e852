"""How soon a text is seen as readers will see it: beside it, and by an outsider who follows a link.

``python -m bench.previews [--times 30]``: a text of 20 kB in a real Chromium; each time a word is typed, and then nothing. Fails if of 10
times more than one takes longer than ``BESIDE`` (beside the text) or ``OUTSIDE`` (at the link, in another browser). Needs Chromium.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from e2e.conftest import OpenBrowser, browsers
from e2e.pages.editor import EditorScreen
from e2e.pages.first_run import SetupScreen
from e2e.program import Program

BESIDE = 0.3  # seconds after the last key
OUTSIDE = 0.5
TEXT = (
    "## The {0} tide\n\nMud, *mostly*; a [gull](https://example.org/{0}), `{0}` and 🌊. " + "The boats lie on their sides. " * 12 + "\n\n"
)
LONG = "".join(TEXT.format(number) for number in range(45))  # 20 kB

# Resolves with the moment (milliseconds since 1970) at which the words stand in the page, or in the page of its frame.
SEEN = """
const [words, frame, done] = arguments;
const page = () => (frame ? document.querySelector(frame).contentDocument : document).body.textContent;
const look = () => (page().includes(words) ? done(Date.now()) : setTimeout(look, 4));
look();
"""
TYPED = """
const began = Date.now();
document.querySelector(".cm-content").focus();
document.execCommand("insertText", false, arguments[0]);
return began;
"""


def beside(writer: Chrome, number: int) -> float:
    """Seconds from the key to the page beside the text."""
    began = float(writer.execute_script(TYPED, f"beside{number} "))
    return (float(writer.execute_async_script(SEEN, f"beside{number} ", "iframe[name=preview]")) - began) / 1000


def outside(writer: Chrome, guest: Chrome, number: int) -> float:
    """Seconds from the key to the page of the link."""
    began = float(writer.execute_script(TYPED, f"outside{number} "))
    return (float(guest.execute_async_script(SEEN, f"outside{number} ", "")) - began) / 1000


def run(program: Program, open_browser: OpenBrowser, times: int) -> bool:
    writer, guest = open_browser(), open_browser()
    SetupScreen(writer).make_owner(program.owner_link)
    editor = EditorScreen(writer).open_new(program.url)
    editor.write("Tides", LONG)
    editor.wait_for_state("Saved")
    address = writer.current_url
    writer.get(f"{address}/links")
    editor.press("Make the link")
    guest.get(str(writer.find_element(By.CSS_SELECTOR, "copy-field input").get_property("value")))
    editor.open(address)
    editor.move_to_the_start()
    writer.execute_script("document.getElementById('view-both').click()")
    editor.wait_for_preview("The 44 tide")
    reached = True
    for name, most, once in (
        ("beside the text", BESIDE, lambda number: beside(writer, number)),
        ("at the link", OUTSIDE, lambda number: outside(writer, guest, number)),
    ):
        took = []
        for number in range(times + 3):
            took.append(once(number))
            time.sleep(0.5)
        took = took[3:]  # the first warm up
        nine = statistics.quantiles(took, n=10)[8]
        print(f"{name}: {1000 * statistics.median(took):.0f} ms, 9 of 10 within {1000 * nine:.0f} ms (at most {1000 * most:.0f})")
        reached &= nine <= most
    return reached


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--times", type=int, default=30)
    times = parser.parse_args().times
    with tempfile.TemporaryDirectory() as folder, browsers() as open_browser:
        program = Program(Path(folder)).start()
        try:
            return 0 if run(program, open_browser, times) else 1
        finally:
            program.stop()


if __name__ == "__main__":
    sys.exit(main())
