"""What was noted for the desk does not leave with the source; what is code stays."""

import pytest

from cms.content.comments import without_comments


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a <!-- b --> c", "a  c"),
        ("a <!-- b", "a "),
        ("<!-- a\n\n```\nb\n```\n-->c", "c"),
        ("```\n<!-- a -->\n```\n<!-- b -->", "```\n<!-- a -->\n```\n"),
        ("~~~~\n~~~\n<!-- a -->\n~~~~\n<!-- b -->", "~~~~\n~~~\n<!-- a -->\n~~~~\n"),
        ("```\n<!-- a -->", "```\n<!-- a -->"),
        ("> ```\n> <!-- a -->\n> ```\n\n<!-- b -->c", "> ```\n> <!-- a -->\n> ```\n\nc"),
        ("`<!-- a -->` <!-- b -->", "`<!-- a -->` "),
        ("`` ` <!-- a --> `` <!-- b -->", "`` ` <!-- a --> `` "),
        ("a ` b\n\n<!-- c ` -->", "a ` b\n\n"),
        ("a ` b\n<!-- c ` -->", "a ` b\n"),
        ("\\`<!-- a -->`", "\\``"),
        ("\\<!-- a -->", "\\<!-- a -->"),
        ("a\n<!--more-->\nb", "a\n\nb"),
        ("", ""),
    ],
)
def test_comments_are_left_out(source: str, expected: str) -> None:
    assert without_comments(source) == expected


@pytest.mark.parametrize("piece", ["<!--", "<!-- -->", "` `` ``` ", "\\`", "```\n", "~~~ ", "-->", "> ``", "`", "a ` <!"])
def test_hostile_texts_end(piece: str) -> None:
    """Were a search begun anew at each sign, this would take hours."""
    assert len(without_comments(piece * 100_000)) <= 100_000 * len(piece)
