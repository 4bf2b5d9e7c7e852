"""Finding things as a person does: by their words."""

from selenium.common.exceptions import WebDriverException
from selenium.webdriver import ActionChains, Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

PATIENCE = 20  # seconds


# Puts onto the clipboard what another program would, and pastes it.
PASTE = """
const data = new DataTransfer();
for (const [type, value] of Object.entries(arguments[0])) data.setData(type, value);
document.activeElement.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true}));
"""


class Waiting(WebDriverWait[Chrome]):
    """Asks twenty times a second, and is not put off by a page that is just being left."""

    def __init__(self, driver: Chrome) -> None:
        super().__init__(driver, PATIENCE, 0.05, [WebDriverException])


class Screen:
    def __init__(self, driver: Chrome) -> None:
        self.driver = driver

    def field(self, label: str) -> WebElement:
        """The field whose label begins with these words."""
        found = self.driver.find_element(By.XPATH, f"//label[starts-with(normalize-space(), '{label}')]")
        return self.driver.find_element(By.ID, found.get_attribute("for") or "")

    def fill(self, label: str, text: str) -> None:
        """Put text into a field in one go, as pasting does."""
        field = self.field(label)
        field.clear()
        self.driver.execute_cdp_cmd("DOM.enable", {})
        field.click()
        self.driver.execute_cdp_cmd("Input.insertText", {"text": text})

    def paste(self, **kinds: str) -> None:
        """``html`` and ``plain``, as a clipboard has both, to where the cursor is."""
        self.driver.execute_script(PASTE, {f"text/{kind}": value for kind, value in kinds.items()})

    def button(self, words: str) -> WebElement:
        """The first button or link with these words that can be seen."""
        path = f"//*[self::button or self::a][normalize-space()='{words}' or @aria-label='{words}']"
        return next(found for found in self.driver.find_elements(By.XPATH, path) if found.is_displayed())

    def keys(self, *keys: str) -> None:
        """The last of the keys, while the others are held."""
        *held, last = keys
        actions = ActionChains(self.driver)
        for key in held:
            actions.key_down(key)
        actions.send_keys(last)
        for key in held:
            actions.key_up(key)
        actions.perform()

    def press(self, words: str) -> None:
        """Press and wait for the next page."""
        before = self.driver.find_element(By.TAG_NAME, "html")
        self.button(words).click()
        Waiting(self.driver).until(lambda _: _is_gone(before))

    def wait_for(self, words: str) -> None:
        Waiting(self.driver).until(lambda _: words in self.text)

    @property
    def text(self) -> str:
        return str(self.driver.execute_script("return document.body.innerText"))

    @property
    def heading(self) -> str:
        return str(self.driver.find_element(By.TAG_NAME, "h1").get_attribute("textContent")).strip()

    def is_wider_than_the_window(self) -> bool:
        return bool(self.driver.execute_script("return document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def _is_gone(element: WebElement) -> bool:
    try:
        element.is_enabled()
    except WebDriverException:
        return True
    return False
