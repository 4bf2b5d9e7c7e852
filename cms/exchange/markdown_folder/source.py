"""What a folder has in it, in one form for all programs."""

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import SplitResult, urlsplit

from cms.content.characters import without_control_characters
from cms.exchange.markdown_folder.report import Outcome, Report, why
from cms.models.post import Kind, Visibility
from cms.schemas.fields import NewFieldInput
from cms.schemas.library import TrackInput
from cms.wording import say

Moment = datetime | date
Term = tuple[str, str]  # "tags", "categories", "authors" or "series", and its name
LARGEST_TEXT = 10_000_000  # bytes
NO_SCHEME = "?"
TEXTS = (".md", ".markdown")


class Packed:
    """A field whose text is kept as UTF-8: one curly quote in it would make each of its signs take two bytes, a smiley four."""

    def __set_name__(self, _owner: type, name: str) -> None:
        self._name = f"_{name}"

    def __get__(self, instance: object | None, _owner: type) -> str:
        if instance is None:
            raise AttributeError  # the field has no default
        packed: bytes = getattr(instance, self._name)
        return packed.decode("utf-8", "surrogatepass")

    def __set__(self, instance: object, text: str) -> None:
        setattr(instance, self._name, text.encode("utf-8", "surrogatepass"))


@dataclass
class Document:
    """One text. ``paths``: where it stood on the old site, the main address first, without slashes at the ends."""

    file: str  # below the folder, with slashes
    title: str
    body: Packed = Packed()  # of a large folder nearly all that is kept in memory
    paths: tuple[str, ...] = ()
    kind: Kind = Kind.POST
    body_line: int = 1  # of the file, at which the body begins
    date: Moment | None = None  # a moment without a zone is the site's
    updated: Moment | None = None
    publish_at: Moment | None = None  # not before this
    expires_at: Moment | None = None  # not after this
    is_draft: bool = False
    visibility: Visibility = Visibility.PUBLIC
    slug: str = ""
    excerpt: str = ""
    meta: Mapping[str, str] = field(default_factory=dict)  # what others are to show of it (schemas.post.META)
    language: str = ""
    authors: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()  # the first one is the post's, others become tags
    tags: tuple[str, ...] = ()
    series: str = ""
    part: int = 0  # of the series, if the text says so
    template: str = ""  # if it is one of its own
    picture: str = ""  # as a link in the body would name it
    custom: Mapping[str, str] = field(default_factory=dict)  # custom fields by key
    custom_pictures: Mapping[str, str] = field(default_factory=dict)  # those that are one, as a link in the body would name it
    digest: str = ""

    @property
    def folder(self) -> str:
        return self.file.rpartition("/")[0]

    @property
    def is_bundle(self) -> bool:
        """Whether its folder is its own, with the files that belong to it."""
        return self.file.rpartition("/")[2].startswith("index.")


@dataclass(frozen=True, slots=True)
class Filed:
    """A file as another library of ours had it. ``about``: words, focus and tags; ``old``: paths that led to it; ``folder``: the
    names of those it lay in, the outermost first; ``poster`` and the ``captions``' files as they lie below the source."""

    name: str
    about: Mapping[str, Any]
    old: tuple[str, ...] = ()
    folder: tuple[str, ...] = ()
    poster: str = ""
    captions: tuple[tuple[TrackInput, str], ...] = ()


@dataclass(slots=True)
class Blog:
    """``files_at``: folders below the source whose files stand at an address, longest address first: ``{"assets": "static/assets"}``.

    ``lists``: old addresses of the lists of single terms, where the program says them; its usual ones lead anyway. ``other_lists``: old
    addresses of lists that nothing here is like, and that no text says. ``feeds``: old addresses of feeds, but for those of terms.
    ``find_text``: the file that a program's own way of linking names ("@/blog/x.md"), or ""; it is asked before anything else.
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
    lists: Mapping[str, Term] = field(default_factory=dict)
    other_lists: tuple[str, ...] = ()
    feeds: tuple[str, ...] = ()
    fields: tuple[tuple[str, NewFieldInput], ...] = ()  # custom ones with their keys, for a site that is new
    library: Mapping[str, Filed] = field(default_factory=dict)  # by where the file lies below the source
    folders: tuple[tuple[str, ...], ...] = ()  # of the library, as ``Filed`` has them
    is_exact: bool = False  # what stands in it was written by us: texts stay as they are, to the letter
    find_text: Callable[[Document, str], str] = lambda _document, _target: ""

    @property
    def base(self) -> str:
        """The folder below which the old site stood, without slashes at its ends; "" for a whole host. Ours say whole addresses."""
        return "" if self.is_exact else url_parts(self.base_url).path.strip("/")

    def old_paths(self, path: str) -> list[str]:
        """Where something was found on the old site: at a path, and below the folder in which all of it stood."""
        return [path, f"{self.base}/{path}"] if self.base else [path]


def url_parts(address: str) -> SplitResult:
    """Of what is no address at all: a scheme that nobody knows."""
    try:
        return urlsplit(address)
    except ValueError:
        return SplitResult(NO_SCHEME, "", "", "", "")


class Reader(Protocol):
    """One program's folders."""

    program: str

    def recognises(self, folder: Path) -> bool: ...

    def read(self, folder: Path, report: Report) -> Blog:
        """Everything in it that can be read; what cannot is a line in the report. Raises nothing for what a file says."""


def read_text(folder: Path, file: str, report: Report) -> tuple[str, str] | None:
    """Text and digest of a file; None, with a line in the report, if it cannot be read as text or lies elsewhere."""
    try:
        content = _bytes(folder, folder / file)
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        report.refuse(file, say("is not UTF-8 (byte {place})", place=str(error.start + 1)))
        return None
    except OSError as error:
        report.refuse(file, say("cannot be read: {reason}", reason=error.strerror or error))
        return None
    except ValueError as error:
        report.refuse(file, why(error))
        return None
    clean = without_control_characters(text.replace("\r\n", "\n").replace("\r", "\n"))
    if "\0" in text:
        report.note(Outcome.CHANGED, file, "signs that no text has were taken out")
    return clean, hashlib.sha256(content).hexdigest()


def _bytes(folder: Path, path: Path) -> bytes:
    """Raises ``ValueError`` for what is not to be read, ``OSError`` for what cannot be."""
    if not is_inside(folder, path):
        raise ValueError("leads out of the folder")
    about = path.stat()
    if not stat.S_ISREG(about.st_mode):
        raise ValueError("is no file")
    if about.st_size > LARGEST_TEXT:
        raise ValueError(say("is larger than {number} MB", number=LARGEST_TEXT // 1_000_000))
    return path.read_bytes()


def is_inside(folder: Path, path: Path) -> bool:
    """Whether it lies in the folder, links and all. Raises ``OSError`` for links that lead in a ring."""
    try:
        return path.resolve().is_relative_to(folder.resolve())
    except RuntimeError:  # what Python before 3.13 makes of it
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP)) from None


def text_files(folder: Path, below: str = "") -> list[str]:
    """Markdown files below a folder, in order."""
    return sorted(file for file in files_below(folder, below) if file.endswith(TEXTS))


def files_below(folder: Path, below: str = "") -> Iterator[str]:
    """What is a file, or a link that may lead to one. Hidden files, those in hidden folders, and nameless ones are none of them; links
    to folders are not followed, and what nobody may look into is passed over."""
    start = folder / below
    for place, folders, files in os.walk(start):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and has_name(name))
        at = Path(place).relative_to(folder).as_posix()
        for name in sorted(files):
            path = Path(place, name)
            if not name.startswith(".") and has_name(name) and (is_file(path) or path.is_symlink()):
                yield name if at == "." else f"{at}/{name}"


def is_file(path: Path) -> bool:
    """Not, too, if nobody may know."""
    try:
        return path.is_file()
    except OSError:
        return False


def has_name(file: str) -> bool:
    """Whether its name is text. One that is not is refused once, for all (``readers``)."""
    return file.isascii() or not any("\ud800" <= sign <= "\udfff" for sign in file)


def note_list(report: Report, document: Document) -> None:
    """A section without words of its own is no page: the lists are ours to make."""
    for path in () if document.is_draft else document.paths:
        report.note(Outcome.MISSING, document.file, say("the old list /{path}: all posts are in /archive now", path=path), 1)
