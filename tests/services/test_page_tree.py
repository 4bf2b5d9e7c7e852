"""The tree of pages: moving one takes readers along where they see it as it stands at the desk."""

import pytest

from cms.db.session import Database
from cms.errors import Conflict, Forbidden, InvalidInput, NotFound
from cms.policy import Actor
from cms.services import page_tree, posts, reading, site
from cms.services.page_tree import Place
from tests.factories import draft, edited, page, person, published_page, render


async def tree(database: Database, actor: Actor) -> list[tuple[str, int]]:
    async with database.read() as session:
        return [(each.post.title, each.depth) for each in await page_tree.list_tree(session, actor)]


async def move(database: Database, actor: Actor, place: Place) -> None:
    """As the handler does it."""
    async with database.read() as session:
        seen = await page_tree.to_publish(session, actor, place)
    async with database.transaction() as work:
        await page_tree.move(work, actor, place, (seen, render(seen.content)) if seen else None)


async def now_at(database: Database, path: str) -> str:
    """Where readers find what stands, or stood, at an address."""
    async with database.read() as session:
        return (await reading.find_place(session, path)).path


async def test_moved_page_moves_for_readers_with_all_below_it_and_never_below_itself(database: Database) -> None:
    edna = await person(database, "editor")
    about, team, ana = [(await published_page(database, edna, title=title)).post_id for title in ("About", "Team", "Ana")]
    await move(database, edna, Place(ana, team))
    assert await now_at(database, "ana") == "/team/ana"
    await move(database, edna, Place(team, about))
    assert {await now_at(database, path) for path in ("about/team/ana", "team/ana", "ana")} == {"/about/team/ana"}
    assert await tree(database, edna) == [("About", 0), ("Team", 1), ("Ana", 2)]
    for below in (about, ana):
        with pytest.raises(InvalidInput) as refused:
            await move(database, edna, Place(about, below))
        assert refused.value.errors == {"parent": "A page cannot stand below itself."}
    with pytest.raises(Forbidden):
        await move(database, await person(database, "author"), Place(team, None))
    post = await draft(database, edna)
    for nothing in (Place(999, None), Place(post.id, None)):
        with pytest.raises(NotFound):
            await move(database, edna, nothing)


async def test_page_with_unpublished_changes_moves_at_the_desk_only(database: Database) -> None:
    edna = await person(database, "editor")
    about, team = [(await published_page(database, edna, title=title)).post_id for title in ("About", "Team")]
    await edited(database, edna, team, text="Not yet.")
    await move(database, edna, Place(team, about))
    assert await tree(database, edna) == [("About", 0), ("Team", 1)]
    assert await now_at(database, "team") == "/team"
    async with database.read() as session:
        seen = await posts.get_draft(session, edna, team)
    await edited(database, edna, team, text="Meanwhile.")
    with pytest.raises(Conflict):
        async with database.transaction() as work:
            await page_tree.move(work, edna, Place(team, None), (seen, render("Not yet.")))


async def test_pages_stand_in_the_order_in_which_they_were_placed(database: Database) -> None:
    edna = await person(database, "editor")
    a, b, c = [(await published_page(database, edna, title=title)).post_id for title in ("A", "B", "C")]
    await page(database, edna, title="New")
    await move(database, edna, Place(c, None, 0))
    assert [title for title, _ in await tree(database, edna)] == ["C", "A", "B", "New"]
    async with database.read() as session:
        assert [link.label for link in (await site.get_frame(session)).menu] == ["C", "A", "B"]
        of = await page_tree.list_tree(session, edna)
        steps = [page_tree.beside(of, page_id, way) for page_id, way in ((c, "up"), (c, "down"), (b, "up"), (a, "in"), (a, "out"))]
    assert steps == [Place(c, None, 0), Place(c, None, a), Place(b, None, c), Place(a, c), Place(a, None, c)]
    await move(database, edna, Place(a, c))
    await move(database, edna, Place(b, c, 0))
    async with database.read() as session:
        assert [link["title"] for link in (await reading.branch(session, c)).below] == ["B", "A"]
        assert page_tree.beside(await page_tree.list_tree(session, edna), a, "out") == Place(a, None, c)
    with pytest.raises(InvalidInput):
        await move(database, edna, Place(a, None, b))
