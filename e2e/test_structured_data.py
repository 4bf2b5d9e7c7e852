"""Structured data stands in the page as data: the content policy lets it be, and it never runs."""

import json

import pytest
from selenium.webdriver import Chrome

from e2e.conftest import OpenBrowser
from e2e.pages.editor import EditorScreen
from e2e.program import Program

pytestmark = pytest.mark.browser

WATCH = "window.violations = []; document.addEventListener('securitypolicyviolation', event => violations.push(event.violatedDirective));"


def test_the_content_policy_has_nothing_to_say_about_structured_data(program: Program, owner: Chrome, open_browser: OpenBrowser) -> None:
    editor = EditorScreen(owner).open_new(program.url)
    editor.write("</script><script>document.title = 'run'</script>", "Mud.")
    editor.publish()
    editor.wait_for("Readers can see it now")
    reader = open_browser()
    reader.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})
    reader.get(program.url)
    paths = ["/", reader.execute_script("return document.querySelector('main h2 a').getAttribute('href')")]
    for path, kind in zip(paths, ("WebSite", "BlogPosting"), strict=True):
        reader.get(program.url + path)
        text = reader.execute_script("return document.querySelector('script[type=\"application/ld+json\"]').textContent")
        assert kind in [node["@type"] for node in json.loads(text)["@graph"]]
        assert reader.execute_script("return violations") == []
        assert reader.title != "run"
