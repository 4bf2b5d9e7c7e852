import pytest
from hypothesis import given
from hypothesis import strategies as st

from cms.content.folding import fold
from cms.content.slugs import slugify


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("Hello, World!", "hello-world"),
        ("Café au lait", "cafe-au-lait"),
        ("Straße & Maß", "strasse-mass"),
        ("Ærø Øl Łódź Đà Nẵng", "aero-ol-lodz-da-nang"),
        ("İstanbul ılık", "istanbul-ilik"),
        ("don’t stop, it's", "dont-stop-its"),
        ("C++ / C#", "c-c"),
        ("1.77.0 is out", "1-77-0-is-out"),
        ("Привет, йод", "привет-йод"),
        ("こんにちは 世界", "こんにちは-世界"),
        ("が", "が"),
        ("हिन्दी में", "हिन्दी-में"),
        ("مرحبا بالعالم", "مرحبا-بالعالم"),
        ("ﬁne Ⅷ ½", "fine-viii-1-2"),
        ("-- a --- b --", "a-b"),
        ("snake_case", "snake-case"),
        ("a\u00adb\u200bc", "abc"),
        ("\U0001f600", ""),
        ("", ""),
        ("\ud800x", "x"),
    ],
)
def test_slugs(text: str, slug: str) -> None:
    assert slugify(text) == slug


def test_a_slug_is_cut_between_words() -> None:
    assert slugify("one two three", 9) == "one-two"
    assert slugify("one two three", 7) == "one-two"
    assert slugify("incomprehensible", 5) == "incom"


@given(st.text())
def test_a_slug_is_its_own_slug(text: str) -> None:
    slug = slugify(text)
    assert slugify(slug) == slug


@given(st.text(), st.integers(1, 40))
def test_a_slug_is_short_single_hyphened_and_never_empty_without_reason(text: str, length: int) -> None:
    slug = slugify(text, length)
    assert len(slug) <= length
    assert "--" not in slug
    assert slug == slug.strip("-")
    assert slug == slug.lower()
    assert slug or not any(c.isalnum() for c in text)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Café", "cafe"), ("ŁÓDŹ", "lodz"), ("straße", "STRASSE"), ("ёлка", "елка"), ("Ａ", "a"), ("Ἀθῆναι", "αθηναι"), ("ﬁ", "fi")],
)  # fmt: skip
def test_what_a_searcher_calls_the_same_folds_to_the_same(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)
