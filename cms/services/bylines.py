"""Names of people as they stand above public texts: in the read documents, so that a reader's page is one row."""

from sqlalchemy import select, update

from cms.db.session import Work
from cms.models import PostAuthor, Published, User
from cms.models.post import Side


async def renew(work: Work, user: User) -> None:
    """Write the person's present name, words and address into every public text of theirs; in what readers see nothing else changes."""
    theirs = select(PostAuthor.post_id).where(PostAuthor.user_id == user.id, PostAuthor.side == Side.LIVE)
    rows = await work.session.execute(select(Published.post_id, Published.authors).where(Published.post_id.in_(theirs)))
    values = [
        {
            "post_id": post_id,
            "authors": [
                {**each, "name": user.name, "path": f"/author/{user.slug}", "bio": user.bio} if each["id"] == user.id else each
                for each in authors
            ],
        }
        for post_id, authors in rows
    ]
    if values:
        await work.session.execute(update(Published), values)
