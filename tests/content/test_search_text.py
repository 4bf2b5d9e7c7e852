"""Queries as terms, words of a text and where they stand, snippets, and words that are nearly the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cms.content import spelling
from cms.content.folding import fold, spans, words
from cms.content.highlight import snippet
from cms.content.search_query import MAX_TERMS, parse
from cms.schemas.search import SearchInput, Term
from cms.schemas.text import MAX_SOUGHT

WORDS = st.text("abcdefgh", min_size=4, max_size=12)


@pytest.mark.parametrize(
    ("query", "typed"),
    [
        ("low tide", "low tide"),
        ('"low tide" -mud', '"low tide" -mud'),
        ("“low tide” «high water»", '"low tide" "high water"'),
        ("-“low tide”", '-"low tide"'),
        ('unfinished "phrase of', 'unfinished "phrase of"'),
        ("don't", '"don t"'),
        ("Café-Crème", '"cafe creme"'),
        ("AND ( NEAR / * ^ : {", "and near"),
        ("x' OR 1=1; --", 'x or "1 1"'),
        ("東京", '"東 京"'),
        ("tide tide Tide.", "tide"),
        ('- -- " "" 😀', ""),
        ("", ""),
    ],
)
def test_a_query_is_terms(query: str, typed: str) -> None:
    terms = parse(query)
    assert " ".join(str(term) for term in dict.fromkeys(Term(term.words, is_excluded=term.is_excluded) for term in terms)) == typed


@pytest.mark.parametrize(("query", "may_go_on"), [("low tid", True), ("tide ab", False), ('"low tide"', False), ("low -tide", False)])
def test_the_last_word_may_be_unfinished(query: str, may_go_on: bool) -> None:
    *others, last = parse(query)
    assert last.is_prefix is may_go_on
    assert not any(term.is_prefix for term in others)


@given(st.text())
def test_nothing_that_is_typed_is_an_error(text: str) -> None:
    asked = SearchInput.model_validate(dict.fromkeys(("q", "page", "tag", "category", "author", "year"), text))
    assert len(asked.q) <= MAX_SOUGHT
    terms = parse(asked.q)
    assert len(terms) <= MAX_TERMS
    assert not {sign for term in terms for word in term.words for sign in word} & set("\"'\\\0 :*()&|!<>^-")
    snippet(text, terms)


@given(st.text())
def test_words_are_folded_and_stand_where_they_were_written(text: str) -> None:
    for start, end, word in spans(text):
        assert word in words(text[start:end])


@pytest.mark.parametrize(
    "text", ["Low tide, the Straße", "Märzœuf und don't — ½ 3D", "東京タワー x", "e\u0301te\u0301 naïve", "مُحَمَّد İstanbul"]
)
def test_a_text_has_the_same_words_in_an_index_and_where_they_stand(text: str) -> None:
    assert [word for _, _, word in spans(text)] == words(text)


@given(st.text())
def test_a_fold_of_ascii_is_what_it_would_be(text: str) -> None:
    assert fold(text + "é").startswith(fold(text)) or not text.isascii()


def marked(text: str, query: str) -> list[str]:
    return [piece for piece, is_match in snippet(text, parse(query)) if is_match]


def test_a_snippet_shows_the_text_as_it_was_written() -> None:
    pieces = snippet("Ein Café am\nStrand & mehr.", parse("cafe"))
    assert pieces == [("Ein ", False), ("Café", True), (" am Strand & mehr.", False)]


@pytest.mark.parametrize(
    ("text", "query", "found"),
    [
        ("The Tide and the tides.", "tide", ["Tide", "tides"]),
        ("The Tide and the tides.", '"tide"', ["Tide"]),
        ("low water, then low tide", '"low tide"', ["low", "tide"]),
        ("tides of märz", "marz tide", ["tides", "märz"]),
        ("東京タワー", "京タ", ["京", "タ"]),
        ("nothing of it", "tide", []),
        ("mud and tide", "mud -tide", ["mud"]),
    ],
)
def test_what_was_looked_for_is_marked(text: str, query: str, found: list[str]) -> None:
    assert [piece for piece, is_match in snippet(text, [term for term in parse(query) if not term.is_excluded]) if is_match] == found


def test_a_snippet_is_taken_where_most_of_the_words_stand() -> None:
    text = "The tide came. " + "Nothing happened here. " * 40 + "Then low tide and mud. " + "Nothing again. " * 60
    assert marked(text, "low tide mud") == ["low", "tide", "mud"]
    shown = "".join(piece for piece, _ in snippet(text, parse("low tide mud")))
    assert shown.startswith("… ")
    assert shown.endswith(" …")
    assert len(shown) < 400


def test_a_snippet_of_nothing_found_is_the_beginning() -> None:
    assert snippet("One two. " * 100, ())[0][0].startswith("One two. One")
    assert snippet("", parse("tide")) == []


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("tde", ""), ("harbor", "harbour"), ("recieve", "receive"), ("accomodation", "accommodation"), ("mussles", "mussels")],
)  # fmt: skip
def test_words_one_letter_apart_have_a_form_in_common(typed: str, meant: str) -> None:
    assert bool(spelling.guesses(typed) & spelling.variants(meant)) == bool(meant)
    assert not meant or spelling.is_near(typed, meant)


@given(WORDS, WORDS)
def test_a_distance_is_the_same_both_ways(one: str, other: str) -> None:
    assert spelling.distance(one, other) == spelling.distance(other, one)
    assert (spelling.distance(one, other) == 0) == (one == other)


@given(WORDS, st.integers(0, 11), st.sampled_from("abxyz"))
def test_every_word_is_found_with_one_letter_wrong(word: str, at: int, letter: str) -> None:
    at %= len(word)
    for typed in (word[:at] + letter + word[at:], word[:at] + letter + word[at + 1 :], word[:at] + word[at + 1 :]):
        if len(typed) >= spelling.SHORTEST:
            assert spelling.guesses(typed) & spelling.variants(word)
            assert spelling.is_near(typed, word)
