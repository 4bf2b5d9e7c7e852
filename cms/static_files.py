"""Files that come with the program, and those it makes of settings: read once, made small and named by what is in them.

They are kept in memory, so an address and what it names fit together even while another release is put on the disk.
"""

import asyncio
import hashlib
import mimetypes
import re
from collections.abc import Iterator, Mapping
from functools import cached_property, lru_cache
from pathlib import Path

from cms.content_coding import CODINGS, IDENTITY, encode
from cms.errors import NotFound

_STRING = r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
_COMMENT = re.compile(_STRING + r"|/\*.*?\*/", re.DOTALL)
_SPACE = re.compile(_STRING + r"|\s*([{},])\s*|\s*;\s*(})\s*|\s*(;)\s*|(:)\s+|(\s)\s*")


class StaticFile:
    """``source``: as it stands on the disk. What is made of it is made when somebody asks: a page needs a few of all that there are."""

    def __init__(self, name: str, source: bytes) -> None:
        self.content_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
        self._name, self._source = name, source
        self._codings: Mapping[str, bytes] = {}

    @cached_property
    def content(self) -> bytes:
        return minify_css(self._source.decode()).encode() if self._name.endswith(".css") else self._source

    @cached_property
    def fingerprint(self) -> str:
        """Enough of the hash to tell versions apart."""
        return hashlib.sha256(self.content).hexdigest()[:16]

    async def codings(self) -> Mapping[str, bytes]:
        """The bytes by coding, the smallest first, and as they are. Made when first asked for; of two first comers both make them."""
        if not self._codings:
            made = await asyncio.to_thread(lambda: {coding: encode(self.content, coding, thoroughly=True) for coding in CODINGS})
            smaller = {coding: body for coding, body in made.items() if len(body) < len(self.content)}
            self._codings = {**smaller, IDENTITY: self.content}
        return self._codings


class StaticFiles:
    """By name, "css/site.css". ``made``: files that are not on the disk, which may be very many; each is made when it is asked for."""

    def __init__(self, folder: Path, made: Mapping[str, str]) -> None:
        self._files = {name: _file(name, content) for name, content in _read(folder)}
        self._made = made

    def find(self, name: str) -> StaticFile:
        """Raises ``NotFound``. No name leads to the disk, so none leads out of the folder."""
        if name in self._files:
            return self._files[name]
        try:
            return _file(name, self._made[name].encode())
        except KeyError:
            raise NotFound from None

    def address(self, name: str) -> str:
        """With the fingerprint, so that it may be kept for ever."""
        return f"/static/{name}?v={self.find(name).fingerprint}"


def _read(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in folder.rglob("*"):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path.read_bytes()


@lru_cache(maxsize=1024)  # several applications in one process have the same files
def _file(name: str, content: bytes) -> StaticFile:
    return StaticFile(name, content)


def minify_css(source: str) -> str:
    """Without comments and needless space; what stands in quotation marks stays, and so does all that could mean anything.

    A space before a colon is one (``a :hover``), one after it is none; around ``+``, ``-`` and parentheses arithmetic needs them.
    """
    bare = _COMMENT.sub(lambda found: found[1] or " ", source)
    return _SPACE.sub(lambda found: next(filter(None, found.groups()), "") if not found[6] else " ", bare).strip()
