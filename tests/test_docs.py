"""Documents tell the truth: their commands run, their links lead somewhere."""

import re
import shlex
import shutil
from pathlib import Path

import pytest

from tests.cli.program import Serving, Squall

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
NAMES = [str(path.relative_to(ROOT)) for path in DOCUMENTS]

ASSIGNMENT = re.compile(r"[A-Z0-9_]+=\S*")


def commands(path: Path) -> list[str]:
    """Lines of the ``sh`` blocks."""
    blocks = re.findall(r"```sh\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


@pytest.mark.parametrize("path", DOCUMENTS, ids=NAMES)
def test_links_lead_to_files_that_are_there(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#`]+?)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
        if not re.match(r"[a-z]+:|/", target) and "…" not in target:
            assert (path.parent / target).exists(), target


def test_every_promise_of_safety_has_the_tests_that_it_names() -> None:
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", page)
    assert len(named) > 30
    for file, test in named:
        source = (ROOT / file).read_text(encoding="utf-8")
        assert re.search(rf"^(async )?def {test or 'test_'}", source, re.MULTILINE), f"{file}::{test}"
    promises = re.findall(r"^\| promise \| tests \|\n\| --- \| --- \|\n((?:\|.*\n)+)", page, re.MULTILINE)
    assert [line for table in promises for line in table.splitlines() if "`tests/" not in line] == []


@pytest.mark.parametrize("path", [path for path in DOCUMENTS if commands(path)], ids=lambda path: path.name)
def test_every_command_runs_as_it_is_written(path: Path, tmp_path: Path) -> None:
    """In order, in an empty folder; ``./squall`` is the same program without the installation around it (tests/test_script.py has that)."""
    backup, squall = tmp_path / "a.tar.gz", Squall(tmp_path)
    squall.migrate()
    shutil.copytree(ROOT / "tests" / "data" / "zola", tmp_path / "MY_BLOG")
    for line in commands(path):
        line = re.sub(r"\bFOLDER\b", str(tmp_path / "restored"), re.sub(r"\bFILE\b", str(backup), line))
        words = shlex.split(line)
        settings = dict(word.split("=", 1) for word in words if ASSIGNMENT.fullmatch(word))
        words = [word for word in words if not ASSIGNMENT.fullmatch(word)]
        if not words:
            squall.ok("db", "current", **settings)
            continue
        assert words[0] == "./squall", line
        if words[1] == "test":
            continue  # this very run
        if words[1] == "run":
            serve(squall, words[1:])  # with the database of this test, whatever the line names
        elif words[1:3] == ["backup", "create"]:
            squall.ok(*words[1:], backup)
        else:
            squall.ok(*words[1:], given="a few words are best\n", **settings)


def serve(squall: Squall, arguments: list[str]) -> None:
    """It greets, and ends in peace."""
    site = Serving(squall, *arguments).start()
    assert site.get("/").status == 200
    assert site.end() == 0
