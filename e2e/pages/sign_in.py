"""The door."""

from e2e.forms import Visitor
from e2e.pages.screen import Screen


class SignInScreen(Screen):
    def open(self, url: str) -> "SignInScreen":
        self.driver.get(f"{url}/login")
        return self

    def sign_in(self, email: str, password: str) -> None:
        self.fill("E-mail", email)
        self.fill("Password", password)
        self.press("Sign in")

    def come_in(self, url: str, email: str, password: str) -> None:
        """Who has done that, and goes on to any page."""
        visitor = Visitor(self.driver)
        visitor.send(f"{url}/login", email=email, password=password)
        visitor.hand_over(url)
