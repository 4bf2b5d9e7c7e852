import random

import pytest

from cms import crdt
from cms.collaboration import updates
from cms.collaboration.protocol import Reader, Refusal, framed, number

FULL = "01010100040107636f6e74656e74086162f09f98806364" + "00"  # "ab😀cd" of Yjs client 1; the emoji takes the clocks 2 and 3
HALVES = ["01010200c401020103015800", "000101010301"]  # of Yjs: something put between its halves, and one of them deleted


def known(*said: bytes) -> updates.Known:
    document = crdt.Document(*said)
    return updates.known_by(document.state(), document.data())


def test_what_yjs_says_and_what_pycrdt_says_is_understood() -> None:
    document = crdt.Document.of("Mud 😀.\n" * 50, {"title": "Low", "tags": [1, 2], "series": {"id": 1, "position": 2}})
    made = document.edit("Sand 😀😀.\n" * 40, {"title": "High", "tags": []})
    for data in (document.data(), made, bytes.fromhex(FULL)):
        shape = updates.read(data)
        assert shape.ends
    assert updates.read(bytes.fromhex(FULL)).halves == {(1, 3)}
    assert not known(document.data()).brings_news(updates.read(document.data()))


@pytest.mark.parametrize("cut", HALVES)
def test_half_a_character_is_refused(cut: str) -> None:
    with pytest.raises(Refusal, match="cut in half"):
        known(bytes.fromhex(FULL)).check(updates.read(bytes.fromhex(cut)))


def test_what_comes_out_of_order_is_refused() -> None:
    document = crdt.Document.of("a", {})
    before = document.data()
    document.edit("ab")
    second = document.edit("abc")
    with pytest.raises(Refusal, match="not here"):
        known(before).check(updates.read(second))
    with pytest.raises(Refusal, match="not here"):
        known().check(updates.read(bytes.fromhex(HALVES[1])))


def item(kind: int, content: bytes, root: str = "content", key: str = "") -> bytes:
    named = framed(key.encode()) if key else b""
    return bytes([1, 1, 9, 0, kind | (32 if key else 0), 1]) + framed(root.encode()) + named + content + b"\0"


@pytest.mark.parametrize(
    "data",
    [
        item(5, framed(b'{"a":1}')),  # an embed
        item(6, framed(b"bold") + framed(b"true")),  # a format
        item(7, number(1)),  # a type in it
        item(9, framed(b"guid") + bytes([126])),  # a document in it
        item(4, framed(b"x"), "evil"),
        item(4, framed(b"x"), "fields", "title"),
        item(4, framed(b"x"), "content", "key"),
        item(8, bytes([1, 126])),
        item(8, number(1) + bytes([117, 1]) * 200_000 + bytes([126]), "fields", "k"),  # pycrdt would end the process
        item(4, framed(b"")),
        item(10, number(5)),
        b"",
        b"\xff" * 20,
    ],
)
def test_what_no_document_of_ours_holds_is_refused(data: bytes) -> None:
    with pytest.raises(Refusal):
        updates.read(data)


def test_noise_is_refused_or_harmless() -> None:
    """Recorded edits with bytes changed, cut out and doubled: never another error, and what is let through leaves one text in all."""
    chance = random.Random(7)
    document, recorded = crdt.Document(), []
    for _ in range(30):
        content = "".join(chance.choices("ab😀\n é", k=chance.randrange(20)))
        recorded.append(document.edit(content, {"title": content[:3], "tags": [len(content)]}))
    admitted = 0
    for _ in range(3000):
        at = chance.randrange(len(recorded))
        data = bytearray(recorded[at])
        for _ in range(chance.randrange(1, 4)):
            place = chance.randrange(len(data))
            data[place : place + chance.randrange(3)] = bytes(chance.choices(range(256), k=chance.randrange(3)))
            data = data or bytearray(b"\0")
        trial = crdt.Document(*recorded[:at]) if at else crdt.Document()
        before = updates.known_by(trial.state(), trial.data())
        try:
            shape = updates.read(bytes(data))
            before.check(shape)
            trial.apply(bytes(data))
        except (Refusal, ValueError):
            continue
        admitted += 1
        assert crdt.Document(trial.data()).content == trial.content
    assert admitted > 20


def test_numbers_are_lib0s() -> None:
    for value in (0, 1, 127, 128, 300, 2**31, 2**53 - 1):
        assert Reader(number(value)).number() == value
    with pytest.raises(Refusal):
        Reader(b"\xff" * 9).number()
