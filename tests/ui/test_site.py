"""Contents, page numbers, and the words of a language."""

from datetime import UTC, datetime
from typing import Any

import pytest
from babel import Locale
from babel.localedata import locale_identifiers

from cms.models.site import Frame
from cms.ui.site import contents, page_numbers
from cms.ui.words import direction, href, og_locale, words_of

MOMENT = datetime(2024, 3, 30, 23, 30, tzinfo=UTC)


def headings(*levels: int) -> list[dict[str, Any]]:
    return [{"level": level, "id": f"h{index}", "text": f"H{index}"} for index, level in enumerate(levels)]


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ((2, 3, 3, 2), [("h0", ["h1", "h2"]), ("h3", [])]),
        ((3, 2, 3), [("h0", []), ("h1", ["h2"])]),
        ((3, 4, 5), [("h0", ["h1"])]),
        ((2, 4, 2), [("h0", []), ("h2", [])]),
    ],
)
def test_contents_show_the_two_highest_levels(levels: tuple[int, ...], expected: list[tuple[str, list[str]]]) -> None:
    assert [(entry.id, [child.id for child in entry.children]) for entry in contents(headings(*levels))] == expected


@pytest.mark.parametrize(
    ("page", "pages", "expected"),
    [
        (1, 2, [1, 2]),
        (1, 5, [1, 2, 3, 4, 5]),
        (1, 32, [1, 2, 3, None, 32]),
        (2, 32, [1, 2, 3, None, 32]),
        (10, 32, [1, None, 9, 10, 11, None, 32]),
        (32, 32, [1, None, 31, 32]),
    ],
)
def test_page_numbers_leave_out_what_is_far(page: int, pages: int, expected: list[int | None]) -> None:
    assert page_numbers(page, pages) == expected


@pytest.mark.parametrize(
    ("language", "zone", "expected"),
    [
        ("en", "UTC", "30 March 2024"),
        ("en-US", "UTC", "March 30, 2024"),
        ("de", "Europe/Berlin", "31. März 2024"),
        ("xx-nonsense", "UTC", "30 March 2024"),
        ("pt-BR", "UTC", "30 de março de 2024"),
    ],
)
def test_dates_are_written_in_the_site_s_language_and_zone(language: str, zone: str, expected: str) -> None:
    assert words_of(Frame(language=language, time_zone=zone)).date(MOMENT) == expected


@pytest.mark.parametrize(
    ("language", "expected"),
    [("en", ["", ", ", " and ", ""]), ("de", ["", ", ", " und ", ""]), ("ja", ["", "、", "、", ""]), ("ml", ["", ", ", ", ", " എന്നിവ"])],
)
def test_what_joins_a_list_is_known_without_its_words(language: str, expected: list[str]) -> None:
    words = words_of(Frame(language=language))
    assert [*words.joints(3)] == expected
    assert words.joints(1) == ("", "")


def test_an_update_on_the_same_day_is_no_update() -> None:
    words = words_of(Frame(time_zone="Asia/Tokyo"))
    assert not words.is_updated(MOMENT, MOMENT.replace(minute=59))
    assert words.is_updated(MOMENT.replace(hour=14), MOMENT.replace(hour=16))


@pytest.mark.parametrize(
    ("language", "expected"), [("ar", "rtl"), ("he", "rtl"), ("fa-IR", "rtl"), ("en", "ltr"), ("", "ltr"), ("zz", "ltr")]
)
def test_lines_begin_where_the_language_begins_them(language: str, expected: str) -> None:
    assert direction(language) == expected


def test_direction_is_that_of_every_language_that_is_known() -> None:
    for known in locale_identifiers():
        locale = Locale.parse(known)
        if locale.script != "Mong":  # from above, which no page is written
            assert direction(known.replace("_", "-")) == locale.text_direction, known


def test_a_stored_path_becomes_an_address() -> None:
    assert href("/a b/100%?#é") == "/a%20b/100%25%3F%23%C3%A9"
    assert href("https://example.org/?a=b#c") == "https://example.org/?a=b#c"


@pytest.mark.parametrize(
    ("language", "expected"),
    [("en", "en_US"), ("en-GB", "en_GB"), ("de", "de_DE"), ("pt-br", "pt_BR"), ("zh-Hant", "zh_TW"), ("ar", "ar_EG"), ("xx", "xx")],
)
def test_cards_name_a_language_with_its_country(language: str, expected: str) -> None:
    assert og_locale(language) == expected
