"""The writing surface over the editor's text field."""

from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from e2e.pages.screen import Screen, Waiting


class WritingScreen(Screen):
    @property
    def surface(self) -> WebElement:
        return Waiting(self.driver).until(lambda driver: driver.find_element(By.CSS_SELECTOR, ".cm-content"))

    def start(self, text: str = "") -> None:
        """In the surface, with this text and the cursor at its end."""
        self.surface.click()
        self.keys(Keys.CONTROL, "a")
        self.keys(Keys.BACKSPACE)
        self.driver.execute_cdp_cmd("Input.insertText", {"text": text}) if text else None

    def type(self, text: str) -> None:
        ActionChains(self.driver).send_keys(text).perform()

    def choose_block(self, name: str) -> None:
        """Of the menu, once it has this one first and is no longer so new that a key is taken to be meant for the text."""
        self.wait_in(".blocks [role=option][aria-selected]", name)
        ActionChains(self.driver).pause(0.1).send_keys(Keys.ENTER).perform()

    def choose_back(self, signs: int) -> None:
        """Choose the signs before the cursor."""
        for _ in range(signs):
            self.keys(Keys.SHIFT, Keys.ARROW_LEFT)

    @property
    def text(self) -> str:
        """What the form would send."""
        return str(self.driver.execute_script('return new FormData(document.getElementById("post")).get("text").replace(/\\r\\n/g, "\\n")'))

    def wait_for_text(self, text: str) -> None:
        Waiting(self.driver).until(lambda _: self.text == text, f"{text!r} is not {self.text!r}")

    def shown(self, selector: str) -> WebElement:
        there = (By.CSS_SELECTOR, selector)
        return Waiting(self.driver).until(lambda driver: next((each for each in driver.find_elements(*there) if each.is_displayed()), None))

    def wait_in(self, selector: str, words: str) -> None:
        """What floats is not in the text of the page, as its frame cuts off what is too long."""
        Waiting(self.driver).until(lambda driver: words in driver.find_element(By.CSS_SELECTOR, selector).text)

    @property
    def focused(self) -> str:
        """The name of what has the focus."""
        return str(self.driver.switch_to.active_element.get_attribute("aria-label"))

    def field_named(self, name: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, f"[aria-label='{name}']")
