"""What the desk's tests do again and again: read forms from pages, and go through the editor."""

from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element

from tests.web import Answer, Browser, path_of

TEXT = "It was a dark and stormy night.\n\nThe rain fell in torrents."


def controls(page: Element, form: Element) -> Iterator[Element]:
    """Inputs of a form, those that only name it included, in the order of the page."""
    inside = set(form.iter())
    for element in page.iter():
        named = element.get("form")
        if element.tag in ("input", "textarea", "select", "button") and (named == form.get("id") if named else element in inside):
            yield element


def form_of(page: Element, action: str = "", *, form_id: str = "") -> Element:
    """The page's POST form with this id or action; without both, the first that is not the one for signing out."""
    forms = [form for form in page.iter("form") if (form.get("method") or "").lower() == "post"]
    if form_id or action:
        return next(form for form in forms if form.get("id") == form_id or form.get("action") == action)
    return next(form for form in forms if form.get("action") != "/logout")


def fields(page: Element, form: Element | None = None) -> dict[str, str]:
    """What the browser would send if no button with a name were pressed."""
    values: dict[str, str] = {}
    for element in controls(page, form_of(page) if form is None else form):
        name = element.get("name")
        if not name or element.tag == "button":
            continue
        if element.get("type") in ("checkbox", "radio") and element.get("checked") is None:
            continue
        if element.tag == "textarea":
            values[name] = "".join(element.itertext())
        elif element.tag == "select":
            options = list(element.iter("option"))
            chosen = [option.get("value") or "" for option in options if option.get("selected") is not None]
            values[name] = chosen[-1] if chosen else (options[0].get("value") or "")
        else:
            values[name] = element.get("value") or ""
    return values


def buttons(page: Element) -> list[str]:
    return [" ".join("".join(button.itertext()).split()) for button in page.iter("button")]


def by_class(page: Element, name: str) -> list[Element]:
    return [element for element in page.iter() if name in (element.get("class") or "").split()]


def by_id(page: Element, name: str) -> Element:
    return next(element for element in page.iter() if element.get("id") == name)


def words(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


def title(answer: Answer) -> str:
    return words(next(answer.page.iter("title")))


async def written(browser: Browser, kind: str = "post", **form: Any) -> int:
    """The id of a new post or page."""
    answer = await browser.post(f"/admin/{kind}s", {"title": "Stormy night", "text": TEXT, **form})
    assert answer.status == 303, answer.text
    return int(path_of(answer.location).rsplit("/", 1)[1])


async def editor(browser: Browser, post_id: int, kind: str = "post") -> dict[str, str]:
    """The editor's fields as they are shown."""
    answer = await browser.get(f"/admin/{kind}s/{post_id}")
    assert answer.status == 200, answer.text
    page = answer.page
    return fields(page, form_of(page, form_id="post"))


async def saved(browser: Browser, post_id: int, kind: str = "post", **changes: Any) -> Answer:
    return await browser.post(f"/admin/{kind}s/{post_id}", {**await editor(browser, post_id, kind), **changes})


async def published(browser: Browser, post_id: int, kind: str = "post") -> Answer:
    address = f"/admin/{kind}s/{post_id}/publication"
    page = (await browser.get(address)).page
    return await browser.post(address, fields(page, form_of(page, address)))
