"""A folder that moves in, as the command would do it."""

from pathlib import Path

from sqlalchemy import func, select

from cms.db.session import Database
from cms.exchange.markdown_folder.readers import read_folder
from cms.exchange.markdown_folder.report import Report
from cms.exchange.markdown_folder.run import Options, bring_in
from cms.imaging import Imaging
from cms.media.storage import Folder
from cms.rendering import Renderer
from cms.services import reading
from tests import factories

DOT = bytes.fromhex(  # a picture of one point
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360885af01f00035201fa656f627a0000000049454e44ae426082"
)


class Mover:
    def __init__(self, database: Database, storage: Folder, renderer: Renderer, imaging: Imaging) -> None:
        self.database, self.storage, self.renderer = database, storage, renderer
        self.intake = factories.intake(database, storage, imaging)

    async def __call__(self, folder: Path, *, is_rehearsal: bool = False) -> Report:
        report = Report()
        options = Options("/{slug}", "https://new.example.org", is_rehearsal=is_rehearsal)
        blog = read_folder(folder, report)
        await bring_in(self.intake, self.renderer, blog, options, report, lambda *_: None)
        return report

    async def html(self, path: str) -> str:
        async with self.database.read() as session:
            place = await reading.find_place(session, path)
        assert place.article is not None, path
        return place.article.html

    async def leads_to(self, path: str) -> str:
        async with self.database.read() as session:
            place = await reading.find_place(session, path)
        return place.asset_path or place.path or ""

    async def number(self, table: type) -> int:
        async with self.database.read() as session:
            return await session.scalar(select(func.count()).select_from(table)) or 0
