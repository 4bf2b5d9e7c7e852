"""One's own security: passkeys, the app, sessions; and the steps of signing in that need them."""

import re

import pyotp
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.virtual_authenticator import VirtualAuthenticatorOptions

from e2e.pages.screen import Screen


def carry_key(driver: Chrome) -> None:
    """The browser has an authenticator that knows its owner, and says yes to everything."""
    options = VirtualAuthenticatorOptions(
        protocol=VirtualAuthenticatorOptions.Protocol.CTAP2,
        transport=VirtualAuthenticatorOptions.Transport.INTERNAL,
        has_resident_key=True,
        has_user_verification=True,
        is_user_consenting=True,
        is_user_verified=True,
    )
    driver.add_virtual_authenticator(options)


class SecurityScreen(Screen):
    def open(self, url: str) -> "SecurityScreen":
        self.driver.get(f"{url}/account/security")
        return self

    def add_passkey(self, name: str) -> list[str]:
        """Returns the recovery codes, if they were shown."""
        self.press("Add a passkey")
        self.fill("Name", name)
        self.press("Go on")
        return self.codes

    def turn_on_app(self) -> tuple[str, list[str]]:
        """The secret that the app has now, and the recovery codes, if they were shown."""
        self.press("Set up the authenticator app…")
        secret = re.sub(r"\s", "", self.driver.find_element(By.ID, "secret").text)
        self.fill("Code", pyotp.TOTP(secret).now())
        self.press("Turn it on")
        return secret, self.codes

    @property
    def codes(self) -> list[str]:
        return [each.text for each in self.driver.find_elements(By.CSS_SELECTOR, ".codes li")]


class SecondStep(Screen):
    def answer(self, code: str) -> None:
        self.fill("Code", code)
        self.press("Go on")
