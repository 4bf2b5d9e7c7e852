import pytest

from cms.db.session import Database
from cms.models import AssetAddress
from cms.services import references
from tests import factories
from tests.waiting import MOST, asks_the_kernel, longest_wait

_SIZE = 1_000_000


async def found(database: Database, source: str) -> references.RenderContext:
    async with database.read() as session:
        return await references.context(session, 7, source, "en", "https://our.example:8080")


async def test_titles_lead_to_what_readers_can_see(database: Database) -> None:
    author = await factories.person(database, "author")
    await factories.published(database, author, title="Größe *zwei*", slug="two")
    await factories.draft(database, author, title="Hidden")
    context = await found(database, "[[größe ZWEI]] [[Hidden|words]] [[Nope]]")
    assert context.links == {"grosse zwei": "/two"}
    assert (context.prefix, context.site_host) == ("p7-", "our.example")


async def test_of_many_titles_the_first_thousand_are_looked_up(database: Database) -> None:
    author = await factories.person(database, "author")
    for title in ("t999", "t1000"):
        await factories.published(database, author, title=title, slug=title)
    source = "[[t0]] " * 2000 + "".join(f"[[t{number}]] " for number in range(1500))
    assert (await found(database, source)).links == {"t999": "/t999"}


async def test_the_library_cannot_be_counted_through_by_texts(database: Database) -> None:
    async with database.transaction() as work:
        work.session.add(asset := factories.asset_row("1" * 64, "häfen.jpg", created_at=work.now, alt="Not yet public"))
        await work.session.flush()
        work.session.add(AssetAddress(asset_id=asset.id, mark="2" * 12, name="tide.png"))
    at, mark = f"/media/{asset.id}", "1" * 12
    there = [
        f"{at}/{rest}"
        for rest in ("häfen.jpg", "h%C3%A4fen.jpg?a#b", f"{mark}/häfen.jpg", f"{mark}/640/häfen.avif", "tide.png", f"{'2' * 12}/tide.png")
    ]
    none = [
        f"{at}/{rest}"
        for rest in (
            "x",
            "a.jpg",
            f"{mark}/x.jpg",
            f"{mark}/",
            f"{'3' * 12}/häfen.jpg",
            f"{mark}/640/x.avif",
            f"{mark}/tide.png",
            "a/b/c/d",
        )
    ]
    context = await found(database, " ".join(f"![]({address})" for address in (*there, *none)))
    assert list(context.media) == there


async def test_a_film_begins_with_a_picture_that_is_no_larger_than_it_is_shown(database: Database) -> None:
    async with database.transaction() as work:
        large = {"content_type": "image/jpeg", "width": 4000, "height": 3000}
        poster = factories.asset_row("1" * 64, "boat.jpg", created_at=work.now, **large)
        work.session.add(poster)
        await work.session.flush()
        film = factories.asset_row("2" * 64, "film.mp4", created_at=work.now, kind="video", content_type="video/mp4", poster_id=poster.id)
        work.session.add(film)
        await work.session.flush()
    context = await found(database, f"![a film]({film.path})")
    assert context.media[film.path].poster == f"/media/{poster.id}/{'1' * 12}/1280/boat.jpg"


@asks_the_kernel
@pytest.mark.parametrize(
    "source",
    [
        "".join(f"[[t{number}]] " for number in range(_SIZE // 10)),
        "[[a]] " * (_SIZE // 6),
        "[[a" * (_SIZE // 3),
        f"[[{'a' * 300}|{'b' * 300}" * (_SIZE // 600),
        "".join(f"/media/{number}/a " for number in range(_SIZE // 15)),
        "/media/1/a " * (_SIZE // 11),
        "/media/1/" + "a" * _SIZE,
        "".join(f"https://a.example/{number}\n" for number in range(_SIZE // 20)),
        f"https://{'a' * 590}" * (_SIZE // 600),
        f"  http://a.example{' ' * 600}b" * (_SIZE // 600),
    ],
    ids=[
        "titles",
        "one title",
        "open titles",
        "long open titles",
        "pictures",
        "one picture",
        "a long address",
        "addresses",
        "long addresses",
        "spaces after addresses",
    ],
)
async def test_nobody_waits_while_a_megabyte_is_looked_through(database: Database, source: str) -> None:
    await found(database, "[[a]] /media/1/a")  # whatever is only done once
    assert await longest_wait(lambda: found(database, source)) < MOST
