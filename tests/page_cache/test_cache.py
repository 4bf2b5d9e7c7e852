"""The cache by itself: what is kept, what is forgotten, who waits for whom."""

import asyncio
import gzip
from collections.abc import Callable

import brotli
import pytest
import zstandard

from cms.errors import NotFound
from cms.page_cache.cache import Page, PageCache
from cms.page_cache.marks import NEWEST, OLDEST, Marks, Span


def page(*tags: str, body: bytes = b"<p>Low tide</p>" * 40, spans: tuple[Span, ...] = (), **headers: str) -> Page:
    return Page.make(200, [(name.replace("_", "-"), value) for name, value in headers.items()], body, Marks.of(*tags, spans=spans))


def kept(cache: PageCache, key: str, what: Page) -> bool:
    return cache.store(key, cache._changes, what)


def test_every_coding_is_the_same_page() -> None:
    made = page()
    assert list(made.bodies) == ["identity", "br", "zstd", "gzip"]
    assert gzip.decompress(made.bodies["gzip"]) == made.bodies["identity"]
    assert brotli.decompress(made.bodies["br"]) == made.bodies["identity"]
    assert zstandard.ZstdDecompressor().decompress(made.bodies["zstd"]) == made.bodies["identity"]
    assert len({made.etag(coding) for coding in made.bodies}) == 4
    assert list(page(body=b"short").bodies) == ["identity"]


def test_a_page_is_forgotten_when_something_that_it_shows_changes() -> None:
    cache = PageCache(100_000)
    for key, tags in {"/a": ("post/1/page", "author/3"), "/b": ("post/2/page", "author/3"), "/c": ("post/2/card",)}.items():
        assert kept(cache, key, page(*tags))
    cache.purge(Marks.of("post/2/page", "tag/9"))
    assert ("/a" in cache, "/b" in cache, "/c" in cache) == (True, False, True)
    cache.purge(Marks.of("author/3"))
    assert list(cache._once) == ["/c"]
    cache.clear()
    assert (len(cache), cache.bytes, dict(cache._by_tag)) == (0, 0, {})


@pytest.mark.parametrize(
    ("changed", "met"),
    [
        (Span("home", (50.0, 1), OLDEST), {"/2", "/3"}),  # something came in the middle: what is older moves
        (Span("home", (95.0, 1), OLDEST), {"/1", "/2", "/3"}),
        (Span("home", (1.0, 1), OLDEST), {"/3"}),
        (Span("home", (75.0, 1), (45.0, 1)), {"/1", "/2"}),  # something moved from one place to another
        (Span("home", (69.0, 1), (61.0, 1)), set()),  # between two pages, so that both stay as they are
        (Span("tag:1", (50.0, 1), OLDEST), set()),
    ],
)
def test_what_moves_in_a_list_meets_the_pages_on_which_that_is_seen(changed: Span, met: set[str]) -> None:
    cache = PageCache(100_000)
    for key, newest, oldest in (("/1", NEWEST, (70.0, 7)), ("/2", (60.0, 6), (40.0, 4)), ("/3", (30.0, 3), OLDEST)):
        assert kept(cache, key, page(spans=(Span("home", newest, oldest),)))
    cache.purge(Marks.of(spans=[changed]))
    assert {"/1", "/2", "/3"} - cache._once.keys() == met


async def test_a_page_is_made_once_for_all_who_wait() -> None:
    cache, made = PageCache(100_000), 0

    async def make() -> Page:
        nonlocal made
        made += 1
        await asyncio.sleep(0)
        return page("a")

    assert len({id(each) for each in await asyncio.gather(*(cache.get("/", make) for _ in range(20)))}) == 1
    assert made == 1
    await cache.get("/", make)
    assert made == 1


async def test_what_changes_while_a_page_is_made_is_not_missed() -> None:
    cache, gate = PageCache(100_000), asyncio.Event()

    async def slowly() -> Page:
        await gate.wait()
        return page("post/1/page", body=b"old")

    async def at_once() -> Page:
        return page("post/1/page", body=b"new")

    early = asyncio.create_task(cache.get("/", slowly))
    await asyncio.sleep(0)
    cache.purge(Marks.of("post/1/page"))
    late = await cache.get("/", at_once)  # does not wait for what set out before the change
    gate.set()
    assert ((await early).bodies["identity"], late.bodies["identity"]) == (b"old", b"new")
    found = cache.find("/")
    assert found is not None
    assert found.bodies["identity"] == b"new"
    assert cache.counts["refused"] == 1
    assert (cache._recent, cache._tickets, cache._flights) == (type(cache._recent)(), {}, {})


@pytest.mark.parametrize(
    ("change", "is_kept"),
    [
        (lambda cache: cache.purge(Marks.of("post/2/page")), True),  # something else
        (lambda cache: cache.clear(), False),  # everything, and so this page as well
    ],
)
async def test_a_change_while_a_page_is_made_refuses_it_only_if_the_page_shows_it(
    change: Callable[[PageCache], object], is_kept: bool
) -> None:
    cache, gate = PageCache(100_000), asyncio.Event()

    async def slowly() -> Page:
        await gate.wait()
        return page("post/1/page")

    task = asyncio.create_task(cache.get("/", slowly))
    await asyncio.sleep(0)
    change(cache)
    gate.set()
    await task
    assert ("/" in cache) is is_kept


async def test_an_error_goes_to_all_who_wait_and_is_not_kept() -> None:
    cache = PageCache(100_000)

    async def fail() -> Page:
        await asyncio.sleep(0)
        raise NotFound

    for outcome in await asyncio.gather(*(cache.get("/", fail) for _ in range(3)), return_exceptions=True):
        assert isinstance(outcome, NotFound)
    assert (len(cache), cache._flights) == (0, {})


async def test_whoever_leaves_does_not_take_the_page_from_the_others() -> None:
    cache, gate = PageCache(100_000), asyncio.Event()

    async def slowly() -> Page:
        await gate.wait()
        return page("a")

    first, second = (asyncio.create_task(cache.get("/", slowly)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    gate.set()
    assert (await second).status == 200


def test_nothing_made_for_one_person_is_kept() -> None:
    cache = PageCache(100_000)
    assert not kept(cache, "/", page("a", Set_Cookie="session=1"))
    assert not kept(cache, "/", page("a", Cache_Control="no-store"))
    assert kept(cache, "/", page("a", Cache_Control="no-cache"))


def test_a_crawler_does_not_push_out_what_others_read() -> None:
    cache = PageCache(200_000)
    body = bytes(range(256)) * 4
    for key in ("/", "/popular"):
        kept(cache, key, page(key, body=body))
        assert cache.find(key)
    for number in range(2000):
        kept(cache, f"/{number}", page(f"post/{number}", body=body))
        assert cache.bytes <= cache.capacity
        if number % 50 == 0:
            assert cache.find("/")
    assert "/" in cache
    assert "/popular" in cache
    assert cache.counts["evicted"] > 1000
    assert cache.bytes == sum(each.size for shelf in (cache._once, cache._protected) for each in shelf.values())
    assert set(cache._by_tag) == {next(iter(each.page.marks.tags)) for shelf in (cache._once, cache._protected) for each in shelf.values()}


def test_popular_pages_that_nobody_asks_for_any_more_make_room() -> None:
    cache = PageCache(50_000)
    body = bytes(range(256)) * 4
    for number in range(200):
        kept(cache, f"/{number}", page("a", body=body))
        assert cache.find(f"/{number}")
    assert "/0" not in cache
    assert "/199" in cache
    assert cache.bytes <= cache.capacity
    assert cache._protected_bytes == sum(each.size for each in cache._protected.values())


def test_what_readers_choose_the_length_of_is_counted() -> None:
    cache = PageCache(1_000_000)
    address = "/" + "\N{ROCKET}" * 2_500
    assert kept(cache, address, page(f"at{address}", body=b"Nothing is there."))
    assert cache.bytes > 20_000


def test_a_page_that_would_fill_the_cache_is_not_kept() -> None:
    cache = PageCache(10_000)
    assert not kept(cache, "/", page("a", body=bytes(range(256)) * 20))


def test_popular_pages_are_named_by_how_often_they_were_asked_for() -> None:
    cache = PageCache(100_000)
    for number in range(6):
        kept(cache, f"/{number}", page("site/name"))
        for _ in range(number):
            cache.find(f"/{number}")
    assert cache.purge(Marks.of("site/name")) == ["/5", "/4", "/3"]
    assert len(cache) == 0
