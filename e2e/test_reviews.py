"""From the contributor to the editor and back and out, as each of them sees it."""

from collections.abc import Iterator

import pytest
from selenium.webdriver.common.by import By

from e2e.axe import problems
from e2e.conftest import OpenBrowser, browsers, owned_site
from e2e.pages.editor import EditorScreen
from e2e.pages.first_run import PASSWORD
from e2e.pages.screen import Screen
from e2e.pages.sign_in import SignInScreen
from e2e.program import Program

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Program, OpenBrowser]]:
    """A program with an owner, an editor and a contributor."""
    program = owned_site.start(Program(tmp_path_factory.mktemp("reviews")))
    with browsers() as open_browser:
        program.make_person("nia@example.org", "Nia Bell", "editor", PASSWORD)
        program.make_person("cem@example.org", "Cem Öz", "contributor", PASSWORD)
        yield program, open_browser
    program.stop()


def test_contributor_to_editor_and_back_and_out(desk: tuple[Program, OpenBrowser]) -> None:
    program, open_browser = desk
    writer, editor, reader = EditorScreen(open_browser()), EditorScreen(open_browser(width=375)), Screen(open_browser(scripts=False))
    for screen, email in ((writer, "cem@example.org"), (editor, "nia@example.org")):
        SignInScreen(screen.driver).come_in(program.url, email, PASSWORD)
    writer.driver.get(f"{program.url}/admin")
    assert "Write the first post" in writer.text
    assert problems(writer.driver) == []
    writer.open_new(program.url).write("Low tide", "Mud, mostly.")
    writer.wait_for_state("Saved")
    address = writer.driver.current_url
    writer.press("Submit for review…")
    assert "Nia Bell" in writer.text
    writer.fill("Words", "My first one.")
    writer.press("Submit for review")
    assert "In review" in writer.text

    editor.driver.get(f"{program.url}/admin/notifications")
    editor.press("Cem Öz asks you to review “Low tide”")
    assert "My first one." in editor.text
    assert problems(editor.driver) == []
    assert not editor.is_wider_than_the_window()
    editor.fill("Words", "Which mud?")
    editor.press("Ask for changes")

    writer.driver.get(f"{program.url}/admin/notifications")
    writer.press("Nia Bell asks for changes to “Low tide”")
    assert "Which mud?" in writer.text
    writer.press("Back to the text")
    writer.when_ready().fill_text("Grey mud, mostly.")
    writer.wait_for_state("Saved")
    writer.press("Submit for review…")
    writer.press("Submit for review")
    writer.open(address).type_at_the_end(" And gulls.")
    writer.wait_for_state("Saved")

    editor.driver.get(f"{program.url}/admin")
    assert "1 text waits for your review." in editor.text
    editor.press("Low tide")
    assert "And gulls." in [each.text for each in editor.driver.find_elements(By.TAG_NAME, "ins")][-1]
    editor.press("Approve it as it is now")
    editor.press("Publish…")
    editor.press("Publish now")

    reader.driver.get(f"{program.url}/low-tide")
    assert "Grey mud, mostly. And gulls." in reader.text
    writer.driver.get(f"{address}/review")
    assert "approved it" in writer.text


def test_site_demands_it_and_its_pages_have_no_barriers(desk: tuple[Program, OpenBrowser]) -> None:
    program, open_browser = desk
    owner = EditorScreen(open_browser(width=375, dark=True))
    SignInScreen(owner.driver).come_in(program.url, "olga@example.org", PASSWORD)
    for path in ("/admin", "/admin/site/review"):
        owner.driver.get(f"{program.url}{path}")
        assert problems(owner.driver) == []
        assert not owner.is_wider_than_the_window()
    owner.driver.find_element(By.CSS_SELECTOR, "input[name=roles][value=administrator]").click()
    owner.press("Save")
    owner.open_new(program.url).write("My own", "Nobody else reads it first.")
    owner.wait_for_state("Saved")
    owner.driver.get(f"{owner.driver.current_url}/publication")
    assert "This needs to be approved before it goes out." in owner.text
    owner.press("Open the review")
    assert "one of them asks for changes or approves it: Nia Bell." in owner.text
    assert problems(owner.driver) == []
