"""``squall import`` and ``squall export``: somebody else's site into this one, and this one out."""

import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from cms.cli.program import DataOption, JsonOption, bring_up_to_date, current_database, load_settings, print_json, run
from cms.db.session import Database
from cms.errors import OperatorError, StorageFull
from cms.exchange.markdown_folder import plan
from cms.exchange.markdown_folder.export import write_folder
from cms.exchange.markdown_folder.readers import read_folder
from cms.exchange.markdown_folder.report import EXPLANATIONS, Outcome, Report
from cms.exchange.markdown_folder.report_page import as_page
from cms.exchange.markdown_folder.run import Options, bring_in
from cms.exchange.markdown_folder.source import Blog
from cms.imaging import Imaging
from cms.media.storage import open_storage
from cms.models.site import Frame
from cms.rendering import Renderer
from cms.services import accounts, purges, site, transfers
from cms.services.intake import FOLDER, Intake
from cms.settings import Settings
from cms.wording import parts

SHOWN = 5  # findings of a kind on the terminal; the file has all

app = typer.Typer(help="Bring in a site that another program made.", no_args_is_help=True)
out = typer.Typer(help="Write the site for other programs.", no_args_is_help=True)

FolderArgument = Annotated[Path, typer.Argument(help="Where the other program's site lies.", show_default=False)]
PermalinkOption = Annotated[
    str | None, typer.Option("--permalink", help="Addresses of posts: /{year}/{month}/{slug}, …; guessed if left out.", show_default=False)
]
FromOption = Annotated[str, typer.Option("--from", help="zola, hugo or jekyll, if it is not recognised.", show_default=False)]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")]
ProgressOption = Annotated[bool, typer.Option("--progress", help="Say how far it is, as lines of JSON on the error channel.", hidden=True)]
ReportOption = Annotated[Path | None, typer.Option("--report", help="Where the report goes, as an HTML file.", show_default=False)]


@app.command("markdown")
def import_markdown(
    folder: FolderArgument,
    permalink: PermalinkOption = None,
    program: FromOption = "",
    dry_run: DryRunOption = False,
    report_file: ReportOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
    in_lines: ProgressOption = False,
) -> None:
    """Texts, pictures, people and every old address of a Zola, Hugo or Jekyll site. Run it again: it goes on, and does nothing twice."""
    settings = load_settings(data=data)
    if report_file:
        _require_writable(report_file)
    report = Report()
    blog = read_folder(folder, report, program)
    is_stopped = has_owner = False
    try:
        has_owner = run(_import(settings, blog, report, permalink, is_rehearsal=dry_run, is_quiet=as_json, in_lines=in_lines))
    except KeyboardInterrupt:
        is_stopped = True
    except StorageFull:
        raise OperatorError("The disk is full. Free some space and run it again: it goes on where it stopped.") from None
    target = report_file or settings.data / "import-report.html"
    title = f"{'Rehearsal: ' if dry_run else ''}What became of {folder.resolve().name}{' until it was stopped' if is_stopped else ''}"
    _write(target, as_page(report, title), is_optional=report_file is None)
    if as_json:
        print_json(_for_programs(report))
    else:
        _say(report, target, is_rehearsal=dry_run)
    if is_stopped:
        typer.echo("Stopped; run it again to go on.", err=True)
        raise typer.Exit(130)
    if not (has_owner or dry_run or as_json):
        typer.echo("What comes next: ./squall run shows the site, and makes you its owner.")
    if any(finding.outcome is Outcome.REFUSED for finding in report.findings):
        raise typer.Exit(1)


async def _import(
    settings: Settings, blog: Blog, report: Report, permalink: str | None, *, is_rehearsal: bool, is_quiet: bool, in_lines: bool
) -> bool:
    """Whether the site has an owner."""
    await bring_up_to_date(settings)
    renders = max(2, os.cpu_count() or 2)
    database, renderer, imaging = Database(settings.database), Renderer(renders), Imaging(renders)
    purges.follow(database, settings)
    intake = Intake(database, open_storage(settings), imaging, settings.data / FOLDER)
    try:
        async with database.read() as session:
            is_new, frame = not await transfers.has_own_posts(session), await site.get_frame(session)
        pattern = _permalink(blog, frame, permalink, is_new=is_new, is_quiet=is_quiet)
        options = Options(pattern, settings.public_url, renders, is_rehearsal)
        with _bar(is_quiet, in_lines) as progress:
            await bring_in(intake, renderer, blog, options, report, progress)
        async with database.read() as session:
            return await accounts.has_owner(session)
    finally:
        await renderer.close()
        await imaging.close()
        await database.dispose()


def _permalink(blog: Blog, frame: Frame, given: str | None, *, is_new: bool, is_quiet: bool) -> str:
    """The pattern for posts' addresses: the site's own if it has posts, else what is asked for, said, or guessed."""
    if not is_new:
        if given and given != frame.permalink:
            raise OperatorError(f"This site has posts already, at addresses like {frame.permalink}; leave out --permalink.")
        return frame.permalink
    if given:
        plan.require_permalink(given)
        return given
    pattern, right, of = plan.guess_permalink(blog, frame.zone)
    if not is_quiet:
        typer.echo(f"{blog.program.capitalize()}: {len(blog.documents)} texts. Addresses like {pattern} fit {right} of {of} posts.")
        if sys.stdin.isatty():
            pattern = typer.prompt("Addresses of posts", default=pattern)
            plan.require_permalink(pattern)
    return pattern


def _lines(what: str, done: int, of: int) -> None:
    """For whoever started this command and waits for it."""
    typer.echo(json.dumps({"progress": {"words": what, "done": done, "of": of}}), err=True)


@contextmanager
def _bar(is_quiet: bool, in_lines: bool) -> Iterator[Callable[[str, int, int], None]]:
    """How far it is, with its rate and what is left; on the terminal's own channel, and only if there is one."""
    if in_lines:
        yield _lines
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=is_quiet or not console.is_terminal) as progress:
        tasks: dict[str, TaskID] = {}

        def advance(what: str, done: int, of: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=of, rate="")
            speed = progress.tasks[tasks[what]].speed
            progress.update(tasks[what], completed=done, rate=f"{speed:.0f}/s" if speed else "")

        yield advance


def _require_writable(target: Path) -> None:
    """Before the work and not after it."""
    try:
        target.open("a").close()
    except OSError as error:
        raise OperatorError(f"The report cannot be written to {target}: {error.strerror}.") from None


def _write(target: Path, page: str, *, is_optional: bool) -> None:
    try:
        target.write_text(page, encoding="utf-8")
    except OSError as error:
        if not is_optional:
            raise OperatorError(f"The report cannot be written to {target}: {error.strerror}.") from None


@out.command("markdown")
def export_markdown(
    folder: Annotated[Path, typer.Argument(help="An empty folder, or one that an earlier export made.", show_default=False)],
    data: DataOption = None,
    as_json: JsonOption = False,
    in_lines: ProgressOption = False,
) -> None:
    """Every text with its front matter, and its pictures beside it; `squall import markdown` reads it again."""
    settings = load_settings(data=data)
    counts = run(_export(settings, folder, is_quiet=as_json, in_lines=in_lines))
    if as_json:
        print_json({"written": dict(counts)})
    else:
        typer.echo(f"Wrote {', '.join(f'{number:,} {name}' for name, number in counts.items()) or 'nothing'} to {folder}")


async def _export(settings: Settings, folder: Path, *, is_quiet: bool, in_lines: bool) -> Counter[str]:
    async with current_database(settings) as database:
        with _bar(is_quiet, in_lines) as progress:
            return await write_folder(database, open_storage(settings), settings.public_url, folder, progress)


def _say(report: Report, target: Path, *, is_rehearsal: bool) -> None:
    for outcome, groups in report.grouped():
        typer.echo(f"\n{EXPLANATIONS[outcome]}: {sum(len(findings) for _, findings in groups)}")
        for what, findings in groups[:SHOWN]:
            first = findings[0]
            where = f"{first.file}{f':{first.line}' if first.line else ''}"
            typer.echo(f"  {what} ({where if len(findings) == 1 else f'{len(findings)} times, first {where}'})")
        if len(groups) > SHOWN:
            typer.echo(f"  … and {len(groups) - SHOWN} more")
    found = ", ".join(f"{number:,} {name}" for name, number in report.found.items())
    made = ", ".join(f"{number:,} {name}" for name, number in report.counts.items()) or "nothing"
    typer.echo(f"\n{'Would bring' if is_rehearsal else 'Brought'} in {made}, of {found}. Everything in detail: {target}")


def _for_programs(report: Report) -> dict[str, object]:
    """``parts`` of what was found: for the desk, which says it in the language of whoever asks there."""
    findings = [
        {"outcome": one.outcome.value, "file": one.file, "line": one.line or None, "what": one.what, "parts": parts(one.what)}
        for one in report.findings
    ]
    return {"found": dict(report.found), "brought_in": dict(report.counts), "findings": findings}
