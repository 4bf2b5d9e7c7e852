"""What the palette of commands finds for whom."""

from cms.db.session import Database
from cms.services import palette
from tests import factories


async def test_everybody_finds_what_he_may_open_and_no_more(database: Database) -> None:
    editor, author = await factories.person(database, "editor"), await factories.person(database, "author")
    theirs = await factories.draft(database, editor, title="Ébb tide")
    await factories.published(database, editor, title="Low tide")
    await factories.page(database, editor, title="Tide tables")
    own = await factories.draft(database, author, title="Slack tide")
    gone = await factories.draft(database, author, title="Dead tide")
    await factories.trash(database, author, gone.id)
    async with database.read() as session:
        assert [post.id for post in await palette.find(session, author, "TIDE")] == [own.id]
        assert [post.id for post in await palette.find(session, editor, "ebb")] == [theirs.id]
        assert len(await palette.find(session, editor, "tide")) == 4
        assert await palette.find(session, editor, "100%_\0") == []
