"""Somebody at the desk who changes a post and publishes it."""

import http.client
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit

from bench.performance import content


class Editor:
    """A browser without eyes, signed in."""

    def __init__(self, url: str, post: int, title: str) -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        self._cookies: dict[str, str] = {}
        self._place = f"/admin/posts/{post}"
        self._title = title
        self._version = 1
        self.published = 0
        self._ask("GET", "/login")
        self._send("/login", {"email": content.EMAIL, "password": content.PASSWORD})

    def publish(self) -> None:
        typed = {"title": self._title, "text": content.text(self.published + 2), "tags": ", ".join(content.TAGS)}
        self._send(self._place, {**typed, "version": self._version})
        self._version += 1
        self._send(f"{self._place}/publication", {"version": self._version})
        self.published += 1

    @property
    def newest(self) -> bytes:
        """Words that the page has now."""
        return f"edition {self.published + 1}.".encode()

    def _send(self, path: str, form: dict[str, object]) -> None:
        status, said = self._ask("POST", path, urlencode({"_xsrf": self._cookies["xsrf"], **form}))
        if status != 303:
            raise RuntimeError(f"{path} was answered {status}: {said[:500]}")

    def _ask(self, method: str, path: str, body: str | None = None) -> tuple[int, str]:
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        self._connection.request(method, path, body, {"Cookie": cookies, "Content-Type": "application/x-www-form-urlencoded"})
        answer = self._connection.getresponse()
        for sent in answer.headers.get_all("Set-Cookie", ()):
            self._cookies |= {name: morsel.value for name, morsel in SimpleCookie(sent).items()}
        return answer.status, answer.read().decode()
