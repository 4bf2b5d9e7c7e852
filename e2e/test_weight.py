"""What a page weighs, that it asks nobody else for anything, that nothing on it moves, and its colours: the first ones, and on paper."""

import json
from urllib.parse import urlsplit

import pytest
from selenium.webdriver import Chrome

from e2e.conftest import OpenBrowser
from e2e.program import Program

pytestmark = pytest.mark.browser

PAGES = (
    "/", "/the-rule-of-twelfths", "/a-splice-is-a-promise", "/about", "/about/how-to-read-a-tide-table", "/tag/tides", "/category/almanac",
    "/author/ines-falk", "/archive", "/archive/2026", "/nothing-here", "/two-moorings-to-let", "/one-week-six-lights",
)  # fmt: skip
# The longest article of the demo, which has code, a table and footnotes; pictures are left out of the sum.
ARTICLE = "/the-rule-of-twelfths"
MOST = {"page": 40_000, "stylesheet": 20_000, "script": 15_000}  # bytes on the wire

# Before anything of the page runs: note what moves without a hand on it, when the colours were set, and when something was seen.
WATCH = """
window.seen = {shift: 0, painted: null, schemed: null};
new PerformanceObserver((list) => { for (const entry of list.getEntries()) seen.shift += entry.value; })
  .observe({type: "layout-shift", buffered: true});
new PerformanceObserver((list) => { seen.painted ??= list.getEntries()[0].startTime; }).observe({type: "paint", buffered: true});
new MutationObserver(() => { if (document.documentElement?.dataset.scheme) seen.schemed ??= performance.now(); })
  .observe(document, {attributes: true, subtree: true, attributeFilter: ["data-scheme"]});
"""


@pytest.fixture
def reader(open_browser: OpenBrowser) -> Chrome:
    driver = open_browser(is_logged=True)
    driver.execute_cdp_cmd("Network.enable", {})
    driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})
    return driver


def told(driver: Chrome) -> list[tuple[str, dict]]:
    """What the browser's network did since it was last asked: method and parameters."""
    events = (json.loads(entry["message"])["message"] for entry in driver.get_log("performance"))
    return [(event["method"], event["params"]) for event in events if event["method"].startswith("Network.")]


def test_no_page_asks_another_host_and_nothing_moves(owned_demo: Program, reader: Chrome) -> None:
    told(reader)
    for path in PAGES:
        reader.get(owned_demo.url + path)
        reader.execute_async_script("setTimeout(arguments[0], 300)")
        asked = {params["request"]["url"] for method, params in told(reader) if method == "Network.requestWillBeSent"}
        assert owned_demo.url + path in asked
        strangers = {url for url in asked if not url.startswith((owned_demo.url + "/", "data:"))}
        assert strangers == set(), path
        assert reader.execute_script("return seen.shift") == 0, path


def test_an_article_is_light(owned_demo: Program, reader: Chrome) -> None:
    reader.execute_cdp_cmd("Network.setCacheDisabled", {"cacheDisabled": True})
    told(reader)
    reader.get(owned_demo.url + ARTICLE)
    kinds: dict[str, str] = {}
    sizes: dict[str, int] = {}
    for method, params in told(reader):
        if method == "Network.responseReceived":
            kinds[params["requestId"]] = _kind(params["response"]["url"])
        elif method == "Network.loadingFinished":
            sizes[params["requestId"]] = round(params["encodedDataLength"])
    weight = dict.fromkeys(("page", "stylesheet", "script", "picture"), 0)
    for request, size in sizes.items():
        weight[kinds[request]] += size
    assert weight["stylesheet"] > 1000
    assert weight["script"] > 500
    assert weight["stylesheet"] <= MOST["stylesheet"], weight
    assert weight["script"] <= MOST["script"], weight
    assert sum(size for kind, size in weight.items() if kind != "picture") <= MOST["page"], weight


def _kind(url: str) -> str:
    path = urlsplit(url).path
    if path.startswith("/media/"):
        return "picture"
    return {"css": "stylesheet", "js": "script"}.get(path.rpartition(".")[2], "page")


def test_chosen_colours_are_there_before_anything_is_seen(owned_demo: Program, reader: Chrome) -> None:
    reader.get(owned_demo.url + ARTICLE)
    reader.find_element("css selector", "[data-scheme-toggle]").click()
    assert reader.get_cookies() == [], "the choice must not take pages out of a cache"
    for path in (ARTICLE, "/"):
        reader.get(owned_demo.url + path)
        reader.execute_async_script("setTimeout(arguments[0], 300)")
        seen = reader.execute_script("return seen")
        assert reader.execute_script("return document.documentElement.dataset.scheme") == "dark"
        assert seen["schemed"] is not None
        assert seen["painted"] is None or seen["schemed"] <= seen["painted"], seen
        colours = reader.execute_script("return [...document.querySelectorAll('meta[name=theme-color]')].map((meta) => meta.content)")
        assert len(set(colours)) == 1, "the browser's frame follows the choice, and not the system"


def test_on_paper_there_is_ink_and_no_navigation(owned_demo: Program, reader: Chrome) -> None:
    reader.get(owned_demo.url + ARTICLE)
    reader.find_element("css selector", "[data-scheme-toggle]").click()
    reader.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"media": "print", "features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    )
    script = """
      const style = (selector, part) => getComputedStyle(document.querySelector(selector), part);
      return {
        paper: style("html").backgroundColor, ink: style(".prose").color, link: style(".prose a[href^='/']", "::after").content,
        gone: [".masthead nav", ".tools", ".colophon", ".toc", ".headerlink", ".copy"].filter((name) => style(name).display !== "none"),
        code: style(".code pre").overflowX,
      };
    """
    seen = reader.execute_script(script)
    assert seen["gone"] == []
    assert seen["paper"] in ("oklch(1 0 0)", "rgb(255, 255, 255)")
    assert seen["ink"] == "rgb(0, 0, 0)"
    assert seen["link"].startswith('" (')
    assert seen["code"] == "visible", "what scrolls is not broken across pages"
