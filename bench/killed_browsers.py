"""How much of what was typed is lost with a killed browser.

``python -m bench.killed_browsers [--times 20]``: one real program; again and again a Chromium with a profile of its own types a word
every 200 ms, without a network for the second half, and is killed (SIGKILL). Opened again, the text must have every word but those of the
last ``LIMIT`` seconds. Fails if one time it has not. Needs Chromium and its driver.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from e2e.conftest import OpenBrowser, browsers
from e2e.mishaps import kill, lose_network
from e2e.pages.editor import EditorScreen
from e2e.pages.first_run import EMAIL, PASSWORD, SetupScreen
from e2e.pages.sign_in import SignInScreen
from e2e.program import Program

LIMIT = 5.0  # seconds of typing
WORDS = 30
EVERY = 0.2  # seconds


def lost(program: Program, open_browser: OpenBrowser, address: str, profile: Path) -> int:
    """How many words of one time."""
    doomed = open_browser(profile=profile)
    SignInScreen(doomed).open(program.url).sign_in(EMAIL, PASSWORD)
    editor = EditorScreen(doomed).open(address)
    editor.type_at_the_end("")
    before = len(editor.written.split())
    for number in range(WORDS):
        if number == WORDS // 2:
            lose_network(doomed, True)
        editor.type(f"w{number} ")
        time.sleep(EVERY)
    kill(doomed)
    (profile / "SingletonLock").unlink(missing_ok=True)
    back = open_browser(profile=profile)
    SignInScreen(back).open(program.url)
    if "/login" in back.current_url:
        SignInScreen(back).sign_in(EMAIL, PASSWORD)
    again = EditorScreen(back).open(address)
    time.sleep(2)  # what the device kept comes after what the server has
    found = len(again.written.split()) - before
    back.quit()
    return WORDS - found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--times", type=int, default=20)
    times = parser.parse_args().times
    with tempfile.TemporaryDirectory() as folder, browsers() as open_browser:
        program = Program(Path(folder)).start()
        try:
            owner = open_browser()
            SetupScreen(owner).make_owner(program.owner_link)
            editor = EditorScreen(owner).open_new(program.url)
            editor.write("Killed", "Begun. ")
            editor.wait_for_state("Saved")
            address = owner.current_url
            owner.quit()
            gone = [lost(program, open_browser, address, Path(folder) / f"profile-{number}") for number in range(times)]
        finally:
            program.stop()
    print(f"words lost of {WORDS}, each time: {gone}; at most {LIMIT / EVERY:.0f} may be")
    sys.exit(any(words * EVERY > LIMIT for words in gone))


if __name__ == "__main__":
    main()
