"""One post at the desk."""

from collections.abc import Callable

from selenium.webdriver import Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from e2e.pages.screen import Screen, Waiting

WRITER = (By.CSS_SELECTOR, ".cm-content")


class EditorScreen(Screen):
    def open_new(self, url: str, kind: str = "post", *, scripts: bool = True) -> "EditorScreen":
        self.driver.get(f"{url}/admin/{kind}s/new")
        return self.when_ready() if scripts else self

    def open(self, address: str) -> "EditorScreen":
        """One that is there, until it can be written in."""
        self.driver.get(address)
        return self.when_ready()

    def when_ready(self) -> "EditorScreen":
        """Its scripts have begun."""
        Waiting(self.driver).until(lambda driver: driver.find_elements(*WRITER))
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
        self.keys(Keys.CONTROL, "a")
        self.keys(Keys.BACKSPACE)
        self.paste(plain=text)

    def fill(self, label: str, text: str) -> None:
        writer = self.driver.find_elements(*WRITER) if label == "Text" else []
        if not writer:
            super().fill(label, text)
            return
        self._press(writer[0], "a", Keys.CONTROL)
        self.type(text)

    def open_publication(self, words: str) -> None:
        """What will happen, over the editor."""
        self.button(words).click()
        Waiting(self.driver).until(lambda driver: driver.find_elements(By.CSS_SELECTOR, "dialog.publishing[open]"))

    # --- the text ---

    def type(self, text: str) -> None:
        """Where the caret is, in one go."""
        self.driver.execute_cdp_cmd("DOM.enable", {})
        self.driver.execute_cdp_cmd("Input.insertText", {"text": text})

    def type_at_the_start(self, text: str) -> None:
        self.move_to_the_start()
        self.type(text)

    def type_at_the_end(self, text: str) -> None:
        self.move_to_the_end()
        self.type(text)

    def move_to_the_start(self) -> None:
        self._press(self.driver.find_element(*WRITER), Keys.HOME, Keys.CONTROL)

    def move_to_the_end(self) -> None:
        self._press(self.driver.find_element(*WRITER), Keys.END, Keys.CONTROL)

    def make_bold(self) -> None:
        """All of it."""
        writer = self.driver.find_element(*WRITER)
        self._press(writer, "a", Keys.CONTROL)
        self._press(writer, "b", Keys.CONTROL)

    def _press(self, field: WebElement, key: str, *held: str) -> None:
        self.driver.execute_script("arguments[0].focus()", field)  # type: ignore[no-untyped-call]
        self.keys(*held, key)

    @property
    def written(self) -> str:
        """The text in the form, which follows what is typed."""
        return str(self.driver.find_element(By.NAME, "text").get_property("value"))

    def wait_until(self, holds: Callable[[str], bool]) -> None:
        """Until that is so of the text."""
        Waiting(self.driver).until(lambda _: holds(self.written))

    def wait_until_shown(self, line: str) -> None:
        """Until the line of the text that begins so can be seen without scrolling."""
        script = """const { top, bottom } = document.querySelector(".cm-scroller").getBoundingClientRect();
            const isShown = (at) => at.top >= Math.max(0, top) && at.bottom <= Math.min(innerHeight, bottom);
            const lines = [...document.querySelectorAll(".cm-line")].filter((each) => each.textContent.startsWith(arguments[0]));
            return lines.some((each) => isShown(each.getBoundingClientRect()))"""
        Waiting(self.driver).until(lambda driver: driver.execute_script(script, line))

    def wait_for_authors(self, *stretches: str) -> str:
        """Until the text shows these, each by somebody else than the one before; what is said of the place at the cursor."""

        def shown(_: object) -> bool:
            marks = self.driver.find_elements(By.CSS_SELECTOR, ".cm-content .wrote")
            colours = [str(mark.get_attribute("class")) for mark in marks]
            return [mark.text for mark in marks] == [each.strip() for each in stretches] and all(map(str.__ne__, colours, colours[1:]))

        Waiting(self.driver).until(shown)
        return self.driver.find_element(By.CSS_SELECTOR, ".foot .writer").text

    # --- how it stands ---

    def save(self) -> None:
        """With scripts it is saved in place, without them the page comes again; both say so."""
        self.button("Save").click()
        self.wait_for_state("Saved", "Revision kept")

    def wait_for_state(self, *words: str) -> None:
        Waiting(self.driver).until(lambda driver: driver.find_element(By.CSS_SELECTOR, ".saved").text.startswith(words))

    @property
    def others(self) -> list[str]:
        """Who else is here, by the marks in the bar."""
        return [str(mark.accessible_name) for mark in self.driver.find_elements(By.CSS_SELECTOR, ".here button")]

    def publish(self) -> None:
        """Over the editor with scripts, on a page of its own without."""
        self.button("Publish…").click()
        self.wait_for("Publish now")
        self.press("Publish now")

    # --- the preview ---

    def preview_text(self) -> str:
        """What the preview beside the text shows."""
        frame = self.driver.find_element(By.TAG_NAME, "iframe")
        self.driver.switch_to.frame(frame)
        try:
            return self.text
        finally:
            self.driver.switch_to.default_content()

    def wait_for_preview(self, words: str) -> None:
        """The frame's page is replaced with each change, also while it is being read."""
        Waiting(self.driver).until(lambda _: words in self.preview_text())
