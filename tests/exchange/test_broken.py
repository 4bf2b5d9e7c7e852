"""Damaged folders: each thing that is wrong is a line in the report, the rest comes in, and nothing from outside does."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from cms.db.session import Database
from cms.exchange.markdown_folder.readers import read_folder
from cms.exchange.markdown_folder.report import Report
from cms.exchange.markdown_folder.run import Options, bring_in
from cms.exchange.markdown_folder.source import LARGEST_TEXT
from cms.imaging import Imaging
from cms.media.storage import Folder
from cms.models import Post, WorkingCopy
from cms.rendering import Renderer
from tests import factories

DATA = Path(__file__).parents[1] / "data"
# What a reader of the report need not be told: it is brought in as it is, and nothing is lost.
HARMLESS = {"anchor-missing", "no-title", "no-text", "empty", "control-characters"}


def blogs(kind: str = "") -> list[str]:
    return sorted(path.stem for path in (DATA / "broken").glob(f"{kind}*.json"))


async def move_in(
    database: Database, storage: Folder, renderer: Renderer, imaging: Imaging, folder: Path
) -> tuple[Report, dict[str, WorkingCopy]]:
    report = Report()
    blog = read_folder(folder, report)
    await bring_in(
        factories.intake(database, storage, imaging), renderer, blog, Options("/{slug}", "https://new.example.org"), report, lambda *_: None
    )
    async with database.read() as session:
        rows = await session.execute(select(Post.import_key, WorkingCopy).join(WorkingCopy, WorkingCopy.post_id == Post.id))
        return report, {str(key).split(":", 1)[1].rpartition(":")[2]: copy for key, copy in rows}


@pytest.mark.parametrize("name", blogs())
async def test_what_is_wrong_is_said_and_the_rest_comes_in(
    database: Database, renderer: Renderer, imaging: Imaging, tmp_path: Path, name: str
) -> None:
    expected: dict[str, Any] = json.loads((DATA / "broken" / f"{name}.json").read_text(encoding="utf-8"))
    storage = Folder(tmp_path / "media")
    report, there = await move_in(database, storage, renderer, imaging, DATA / expected["folder"])
    said = {finding.file for finding in report.findings}
    missing = [
        (entry["source"], problem["code"])
        for entry in expected["files"]
        for problem in entry.get("problems", [])
        if not problem.get("optional")
        and problem["code"] not in HARMLESS
        and not said & {entry["source"], str(problem.get("other")), str(problem.get("about"))}
    ]
    assert not missing
    for entry in expected["files"]:
        if entry.get("imported") is not None and entry["source"].endswith((".md", ".markdown")):
            assert (entry["source"] in there) is entry["imported"], entry["source"]
    never = expected.get("never", "\0")
    assert not [source for source, copy in there.items() if never in copy.content]
    assert not [path for path in storage.folder.rglob("*") if path.is_file() and never.encode() in path.read_bytes()]


async def test_a_text_without_end_and_a_folder_in_itself(database: Database, renderer: Renderer, imaging: Imaging, tmp_path: Path) -> None:
    folder = tmp_path / "blog"
    (folder / "content").mkdir(parents=True)
    (folder / "config.toml").write_text('base_url = "https://old.example.org"\n')
    (folder / "content" / "good.md").write_text('+++\ntitle = "Good"\ndate = 2024-01-02\n+++\nText.\n')
    with (folder / "content" / "huge.md").open("wb") as huge:
        huge.truncate(10 * LARGEST_TEXT)
    (folder / "content" / "again").symlink_to(folder / "content")
    report, there = await move_in(database, Folder(tmp_path / "media"), renderer, imaging, folder)
    assert set(there) == {"content/good.md"}
    assert [(one.file, one.what) for one in report.findings] == [
        ("content/again", "is a link to a folder; links to folders are not followed"),
        ("content/huge.md", "is larger than 10 MB"),
    ]
