"""Accessibility, as axe-core judges the page that a browser shows (https://github.com/dequelabs/axe-core; the file is its release)."""

from pathlib import Path

from selenium.webdriver import Chrome

# Colours glide from one scheme to the other, for those who like that; what they are on the way is nobody's reading. Browsers do not
# always say that a glide is over. No rule that is on reads the style sheets, which axe would take apart each time.
RUN = """
const [scheme, done] = arguments;
const goesOn = (each) => each.playState === "running" && each.effect.getComputedTiming().endTime !== Infinity; // a cursor blinks for ever
const look = () => {
  if (document.getAnimations().some(goesOn)) return requestAnimationFrame(look);
  const rules = scheme === "dark" ? {runOnly: ["color-contrast", "link-in-text-block"]} : {}; // what is judged by colours
  axe.run(document, {iframes: false, preload: {assets: ["media"]}, reporter: "no-passes", ...rules}).then(done);
};
requestAnimationFrame(look);
"""
AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")


def bring(driver: Chrome) -> None:
    """To each page from now on, instead of sending it each time: where all of them are looked at."""
    driver.execute_cdp_cmd("Page.enable", {})
    driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": AXE})


def problems(driver: Chrome) -> list[str]:
    """Each violation with the colour scheme and the element it was found on. The page is left in the dark."""
    if not driver.execute_script("return 'axe' in window"):
        driver.execute_cdp_cmd("Runtime.evaluate", {"expression": AXE})
    return [problem for scheme in ("light", "dark") for problem in _in_scheme(driver, scheme)]


def _in_scheme(driver: Chrome, scheme: str) -> list[str]:
    wanted = {"prefers-color-scheme": scheme, "prefers-reduced-motion": "reduce"}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": name, "value": value} for name, value in wanted.items()]})
    found = driver.execute_async_script(RUN, scheme)
    return [f"{scheme}: {problem['id']}: {node['target']}" for problem in found["violations"] for node in problem["nodes"]]
