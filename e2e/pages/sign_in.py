"""The door."""

from e2e.pages.screen import Screen


class SignInScreen(Screen):
    def open(self, url: str) -> "SignInScreen":
        self.driver.get(f"{url}/login")
        return self

    def sign_in(self, email: str, password: str) -> None:
        self.fill("E-mail", email)
        self.fill("Password", password)
        self.press("Sign in")
