"""One post at the desk."""

from selenium.common.exceptions import WebDriverException
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from e2e.pages.screen import PATIENCE, Screen


class EditorScreen(Screen):
    def open_new(self, url: str, kind: str = "post") -> "EditorScreen":
        self.driver.get(f"{url}/admin/{kind}s/new")
        return self

    def write(self, title: str, text: str) -> None:
        self.fill("Title", title)
        self.fill_text(text)

    def fill_text(self, text: str) -> None:
        """Into the writing surface, or the plain field where there are no scripts."""
        surfaces = self.driver.find_elements(By.CSS_SELECTOR, ".cm-content")
        if not surfaces:
            self.fill("Text", text)
            return
        surfaces[0].click()
        ActionChains(self.driver).key_down(Keys.CONTROL).send_keys("a").key_up(Keys.CONTROL).send_keys(Keys.BACKSPACE).perform()
        self.driver.execute_cdp_cmd("Input.insertText", {"text": text})

    def save(self) -> None:
        """With scripts it is saved in place, without them the page comes again; both say so."""
        self.button("Save").click()
        self.wait_for_state("Saved")

    def wait_for_state(self, words: str) -> None:
        WebDriverWait(self.driver, PATIENCE, ignored_exceptions=[WebDriverException]).until(
            lambda driver: driver.find_element(By.CSS_SELECTOR, ".saved").text.startswith(words)
        )

    def publish(self) -> None:
        self.press("Publish…")
        self.press("Publish now")

    def preview_text(self) -> str:
        """What the preview beside the text shows."""
        frame = self.driver.find_element(By.TAG_NAME, "iframe")
        self.driver.switch_to.frame(frame)
        try:
            return self.driver.find_element(By.TAG_NAME, "body").text
        finally:
            self.driver.switch_to.default_content()

    def wait_for_preview(self, words: str) -> None:
        """The frame's page is replaced with each change, also while it is being read."""
        waiting = WebDriverWait(self.driver, PATIENCE, ignored_exceptions=[WebDriverException])
        waiting.until(lambda _: words in self.preview_text())
