"""The one-time link."""

from e2e.forms import Visitor
from e2e.pages.screen import Screen

EMAIL = "olga@example.org"
PASSWORD = "slow tide, early boat"


class SetupScreen(Screen):
    def make_owner(self, link: str) -> None:
        """Who has done what ``sign_up`` and ``begin`` do, and goes on to any page."""
        visitor = Visitor(self.driver)
        welcome = visitor.send(link, name="Olga Owner", email=EMAIL, password=PASSWORD)
        visitor.send(welcome, name="The Tide Table", time_zone="UTC", begin="fresh")
        visitor.hand_over(link)

    def sign_up(self, link: str) -> None:
        self.driver.get(link)
        self.fill("Your name", "Olga Owner")
        self.fill("E-mail", EMAIL)
        self.fill("Password", PASSWORD)
        self.press("Make it mine")
        self.wait_for("Three questions")

    def begin(self) -> None:
        self.fill("Name of the site", "The Tide Table")
        self.press("Begin")
        self.wait_for("Publish…")
