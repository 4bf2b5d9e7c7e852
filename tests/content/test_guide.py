"""The guide for writers keeps its promises: each of its examples is rendered, and has in it what the guide says."""

import re
from pathlib import Path
from xml.etree.ElementTree import Element

import html5lib
import pytest

from cms.content.context import Media
from cms.content.pipeline import RenderContext, render

_GUIDE = (Path(__file__).parents[2] / "docs" / "guide" / "writing.md").read_text(encoding="utf-8")
_EXAMPLES = dict(re.findall(r"^### ([^\n]+)\n\n````markdown\n(.*?)\n````$", _GUIDE, re.MULTILINE | re.DOTALL))
_LINKS = {"title of a post": "/there"}
_MEDIA = {
    "/media/3/film.mp4": Media("/media/3/0/film.mp4", "video"),
    "/media/4/talk.mp3": Media("/media/4/0/talk.mp3", "audio"),
    "/media/5/plan.pdf": Media("/media/5/0/plan.pdf", "file", size=9_000),
}

# Heading of the guide → path of an element → how often it is in the example.
_PROMISED: dict[str, dict[str, int]] = {
    "Words": {"em": 1, "strong": 1, "code": 1, "del": 1, "mark": 1, "sub": 1, "sup": 1},
    "Line breaks": {"br": 2, "p": 1},
    "Quotation marks": {"p": 1},
    "Headings": {"h2/a[@href='#a-heading']": 1, "h3[@id='my-name']/a[@href='#my-name']": 1},
    "Links": {"a": 4, "a[@href='https://example.org/page']": 1},
    "Links by title": {"a[@href='/there']": 2},
    "Lists": {"ul": 1, "ul/li/ol/li": 2},
    "Tasks": {"li": 3, "li/label/input": 2, "input[@checked]": 1},
    "Definitions": {"dl/dt": 1, "dl/dd": 1},
    "Quotations": {"blockquote": 2, "blockquote/blockquote": 1},
    "Pictures": {"figure/img": 1, "figure/figcaption": 1},
    "Wide pictures": {"figure[@class='wide']/img": 1, "figure[@class='full']/img": 1},
    "Galleries": {"div[@class='gallery']/figure/img": 2, "figcaption": 1},
    "Films, sound and files": {
        "figure/video[@controls]": 1,
        "figure/audio[@controls]": 1,
        "p[@class='card card-file']/a": 1,
        "figcaption": 1,
    },
    "Cards": {"p[@class='card']/a[@href='https://vimeo.com/12345']": 1},
    "Code": {"code[@class='language-rust']/span[@data-line]": 3, "span[@class='code-line hll']": 1, "span[@class='k']": 1},
    "Differences": {"span[@class='code-line added']": 1, "span[@class='code-line removed']": 1},
    "Tables": {"table": 1, "td[@class='num']": 1, "td/code": 1},
    "Callouts": {
        "div[@class='admonition note']": 1,
        "div[@class='admonition tip']": 1,
        "div[@class='admonition important']": 1,
        "div[@class='admonition warning']": 1,
        "div[@class='admonition caution']": 1,
        "p[@class='admonition-title']": 5,
    },
    "Callouts with indentation": {"div[@class='admonition danger']/p": 2},
    "Details": {"details": 3, "details[@open]": 1, "details[@class='tip']": 1, "details/summary": 3},
    "Details as HTML": {"details/summary": 1, "details/p/em": 1},
    "Tabs": {"div[@class='tabs']/details": 2, "details[@open]": 1},
    "Footnotes": {"sup/a[@class='footnote-ref']": 1, "div[@class='footnote']/ol/li": 1},
    "Abbreviations": {"abbr[@title='HyperText Markup Language']": 1},
    "Formulas": {"span[@class='maths']/math": 1, "div[@class='maths']/math": 1, "mtr": 2},
    "Rules": {"hr": 1, "p": 2},
    "The beginning": {"p": 2, "span[@id='more']": 1},
    "HTML": {"kbd": 1, "div/p/em": 1},
}


def shown(heading: str) -> Element:
    source = _EXAMPLES[heading].replace("··", "  ")
    page = html5lib.parseFragment(render(source, RenderContext(links=_LINKS, media=_MEDIA)).html, namespaceHTMLElements=False)
    for element in page.iter():
        element.tag = str(element.tag).rpartition("}")[2]  # formulas have a namespace
    return page


def test_every_example_of_the_guide_has_its_promise() -> None:
    assert _GUIDE.count("````markdown") == len(_EXAMPLES)
    assert list(_EXAMPLES) == list(_PROMISED)


@pytest.mark.parametrize("heading", _PROMISED)
def test_the_guide_keeps_its_promises(heading: str) -> None:
    page = shown(heading)
    assert {path: len(page.findall(f".//{path}")) for path in _PROMISED[heading]} == _PROMISED[heading]


def test_the_guide_shows_words_as_they_will_be() -> None:
    assert "".join(shown("Quotation marks").itertext()).strip() == "“It’s the ’90s,” she said."
    assert "*no emphasis*" in "".join(shown("Words").itertext())
    assert render(_EXAMPLES["The beginning"]).excerpt == "What the lists show."
    assert render(_EXAMPLES["Links by title"]).nowhere == ("Title of a post",)


def test_kinds_of_callouts_that_the_guide_names_have_a_colour() -> None:
    sheet = (Path(__file__).parents[2] / "static" / "css" / "site.css").read_text(encoding="utf-8")
    coloured = " ".join(re.findall(r"([^{}]+)\{ --tone: ", sheet))
    for kind in ("tip", "important", "warning", "caution", "danger"):
        assert re.search(rf"\.{kind}\b", coloured), kind
