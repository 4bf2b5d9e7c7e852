"""Sentences are English by themselves, and can be said in another language."""

import json
import pickle

import pytest

from cms.ui.languages import Language
from cms.wording import Said, listed, parts, say, sentences, whole

GERMAN = {
    "/{path} is taken.": "/{path} ist vergeben.",
    "Saved.": "Gespeichert.",
    "the text": "der Text",
    "Not there: {what}": "Fehlt: {what}",
    "At most {most}, please.": "Höchstens {most}, bitte.",
}


class Catalogue:
    def gettext(self, message: str) -> str:
        return GERMAN.get(message, message)

    def ngettext(self, message: str, plural: str, number: int) -> str:
        return {1: "{number} Tag ist gelöscht."}.get(number, "{number} Tags sind gelöscht.")


german = Language("de", Catalogue())  # type: ignore[arg-type]


def test_a_sentence_is_english_text() -> None:
    assert say("/{path} is taken.", path="a{b}") == "/a{b} is taken."
    assert say("At most {most}, please.", most=2000) == "At most 2,000, please."
    assert say("Without {slug} there is no address.") == "Without {slug} there is no address."


def test_it_is_said_in_another_language_with_its_values() -> None:
    assert german.translate(say("/{path} is taken.", path="a{b}")) == "/a{b} ist vergeben."
    assert german.translate(say("At most {most}, please.", most=2000)) == "Höchstens 2.000, bitte."


def test_numbers_choose_the_form() -> None:
    one, several = (say("{number} tag is deleted.", "{number} tags are deleted.", number) for number in (1, 1234))
    assert (one, several) == ("1 tag is deleted.", "1,234 tags are deleted.")
    assert (german.translate(one), german.translate(several)) == ("1 Tag ist gelöscht.", "1.234 Tags sind gelöscht.")


def test_values_that_are_sentences_are_translated_and_names_are_not() -> None:
    assert german.translate(say("Not there: {what}", what=say("the text"))) == "Fehlt: der Text"
    assert german.translate(say("Not there: {what}", what="the text")) == "Fehlt: the text"
    assert german.translate(sentences("Saved.", say("/{path} is taken.", path="a"))) == "Gespeichert. /a ist vergeben."
    assert german.translate(listed("the text", "the text")) == "der Text, der Text"


def test_it_keeps_its_parts_between_processes() -> None:
    said = pickle.loads(pickle.dumps(say("/{path} is taken.", path="a")))
    assert isinstance(said, Said)
    assert german.translate(said) == "/a ist vergeben."


@pytest.mark.parametrize(
    "text",
    [
        say("/{path} is taken.", path="a{b}"),
        say("{number} tag is deleted.", "{number} tags are deleted.", 1234),
        listed("the text", say("Not there: {what}", what=say("the text"))),
        "Written by somebody: {path}",
    ],
)
def test_it_keeps_its_parts_in_json(text: str) -> None:
    kept = whole(json.loads(json.dumps(parts(text))))
    assert (kept, german.translate(kept)) == (text, german.translate(text))
