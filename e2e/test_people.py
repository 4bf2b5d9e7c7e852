"""Journeys of people who come in: by a copied link, by a letter, on a phone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.keys import Keys

from e2e.axe import problems
from e2e.conftest import OpenBrowser, resize
from e2e.pages.first_run import EMAIL, PASSWORD, SetupScreen
from e2e.pages.screen import Screen
from e2e.pages.security import SecurityScreen, carry_key
from e2e.pages.sign_in import SignInScreen
from e2e.program import Program
from tests.postbox import Postbox, link_in, postbox

pytestmark = pytest.mark.browser

NEW = "another slow tide comes"
PHONE = 375


@pytest.fixture
def mailing(tmp_path: Path) -> Iterator[tuple[Program, Postbox]]:
    """A site with a mail server."""
    with postbox() as box:
        program = Program(tmp_path, SQUALL_SMTP_URL=box.url(), SQUALL_MAIL_FROM="desk@example.org").migrated().start()
        yield program, box
        program.stop()


def looked_at(driver: Chrome) -> None:
    assert problems(driver) == [], driver.current_url
    assert not Screen(driver).is_wider_than_the_window(), driver.current_url


def test_invited_person_comes_in_by_a_copied_link(program: Program, open_browser: OpenBrowser) -> None:
    owner, nia = open_browser(width=PHONE), open_browser(width=PHONE)
    SetupScreen(owner).make_owner(program.owner_link)
    owner.get(f"{program.url}/admin/people")
    looked_at(owner)
    desk = Screen(owner)
    desk.press("Invite")
    looked_at(owner)
    desk.fill("E-mail", "nia@example.org")
    desk.fill("Name", "Nia Bell")
    owner.find_element("css selector", "[name=role][value=editor]").click()
    desk.press("Invite")
    looked_at(owner)
    link = desk.field("Link").get_attribute("value") or ""

    nia.get(link)
    looked_at(nia)
    door = Screen(nia)
    assert door.field("Name").get_attribute("value") == "Nia Bell"
    door.fill("Password", "1234567890")
    door.press("Make my account")
    assert "needs another look" in door.text, "easy to guess"
    looked_at(nia)
    door.fill("Password", NEW)
    door.press("Make my account")
    door.wait_for("Welcome. Your account is made.")
    nia.get(f"{program.url}/admin/pages")
    assert door.heading == "Pages"
    owner.get(link)
    assert "used already" in Screen(owner).text

    owner.get(f"{program.url}/admin/people")
    desk.press("Nia Bell")
    looked_at(owner)
    desk.press("Disable")
    desk.wait_for("signed out everywhere")
    nia.get(f"{program.url}/admin/pages")
    assert nia.current_url.startswith(f"{program.url}/login"), "at once"


def test_invited_person_adds_a_passkey_goes_and_comes_back_with_it(program: Program, open_browser: OpenBrowser) -> None:
    owner, nia = open_browser(), open_browser(width=PHONE)
    SetupScreen(owner).make_owner(program.owner_link)
    owner.get(f"{program.url}/admin/people/invitations")
    desk = Screen(owner)
    desk.fill("E-mail", "nia@example.org")
    owner.find_element("css selector", "[name=role][value=author]").click()
    desk.press("Invite")
    carry_key(nia)
    nia.get(desk.field("Link").get_attribute("value") or "")
    door = Screen(nia)
    door.fill("Name", "Nia Bell")
    door.fill("Password", NEW)
    door.press("Make my account")
    door.wait_for("Welcome. Your account is made.")
    security = SecurityScreen(nia).open(program.url)
    assert len(security.add_passkey("Phone")) == 10
    security.press("I have kept them")
    security.button("Menu").send_keys(Keys.ENTER)  # what stands beside the page is a sheet on a phone
    assert nia.switch_to.active_element.get_attribute("aria-label") == "Close the menu", "not on the button that it covers"
    security.press("Sign out")
    door.wait_for("Today")  # the browser offers what it keeps, and somebody who says yes to everything is in
    assert "used just now" in SecurityScreen(nia).open(program.url).text


def test_new_password_by_a_letter(mailing: tuple[Program, Postbox], open_browser: OpenBrowser) -> None:
    program, box = mailing
    SetupScreen(open_browser()).make_owner(program.owner_link)
    door = SignInScreen(open_browser(width=PHONE)).open(program.url)
    looked_at(door.driver)
    door.press("Forgot the password?")
    looked_at(door.driver)
    door.fill("E-mail", EMAIL)
    door.press("Send me a link")
    assert "Look for a letter" in door.text
    looked_at(door.driver)
    letter = box.wait_for(1)[0]
    assert letter["To"] == EMAIL
    door.driver.get(link_in(letter))
    looked_at(door.driver)
    door.fill("New password", NEW)
    door.press("Set the password")
    door.wait_for("Your new password is set")
    door.sign_in(EMAIL, PASSWORD)
    assert "do not go together" in door.text
    door.sign_in(EMAIL, NEW)
    door.wait_for("Today")


ONESELF = (
    "/admin/people/1", "/admin/people/1/role", "/admin/people/1/deletion", "/admin/people/1/password", "/admin/people/1/email",
    "/admin/people?role=disabled",
)  # fmt: skip


def test_pages_about_oneself_and_a_profile_at_both_widths(program: Program, owner: Chrome) -> None:
    """Beside those about others, which are looked at in ``test_accessibility``."""
    for path in ONESELF:
        resize(owner, PHONE)
        owner.get(program.url + path)
        looked_at(owner)
        resize(owner, 1280)
        looked_at(owner)
    account = Screen(owner)
    for width, words in ((PHONE, "Writes of mud."), (1280, "Writes of sand.")):
        resize(owner, width)
        owner.get(f"{program.url}/account")
        account.fill("About you", words)
        account.press("Save")
        account.wait_for("Saved. Readers see it now.")
        assert account.field("About you").get_attribute("value") == words
