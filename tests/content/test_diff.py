import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cms.content import diff
from cms.content.diff import Row, Span, count_words, side_by_side

_TEXTS = st.lists(st.sampled_from(["a", "b b", "c", "", "long line of words"]), max_size=30).map("\n".join)


def test_equal_texts_have_nothing_to_show() -> None:
    assert side_by_side("a", "a") == [Row("same", (Span("a", False),), (Span("a", False),), 1, 1)]
    assert [row.kind for row in side_by_side("a\n" * 50, "a\n" * 50)] == ["skip"]


def test_changed_words_are_marked_on_both_sides() -> None:
    (row,) = side_by_side("one two three", "one 2 three")
    assert row.kind == "changed"
    assert row.changed
    assert row.left == (Span("one ", False), Span("two", True), Span(" three", False))
    assert row.right == (Span("one ", False), Span("2", True), Span(" three", False))


def test_a_changed_line_is_told_once_with_what_went_before_what_came() -> None:
    (row,) = side_by_side("one two three four", "one 2 three four five six")
    assert list(row.both) == [("same", "one "), ("removed", "two"), ("added", "2"), ("same", " three four"), ("added", " five six")]
    assert count_words([row]) == (3, 1)


def test_lines_come_and_go() -> None:
    rows = side_by_side("a\nb", "a\nx\nb")
    assert [(r.kind, r.left_number, r.right_number) for r in rows] == [("same", 1, 1), ("added", None, 2), ("same", 2, 3)]
    assert [r.kind for r in side_by_side("a\nb\nc", "a\nc")] == ["same", "removed", "same"]


def test_long_unchanged_runs_are_folded() -> None:
    old = "\n".join(map(str, range(40)))
    rows = side_by_side(old, old.replace("20", "twenty"))
    assert [row.kind for row in rows] == ["skip", "same", "same", "same", "changed", "same", "same", "same", "skip"]
    assert (rows[0].skipped, rows[-1].skipped) == (17, 16)


@given(_TEXTS, _TEXTS)
def test_both_texts_can_be_read_from_the_rows(old: str, new: str) -> None:
    rows = side_by_side(old, new)
    left = {row.left_number: "".join(s.text for s in row.left) for row in rows if row.left_number}
    right = {row.right_number: "".join(s.text for s in row.right) for row in rows if row.right_number}
    skipped = sum(row.skipped for row in rows)
    assert len(left) + skipped == len(old.splitlines())
    assert len(right) + skipped == len(new.splitlines())
    assert all(old.splitlines()[number - 1] == line for number, line in left.items())
    assert all(new.splitlines()[number - 1] == line for number, line in right.items())


def edited(old: str, edits: list[diff.Edit]) -> str:
    for start, end, words in reversed(edits):
        old = old[:start] + words + old[end:]
    return old


@given(_TEXTS, _TEXTS, st.sampled_from([1, 2, 3, 2000]))
def test_edits_make_one_text_of_the_other(old: str, new: str, most: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(diff, "_MOST_EDITS", most)
        edits = diff.edits(old, new)
    assert edited(old, edits) == new
    assert len(edits) <= most


def test_edits_are_as_short_as_can_be_afforded(monkeypatch: pytest.MonkeyPatch) -> None:
    cost = 1 + 5**3  # one line, and five words and spaces of it
    monkeypatch.setattr(diff, "_EDIT_BUDGET", cost)
    assert diff.edits("a b a b a", "a c a c a") == [(2, 3, "c"), (6, 7, "c")]
    monkeypatch.setattr(diff, "_EDIT_BUDGET", cost - 1)
    assert diff.edits("a b a b a", "a c a c a") == [(2, 7, "c a c")]


def test_a_megabyte_is_compared_whatever_happened_to_it() -> None:
    """A comparison that grows with the square of the lines would take hours, and run into the time limit of all tests."""
    chance = random.Random(1)
    lines = [f"line {i} " + "word " * 8 for i in range(20_000)]
    shuffled = chance.sample(lines, len(lines))
    pairs = [
        ("\n".join(lines), "\n".join(shuffled)),
        ("\n".join(lines), "\n".join(reversed(lines))),
        ("a\n" * 500_000, "b\n" * 400_000),
        ("a\nb\n" * 250_000, "b\na\nc\n" * 150_000),
        ("x " * 500_000, "y x " * 250_000),
        ("\n".join(lines), "\n".join(line.replace("word", "ward") for line in lines)),
    ]
    for old, new in pairs:
        assert any(row.changed for row in side_by_side(old, new))
