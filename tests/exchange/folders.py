"""Folders of texts that are made for a test, and what a reader finds in them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Protocol

from cms.exchange.markdown_folder.report import Report
from cms.exchange.markdown_folder.source import Blog, Document


class Reader(Protocol):
    def read(self, folder: Path, report: Report) -> Blog: ...


def made(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def found_by(reader: Reader, folder: Path) -> tuple[dict[str, Document], Report]:
    """Texts by their file, and what was said of them."""
    report = Report()
    return {document.file: document for document in reader.read(folder, report).documents}, report


def as_iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def stripped(paths: Iterable[str]) -> tuple[str, ...]:
    return tuple(path.strip("/") for path in paths)
