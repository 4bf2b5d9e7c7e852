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
        ("[//]: # (a note)\n\nb", "\n\nb"),
        ("[comment]: <> (a\nnote)\nb", "\nb"),
        ("[Note]: /x 'y'\n\n[note] [b]", "[Note]: /x 'y'\n\n[note] [b]"),
        ("See [a][b].\n\n[b]: /c\n[d]: /e", "See [a][b].\n\n[b]: /c\n"),
        ("a[^1]\n\n[^1]: kept", "a[^1]\n\n[^1]: kept"),
        ("```\n[//]: # (code)\n```", "```\n[//]: # (code)\n```"),
        ("a <?php b ?>c <!DOCTYPE d>e <![CDATA[f]]>g", "a c e g"),
        ("<Script>a</sCript>b<style>\n\nc</style>d", "bd"),
        ("<script>a", ""),
        ("3 <? 4 and <!-- b -->c", "3 <? 4 and c"),
        ("a <! b", "a <! b"),
    ],
)
def test_comments_are_left_out(source: str, expected: str) -> None:
    assert without_comments(source) == expected


@pytest.mark.parametrize(
    "piece",
    [
        "<!--",
        "<!-- -->",
        "` `` ``` ",
        "\\`",
        "```\n",
        "~~~ ",
        "-->",
        "> ``",
        "`",
        "a ` <!",
        "<?",
        "<!a ",
        "<![CDATA[",
        "<style>",
        "[a]: b\n",
        '[a]: "',
        "[a]: x (\n",
        "[a](b) [",
        "\\[",
    ],
)
def test_hostile_texts_end(piece: str) -> None:
    """Were a search begun anew at each sign, this would take hours."""
    assert len(without_comments(piece * 100_000)) <= 100_000 * len(piece)
