import gc
import random
import resource
import time
from pathlib import Path

import pytest

from cms import crdt

FIELDS = {"title": "Low tide", "tags": [3, 1], "series": {"id": 2, "position": 7}, "category": None, "featured": False}


def test_document_says_what_it_was_made_of_in_json() -> None:
    document = crdt.Document.of("Mud 😀, mostly.", FIELDS)
    again = crdt.Document(document.data())
    assert (again.content, again.fields) == ("Mud 😀, mostly.", FIELDS)
    assert type(again.fields["tags"][0]) is int


def test_edit_is_as_small_as_the_change_and_touches_no_other_key() -> None:
    document = crdt.Document.of("The tide is out.\n" * 1000, FIELDS)
    other = crdt.Document(document.data())
    assert document.edit("The tide is out.\n" * 1000, FIELDS) == crdt.NOTHING
    made = document.edit("The tide is out.\n" * 500 + "The tide is in.\n" + "The tide is out.\n" * 499, {"title": "High tide"})
    assert len(made) < 150
    other.edit("Look! " + "The tide is out.\n" * 1000, {"category": 5})
    other.apply(made)
    assert other.content == "Look! " + "The tide is out.\n" * 500 + "The tide is in.\n" + "The tide is out.\n" * 499
    assert other.fields == {**FIELDS, "title": "High tide", "category": 5}


@pytest.mark.parametrize("seed", range(3))
def test_two_who_edit_at_once_agree_and_no_character_is_cut_in_half(seed: int) -> None:
    chance = random.Random(seed)
    one = crdt.Document.of("😀a\n👩‍🚀 b", {})
    other = crdt.Document(one.data())
    for _ in range(150):
        made = [each.edit("".join(chance.choices("😀😁👩‍🚀ab é\n", k=chance.randrange(12)))) for each in (one, other)]
        one.apply(made[1])
        other.apply(made[0])
        assert one.content == other.content
        assert "\ufffd" not in one.content
    assert crdt.Document(crdt.folded(one.data(), other.data())).content == one.content


def test_what_was_changed_meanwhile_stays_when_texts_are_merged() -> None:
    seen = "One two three.\n\nFour 😀.\n"
    assert crdt.merge_texts(seen, "One 2 three.\n\nFour 😀.\n", "Zero one two three.\n\nFour 😁.\n") == "Zero one 2 three.\n\nFour 😁.\n"
    assert crdt.merge_texts(seen, seen, "Theirs.") == "Theirs."
    assert crdt.merge_texts(seen, "Mine.", seen) == "Mine."


def test_what_both_changed_alike_is_changed_once() -> None:
    """A form that was sent twice; two who mend one mistake."""
    seen = "One two three.\n\nFour five.\n"
    mine = "One 2 three.\n\nFour five. Six.\n"
    assert crdt.merge_texts(seen, mine, mine) == mine
    assert crdt.merge_texts(seen, mine, "Zero. One 2 three.\n\nFour five. Six.\n") == "Zero. One 2 three.\n\nFour five. Six.\n"


def test_texts_of_a_megabyte_are_merged_whatever_happened_to_them() -> None:
    """With time that grows with the square of the changes, or of what a change may be, each would take minutes."""
    chance = random.Random(1)
    lines = [f"line {number} and some words" for number in range(40_000)]
    noise = ["".join(chance.choices("ab \n", k=1_000_000)) for _ in range(2)]
    pairs = [
        ("\n".join(lines), "\n".join(line.replace("some", "many") for line in lines)),
        (" ".join(lines), " ".join(chance.sample(lines, len(lines)))),
        ("\n".join(lines), "\n".join(chance.sample(lines, len(lines)))),
        tuple("".join(f"{number}\n" + between for number in range(2000)) for between in ("a\nb\n" * 120, "b\na\na\n" * 80)),
        tuple("".join(f"{number}\n" + between for number in range(1000)) for between in ("a\n" * 400, "a\nb\n" * 200)),
        (noise[0], noise[1]),
    ]
    for seen, mine in pairs:
        before = time.process_time()
        merged = crdt.merge_texts(seen, mine, "Theirs. " + seen)
        assert merged == "Theirs. " + mine
        assert time.process_time() - before < 5


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="asks the kernel how much memory it has")
def test_document_that_is_left_is_forgotten() -> None:
    """One is made whenever a working copy is brought up to date."""
    data = crdt.Document.of("x" * 1_000_000, FIELDS).data()
    sizes = []
    for _ in range(2):
        for _ in range(30):
            crdt.Document(data).edit(fields={"title": "High tide"})
        gc.collect()
        sizes.append(int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize())
    assert sizes[1] - sizes[0] < 10_000_000


def test_what_is_applied_twice_is_no_news() -> None:
    document, other = crdt.Document.of("a", {}), crdt.Document()
    assert other.apply(document.data()) != crdt.NOTHING
    assert other.apply(document.data()) == crdt.NOTHING
    assert document.since(other.state()) == crdt.NOTHING


def test_values_that_json_cannot_say_are_none_and_nul_is_left_out() -> None:
    document = crdt.Document()
    document.edit(fields={"a": float("nan"), "b": b"x", "c": "x\0y", "d": [2.5, 2.0**60]})
    assert document.fields == {"a": None, "b": None, "c": "xy", "d": [2.5, 2**60]}
