"""The editor counts, while somebody types, the words that readers will see: the same as the server counts on the finished page."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from cms.content.pipeline import render

SCRIPT = Path(__file__).parents[2] / "static" / "js" / "words.js"
NODE = shutil.which("node")
TEXTS = [
    "",
    "One two three.",
    "It's 3.5 km to the well-known snake_case place, e.g. here.",
    "A [link](/some/where 'and more') and <https://example.org/a-b>.",
    "A [link][there] and [there].\n\n[there]: /address",
    "A note[^1] and another[^long name].\n\n[^1]: Its words.\n\n[^long name]: More.",
    "A picture ![of a gull](gull.jpg) between.",
    "[[Low tide]] and [[Low tide|the other]].",
    "Here <!-- nobody sees this --> and <span>there</span>, <br>too.",
    "```python\nprint(1)\n```\n\nAfter.",
    "# Heading\n\n- one\n- [x] two\n\n1. three\n2. four",
    "**Bold**, *em*, ~~gone~~, ==marked==, `code`, pre*fix*ed.",
    '> Quoted.\n\n!!! note\n    Careful.\n\n!!! tip "Look here"\n    Twice.',
    "| a | b |\n| - | - |\n| c | d e |",
    "*[HTML]: Hypertext Markup Language\n\nHTML is text.",
    "Fish &amp; chips, 5 &lt; 6.",
    "日本語の文 and คำภาษาไทย",
    "A [place](/tide_(sea)) in brackets.",
    "Escaped \\*stars\\* stay.",
]


@pytest.mark.skipif(NODE is None, reason="runs the editor's script in Node")
def test_editor_and_page_count_the_same_words() -> None:
    assert dict(zip(TEXTS, counted(TEXTS), strict=True)) == {text: render(text).words for text in TEXTS}


@pytest.mark.skipif(NODE is None, reason="runs the editor's script in Node")
def test_counting_does_not_stop_the_editor_whatever_the_text_is_of() -> None:
    """A megabyte of it; each looking for its end through all the rest would take minutes."""
    for sign in ("<!--", "[", "![", "](", "][", "[^", "[[a|", "<a ", "*", "&a", "`", "\n!!! ", "](("):
        counted([sign * (1_000_000 // len(sign))])


def counted(texts: list[str]) -> list[int]:
    program = (
        f"import {{ countWords }} from {json.dumps(SCRIPT.as_uri())};"
        + """
        import { readFileSync } from "node:fs";
        console.log(JSON.stringify(JSON.parse(readFileSync(0)).map(countWords)));"""
    )
    done = subprocess.run(
        [str(NODE), "--input-type=module", "-e", program], input=json.dumps(texts), capture_output=True, text=True, check=True, timeout=20
    )
    numbers: list[int] = json.loads(done.stdout)
    return numbers
