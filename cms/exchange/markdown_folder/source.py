"""What a folder has in it, in one form for all programs."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Protocol

from cms.content.characters import without_control_characters
from cms.exchange.markdown_folder.report import Outcome, Report
from cms.models.post import Kind

Moment = datetime | date
LARGEST_TEXT = 10_000_000  # bytes


@dataclass(slots=True)
class Document:
    """One text. ``paths``: where it stood on the old site, the main address first, without slashes at the ends."""

    file: str  # below the folder, with slashes
    title: str
    body: str
    paths: tuple[str, ...] = ()
    kind: Kind = Kind.POST
    body_line: int = 1  # of the file, at which the body begins
    date: Moment | None = None  # a moment without a zone is the site's
    updated: Moment | None = None
    publish_at: Moment | None = None  # not before this
    expires_at: Moment | None = None  # not after this
    is_draft: bool = False
    slug: str = ""
    excerpt: str = ""
    language: str = ""
    authors: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()  # the first one is the post's, others become tags
    tags: tuple[str, ...] = ()
    series: str = ""
    picture: str = ""  # as a link in the body would name it
    files: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # name of a file beside it → paths at which it stood
    digest: str = ""

    @property
    def folder(self) -> str:
        return self.file.rpartition("/")[0]


@dataclass(slots=True)
class Blog:
    """``files_at``: folders below the source whose files stand at an address, longest address first: ``{"assets": "static/assets"}``.

    ``find_text``: the file that a program's own way of linking names ("@/blog/x.md"), or "". Asked before anything else.
    """

    program: str
    folder: Path
    title: str = ""
    description: str = ""
    base_url: str = ""
    language: str = ""
    permalink: str = ""  # in our words, if the program's settings say it: /{year}/{month}/{slug}
    documents: list[Document] = field(default_factory=list)
    files_at: Mapping[str, str] = field(default_factory=dict)
    is_exact: bool = False  # what stands in it was written by us: texts stay as they are, to the letter
    find_text: Callable[[Document, str], str] = lambda _document, _target: ""


class Reader(Protocol):
    """One program's folders."""

    program: str

    def recognises(self, folder: Path) -> bool: ...

    def read(self, folder: Path, report: Report) -> Blog:
        """Everything in it that can be read; what cannot is a line in the report. Raises nothing for what a file says."""


def read_text(folder: Path, file: str, report: Report) -> tuple[str, str] | None:
    """Text and digest of a file; None, with a line in the report, if it cannot be read as text or lies elsewhere."""
    path = folder / file
    try:
        if not path.resolve().is_relative_to(folder.resolve()):
            report.refuse(file, "leads out of the folder")
            return None
        if path.stat().st_size > LARGEST_TEXT:
            report.refuse(file, f"is larger than {LARGEST_TEXT // 1_000_000} MB")
            return None
        content = path.read_bytes()
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        report.refuse(file, f"is not UTF-8 (byte {error.start + 1})")
        return None
    except OSError as error:
        report.refuse(file, f"cannot be read: {error.strerror or error}")
        return None
    clean = without_control_characters(text.replace("\r\n", "\n").replace("\r", "\n"))
    if "\0" in text:
        report.note(Outcome.CHANGED, file, "signs that no text has were taken out")
    return clean, hashlib.sha256(content).hexdigest()


def text_files(folder: Path, below: str = "") -> list[str]:
    """Markdown files below a folder, in order; hidden ones, and those in hidden folders, are none of them."""
    start = folder / below
    found = [path for pattern in ("*.md", "*.markdown") for path in start.rglob(pattern)]
    names = [path.relative_to(folder).as_posix() for path in found if path.is_file() or path.is_symlink()]
    return sorted(name for name in names if not any(part.startswith(".") for part in name.split("/")))
