"""Two rendered texts in one: what came and what went is marked, and what comes out is as safe as what went in."""

import random

from cms.content.context import RenderContext
from cms.content.marks import mark
from cms.content.pipeline import compare, render
from cms.content.sanitize import sanitize

HERE = RenderContext()


def marked(old: str, new: str, show: str = "both") -> str:
    return compare(old, new, HERE, show).html.replace(' class="marked"', "")  # type: ignore[arg-type]


def test_words_that_came_and_went_are_marked_where_they_stand() -> None:
    old, new = "The tide is *low* today.", "The tide is *high* today."
    assert marked(old, new) == "<p>The tide is <em><del>low</del><ins>high</ins></em> today.</p>"
    assert marked(old, new, "old") == "<p>The tide is <em><del>low</del></em> today.</p>"
    assert marked(old, new, "new") == "<p>The tide is <em><ins>high</ins></em> today.</p>"


def test_whole_blocks_that_came_or_went_keep_their_form() -> None:
    found = marked("Mud.\n\n- one\n- two\n\nEnd.", "Mud.\n\n## Gulls\n\nEnd.")
    assert "<ul>\n<li><del>one</del></li>\n<li><del>two</del></li>\n</ul>" in found
    assert "<ins>Gulls</ins>" in found
    assert found.count("<p>Mud.</p>") == found.count("<p>End.</p>") == 1


def test_pictures_and_formulas_are_marked_as_one_piece() -> None:
    found = marked("See \\(a<b\\) ![A gull](/media/1/gull.png)", "See \\(a>b\\) ![A tern](/media/2/tern.png)")
    assert found.count("<math") == 2
    assert found.count("<img") == 2
    assert '<del><span class="maths"><math' in found


def test_the_same_text_has_no_marks_and_what_came_out_of_nothing_is_all_new() -> None:
    text = "# Tides\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n[^1]\n\n[^1]: Note."
    assert marked(text, text) == render(text, HERE).html
    assert "<del>" not in marked("", text)
    assert "<ins>" not in marked(text, "")


def test_marks_leave_every_tag_in_its_place() -> None:
    """Of texts put together at random: nothing is mended by the gate, and without the marks the new text is there."""
    parts = ["*low* tide", "- one\n- two `code`", "> quoted **much**", "| a | b |\n|---|---|\n| 1 | *2* |", "## Gulls", "```\nx < y\n```"]
    chance = random.Random(6)
    for _ in range(60):
        old, new = ("\n\n".join(chance.sample(parts, chance.randint(1, 6))).replace("a", chance.choice("ab")) for _ in "01")
        safe_old, safe_new = render(old, HERE).html, render(new, HERE).html
        for show, whole in (("old", safe_old), ("new", safe_new)):
            found = mark(safe_old, safe_new, show)  # type: ignore[arg-type]
            plain = found
            for tag in ('<del class="marked">', "</del>", '<ins class="marked">', "</ins>"):
                plain = plain.replace(tag, "")
            assert sanitize(plain) == plain == sanitize(whole) or show == "old", (old, new)
        both = mark(safe_old, safe_new, "both")
        assert sanitize(both).count("<ins") >= both.count("<ins"), (old, new)


def test_long_texts_without_a_common_word_are_marked_as_wholes() -> None:
    old, new = (" ".join(f"{letter}{number}" for number in range(20_000)) for letter in "ab")
    found = marked(old, new)
    assert (found.count("<del>"), found.count("<ins>")) == (1, 1)
