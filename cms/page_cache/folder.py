"""Kept pages as files, which a web server in front answers with for as long as they are there.

The folder has what the caches of the processes have. A page that a cache forgets is removed at that moment, by the process that wrote
it; what a process leaves that was killed is removed by the others, or by the next that starts (docs/decisions/0018-front-ends.md).
"""

import asyncio
import fcntl
import os
import re
import secrets
import shutil
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from cms.content_coding import IDENTITY
from cms.errors import OperatorError
from cms.page_cache.cache import MANY, Page
from cms.telemetry import log
from cms.wording import say

PAGES = "pages"  # what the web server looks into
END = "=.html"  # stands in no address, so no file is in the way of a folder
TWINS = {"gzip": ".gz", "br": ".br"}  # as ``gzip_static`` and ``brotli_static`` of nginx look for them
LOOK_EVERY = 1.0  # seconds
REST = 1.0  # seconds after one that could not be written: a full disk is not asked again for each reader
# Addresses as browsers send them, that name a file as they are: no part of them means something to the system.
_ADDRESS = re.compile(r"(?:/|(?:/[A-Za-z0-9_~%-][A-Za-z0-9._~%-]*)+)")
_LONGEST = 1000  # of an address
_LONGEST_PART = 200  # with what is added to it, less than the 255 of a name


class PageFolder:
    """``headers``: of the answers that the web server gives. Pages with others are not put here."""

    def __init__(self, folder: Path, headers: Mapping[str, str]) -> None:
        self._folder = folder
        self._pages = folder / PAGES
        self._owners = folder / "owners"
        self._headers = frozenset(headers.items())
        self._keys: set[str] = set()  # of pages that we have put here
        self._name = self._owners / secrets.token_hex(8)
        self._own = -1
        self._is_owed = False  # everything was to go, and could not
        self._rests_until = 0.0

    # --- pages ---

    def keep(self, key: str, page: Page) -> None:
        """Unless there is one. It may be another process', which will remove it as we would."""
        if page.status != 200 or not _is_name(key) or frozenset(page.headers) != self._headers or time.monotonic() < self._rests_until:
            return
        path = self._path(key)
        if os.path.exists(path):  # noqa: PTH110 - a Path for each hit costs more than the question
            return
        self._keys.add(key)
        moment = int(page.digest[:7], 16) * 4
        try:
            for number, (coding, end) in enumerate(TWINS.items(), 1):
                if coding in page.bodies:
                    _write(path + end, page.bodies[coding], moment + number)
                else:
                    _remove(path + end)
            _write(path, page.bodies[IDENTITY], moment)  # last: as long as it is not there, nobody is asked for its twins
        except OSError as error:
            self._rests_until = time.monotonic() + REST
            self.drop(key)
            log.warning("a page is no file", reason=error.strerror)

    def drop(self, key: str) -> None:
        if key not in self._keys:
            return
        self._keys.discard(key)
        path = self._path(key)
        try:
            for end in ("", *TWINS.values()):
                _remove(path + end)
        except OSError:
            self._sweep()

    def clear(self) -> None:
        if len(self._keys) >= MANY:
            self._sweep()
        for key in list(self._keys):
            self.drop(key)

    def _sweep(self) -> None:
        """Everybody's, in one go. The others put theirs back when they are asked for them."""
        self._keys.clear()
        gone = self._folder / f"gone-{secrets.token_hex(8)}"
        was_owed, self._is_owed = self._is_owed, False
        try:
            self._pages.rename(gone)
        except FileNotFoundError:
            return
        except OSError as error:
            self._is_owed = True
            if not was_owed:
                log.error("pages in the folder cannot be removed and may be out of date", reason=error.strerror)
            return
        threading.Thread(target=shutil.rmtree, args=(gone, True)).start()

    def _path(self, key: str) -> str:
        return f"{self._pages}{key}{END}"

    # --- processes ---

    def open(self) -> None:
        """Take part. If nobody else does, what is there is from before and may be out of date. Raises ``OperatorError``."""
        try:
            self._require_ours()
            self._take_part()
        except OSError as error:
            raise OperatorError(
                say(
                    "The folder for pages {folder} cannot be used: {reason}. Make it writable, or name another with SQUALL_PAGES_FOLDER.",
                    folder=self._folder,
                    reason=error.strerror or error,
                )
            ) from None

    def _take_part(self) -> None:
        _make_folder(str(self._folder))
        self._owners.mkdir(mode=0o700, exist_ok=True)
        with self._alone():
            self._own = os.open(self._name, os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._own, fcntl.LOCK_EX)
            if not self._remove_what_the_dead_left():
                self._sweep()
                self._remove_rests()

    async def watch(self) -> None:
        """Until cancelled: what others leave who are killed is removed, and what could not be removed before. If somebody has removed the
        folder, with the sign that we live, it is begun anew."""
        said = None
        while True:
            await asyncio.sleep(LOOK_EVERY)
            try:
                if not self._name.exists():
                    log.warning("the folder for pages was removed, and is begun anew")
                    self._leave()
                    self._take_part()
                if self._is_owed:
                    self._sweep()
                with self._alone():
                    self._remove_what_the_dead_left()
                said = None
            except OSError as error:
                if said != error.errno:
                    log.error("the folder for pages cannot be looked after", reason=error.strerror)
                said = error.errno

    def close(self) -> None:
        """Ours go, as we do not hear of changes any more. If nobody does, nobody changes anything: readers may go on reading."""
        if self._own < 0:
            return
        with suppress(OSError), self._alone():
            if self._remove_what_the_dead_left():
                self.clear()
            self._name.unlink()
        self._leave()

    def _leave(self) -> None:
        if self._own >= 0:
            os.close(self._own)
        self._own = -1

    def _require_ours(self) -> None:
        if self._folder.is_dir() and not self._owners.is_dir() and any(self._folder.iterdir()):
            raise OperatorError(
                say("The folder {folder} has other things in it; name another with SQUALL_PAGES_FOLDER.", folder=self._folder)
            )

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time looks who is there."""
        lock = os.open(self._owners, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _remove_what_the_dead_left(self) -> bool:
        """Whether others are alive. Each holds a lock that the kernel opens when it ends, however it does."""
        others = [path for path in self._owners.iterdir() if path != self._name]
        dead = [path for path in others if not _is_held(path)]
        if dead:
            self._sweep()
        for path in dead:
            path.unlink()
        return len(others) > len(dead)

    def _remove_rests(self) -> None:
        for path in self._folder.glob("gone-*"):
            shutil.rmtree(path, ignore_errors=True)


def _is_name(key: str) -> bool:
    return len(key) <= _LONGEST and _ADDRESS.fullmatch(key) is not None and max(map(len, key.split("/"))) <= _LONGEST_PART


def _is_held(path: Path) -> bool:
    file = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


def _write(path: str, body: bytes, moment: int) -> None:
    """Whole or not at all. ``moment``: made of what is in it; a web server makes the ETag of time and length, and two versions of one
    second may have the same length."""
    draft = f"{path}.{secrets.token_hex(8)}"
    try:
        file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    except FileNotFoundError:
        _make_folder(os.path.dirname(path))  # noqa: PTH120
        file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    try:
        with open(file, "wb") as opened:  # noqa: PTH123 - it is a number
            os.fchmod(file, 0o644)  # whatever the umask: the web server is somebody else
            opened.write(body)
        os.utime(draft, (moment, moment))
        os.replace(draft, path)  # noqa: PTH105
    except OSError:
        _remove(draft)
        raise


def _make_folder(path: str) -> None:
    if os.path.isdir(path):  # noqa: PTH112
        return
    _make_folder(os.path.dirname(path))  # noqa: PTH120
    with suppress(FileExistsError):
        os.mkdir(path)  # noqa: PTH102
        os.chmod(path, 0o755)  # noqa: PTH101, S103 - as above


def _remove(path: str) -> None:
    with suppress(FileNotFoundError, NotADirectoryError):
        os.unlink(path)  # noqa: PTH108
