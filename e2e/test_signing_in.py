"""Coming in: with passkeys that the browser keeps, with codes of an app, with recovery codes; and being sent away."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyotp
import pytest
from selenium.webdriver import Chrome, Keys

from e2e.axe import problems
from e2e.conftest import OpenBrowser
from e2e.pages.first_run import EMAIL, PASSWORD, SetupScreen
from e2e.pages.screen import Screen, Waiting
from e2e.pages.security import SecondStep, SecurityScreen, carry_key
from e2e.pages.sign_in import SignInScreen
from e2e.program import Program
from tests.provider import CLIENT_ID, CLIENT_SECRET, running_provider

pytestmark = pytest.mark.browser


def next_code(secret: str) -> str:
    """The one after that which was used a moment ago: right already, as clocks differ."""
    return pyotp.TOTP(secret).at(datetime.now(UTC) + timedelta(seconds=30))


def wait_for_path(driver: Chrome, path: str) -> None:
    Waiting(driver).until(lambda _: driver.current_url.partition("?")[0].endswith(path))


def test_passkey_is_added_and_lets_in_without_a_name(program: Program, owner: Chrome) -> None:
    carry_key(owner)
    security = SecurityScreen(owner).open(program.url)
    assert len(security.add_passkey("Laptop")) == 10
    security.press("I have kept them")
    assert "Laptop" in security.text
    security.press("Sign out")
    # The browser offers what it keeps as soon as the page is there; somebody who says yes to everything is in.
    wait_for_path(owner, "/admin")
    assert "used just now" in SecurityScreen(owner).open(program.url).text


def test_passkey_is_used_by_its_button(program: Program, owner: Chrome) -> None:
    carry_key(owner)
    SecurityScreen(owner).open(program.url).add_passkey("Laptop")
    owner.execute_cdp_cmd(
        "Page.addScriptToEvaluateOnNewDocument",
        {"source": "delete PublicKeyCredential.isConditionalMediationAvailable"},  # as in browsers that do not know it
    )
    screen = SecurityScreen(owner).open(program.url)
    screen.press("Sign out")
    screen.press("Use a passkey")
    wait_for_path(owner, "/admin")


def test_code_of_the_app_then_a_recovery_code_that_is_right_once(program: Program, owner: Chrome, open_browser: OpenBrowser) -> None:
    secret, codes = SecurityScreen(owner).open(program.url).turn_on_app()
    assert len(codes) == 10
    for code, comes_in in ((next_code(secret), True), (codes[0], True), (codes[0], False)):
        driver = open_browser()
        SignInScreen(driver).open(program.url).sign_in(EMAIL, PASSWORD)
        step = SecondStep(driver)
        assert step.heading == "One more step"
        step.answer(code)
        assert (step.heading == "Today") is comes_in, step.text
    assert "This code is not right" in step.text


def test_site_that_needs_a_second_factor_leads_to_setting_it_up(program: Program, owner: Chrome) -> None:
    screen = Screen(owner)
    owner.get(f"{program.url}/admin/site/security")
    screen.field("Second factor").send_keys("Owner and")
    screen.press("Save")
    wait_for_path(owner, "/account/security/second-factor")
    assert problems(owner) == []
    carry_key(owner)
    security = SecurityScreen(owner)
    assert len(security.add_passkey("Laptop")) == 10
    owner.get(f"{program.url}/admin/posts")
    assert screen.heading == "Posts"


def test_session_that_is_revoked_elsewhere_is_over_with_the_next_request(
    program: Program, owner: Chrome, open_browser: OpenBrowser
) -> None:
    other = open_browser()
    SignInScreen(other).open(program.url).sign_in(EMAIL, PASSWORD)
    assert Screen(other).heading == "Today"
    SecurityScreen(owner).open(program.url).press("Sign out all others")
    other.refresh()
    assert other.current_url.startswith(f"{program.url}/login")
    owner.refresh()
    assert "this one" in SecurityScreen(owner).text


def test_by_keyboard_alone(program: Program, owner: Chrome, open_browser: OpenBrowser) -> None:
    secret, _ = SecurityScreen(owner).open(program.url).turn_on_app()
    driver = open_browser(width=375)
    driver.get(f"{program.url}/login")
    _type(driver, EMAIL, Keys.TAB, PASSWORD, Keys.ENTER)
    wait_for_path(driver, "/login/second-factor")
    _type(driver, next_code(secret), Keys.ENTER)
    wait_for_path(driver, "/admin")
    driver.get(f"{program.url}/account/security")
    for _ in range(30):
        _type(driver, Keys.TAB)
        if driver.switch_to.active_element.get_attribute("textContent") == "Change the password…":
            break
    _type(driver, Keys.ENTER)
    wait_for_path(driver, "/account/security/password")
    _type(driver, "new boat, same harbour", Keys.ENTER)
    wait_for_path(driver, "/account/security")
    Screen(driver).wait_for("Your password is changed")


def _type(driver: Chrome, *keys: str) -> None:
    """Into whatever has the focus, as a keyboard does."""
    for key in keys:
        driver.switch_to.active_element.send_keys(key)


def test_axe_finds_nothing_on_a_phone(program: Program, owner: Chrome, open_browser: OpenBrowser) -> None:
    carry_key(owner)
    security = SecurityScreen(owner).open(program.url)
    security.turn_on_app()
    security.open(program.url).add_passkey("Laptop")
    security.wait_for("The passkey is added")
    at = security.button("Change Laptop…").get_attribute("href") or ""
    driver = open_browser(width=375)
    SignInScreen(driver).open(program.url)
    assert problems(driver) == [], "/login"
    SignInScreen(driver).sign_in(EMAIL, PASSWORD)
    assert Screen(driver).heading == "One more step"
    assert problems(driver) == [], "the second step"
    for cookie in owner.get_cookies():
        driver.add_cookie({key: cookie[key] for key in ("name", "value", "path")})
    paths = ["", "/password", "/authenticator", "/codes", "/passkeys"]
    for url in [*(f"{program.url}/account/security{path}" for path in paths), f"{program.url}/account/confirmation", at]:
        driver.get(url)
        assert problems(driver) == [], url
        assert not Screen(driver).is_wider_than_the_window(), url


async def test_account_elsewhere_is_linked_and_lets_in(tmp_path: Path, open_browser: OpenBrowser) -> None:
    async with running_provider() as provider:
        client = {"SQUALL_OIDC_CLIENT_ID": CLIENT_ID, "SQUALL_OIDC_CLIENT_SECRET": CLIENT_SECRET, "SQUALL_OIDC_NAME": "Harbour ID"}
        program = Program(tmp_path, SQUALL_OIDC_ISSUER=provider.issuer, **client)
        await asyncio.to_thread(_link_and_come_in, program, open_browser())
    assert len(provider.redeemed) == 2


def _link_and_come_in(program: Program, driver: Chrome) -> None:
    program.migrated().start()
    try:
        SetupScreen(driver).make_owner(program.owner_link)
        driver.get(f"{program.url}/account/identities")
        screen = Screen(driver)
        screen.press("Link an account")
        screen.wait_for("Harbour ID")
        assert "ana-1" in screen.text
        screen.press("Sign out")
        screen.press("Sign in with Harbour ID")
        wait_for_path(driver, "/admin")
    finally:
        program.stop()
