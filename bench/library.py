"""What the library costs with 10,000 files in it: server time of the whole page, from the request to the last byte of the answer.

``python -m bench.library [--assets 10000] [--database-url postgresql+asyncpg://…]``; without an address on SQLite, and on a throwaway
PostgreSQL if its programs are there. Fails if one of the pages takes longer than ``BAR``, taken in the middle of ``ROUNDS``.
"""

import sys
import time
from datetime import timedelta
from pathlib import Path
from statistics import median

from sqlalchemy import insert, text

from bench.filled import run
from cms.content.folding import fold
from cms.db import migrations
from cms.db.session import Database
from cms.models import Asset, AssetTag, AssetUse, Folder
from cms.models.media import MediaKind
from cms.models.post import Side
from cms.telemetry import configure_logging
from tests import factories, web

BAR = 0.100  # seconds
ROUNDS = 9
FOLDERS, TAGS, BATCH = 60, 40, 1000
WORDS = ("harbour", "gull", "wreck", "mooring", "estuary", "rope", "survey", "marsh", "buoy", "tide")
PAGES = {
    "newest": "",
    "as a list": "?view=list",
    "screen 100": "?page=100",
    "by name": "?sort=name",
    "largest": "?sort=size",
    "a folder": "?folder=1",
    "a kind": "?kind=audio",
    "a tag": "?tag=Tag+3",
    "without alternative text": "?without_alt=on",
    "in no text": "?unused=on",
    "a common word": "?q=harbour",
    "two words": "?q=gull+99",
    "no such word": "?q=xylophone",
    "the picker": "?pick=picture",
    "room in use": "/room",
}


async def fill(database: Database, assets: int) -> None:
    actor = await factories.person(database, "author")
    post = await factories.draft(database, actor)
    kinds = [MediaKind.PICTURE] * 8 + [MediaKind.AUDIO, MediaKind.FILE]
    async with database.transaction() as work:
        for n in range(1, FOLDERS + 1):
            work.session.add(
                Folder(name=f"Folder {n}", folded=f"folder {n}", parent_id=n // 6 or None, created_at=work.now, created_by_id=actor.user_id)
            )
            await work.session.flush()
        for first in range(1, assets + 1, BATCH):
            numbers = range(first, min(first + BATCH, assets + 1))
            names = {n: f"{WORDS[n % 10]}-{WORDS[n // 10 % 10]}-{n}.jpg" for n in numbers}
            rows = [
                {
                    "id": n, "digest": f"{n:064x}", "shown_digest": f"{n:064x}", "name": names[n], "kind": kinds[n % 10], "size": n * 997,
                    "content_type": "image/jpeg", "shown_size": n * 900, "width": 1600, "height": 1200, "version": 1,
                    "alt": "" if n % 7 == 0 else f"What is to be seen in picture {n}, told in a sentence of some length", "edits": {},
                    "folded": fold(f"{names[n]} what is to be seen in picture {n}"), "folder_id": 1 + n % FOLDERS if n % 4 else None,
                    "created_at": work.now - timedelta(minutes=n), "updated_at": work.now, "created_by_id": actor.user_id,
                }
                for n in numbers
            ]  # fmt: skip
            await work.session.execute(insert(Asset), rows)
            tags = [{"asset_id": n, "folded": f"tag {n % TAGS}", "name": f"Tag {n % TAGS}"} for n in numbers if n % 3 == 0]
            await work.session.execute(insert(AssetTag), tags)
            uses = [{"post_id": post.id, "side": Side.WORK, "asset_id": n} for n in numbers if n % 2]
            await work.session.execute(insert(AssetUse), uses)
        await work.session.execute(text("ANALYZE"))


async def measure(name: str, site: web.Site) -> bool:
    browser, held = await site.signed_in("author"), True
    for page, query in PAGES.items():
        times = []
        for _ in range(ROUNDS + 1):
            began = time.perf_counter()
            answer = await browser.get(f"/admin/media{query}")
            times.append(time.perf_counter() - began)
            if answer.status != 200:
                raise RuntimeError(f"{query}: {answer.status}")
        took = median(times[1:])
        held &= took <= BAR
        print(f"  {name:<12}{page:<28}{1000 * took:7.1f} ms{'' if took <= BAR else '   over'}", flush=True)
    return held


async def compare(databases: dict[str, str], assets: int, folder: Path) -> bool:
    configure_logging("warning", "auto")
    held = True
    for name, url in databases.items():
        await migrations.upgrade(url)
        async with web.running_site(url, folder / name) as site:
            await fill(site.database, assets)
            held &= await measure(name, site)
    print(f"Bar: {1000 * BAR:.0f} ms for each with {assets} files: {'held' if held else 'missed'}.")
    return held


if __name__ == "__main__":
    sys.exit(run(__doc__, compare, of="assets", number=10_000))
