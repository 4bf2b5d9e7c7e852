"""Texts as they are read elsewhere."""

import pytest

from cms.ui.feeds import absolute_html, xml_text

BASE = "https://tide.example/2024/low"


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        ('<a href="/x">x</a>', '<a href="https://tide.example/x">x</a>'),
        ('<a href="x?a=1&amp;b=2">x</a>', '<a href="https://tide.example/2024/x?a=1&amp;b=2">x</a>'),
        ('<a href="#n" class="footnote-ref">1</a>', '<a href="https://tide.example/2024/low#n" class="footnote-ref">1</a>'),
        ('<a href="//other.example/">x</a>', '<a href="https://other.example/">x</a>'),
        ('<a href="http://[bad">x</a>', '<a href="http://[bad">x</a>'),
        ('<a href="&quot;&gt;&lt;b">x</a>', '<a href="https://tide.example/2024/&quot;&gt;&lt;b">x</a>'),
        ('<img alt="href=&quot;/x&quot;" src="/a.png">', '<img alt="href=&quot;/x&quot;" src="https://tide.example/a.png">'),
        (
            '<video poster="/p.png" src="/v.mp4"></video>',
            '<video poster="https://tide.example/p.png" src="https://tide.example/v.mp4"></video>',
        ),
        ('<p>&lt;a href="/x"&gt;</p>', '<p>&lt;a href="/x"&gt;</p>'),
        ('<h2 id="a">A<a class="headerlink" href="#a" title="Link">§</a></h2>', '<h2 id="a">A</h2>'),
    ],
)
def test_addresses_are_made_whole(stored: str, expected: str) -> None:
    assert absolute_html(stored, BASE) == expected


def test_what_xml_does_not_know_is_left_out() -> None:
    assert xml_text("a\x00\x08\x0b\ufffe\uffffb<&\t\n") == "ab&lt;&amp;\t\n"
    assert xml_text(b"\xc3\xa9") == "é"
