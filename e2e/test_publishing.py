"""A live text is changed, and readers get the change when its time has come and not before."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from sqlalchemy import update

from cms.db.session import Database
from cms.models import Schedule
from cms.services.passwords import Passwords
from e2e.axe import problems
from e2e.conftest import OpenBrowser
from e2e.pages.editor import EditorScreen
from e2e.pages.screen import Screen, Waiting
from e2e.pages.sign_in import SignInScreen
from e2e.program import Program
from tests import factories
from tests.conftest import Templates

pytestmark = pytest.mark.browser


async def test_readers_see_the_old_text_until_the_new_one_is_due(tmp_path: Path, templates: Templates, open_browser: OpenBrowser) -> None:
    """Edit a live post, readers see the old one, schedule it, readers see the new one."""
    database = Database(await templates.copy_sqlite(tmp_path / "data" / "squall.db"))
    olga = await factories.person(database, "owner", password_hash=await Passwords().hash(factories.PASSWORD))
    post_id = (await factories.published(database, olga, title="Tides", text="The tide is low.")).post_id
    program, driver, reader = Program(tmp_path).migrated().start(), open_browser(), open_browser(width=375)
    try:
        SignInScreen(driver).open(program.url).sign_in("owner@example.org", factories.PASSWORD)
        Screen(driver).wait_for("Tides")
        editor = EditorScreen(driver).open(f"{program.url}/admin/posts/{post_id}")
        editor.fill_text("The tide is high.")
        editor.open_publication("Update…")
        assert driver.find_element(By.CSS_SELECTOR, "dialog[open] h2").text == "Update “Tides”", "over the editor"
        driver.find_element(By.CSS_SELECTOR, "dialog [name=when][value=later]").click()
        Waiting(driver).until(lambda _: re.search(r"in (1 day|\d+ hours?)", editor.text))  # tomorrow at nine
        assert problems(driver) == []
        editor.press("Schedule it")
        editor.wait_for("Goes out on")
        reader.get(f"{program.url}/tides")
        assert "The tide is low." in Screen(reader).text

        async with database.transaction() as work:  # a day goes by
            await work.session.execute(update(Schedule).values(due_at=datetime.now(UTC) - timedelta(seconds=1)))

        def is_seen(_: object) -> bool:
            reader.get(f"{program.url}/tides")
            return "The tide is high." in Screen(reader).text

        Waiting(reader).until(is_seen)
        driver.get(f"{program.url}/admin/calendar")
        Screen(driver).wait_for("Tides")
        assert problems(driver) == []
    finally:
        program.stop()
        await database.dispose()
