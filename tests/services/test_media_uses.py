"""Which texts show what of the library."""

from sqlalchemy import delete, select

from cms.db.session import Database
from cms.models import Asset, AssetTrack, AssetUse, RevisionAsset
from cms.models.post import Side
from cms.services import media_places, media_uses, revisions
from tests.factories import asset_row, draft, edited, person, publish, withdraw


async def brought(database: Database, *names: str) -> list[Asset]:
    async with database.transaction() as work:
        rows = [asset_row(digest=f"{n:064x}", name=name, created_at=work.now) for n, name in enumerate(names, 1)]
        work.session.add_all(rows)
        await work.session.flush()
    return rows


async def noted(database: Database, side: Side) -> set[tuple[int, int]]:
    async with database.read() as session:
        rows = await session.execute(select(AssetUse.post_id, AssetUse.asset_id).where(AssetUse.side == side))
        return {(post_id, asset_id) for post_id, asset_id in rows}


async def test_uses_follow_the_text_on_both_sides(database: Database) -> None:
    ana, (one, two) = await person(database, "author"), await brought(database, "a.png", "b.png")
    post = await draft(database, ana, text=f"![]({one.path}) and [](https://else.example/media/{two.id}/b.png) and /media/999/x.png")
    assert await noted(database, Side.WORK) == {(post.id, one.id)}
    await publish(database, ana, post.id)
    await edited(database, ana, post.id, text=f"![](/media/{two.id}/b.png)")
    assert await noted(database, Side.WORK) == {(post.id, two.id)}
    assert await noted(database, Side.LIVE) == {(post.id, one.id)}
    await publish(database, ana, post.id)
    assert await noted(database, Side.LIVE) == {(post.id, two.id)}
    await withdraw(database, ana, post.id)
    assert await noted(database, Side.LIVE) == set()
    assert await noted(database, Side.WORK) == {(post.id, two.id)}


async def test_picture_of_the_post_counts(database: Database) -> None:
    ana, (one,) = await person(database, "editor"), await brought(database, "a.png")
    post = await draft(database, ana, picture=one.id)
    assert await noted(database, Side.WORK) == {(post.id, one.id)}


async def test_places_are_told_as_far_as_somebody_may_know(database: Database) -> None:
    ana, otto = await person(database, "author"), await person(database, "author", "Otto Other")
    (one,) = await brought(database, "a.png")
    await draft(database, otto, title="Hidden", text=f"![]({one.path})")
    mine = await draft(database, ana, title="Mine", text=f"![]({one.path})")
    await publish(database, ana, mine.id)
    await edited(database, ana, mine.id, text="Nothing.")
    async with database.read() as session:
        uses = await media_places.find(session, ana, one.id)
        assert [(place.title, place.is_live, place.is_work, place.revisions) for place in uses.places] == [("Mine", True, False, 1)]
        assert (uses.hidden, any(place.is_live for place in uses.places)) == (1, True)
        assert await media_places.are_public(session, one)
        assert await session.scalar(select(Asset.id).where(media_places.is_used())) == one.id


async def test_captions_and_poster_are_as_public_as_their_film_and_nothing_else_is(database: Database) -> None:
    ana = await person(database, "author")
    film, still, words, other = await brought(database, "ebb.mp4", "still.png", "words.vtt", "other.png")
    async with database.transaction() as work:
        (await work.session.get_one(Asset, film.id)).poster_id = still.id
        work.session.add(AssetTrack(asset_id=film.id, language="en", label="English", track_id=words.id))
    post = await draft(database, ana, text=f"![]({film.path})")

    async def are_public() -> list[bool]:
        async with database.read() as session:
            return [await media_places.are_public(session, asset) for asset in (film, still, words, other)]

    assert await are_public() == [False] * 4
    await publish(database, ana, post.id)
    assert await are_public() == [True, True, True, False]


async def test_restored_revision_shows_it_again(database: Database) -> None:
    ana, (one,) = await person(database, "author"), await brought(database, "a.png")
    post = await draft(database, ana, text=f"![]({one.path})")
    await publish(database, ana, post.id)
    await edited(database, ana, post.id, text="Nothing.")
    async with database.transaction() as work:
        first = await work.session.scalar(select(RevisionAsset.revision_id))
        assert first is not None
        await revisions.restore(work, ana, post.id, first)
    assert await noted(database, Side.WORK) == {(post.id, one.id)}
    async with database.read() as session:
        assert len((await session.scalars(select(RevisionAsset))).all()) == 2


async def test_what_was_there_before_is_noted(database: Database) -> None:
    ana, (one,) = await person(database, "author"), await brought(database, "a.png")
    post = await draft(database, ana, text=f"![]({one.path})")
    await publish(database, ana, post.id)
    async with database.transaction() as work:
        await work.session.execute(delete(AssetUse))
        await work.session.execute(delete(RevisionAsset))
    for _ in range(2):  # it may be begun again
        await media_uses.note_all(database)
    assert await noted(database, Side.WORK) == await noted(database, Side.LIVE) == {(post.id, one.id)}
    async with database.read() as session:
        assert len((await session.scalars(select(RevisionAsset))).all()) == 1
