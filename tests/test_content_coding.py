"""Which coding a client gets, and that it can read it."""

import gzip

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from cms.content_coding import CODINGS, IDENTITY, best_coding, encode, preference

DECODERS = {"br": brotli.decompress, "gzip": gzip.decompress, "zstd": zstandard.decompress}


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("", "identity"),
        ("gzip", "gzip"),
        ("gzip, deflate, br, zstd", "br"),  # Chromium, over TLS
        ("gzip, deflate", "gzip"),  # Chromium, without
        ("GZIP", "gzip"),
        ("x-gzip", "gzip"),
        ("gzip;q=0.5, zstd;q=0.8", "zstd"),
        ("gzip; q=1.0 , br ; q=0.9", "gzip"),
        ("br;q=0, gzip", "gzip"),
        ("br;q=0.000, *", "zstd"),
        ("*", "br"),
        ("*;q=0", "identity"),
        ("gzip;q=0.1", "gzip"),
        ("identity", "identity"),
        ("identity, gzip;q=0.5", "identity"),
        ("gzip, identity", "gzip"),
        ("identity;q=0.5, *;q=0.1", "identity"),
        ("identity;q=0, *;q=0", "identity"),  # who wants nothing gets something
        ("compress, deflate", "identity"),
        ("br;q=2, gzip;q=x, zstd;q=", "identity"),
        ("br;q=nan", "identity"),
        (";q=1,,gzip", "gzip"),
        ("br;level=5", "br"),
    ],
)
def test_the_weights_decide_and_then_our_order(wanted: str, expected: str) -> None:
    assert best_coding(wanted, CODINGS) == expected


def test_what_is_not_there_is_not_chosen() -> None:
    assert best_coding("br, gzip;q=0.5", ["gzip"]) == "gzip"
    assert best_coding("*", []) == IDENTITY


@given(st.text())
def test_whatever_is_sent_something_is_chosen(wanted: str) -> None:
    assert best_coding(wanted, CODINGS) in (*CODINGS, IDENTITY)


@pytest.mark.parametrize("thoroughly", [False, True])
@pytest.mark.parametrize("coding", CODINGS)
def test_what_is_encoded_can_be_read_and_is_the_same_each_time(coding: str, thoroughly: bool) -> None:
    content = b"Mud, mostly. " * 1000
    encoded = encode(content, coding, thoroughly=thoroughly)
    assert DECODERS[coding](encoded) == content
    assert len(encoded) < len(content) / 10
    assert encode(content, coding, thoroughly=thoroughly) == encoded


@given(st.text(st.sampled_from("brzstdgzip;q=01.5, *identity"), max_size=40), st.sets(st.sampled_from(CODINGS)))
def test_what_is_preferred_of_all_is_the_best_of_any(accept_encoding: str, available: set[str]) -> None:
    first = next(coding for coding in preference(accept_encoding).split() if coding in {*available, IDENTITY})
    assert first == best_coding(accept_encoding, [coding for coding in CODINGS if coding in available])
