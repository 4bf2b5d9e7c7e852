"""Whatever is read quickly, html5lib reads as well, strictly, and understands alike."""

import random
import re
from pathlib import Path
from xml.etree.ElementTree import tostring

import html5lib
import pytest
from html5lib.html5parser import ParseError

from cms.rendering import Renderer
from tests import factories, markup
from tests.web import running_site

PIECE = re.compile(r"<[^>]*>|[^<]+")
PATHS = ("/", "/low-tide", "/nothing-here", "/search?q=tide", "/admin/posts", "/admin/posts/new", "/account/security", "/admin/people")
ODDITIES = (
    "<p>", "</p>", "<div>", "</div>", "<li>", "<tr>", "<td>", "<table>", "<a href=\"/\">", "<b>", "</b>", "<form>", "<select>", "<option>",
    "<button>", "<h2>", "</br>", "<br/>", "<i/>", "<svg>", "<path/>", "<title>", "<body>", "<!-- -->", "<?x?>", "<", "&", "&amp", "&nope;",
    "&#0;", "&copy;", "<img alt=\"a\" alt=\"b\">", "<i id=x>", "<i id='x'>", "<I>", "<textarea>", "<pre>\n", "<image>", "<center>", "<dd>",
    "<iframe>", "<noscript>", "<template>", "<script>", "<col>", "\x01", "\r",
)  # fmt: skip


@pytest.fixture
async def pages(templates: object, tmp_path: Path, renderer: Renderer) -> list[str]:
    url = await templates.copy_sqlite(tmp_path / "squall.db")  # type: ignore[attr-defined]
    async with running_site(url, tmp_path / "data", renderer=renderer) as site:
        owner = await site.signed_in("owner")
        await factories.published(site.database, await factories.person(site.database, "editor"), title="Low tide", tags=("Sea",))
        return [(await owner.get(path)).text for path in PATHS]


def strictly(text: str) -> bytes | None:
    """What html5lib makes of it; nothing of what is wrong."""
    try:
        return tostring(html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text))
    except (ParseError, KeyError):  # it has no words for some errors
        return None


def quickly(text: str) -> bytes | None:
    try:
        return tostring(markup.read(text))
    except markup.Unusual:
        return None


async def test_pages_of_ours_are_read_as_html5lib_reads_them(pages: list[str]) -> None:
    for page in pages:
        assert quickly(page) == strictly(page) is not None


async def test_what_is_wrong_is_never_taken_for_right(pages: list[str]) -> None:
    chance = random.Random(7)
    for page in pages[1], pages[5]:
        pieces = PIECE.findall(page)
        for oddity in ODDITIES * 2:
            at = chance.randrange(len(pieces))
            spoilt = "".join([*pieces[:at], oddity, *pieces[at + chance.randrange(2) :]])
            if (read := quickly(spoilt)) is not None:
                assert read == strictly(spoilt), (oddity, pieces[at - 1 : at + 2])
