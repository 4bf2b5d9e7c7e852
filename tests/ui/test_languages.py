"""Which language somebody gets, and that none has the head of its catalogue as a word."""

import pytest

from cms.ui.languages import asked_for, codes, language


def test_english_needs_no_catalogue() -> None:
    assert codes()["en"] == "en"
    assert language(["en"]).translate("Saved.") == "Saved."
    assert language(["en"]).translate("%d word", "%d words", 2) == "%d words"


@pytest.mark.parametrize(
    ("wanted", "got"), [(["de"], "de"), (["de-AT"], "de"), (["xx", "de"], "de"), (["en-GB", "de"], "en"), (["xx"], "en"), ([], "en")]
)
def test_the_nearest_that_there_is(wanted: list[str], got: str) -> None:
    assert language(wanted).code == got


def test_nothing_stays_nothing() -> None:
    assert language(["de"]).translate("") == ""


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", ["de-AT", "de", "en"]),
        ("en;q=0.5, de", ["de", "en"]),
        ("de;q=0, en", ["en"]),
        ("*", ["*"]),
        ("", []),
        ("de;q=nonsense,,;", []),
    ],
)
def test_browsers_weigh_what_they_ask_for(header: str, wanted: list[str]) -> None:
    assert asked_for(header) == wanted
