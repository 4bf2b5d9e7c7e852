"""An import that is run again, breaks off, meets what somebody edited, or only rehearses."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, func, select
from typer.testing import CliRunner

from cms.cli.commands import app
from cms.exchange.markdown_folder.readers import read_folder
from cms.exchange.markdown_folder.report import Outcome, Report
from cms.exchange.markdown_folder.run import Options, bring_in
from cms.exchange.markdown_folder.source import files_below
from cms.models import Asset, Post, Published, Revision, WorkingCopy
from cms.policy import SYSTEM
from cms.schemas.post import PostInput
from cms.services import inspection, posts, reading
from tests.exchange.moving import DOT, Mover

MANY = 120  # texts of which a stopped import leaves some outside
POST = '+++\ntitle = "{title}"\ndate = {date}\nauthors = ["Edna Reed"]\n{more}+++\n{body}\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three posts of which one has a picture and one links to another."""
    folder = tmp_path / "blog"
    (folder / "content" / "bundle").mkdir(parents=True)
    (folder / "config.toml").write_text('base_url = "https://old.example.org/"\ntitle = "The Tide Table"\n')
    write(folder, "one.md", title="One", body="See [two](@/two.md#part), [three](../bundle/) and [gone](@/gone.md).")
    write(folder, "two.md", title="Two", body="## Part\n\nText.", more='aliases = ["/second.html"]\n')
    write(folder, "bundle/index.md", title="Three", body="![A drawing](drawing.svg)\n\n![Lost](lost.png)")
    (folder / "content" / "bundle" / "drawing.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="30" height="20"/>')
    return folder


def write(folder: Path, name: str, *, title: str, body: str, date: str = "2024-03-04", more: str = "") -> None:
    (folder / "content" / name).write_text(POST.format(title=title, date=date, body=body, more=more), encoding="utf-8")


async def test_links_and_pictures_lead_to_where_things_live_now(move_in: Mover, folder: Path) -> None:
    report = await move_in(folder)
    assert report.counts == {"files": 1, "posts": 3}
    one, three = await move_in.html("one"), await move_in.html("bundle")
    assert 'href="/two#part"' in one
    assert 'href="/bundle"' in one
    assert '<figure><img alt="A drawing" src="/media/1/' in three
    assert 'width="30" height="20"' in three
    dangling = {(one.file, one.line, one.what) for one in report.findings if one.outcome is Outcome.MISSING}
    assert dangling == {("content/one.md", 6, "@/gone.md"), ("content/bundle/index.md", 8, "lost.png")}
    async with move_in.database.read() as session:
        assert (await reading.find_place(session, "second.html")).path == "/two"
        assert (await reading.find_place(session, "bundle/drawing.svg")).asset_path.startswith("/media/1/")


async def test_brackets_that_were_escaped_are_no_formula(move_in: Mover, folder: Path) -> None:
    write(folder, "two.md", title="Two", body=r"A \(small\) thing, a \\(x^2\\) formula, and `\(code\)`.")
    await move_in(folder)
    html = await move_in.html("two")
    assert "A (small) thing" in html
    assert "<msup>" in html
    assert r"<code>\(code\)</code>" in html


async def test_a_second_run_does_nothing(move_in: Mover, folder: Path) -> None:
    await move_in(folder)
    before = [await move_in.number(table) for table in (Post, Revision, Asset, Published)]
    assert (await move_in(folder)).counts == {"unchanged": 3}
    assert before == [await move_in.number(table) for table in (Post, Revision, Asset, Published)]


async def test_a_changed_file_updates_what_nobody_has_edited(move_in: Mover, folder: Path) -> None:
    await move_in(folder)
    write(folder, "one.md", title="One, again", body="New words.")
    write(folder, "two.md", title="Two", body="New words here as well.")
    async with move_in.database.transaction() as work:
        post = (await work.session.scalars(select(Post).where(Post.title == "Two"))).one()
        copy = await work.session.get_one(WorkingCopy, post.id)
        edited = PostInput(title="Two", text="Edited in the browser.", slug="two", version=copy.version)
        await posts.save(work, SYSTEM, post.id, edited)
    report = await move_in(folder)
    assert report.counts == {"updated": 1, "unchanged": 1}
    assert "New words." in await move_in.html("one")
    assert [one.file for one in report.findings if one.outcome is Outcome.LEFT_ALONE] == ["content/two.md"]
    assert "Text." in await move_in.html("two")
    async with move_in.database.read() as session:
        assert (await session.get_one(WorkingCopy, post.id)).content == "Edited in the browser."


async def test_a_file_that_comes_later_is_found(move_in: Mover, folder: Path) -> None:
    await move_in(folder)
    (folder / "content" / "bundle" / "lost.png").write_bytes(DOT)
    write(folder, "gone.md", title="Found", body="It was not gone.")
    report = await move_in(folder)
    assert report.counts == {"files": 1, "posts": 1, "updated": 2, "unchanged": 1}
    assert not [one for one in report.findings if one.outcome is Outcome.MISSING]


async def test_a_rehearsal_says_the_same_and_writes_nothing(move_in: Mover, folder: Path) -> None:
    rehearsed = await move_in(folder, is_rehearsal=True)
    assert [await move_in.number(table) for table in (Post, Asset)] == [0, 0]
    assert not list((move_in.storage.folder).rglob("*.*"))
    real = await move_in(folder)
    assert (rehearsed.counts, rehearsed.findings) == (real.counts, real.findings)


async def test_two_texts_with_one_address_both_come_in(move_in: Mover, folder: Path) -> None:
    for name in ("four.md", "five.md"):
        write(folder, name, title=name, body=name, more='path = "same"\n')
    report = await move_in(folder)
    assert "five.md" in await move_in.html("same")
    assert "four.md" in await move_in.html("same-2")
    assert [one.file for one in report.findings if "belongs to another text" in one.what] == ["content/four.md"]


async def test_a_draft_and_a_day_to_come_stay_drafts(move_in: Mover, folder: Path) -> None:
    write(folder, "draft.md", title="Draft", body="x", more="draft = true\n")
    write(folder, "later.md", title="Later", body="x", date="2999-01-01")
    report = await move_in(folder)
    assert report.counts["drafts"] == 2
    assert await move_in.number(Published) == 3


# --- as a program ----------------------------------------------------------------------------------------------------------


def start(folder: Path, data: Path, database_url: str, *more: str, options: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    environment = {**os.environ, "SQUALL_DATA": str(data), "SQUALL_DATABASE_URL": database_url, "SQUALL_LOG_LEVEL": "error"}
    command = [sys.executable, "-m", "cms", *options, "import", "markdown", str(folder), "--json", *more]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment, stdout=pipe, stderr=pipe, stdin=pipe, text=True)


async def interrupted(running: subprocess.Popen[str], move_in: Mover, number: int) -> tuple[int, str, str]:
    """What it said when it was stopped with some of the texts in, and not all. ``number``: of a signal; without one its input ends."""
    while not await move_in.number(Published) and running.poll() is None:
        await asyncio.sleep(0.01)
    running.send_signal(number)  # 0 is none
    said = await asyncio.to_thread(running.communicate)
    assert 0 < await move_in.number(Published) < MANY + 3
    return running.returncode, *said


@pytest.fixture
def long_folder(folder: Path) -> Path:
    for number in range(MANY):
        text = f"Text of {number}.\n\n![A drawing](bundle/drawing.svg)\n\n" + "Words and *more words*.\n\n" * 100
        write(folder, f"many-{number}.md", title=f"Many {number}", body=text)
    return folder


@pytest.mark.timeout(300)
async def test_an_import_that_was_killed_goes_on(move_in: Mover, long_folder: Path, tmp_path: Path, database_url: str) -> None:
    errand = start(long_folder, tmp_path / "data", database_url, options=("--in-parts",))
    code, _, _ = await interrupted(errand, move_in, 0)
    assert code == -signal.SIGIO, "with whom it was done for"
    last = start(long_folder, tmp_path / "data", database_url)
    _, problem = await asyncio.to_thread(last.communicate)
    assert last.returncode == 0, problem
    again, _ = await asyncio.to_thread(start(long_folder, tmp_path / "data", database_url).communicate)
    assert json.loads(again)["brought_in"] == {"unchanged": MANY + 3}
    assert await move_in.number(Published) == MANY + 3


@pytest.mark.timeout(300)
async def test_an_import_that_was_stopped_says_how_it_goes_on(move_in: Mover, long_folder: Path, tmp_path: Path, database_url: str) -> None:
    report = tmp_path / "report.html"
    running = start(long_folder, tmp_path / "data", database_url, "--report", str(report))
    code, said, problem = await interrupted(running, move_in, signal.SIGINT)
    assert (code, problem) == (130, "Stopped; run it again to go on.\n")
    assert json.loads(said)["brought_in"]["posts"] == await move_in.number(Published)
    assert "until it was stopped" in report.read_text()


async def test_whoever_stops_it_while_it_commits_reads_of_all_that_came_in(move_in: Mover, folder: Path) -> None:
    report = Report()
    blog = read_folder(folder, report)
    options = Options("/{slug}", "https://new.example.org")
    importing = asyncio.create_task(bring_in(move_in.intake, move_in.renderer, blog, options, report, lambda *_: None))

    @event.listens_for(move_in.database.writing.sync_engine, "commit")
    def stop(connection: Connection) -> None:
        if connection.scalar(select(func.count()).select_from(Published)):
            importing.cancel()

    with pytest.raises(asyncio.CancelledError):
        await importing
    assert report.counts["posts"] == await move_in.number(Published) > 0


async def test_what_a_killed_import_left_is_whole(move_in: Mover, folder: Path) -> None:
    """The same, seen from inside: a run that ends in the middle of a batch leaves whole posts and no doubles."""

    class StopHereError(Exception):
        pass

    def stop(what: str, done: int, _of: int) -> None:
        if what == "texts" and done >= 25:
            raise StopHereError

    for number in range(60):
        write(folder, f"many-{number}.md", title=f"Many {number}", body=f"Text of {number}.")
    report = Report()
    blog = read_folder(folder, report)
    options = Options("/{slug}", "https://new.example.org")
    with pytest.raises(StopHereError):
        await bring_in(move_in.intake, move_in.renderer, blog, options, report, stop)
    assert await move_in.number(Published) == 25
    async with move_in.database.read() as session:
        assert not (await inspection.document_without_address(session)).number
    assert (await move_in(folder)).counts == {"unchanged": 25, "posts": 38}
    assert await move_in.number(Post) == 63


def test_the_command_says_what_it_did_and_writes_a_report(folder: Path, tmp_path: Path) -> None:
    runner, data = CliRunner(), str(tmp_path / "data")
    answer = runner.invoke(app, ["import", "markdown", str(folder), "--data", data])
    assert answer.exit_code == 0, answer.output
    assert "Addresses like /{slug} fit 3 of 3 posts" in answer.output
    assert "Brought in 1 files, 3 posts" in answer.output
    assert answer.output.endswith("What comes next: ./squall run shows the site, and makes you its owner.\n")
    assert "lost.png (content/bundle/index.md:8)" in answer.output
    page = (tmp_path / "data" / "import-report.html").read_text()
    assert "<code>content/one.md:6</code>" in page
    assert page.count("<h2>") == page.count("</h2>")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nowhere"], "There is no folder"),
        (["."], "does not look like a site"),
        (["a-file"], "a-file is a file; name the folder"),
        ([".", "--from", "foo"], "“foo” is no program whose folders are known: --from takes zola, hugo or jekyll"),
        ([".", "--report", "nowhere/x.html"], "The report cannot be written to nowhere/x.html: No such file or directory"),
    ],
)
def test_what_is_no_blog_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], sentence: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "a-file").touch()
    monkeypatch.chdir(tmp_path / "empty")
    answer = CliRunner().invoke(app, ["import", "markdown", *arguments, "--data", str(tmp_path / "data")])
    assert answer.exit_code == 1
    assert sentence in str(answer.exception)


@pytest.mark.parametrize("pattern", ["slug", "/{year}/{month}", "/{slug}/{nonsense}", "/{slug", "/{slug}}"])
def test_a_permalink_that_makes_no_addresses_is_refused(folder: Path, tmp_path: Path, pattern: str) -> None:
    answer = CliRunner().invoke(app, ["import", "markdown", str(folder), "--permalink", pattern, "--data", str(tmp_path / "data")])
    assert answer.exit_code == 1
    assert "is no pattern for addresses" in str(answer.exception)


def test_a_folder_that_may_not_be_looked_into_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "hugo.toml").touch()
    (tmp_path / "content" / "closed").mkdir(parents=True)
    (tmp_path / "content" / "closed" / "one.md").write_text("x")
    (tmp_path / "content" / "closed").chmod(0)
    try:
        assert list(files_below(tmp_path)) in (["hugo.toml"], ["hugo.toml", "content/closed/one.md"])  # root may look everywhere
        read_folder(tmp_path, Report())
    finally:
        (tmp_path / "content" / "closed").chmod(0o700)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no folder whose files come and go")
def test_files_that_come_and_go_are_no_trouble() -> None:
    assert list(files_below(Path("/proc/self")))
