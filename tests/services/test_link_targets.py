"""What the link picker offers to whom."""

from cms.db.session import Database
from cms.policy import Actor
from cms.services import link_targets
from tests.factories import draft, edited, person, published, published_page, trash


async def offered(database: Database, actor: Actor, words: str = "tide") -> list[tuple[str, str]]:
    async with database.read() as session:
        return [(target.title, target.path) for target in await link_targets.find(session, actor, words)]


async def test_all_that_is_public_and_the_drafts_one_may_know_of_are_offered(database: Database) -> None:
    ana, ben, edna = await person(database, "author"), await person(database, "author", "Ben"), await person(database, "editor")
    await published(database, ben, title="Low tide", slug="low")
    await published_page(database, edna, title="Tide tables", slug="tables")
    await draft(database, ana, title="Tídes of mine")
    await draft(database, ben, title="Tides of Ben")
    await draft(database, ana, title="")
    gone = await published(database, ana, title="No tide")
    await trash(database, ana, gone.post_id)
    assert await offered(database, ana) == [("Tídes of mine", ""), ("Tide tables", "/tables"), ("Low tide", "/low")]
    assert ("Tides of Ben", "") in await offered(database, edna)
    assert await offered(database, ana, "TIDE low") == [("Low tide", "/low")]
    assert await offered(database, ana, "%") == []


async def test_one_being_changed_is_offered_by_the_title_that_readers_see(database: Database) -> None:
    edna = await person(database, "editor")
    post = await published(database, edna, title="High tide", slug="high")
    await edited(database, edna, post.post_id, title="Spring tide")
    assert await offered(database, edna) == [("High tide", "/high")]
