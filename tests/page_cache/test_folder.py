"""Pages as files: which become some, under which names, and that none outlives what it shows, whoever is killed."""

import asyncio
import errno
import gzip
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import brotli
import pytest
from structlog.testing import capture_logs

from cms.errors import OperatorError
from cms.page_cache.cache import MANY, Page, PageCache
from cms.page_cache.folder import PageFolder
from cms.page_cache.marks import Marks

HEADERS = {"Content-Type": "text/html; charset=UTF-8", "Cache-Control": "no-cache"}
TEXT = "<p>Low tide</p>" * 40


class Process:
    """What a process has: a cache, and its hand in the folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = PageFolder(folder, HEADERS)
        self.folder.open()
        self.cache = PageCache(1_000_000, self.folder)

    def answers(self, key: str, text: str = TEXT, *tags: str, status: int = 200, headers: dict[str, str] = HEADERS) -> None:
        made = Page.make(status, headers.items(), text.encode(), Marks.of(*(tags or ("post/1/page",))))
        assert self.cache.store(key, self.cache._changes, made)

    def hears(self, *tags: str) -> None:
        self.cache.purge(Marks.of(*tags))

    def is_killed(self) -> None:
        """Its lock is opened by the kernel, and nothing else happens."""
        os.close(self.folder._own)
        self.folder._own = -1

    def looks_around(self) -> None:
        with self.folder._alone():
            self.folder._remove_what_the_dead_left()


@pytest.fixture
def base(tmp_path: Path) -> Iterator[Path]:
    before = os.umask(0o077)
    yield tmp_path / "squall"
    os.umask(before)


def files(base: Path) -> set[str]:
    return {str(path.relative_to(base / "pages")) for path in (base / "pages").rglob("*") if path.is_file()}


def shown(base: Path, name: str) -> str:
    return (base / "pages" / name).read_text()


def test_a_page_is_a_file_with_its_twins_until_what_it_shows_changes(base: Path) -> None:
    one = Process(base)
    one.answers("/", TEXT, "list/home")
    one.answers("/about")
    one.answers("/about/crew", "short", "post/2/page")
    assert files(base) == {f"{name}=.html{end}" for name in ("", "about") for end in ("", ".gz", ".br")} | {"about/crew=.html"}
    place = base / "pages"
    assert (place / "about=.html").read_text() == TEXT
    assert gzip.decompress((place / "about=.html.gz").read_bytes()).decode() == TEXT
    assert brotli.decompress((place / "about=.html.br").read_bytes()).decode() == TEXT
    assert {stat.S_IMODE(path.stat().st_mode) for path in (place, place / "about", base)} == {0o755}, "whatever the umask"
    assert stat.S_IMODE((place / "about=.html").stat().st_mode) == 0o644
    one.hears("post/1/page")
    assert files(base) == {"=.html", "=.html.gz", "=.html.br", "about/crew=.html"}
    one.cache.clear()
    assert files(base) == set()


@pytest.mark.parametrize(
    "key",
    ["/..", "/../x", "/a/../b", "/.hidden", "/a/.b", "//a", "/a//b", "/a/", "/a?q=b", "/a=.html", "/a b", "/ä", "/a\n", "/" + "a" * 201,
     "/a" * 501, "", "a", "/a$b", '/a"b'],
)  # fmt: skip
def test_only_plain_addresses_are_names(base: Path, key: str) -> None:
    one = Process(base)
    one.answers(key)
    assert [path.name for path in base.rglob("*") if path.is_file() and path.parent.name != "owners"] == []


@pytest.mark.parametrize("key", ["/%2e%2e/%2e%2e/x", "/caf%C3%A9", "/2026/11/tide", "/a.b~c_d-e", "/" + "a" * 200, "/-", "/pages"])
def test_a_name_is_the_address_as_it_is_sent(base: Path, key: str) -> None:
    one = Process(base)
    one.answers(key, "short")
    assert files(base) == {f"{key[1:]}=.html"}


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (404, HEADERS),
        (301, HEADERS),
        (200, {**HEADERS, "X-Robots-Tag": "noindex"}),
        (200, {**HEADERS, "Cache-Control": "public"}),
        (200, {**HEADERS, "Content-Type": "application/rss+xml"}),
    ],
)
def test_only_pages_with_the_headers_of_all_are_files(base: Path, status: int, headers: dict[str, str]) -> None:
    one = Process(base)
    one.answers("/about", status=status, headers=headers)
    assert not (base / "pages").exists()


def test_two_versions_of_one_second_and_one_length_have_other_times(base: Path) -> None:
    """Of which nginx makes the ETag: a browser that has one would be told that the other is the same."""
    one, times = Process(base), set()
    for text in ("Tide at 11", "Tide at 12", "Tide at 11"):
        one.hears("post/1/page")
        one.answers("/about", text * 40)
        times |= {(base / "pages" / f"about=.html{end}").stat().st_mtime for end in ("", ".gz", ".br")}
    assert len(times) == 6


def test_each_process_removes_what_it_wrote_and_puts_back_what_others_took(base: Path) -> None:
    one, two = Process(base), Process(base)
    one.answers("/about", "old", "post/1/page")  # made before a change that only the other has heard of
    two.hears("post/1/page")
    two.answers("/about", "new", "post/1/page")
    assert shown(base, "about=.html") == "old", "for as long as its writer has not heard of it"
    one.hears("post/1/page")
    assert files(base) == set()
    assert two.cache.find("/about")
    assert shown(base, "about=.html") == "new"
    one.cache.clear()
    assert two.cache.find("/about")
    assert shown(base, "about=.html") == "new"


def test_what_a_killed_process_wrote_is_removed_by_the_others_and_by_the_next(base: Path) -> None:
    one, two = Process(base), Process(base)
    one.answers("/about", "old")
    two.answers("/crew", "true", "post/2/page")
    one.is_killed()
    two.hears("post/1/page")
    two.looks_around()
    assert files(base) == set()
    assert two.cache.find("/crew")
    assert files(base) == {"crew=.html"}
    two.is_killed()
    three = Process(base)
    assert files(base) == set()
    three.answers("/about", "old")
    three.is_killed()
    (base / "gone-1").mkdir()
    Process(base)
    assert files(base) == set()
    assert len(list((base / "owners").iterdir())) == 1
    assert not (base / "gone-1").exists()


def test_whoever_ends_takes_its_own_along_unless_it_is_the_last(base: Path) -> None:
    one, two = Process(base), Process(base)
    one.answers("/about", "a")
    two.answers("/crew", "b", "post/2/page")
    one.folder.close()
    assert files(base) == {"crew=.html"}
    two.folder.close()
    assert files(base) == {"crew=.html"}, "nobody is there to change anything"
    assert list((base / "owners").iterdir()) == []
    two.folder.close()
    Process(base)
    assert files(base) == set()


def test_what_is_evicted_is_no_file_any_more(base: Path) -> None:
    one = Process(base)
    one.cache.capacity = 10_000
    for number in range(20):
        one.answers(f"/{number}", str(number))
        assert len(files(base)) == len(one.cache)
    assert len(one.cache) < 20


def test_many_at_once_are_taken_away_in_one_go(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = Process(base)
    one.cache.capacity = 10**8
    for number in range(MANY):
        one.answers(f"/{number}", "a", "site/name")
    one.answers("/about", "a", "post/1/page")
    monkeypatch.setattr(one.folder, "drop", lambda key: None)
    one.hears("site/name")
    assert files(base) == set()
    assert one.cache.find("/about")
    assert files(base) == {"about=.html"}


def test_a_folder_that_cannot_be_used_is_said_at_start(tmp_path: Path, base: Path) -> None:
    base.mkdir()
    (base / "index.html").write_text("somebody else's")
    with pytest.raises(OperatorError, match="has other things in it"):
        Process(base)
    with pytest.raises(OperatorError, match="cannot be used"):
        Process(base / "index.html" / "below")
    assert (base / "index.html").read_text() == "somebody else's"


def test_a_disk_that_fails_costs_the_file_and_not_the_page(base: Path) -> None:
    one = Process(base)
    one.answers("/about", "a", "post/2/page")
    (base / "pages" / "crew").write_text("in the way")
    with capture_logs() as lines:
        one.answers("/crew/all", "b")
        for _ in range(100):
            assert one.cache.find("/crew/all")
    assert files(base) == {"about=.html", "crew"}
    assert len(lines) == 1, "not one for each reader"
    (base / "pages" / "about=.html").unlink()
    (base / "pages" / "about=.html").mkdir()
    one.hears("post/2/page")
    assert not (base / "pages").exists(), "what cannot be removed goes with everything"


async def test_it_is_looked_after_while_the_program_runs(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cms.page_cache.folder.LOOK_EVERY", 0.01)
    one, two = Process(base), Process(base)
    one.answers("/about", "a")
    watching = asyncio.create_task(two.folder.watch())
    one.is_killed()
    async with asyncio.timeout(10):
        while files(base):
            await asyncio.sleep(0.01)
    watching.cancel()


async def test_what_could_not_be_removed_is_removed_when_it_can_be(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that was read-only for a moment must not leave what is over to readers."""
    monkeypatch.setattr("cms.page_cache.folder.LOOK_EVERY", 0.01)
    one = Process(base)
    one.answers("/about", "a")
    watching = asyncio.create_task(one.folder.watch())
    with monkeypatch.context() as readonly:
        readonly.setattr("cms.page_cache.folder._remove", _refuse)
        readonly.setattr(Path, "rename", _refuse)
        one.hears("post/1/page")
        await asyncio.sleep(0.05)
        assert files(base) == {"about=.html"}
    async with asyncio.timeout(10):
        while files(base):
            await asyncio.sleep(0.01)
    watching.cancel()


def _refuse(*_: object) -> None:
    raise OSError(errno.EROFS, os.strerror(errno.EROFS))


async def test_a_folder_that_somebody_removed_is_begun_anew(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the sign that its writer lives, nobody would notice that he was killed."""
    monkeypatch.setattr("cms.page_cache.folder.LOOK_EVERY", 0.01)
    one = Process(base)
    one.answers("/about", "a")
    watching = asyncio.create_task(one.folder.watch())
    shutil.rmtree(base)
    assert one.cache.find("/about")
    assert files(base) == {"about=.html"}
    async with asyncio.timeout(10):
        while not one.folder._name.exists():
            await asyncio.sleep(0.01)
    assert files(base) == set(), "somebody may have died meanwhile"
    assert one.cache.find("/about")
    watching.cancel()
    one.is_killed()
    two = Process(base)
    assert files(base) == set()
    two.folder.close()
