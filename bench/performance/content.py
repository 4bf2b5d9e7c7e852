"""What is served: a site of so many posts, the newest with a page of about 16 kB, and somebody who may publish."""

import asyncio
from pathlib import Path
from string import ascii_letters

from cms.content.pipeline import render
from cms.db import migrations
from cms.db.session import Database
from cms.models.post import Kind
from cms.policy import SYSTEM
from cms.schemas.post import PostInput
from cms.services import posts, publishing
from cms.services.passwords import Passwords
from cms.settings import data_folder
from tests import bulk, factories

EMAIL, PASSWORD = "owner@example.org", factories.PASSWORD
TITLE, PATH = "A post of sixteen kilobytes", "/a-post-of-sixteen-kilobytes"
OTHER, OTHER_TITLE, OTHER_PATH = 1000, bulk.title(0), "/tide-0"  # the oldest one, which nothing leads to from there
TAGS = ("Harbour", "Stone")
LENGTH = 7800  # characters of text, which make a page of about 16 kB


def text(edition: int = 1) -> str:
    """Paragraphs of the demo's posts that lead nowhere."""
    sources = [path.read_text(encoding="utf-8").rpartition("+++\n")[2] for path in sorted(data_folder("demo").glob("posts/*.md"))]
    prose = [part for source in sources for part in source.strip().split("\n\n") if part[0] in "#" + ascii_letters and "](" not in part]
    return f"This is edition {edition}.\n\n" + "\n\n".join(prose)[:LENGTH].rpartition("\n\n")[0]


def environment(folder: Path) -> dict[str, str]:
    """The settings of a site that keeps all in ``folder``, and else has them as they come."""
    return {"SQUALL_DATA": str(folder), "SQUALL_DATABASE_URL": f"sqlite+aiosqlite:///{folder / 'squall.db'}"}


def fill(folder: Path, number: int) -> int:
    """The newest post's id."""
    folder.mkdir(parents=True, exist_ok=True)
    return asyncio.run(_fill(environment(folder)["SQUALL_DATABASE_URL"], number))


async def _fill(database_url: str, number: int) -> int:
    await migrations.upgrade(database_url)
    database, passwords = Database(database_url), Passwords()
    owner = await factories.person(database, "owner", password_hash=await passwords.hash(PASSWORD))
    passwords.close()
    await bulk.publish(database, [owner], number - 1)
    async with database.transaction() as work:
        post = await posts.create(work, owner, Kind.POST, PostInput(title=TITLE, text=text(), tags=TAGS))
        await publishing.publish(work, SYSTEM, post.id, publishing.Version(1, render(text())))
    await database.dispose()
    return post.id
