"""One bad file stays outside, with a line that says why; the rest comes in."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cms.cli.commands import app
from cms.errors import OperatorError
from cms.exchange.markdown_folder import front_matter
from cms.exchange.markdown_folder.readers import read_folder
from cms.exchange.markdown_folder.report import Outcome, Report
from tests.exchange.moving import Mover
from tests.media import made

TEXT = '+++\ntitle = "{0}"\ndate = 2024-03-04\n+++\n{1}\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "blog"
    (folder / "content").mkdir(parents=True)
    (folder / "config.toml").write_text('base_url = "https://old.example.org/"\n')
    (folder / "content" / "good.md").write_text(TEXT.format("Good", "Text."))
    return folder


def refused(report: Report) -> dict[str, str]:
    return {one.file: one.what for one in report.findings if one.outcome is Outcome.REFUSED}


async def test_links_that_lead_in_a_ring(move_in: Mover, folder: Path) -> None:
    (folder / "content" / "loopa.md").symlink_to("loopb.md")
    (folder / "content" / "loopb.md").symlink_to("loopa.md")
    report = await move_in(folder)
    assert report.counts == {"posts": 1}
    assert refused(report) == dict.fromkeys(["content/loopa.md", "content/loopb.md"], "cannot be read: Too many levels of symbolic links")


@pytest.mark.parametrize("text", ["[a](http://[bad/x)", "![p](//[::1)", '<img src="//[::1">', "[a]: http://[bad/x"])
async def test_addresses_that_are_none_are_told(move_in: Mover, folder: Path, text: str) -> None:
    (folder / "content" / "bad.md").write_text(TEXT.format("Bad", text))
    report = await move_in(folder)
    assert report.counts == {"posts": 2}
    assert [(one.file, one.line, one.outcome) for one in report.findings] == [("content/bad.md", 5, Outcome.MISSING)]


async def test_a_base_address_that_is_none(move_in: Mover, folder: Path) -> None:
    (folder / "config.toml").write_text('base_url = "http://[bad"\n')
    (folder / "content" / "other.md").write_text(TEXT.format("Other", "[good](@/good.md)"))
    assert (await move_in(folder)).counts == {"posts": 2}
    assert 'href="/good"' in await move_in.html("other")


async def test_names_that_are_not_utf8(move_in: Mover, folder: Path) -> None:
    content = os.fsencode(folder / "content")
    (folder / "content" / "bundle").mkdir()
    (folder / "content" / "bundle" / "index.md").write_text(TEXT.format("Bundle", "Text."))
    for name in (b"caf\xe9.md", b"bundle/caf\xe9.png"):
        Path(os.fsdecode(content + b"/" + name)).write_bytes(b"x")
    report = await move_in(folder)
    assert report.counts == {"posts": 2}
    assert refused(report) == dict.fromkeys(["content/caf\\xe9.md", "content/bundle/caf\\xe9.png"], "has a name that is not UTF-8")


@pytest.mark.parametrize("is_rehearsal", [False, True])
async def test_pictures_that_would_fill_the_memory_stay_outside(move_in: Mover, folder: Path, is_rehearsal: bool) -> None:
    """They are opened by a worker, as whatever is uploaded."""
    bombs = {"bomb.png": made.png_bomb(20_000, 20_000), "film.gif": made.long_gif(100_000), "half.jpg": made.picture("JPEG")[:300]}
    beside = folder / "content" / "bundle"
    beside.mkdir()
    for name, content in {**bombs, "good.png": made.picture("PNG")}.items():
        (beside / name).write_bytes(content)
    (beside / "index.md").write_text(TEXT.format("Bundle", "".join(f"![x]({name})" for name in (*bombs, "good.png"))))
    report = await move_in(folder, is_rehearsal=is_rehearsal)
    assert report.counts == {"posts": 2, "files": 1}
    assert refused(report).keys() == {f"content/bundle/{name}" for name in bombs}


@pytest.mark.parametrize("program", ["hugo.toml", "_config.yml"])
def test_names_that_are_not_utf8_below_hugo_and_jekyll(tmp_path: Path, program: str) -> None:
    (tmp_path / program).write_text("")
    for place in ("content", "_posts"):
        (tmp_path / place).mkdir()
        for name in (b"2024-01-02-caf\xe9.md", b"2024-01-02-caf\xe9.html", b"2024-01-02-caf\xe9.rst"):
            Path(os.fsdecode(os.fsencode(tmp_path / place) + b"/" + name)).write_text("---\ntitle: x\n---\nText.")
    report = Report()
    assert not read_folder(tmp_path, report).documents
    assert {one.file.isascii() for one in report.findings} == {True}


def test_the_report_is_written_whatever_files_are_called(folder: Path, tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(folder / "content") + b"/caf\xe9.md")).write_text("x")
    answer = CliRunner().invoke(app, ["import", "markdown", str(folder), "--data", str(tmp_path / "data")])
    assert answer.exit_code == 1
    assert "has a name that is not UTF-8 (content/caf\\xe9.md)" in answer.output
    assert "content/caf\\xe9.md" in (tmp_path / "data" / "import-report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "line", ["draft: !!bool maybe", "weight: !!int ''", "draft: !!int _", "x: !!float ''", "? [a]\n: b", "? {a: b}\n: c"]
)
def test_values_that_are_none_of_their_kind(line: str) -> None:
    matter = front_matter.split(f"---\ntitle: x\n{line}\n---\nText.")
    assert matter.problem.startswith("the front matter cannot be read: ") or "a" in str(matter.data)
    assert (matter.body, "\n" in matter.problem) == ("Text.", False)


def test_a_day_that_is_none_is_no_date() -> None:
    matter = front_matter.split("---\ndate: !!timestamp tomorrow\n---\n")
    assert matter.data == {"date": "tomorrow"}
    with pytest.raises(ValueError, match="“tomorrow” is no date"):
        front_matter.as_moment(matter.data["date"])


def test_a_number_of_ten_thousand_digits_is_no_title() -> None:
    assert front_matter.as_text(front_matter.split(f"---\ntitle: 0x{'f' * 10_000}\n---\n").data["title"]) == ""


@pytest.mark.parametrize("name", ["hugo.yaml", "_config.yml", "site.yaml"])
def test_settings_that_would_fill_the_memory(tmp_path: Path, name: str) -> None:
    levels = [f"a{number}: &a{number} {{x: *a{number - 1}, y: *a{number - 1}}}" for number in range(1, 31)]
    (tmp_path / name).write_text("\n".join(["squall: 1", "a0: &a0 {x: 1}", *levels]))
    report = Report()
    if name == "site.yaml":
        with pytest.raises(OperatorError, match="does not look like a site"):
            read_folder(tmp_path, report)
    else:
        read_folder(tmp_path, report)
        assert refused(report) == {name: "the settings cannot be read: aliases (*name) are not read"}


# --- a full disk -----------------------------------------------------------------------------------------------------------


FULL = """
mount -t tmpfs -o size=64k none "$1" && exec "$2" -c '
import asyncio, sys
from pathlib import Path
from cms.errors import CMSError
from cms.media.storage import Folder
try:
    asyncio.run(Folder(Path(sys.argv[1]) / "media").put("aa/bb/x", b"x" * 1_000_000))
except CMSError as error:
    print(type(error).__name__, error.message)
' "$1"
"""


def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    if not shutil.which("unshare") or subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False).returncode:
        pytest.skip("no disk can be made that is full")
    command = ["unshare", "-rm", "sh", "-c", FULL, "sh", str(tmp_path), sys.executable]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    assert said.stdout.startswith("StorageFull The disk is full"), said.stderr
