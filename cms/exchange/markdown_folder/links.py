"""What the texts of a folder refer to: each other, files beside them, files of the old site, the world."""

import os
import posixpath
import re
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from cms.exchange.markdown_folder.shortcodes import Code
from cms.exchange.markdown_folder.source import NO_SCHEME, TEXTS, Blog, Document, has_name, is_file, is_inside, url_parts

# [words](target), [words](<a target>), [label]: target, and tags. Each alternative begins with a sign, so that the search passes over
# words quickly.
_PLACES = re.compile(
    r"\[(?:[^\[\]]|\[[^\[\]]*\])*\](?:"
    r"\(\s*(?:<(?P<pointed>[^<>\n]*)>|(?P<inline>(?:[^\s<>()\\]|\\.)*(?:\((?:[^\s<>()\\]|\\.)*\)(?:[^\s<>()\\]|\\.)*)*))"
    r"|:[ \t]*\n?[ \t]*(?:<(?P<pointed_definition>[^<>\n]+)>|(?P<definition>[^\s<>]+)))"
    r"|<[a-zA-Z][^<>]*>"
)
_TARGETS = ("pointed", "inline", "pointed_definition", "definition")
_ATTRIBUTE = re.compile(
    r"(?P<head>\s(?P<name>href|src|srcset|poster|data-src)\s*=\s*)(?P<quote>[\"']?)(?P<target>(?<=\")[^\"]*|(?<=')[^']*|(?<![\"'])[^\s\"'<>]+)",
    re.IGNORECASE,
)
_CANDIDATE = re.compile(r"(?:^|(?<=,))(?P<head>\s*)(?P<target>[^\s,]+)")  # of a srcset: an address, and how large its picture is
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_OTHERS = ("#", "{{", "{%")  # fragments, and what only the other program understands; that is told elsewhere
_PICTURES = (".apng", ".avif", ".bmp", ".gif", ".ico", ".jpeg", ".jpg", ".png", ".svg", ".tif", ".tiff", ".webp")


@dataclass(frozen=True, slots=True)
class Reference:
    """A target in a text. ``line`` of the file; ``tail``: "?…#…", which stays behind whatever it becomes."""

    target: str
    tail: str
    line: int
    is_picture: bool

    @property
    def is_elsewhere(self) -> bool:
        return bool(url_parts(self.target).scheme) or self.target.startswith("//")

    @property
    def is_no_address(self) -> bool:
        return url_parts(self.target).scheme == NO_SCHEME


def rewrite(document: Document, replace: Callable[[Reference], str | None]) -> str:
    """The body with each target as ``replace`` answers it; None leaves it. Code and pure fragments are not asked about."""
    return _Rewriting(document, replace).result()


class _Rewriting:
    def __init__(self, document: Document, replace: Callable[[Reference], str | None]) -> None:
        self._document = document
        self._body = document.body
        self._replace = replace
        self._code = Code(document.body)
        self._line_ends = [found.start() for found in re.finditer("\n", document.body)]

    def result(self) -> str:
        return _PLACES.sub(self._settled, self._body)

    def _settled(self, found: re.Match[str]) -> str:
        if found.start() in self._code:
            return found[0]
        if found[0][0] == "<":
            return _ATTRIBUTE.sub(lambda attribute: self._in_attribute(attribute, found.start()), found[0])
        name = _name_of(found)
        is_definition = name.endswith("definition")
        if is_definition and not self._is_definition(found):
            return found[0]
        head, end = found[0][: found.start(name) - found.start()], found[0][found.end(name) - found.start() :]
        is_picture = found.start() > 0 and self._body[found.start() - 1] == "!"
        if not is_definition and not is_picture:
            head = head[0] + _PLACES.sub(lambda inner: self._inner(inner, head[1:], found.start()), head[1:])  # [![a](b.png)](c)
        return head + self._answer(found[name], found.start(), is_picture=is_picture) + end

    def _inner(self, found: re.Match[str], words: str, at: int) -> str:
        """A picture in the words of a link."""
        if found[0][0] == "<" or not words[: found.start()].endswith("!"):
            return found[0]
        name = _name_of(found)
        head, end = found[0][: found.start(name) - found.start()], found[0][found.end(name) - found.start() :]
        return head + self._answer(found[name], at, is_picture=True) + end

    def _in_attribute(self, found: re.Match[str], at: int) -> str:
        name, target = found["name"].lower(), found["target"]
        if name == "srcset":
            settled = _CANDIDATE.sub(lambda one: one["head"] + self._answer(one["target"], at, is_picture=True), target)
        else:
            settled = self._answer(target, at, is_picture=name in {"src", "poster"})
        return found["head"] + found["quote"] + settled

    def _answer(self, target: str, at: int, *, is_picture: bool) -> str:
        if not target or target.startswith(_OTHERS):
            return target
        path, tail = _split(target)
        path = _ESCAPED.sub(r"\1", path)
        line = self._document.body_line + bisect_left(self._line_ends, at)
        answer = self._replace(Reference(path, tail, line, is_picture or path.lower().endswith(_PICTURES)))
        return target if answer is None else answer + tail

    def _is_definition(self, found: re.Match[str]) -> bool:
        """``[label]: target`` at the beginning of a line; a note's is none."""
        before = self._body[self._body.rfind("\n", 0, found.start()) + 1 : found.start()]
        return len(before) < 4 and not before.strip(" ") and not found[0].startswith("[^")


def _name_of(found: re.Match[str]) -> str:
    """The group that has the target."""
    return next(name for name in _TARGETS if found[name] is not None)


def _split(target: str) -> tuple[str, str]:
    end = min((at for at in (target.find("?"), target.find("#")) if at >= 0), default=len(target))
    return target[:end], target[end:]


@dataclass(frozen=True, slots=True)
class Found:
    """What a reference leads to: another text, or a file; both below the folder. ``escapes``: it leads out of it."""

    document: Document | None = None
    file: str = ""
    escapes: bool = False


class Finder:
    """Answers what a target means in a text, as the program that the folder was made for would."""

    def __init__(self, blog: Blog) -> None:
        self._blog = blog
        self._host = url_parts(blog.base_url).netloc.lower()
        self._base = blog.base
        self._by_file = {document.file: document for document in blog.documents}
        self._by_path = {path.lower(): document for document in reversed(blog.documents) for path in document.paths}

    def find(self, document: Document, target: str) -> Found | None:
        """None if it leads to another site or to nothing that is known here."""
        if self._blog.is_exact:
            return self._file(f"{document.folder}/{target}") if "/" not in target else None
        parts = url_parts(target)
        if parts.scheme in {"http", "https"} or target.startswith("//"):
            return self._at(parts.path) if self._host and parts.netloc.lower() == self._host else None
        if parts.scheme:
            return None
        if file := self._blog.find_text(document, target):
            return Found(self._by_file.get(file), file)
        path = unquote(target)
        if path.startswith("/"):
            return self._at(path)
        return self._beside(document, path) or self._relative_to_address(document, path)

    def _beside(self, document: Document, path: str) -> Found | None:
        """A file named from the text's own folder."""
        file = posixpath.normpath(posixpath.join(document.folder, path))
        if file.startswith("../") or file == "..":
            return Found(escapes=True)
        if file in self._by_file:
            return Found(self._by_file[file], file)
        return self._file(file)

    def _relative_to_address(self, document: Document, path: str) -> Found | None:
        """As a browser would read it on the old site."""
        for address in document.paths[:1]:
            for base in (f"/{address}/", f"/{address}"):
                if found := self._at(posixpath.normpath(posixpath.join(posixpath.dirname(base), path))):
                    return found
        return None

    def _at(self, path: str) -> Found | None:
        """What stood at a path of the old site."""
        path = unquote(path).strip("/").removesuffix("index.html").strip("/")
        if self._base and (path == self._base or path.startswith(f"{self._base}/")):
            path = path.removeprefix(self._base).strip("/")
        if document := self._by_path.get(path.lower()):
            return Found(document, document.file)
        for prefix, folder in self._blog.files_at.items():
            below = path.removeprefix(prefix).strip("/") if path.startswith(prefix) else ""
            if below and (found := self._file(posixpath.normpath(posixpath.join(folder, below)))):
                return found
        return self._bundled(path)

    def _bundled(self, path: str) -> Found | None:
        """A file of a text's own folder, under the text's address."""
        at, _, name = path.rpartition("/")
        owner = self._by_path.get(at.lower())
        return self._file(posixpath.join(owner.folder, name)) if owner and owner.is_bundle else None

    def _file(self, file: str) -> Found | None:
        """Not a text: one that is here was found before, and one that was refused has its own line."""
        if file.startswith("../") or any(part.startswith(".") for part in file.split("/")) or file.lower().endswith(TEXTS):
            return None
        path = self._blog.folder / file
        try:
            if not path.is_file():
                return None
            return Found(file=file) if is_inside(self._blog.folder, path) else Found(escapes=True)
        except (OSError, ValueError):
            return None


def pictures_beside(blog: Blog, document: Document) -> Iterator[str]:
    """Files of a text's own folder, whether it names them or not: their old addresses are to answer, too."""
    if not document.is_bundle:
        return
    for name in sorted(next(os.walk(blog.folder / document.folder), ("", [], []))[2]):
        file = f"{document.folder}/{name}"
        if name.lower().endswith(_PICTURES) and has_name(name) and not name.startswith(".") and is_file(blog.folder / file):
            yield file
