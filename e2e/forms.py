"""What somebody did before a journey begins: the forms that others of the journeys fill in, sent without drawing their pages."""

from http.cookiejar import CookieJar
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, ProxyHandler, build_opener

from selenium.webdriver import Chrome


class Visitor:
    """Follows and keeps cookies, as a browser does; then a real one goes on with them."""

    def __init__(self, driver: Chrome) -> None:
        self._driver = driver
        self._cookies = CookieJar()
        self._opener = build_opener(ProxyHandler({}), HTTPCookieProcessor(self._cookies))
        self._opener.addheaders = [("User-Agent", str(driver.execute_script("return navigator.userAgent")))]  # type: ignore[no-untyped-call]

    def send(self, url: str, **fields: str) -> str:
        """The address to which it leads."""
        self._opener.open(url).close()
        key = next(cookie.value for cookie in self._cookies if cookie.name == "xsrf")
        with self._opener.open(url, urlencode({"_xsrf": key, **fields}).encode()) as answer:
            return str(answer.url)

    def hand_over(self, url: str) -> None:
        common = {"url": url, "httpOnly": True, "sameSite": "Lax"}
        kept = [{"name": each.name, "value": each.value, "expires": each.expires or -1, **common} for each in self._cookies]
        self._driver.execute_cdp_cmd("Network.setCookies", {"cookies": kept})
