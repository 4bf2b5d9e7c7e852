"""What a text's own words tell: flaws, each with its place in the source, and where the text leads."""

import pytest

from cms.content.checks import look
from cms.content.context import Flaw, Heading, RenderContext
from cms.content.findings import Findings
from cms.content.pipeline import render


def found(source: str) -> list[tuple[str, int, str]]:
    """Kind, line, and what stands at the offset."""
    return [(flaw.code, flaw.line, source[flaw.offset :].split("\n", 1)[0]) for flaw in render(source).flaws]


@pytest.mark.parametrize(
    ("source", "flaws"),
    [
        ("![](/m/a.png)", [("alt", 1, "/m/a.png)")]),
        ("![A tide](/m/a.png)\n\n<img src='/m/b.png'>", [("alt", 3, "/m/b.png'>")]),
        ("`![](/m/a.png)`\n\n```\n![](/m/a.png)\n```\n\n![](/m/a.png)", [("alt", 7, "/m/a.png)")]),
        ('<img src="/m/a.png" alt="">', []),  # it says itself that it is for its looks
        ("## One\n\n### Two\n\n## Three", []),
        ("# One\n\n#### Two *and* more", [("headings", 3, "#### Two *and* more")]),
        ("### One", [("headings", 1, "### One")]),
        ("One\n---\n\n##\n\n> #### Three", [("headings", 4, "##"), ("headings", 6, "> #### Three")]),
        ("[](/a) and [b](/b)", [("empty", 1, "/a) and [b](/b)")]),
        ("[a](/a)\n[b]()", [("empty", 2, "]()")]),
        ("[![A tide](/m/a.png)](/a)", []),
        ("## One\n\n[up](#one) [down](#two)", [("links", 3, "#two)")]),
        ("A note.[^1]\n\n[^1]: It leads back.", []),
    ],
)
def test_flaws_stand_where_they_are(source: str, flaws: list[tuple[str, int, str]]) -> None:
    assert found(source) == flaws


def test_flaw_says_what_it_is() -> None:
    assert render("[A & B]()\n\n![](/m/tide.png)").flaws == (
        Flaw("empty", "The link “A & B” has no address.", 1, 6),
        Flaw("alt", "The picture tide.png has no text that says what it shows.", 3, 15),
    )


def test_offsets_are_those_of_editors_in_browsers() -> None:
    (flaw,) = render("🌊 é\n\n[](/a)").flaws
    assert (flaw.line, flaw.offset) == (3, len("🌊 é\n\n[](".encode("utf-16-le")) // 2)


def test_links_within_the_site_are_told_once_with_their_place() -> None:
    source = "[a](/about)\n[b](/ab) [c](/ab?x=1&y#z) [d](/about) [e](https://sea.example/f) [g](https://other.example/) [h](x) [[Missing]]"
    targets = render(source, RenderContext(site_host="sea.example")).targets
    assert [(target.address, target.line) for target in targets] == [
        ("/about", 1), ("/ab", 2), ("/ab?x=1&y#z", 2), ("/f", 2), ("[[Missing", 2),
    ]  # fmt: skip


@pytest.mark.parametrize("signs", ["`", "](" + " " * 1000, "href=" + " " * 1000, "/ab", "~~~a\n````b\n", "> ", "<img "])
def test_half_a_megabyte_of_signs_is_looked_through_in_no_time(signs: str) -> None:
    found = Findings(headings=[Heading(4, "a", "b")] * 2000, pictures=[("/a", False)] * 2000, anchors=[("", "x"), ("/b", "")] * 1000)
    assert len(look(signs * (500_000 // len(signs)), found, "")[0]) == 100


def test_many_flaws_are_named_by_the_first_hundred() -> None:
    assert len(render("![](/a.png) [](/b)\n" * 200).flaws) == 100
