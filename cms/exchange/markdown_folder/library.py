"""``library.json`` of our own folders: what the library says of each file in them, and how it is kept in order there."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import ValidationError

from cms.exchange.markdown_folder.front_matter import as_text, as_texts
from cms.exchange.markdown_folder.report import Outcome, Report
from cms.exchange.markdown_folder.source import Filed, is_file, is_inside
from cms.schemas.library import AssetInput, TrackInput
from cms.services import media_changes
from cms.wording import say

LIBRARY_FILE = "library.json"
LIBRARY = "library"  # the folder with those that no text shows
SAID = (*media_changes.WORDS, "focus_x", "focus_y", "tags")
LARGEST = 100_000_000  # bytes
MAX_NAME = 80  # characters, of a folder


def read(folder: Path, report: Report) -> tuple[dict[str, Filed], tuple[tuple[str, ...], ...]]:
    """What is said of files, by where they lie below the folder; and the library's folders. What cannot be read is left out."""
    said = _said(folder)
    files = said.get("files")
    filed = {file: _filed(file, about, report) for file, about in _pairs(files) if _lies_in(folder, file)}
    return filed, tuple(names for path in _list(said.get("folders")) if (names := _names(path)))


def _said(folder: Path) -> Mapping[str, Any]:
    path = folder / LIBRARY_FILE
    try:
        said = json.loads(path.read_bytes()) if _lies_in(folder, LIBRARY_FILE) and path.stat().st_size < LARGEST else {}
    except (OSError, ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _lies_in(folder: Path, file: str) -> bool:
    try:
        return is_inside(folder, folder / file) and is_file(folder / file)
    except (OSError, ValueError):  # a name that no file can have
        return False


def _pairs(said: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    return ((name, value) for name, value in (said.items() if isinstance(said, dict) else ()) if isinstance(value, dict))


def _list(said: Any) -> list[Any]:
    return said if isinstance(said, list) else []


def _names(said: Any) -> tuple[str, ...]:
    """Of a folder and those it lies in."""
    return tuple(name for each in _list(said) if (name := as_text(each)[:MAX_NAME]))


def _filed(file: str, said: Mapping[str, Any], report: Report) -> Filed:
    about: dict[str, Any] = {}
    name = as_text(said.get("name")) or PurePosixPath(file).name
    try:
        read = AssetInput.model_validate({**{key: said[key] for key in SAID if key in said}, "name": name[-150:]})
        about = {key: getattr(read, key) for key in SAID if key in said}
        captions = tuple(map(_captions, _list(said.get("captions"))))
    except (ValidationError, TypeError, AttributeError):
        report.note(Outcome.CHANGED, LIBRARY_FILE, say("what it says of {file} cannot be read", file=file))
        captions = ()
    return Filed(name, about, as_texts(said.get("old")), _names(said.get("folder")), as_text(said.get("poster")), captions)


def _captions(said: Mapping[str, Any]) -> tuple[TrackInput, str]:
    """What is said of them, and the file; the number of that is not known yet."""
    return TrackInput.model_validate({**said, "track": 1}), as_text(said.get("file"))
