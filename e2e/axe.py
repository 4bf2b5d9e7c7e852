"""Accessibility, as axe-core judges the page that a browser shows (https://github.com/dequelabs/axe-core; the file is its release)."""

from pathlib import Path

from selenium.webdriver import Chrome

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")


def problems(driver: Chrome) -> list[str]:
    """Each violation with the element it was found on."""
    driver.execute_script(AXE)
    found = driver.execute_async_script("axe.run(document, {iframes: false}).then(arguments[arguments.length - 1])")
    return [f"{problem['id']}: {node['target']}" for problem in found["violations"] for node in problem["nodes"]]
