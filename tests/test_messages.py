"""The catalogues have every message of the program and no other, are compiled, and say the same with the same values."""

import gettext
import re
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.mofile import write_mo

import messages
from cms.ui.languages import CATALOGUES, DOMAIN

FOLDERS = sorted(path for path in CATALOGUES.iterdir() if path.is_dir())
OLD = "is old: python messages.py"
PLACE = re.compile(r"%(?:\(\w+\))?[sd]|\{\w+\}")

of_each_language = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)


def said(message: Message) -> tuple[list[str], list[str]]:
    """What it is in English, and in the other language."""
    return [[*text] if isinstance(text, (tuple, list)) else [text] for text in (message.id, message.string)]  # type: ignore[return-value]


@of_each_language
def test_the_catalogue_has_the_messages_of_the_program(folder: Path) -> None:
    catalog = messages.read(folder)
    assert {message.id for message in catalog} == {message.id for message in messages.collect()}, OLD
    assert not catalog.obsolete, OLD
    assert [message.id for message in catalog if message.fuzzy and message.id] == []


@of_each_language
def test_what_is_compiled_is_what_is_written(folder: Path, tmp_path: Path) -> None:
    with (tmp_path / "new.mo").open("wb") as file:
        write_mo(file, messages.read(folder))
    new, committed = (read(path) for path in (tmp_path / "new.mo", folder / "LC_MESSAGES" / f"{DOMAIN}.mo"))
    assert new == committed, OLD


@of_each_language
def test_every_message_is_translated_with_its_places_for_values_in_all_forms(folder: Path) -> None:
    catalog = messages.read(folder)
    for message in catalog:
        english, other = said(message)
        if not message.id:
            continue
        assert len(other) == (catalog.num_plurals if message.pluralizable else 1)
        for text in other:
            assert text, message.id
            assert _places(text) in [_places(each) for each in english], message.id


def read(path: Path) -> dict[object, str]:
    with path.open("rb") as file:
        return {key: text for key, text in gettext.GNUTranslations(file)._catalog.items() if key}  # type: ignore[attr-defined]


def _places(text: str) -> list[str]:
    """Those without a name come in one order; those with one may move."""
    found = PLACE.findall(text)
    return [place for place in found if place in ("%s", "%d")] + sorted(place for place in found if place not in ("%s", "%d"))
