import json

import pytest

from cms.content.context import PageCard
from cms.content.link_cards import LONGEST_DESCRIPTION, LONGEST_TITLE, read_oembed, read_page

URL = "https://tides.example/a/b"
HTML = "text/html; charset=utf-8"


def page(head: str, content_type: str = HTML) -> PageCard:
    return read_page(
        f"<!doctype html><html><head>{head}</head><body><meta property=og:title content=Late><title>Later</title>".encode(),
        content_type,
        URL,
    )


def test_open_graph_comes_before_twitter_and_the_bare_title() -> None:
    bare = page('<title> Low\n tide </title><meta name="Description" content="Mud &amp; more"><meta name=author content=Ana>')
    assert bare == PageCard("link", "Low tide", "Mud & more", author="Ana")
    twitter = page("<title>x</title><meta name=twitter:title content=T><meta name=twitter:image content=/t.png>")
    assert (twitter.title, twitter.picture) == ("T", "https://tides.example/t.png")
    full = page(
        '<title>x</title><meta property="og:title" content="Low tide"><meta property="og:title" content="Second">'
        '<meta property="og:description" content="Mud"><meta property="og:site_name" content="Tides">'
        '<meta property="og:type" content="video.other">'
        '<meta property="og:image" content="p.jpg?a=1&amp;b=2"><link rel="alternate" type="application/json+oembed" href="/oembed?url=x">'
    )  # fmt: skip
    assert full == PageCard(
        "video", "Low tide", "Mud", "Tides", "", "https://tides.example/a/p.jpg?a=1&b=2", "https://tides.example/oembed?url=x"
    )


def test_oembed_is_believed_before_the_page() -> None:
    known = PageCard("link", "Page", "Mud", "Host", "", "https://tides.example/og.png")
    said = {
        "type": "video",
        "title": " A film ",
        "author_name": "Ana",
        "provider_name": "Tube",
        "thumbnail_url": "//i.example/t.jpg",
        "html": "<b>",
    }
    assert read_oembed(json.dumps(said).encode(), known, URL) == PageCard(
        "video", "A film", "Mud", "Tube", "Ana", "https://i.example/t.jpg"
    )
    assert read_oembed(b'{"type": "photo", "url": "/p.png", "title": 7}', known, URL).picture == "https://tides.example/p.png"
    for broken in (b"", b"[]", b"7", b"{", b"\xff\xfe", b"[" * 100_000, b'{"title": {"a": 1}, "type": []}'):
        assert read_oembed(broken, known, URL) == known


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "data:image/png;base64,AA", "file:///etc/passwd", "http://[", " ", "/" + "a" * 9000]
)
def test_no_picture_is_anywhere_else_than_on_the_web(address: str) -> None:
    assert page(f'<meta property="og:image" content="{address}">').picture == ""
    assert read_oembed(json.dumps({"thumbnail_url": address}).encode(), PageCard(), URL).picture == ""


def test_words_are_plain_and_short() -> None:
    card = page(f'<meta property="og:title" content="{"a " * 9000}"><meta name=description content="{"b" * 9000}">')
    assert (len(card.title), len(card.description)) == (LONGEST_TITLE, LONGEST_DESCRIPTION)
    assert page("<title>a\u202eb\x00\x1b[1m\u2066c</title>").title == "ab[1mc"
    assert page("<title>&lt;script>alert(1)&lt;/script></title>").title == "<script>alert(1)</script>"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("<title>Größe</title>".encode("latin-1"), "text/html; charset=ISO-8859-1"),
        ('<meta charset="windows-1252"><title>Größe</title>'.encode("cp1252"), "text/html"),
        ("<title>Größe</title>".encode("utf-16"), "text/html"),
        ("<title>Größe</title>".encode(), "text/html; charset=zip"),
        ("<title>Größe</title>".encode(), "text/html; charset=idna"),
        ("<title>Größe</title>".encode(), ""),
    ],
)
def test_letters_are_read_as_they_were_written(body: bytes, content_type: str) -> None:
    assert read_page(body, content_type, URL).title == "Größe"


@pytest.mark.parametrize("piece", ["<", "<a ", "<!--", "<![x", "<!", "<?", "&#", "<title>", "<a b='", "<script>", "</", "<title a=<"])
def test_whatever_is_sent_is_read(piece: str) -> None:
    """In time, too: it is ended after two seconds in the process that does it."""
    endless = piece.encode() * (100_000 // len(piece))
    assert read_page(b"<title>Tide</title>" + endless, HTML, URL).title == "Tide"
    assert read_page(endless, HTML, URL).kind == "link"
