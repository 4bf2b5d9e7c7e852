"""How fast a blog comes in, against rendering its texts alone with as many processes in the same run.

``python -m bench.imports [FOLDER] [--times 1] [--database-url postgresql+asyncpg://…]``; without a folder it is the real blog of the
tests. ``--times 26`` makes 10,000 posts of it. Fails below ``BAR``, or above ``MEMORY``: that of the process which reads, writes and
reports, at its highest. The processes that render are as large after ten texts as after ten thousand; the largest is named beside it.
"""

import argparse
import asyncio
import os
import re
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path

from cms.db import migrations
from cms.db.session import Database
from cms.exchange.markdown_folder.readers import read_folder
from cms.exchange.markdown_folder.report import Report
from cms.exchange.markdown_folder.run import Options, bring_in
from cms.exchange.markdown_folder.source import Blog
from cms.imaging import Imaging
from cms.media.storage import Folder
from cms.rendering import Renderer
from cms.services.intake import Intake
from tests import rust_blog

BAR = 0.6  # of what rendering alone does
MEMORY = 400_000_000  # bytes of the importing process
PERMALINK = "/{year}/{month}/{day}/{slug}"


def multiply(folder: Path, times: int) -> None:
    """Copies of every text at addresses of their own."""
    for path in [path for path in folder.rglob("*.md") if path.name != "_index.md"]:
        text = path.read_text(encoding="utf-8")
        for number in range(1, times):
            copy = re.sub(r'^path = "(.*)"', rf'path = "\1-{number}"', text, count=1, flags=re.M)
            copy = re.sub(r"^aliases = \[.*?\]\n", "", copy, flags=re.M | re.S)  # on several lines, too
            path.with_name(f"{path.stem}-{number}.md").write_text(copy, encoding="utf-8")


async def render_alone(renderer: Renderer, blog: Blog, at_once: int) -> float:
    """Seconds for all texts."""
    waiting = iter(blog.documents)

    async def some() -> None:
        for document in waiting:
            await renderer.render(document.body)

    began = time.perf_counter()
    await asyncio.gather(*(some() for _ in range(at_once * 4)))  # not a task for each: the memory is measured, too
    return time.perf_counter() - began


async def compare(database_url: str, folder: Path, source: Path) -> tuple[int, float, float]:
    """Number of texts, seconds of rendering alone, seconds of the import without its files."""
    await migrations.upgrade(database_url)
    renders = max(2, os.cpu_count() or 2)
    renderer, database, imaging = Renderer(renders), Database(database_url), Imaging(renders)
    intake = Intake(database, Folder(folder / "media"), imaging, folder / "incoming")
    await asyncio.gather(*(renderer.render("*Ready*") for _ in range(renders * 4)))
    began = 0.0

    def note(what: str, _done: int, _of: int) -> None:
        nonlocal began
        if what == "files":
            began = time.perf_counter()

    try:
        blog = read_folder(source, Report())
        alone = await render_alone(renderer, blog, renders)
        await bring_in(intake, renderer, blog, Options(PERMALINK, "https://example.org", renders), Report(), note)
        return len(blog.documents), alone, time.perf_counter() - began
    finally:
        await renderer.close()
        await imaging.close()
        await database.dispose()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--database-url", default="", help="an empty database; SQLite in a temporary folder when left out")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = Path(shutil.copytree(given.folder, folder / "blog")) if given.folder else rust_blog.unpack(folder)
        multiply(source, given.times)
        database_url = given.database_url or f"sqlite+aiosqlite:///{folder / 'squall.db'}"
        number, alone, whole = asyncio.run(compare(database_url, folder, source))
    memory, renderers = (resource.getrusage(whose).ru_maxrss * 1024 for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(f"{number} texts, {database_url.partition('+')[0]}: rendering alone {number / alone:.0f}/s, import {number / whole:.0f}/s")
    print(f"Bar: at least {BAR} of rendering alone: {alone / whole:.2f}")
    print(f"Bar: at most {MEMORY / 1e6:.0f} MB in the importing process: {memory / 1e6:.0f} MB (a rendering one: {renderers / 1e6:.0f} MB)")
    return 0 if alone / whole >= BAR and memory <= MEMORY else 1


if __name__ == "__main__":
    sys.exit(main())
