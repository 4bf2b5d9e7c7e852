"""Which coding a client gets, and that it can read it."""

import gzip

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from cms.content_coding import CODINGS, IDENTITY, best_coding, encode

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
