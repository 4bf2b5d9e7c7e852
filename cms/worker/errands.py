"""Imports, exports, backups and checks: done by our own command line in a process of its own, as they take minutes and much memory.

What they write lies in ``transfers`` and ``backups`` in the data folder.
"""

import asyncio
import json
import lzma
import shutil
import sys
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cms.db.session import Database
from cms.errors import OperatorError, Unavailable
from cms.models import Transfer
from cms.models.desk import TransferKind
from cms.services import transfer_runs
from cms.services.transfer_runs import FOLDER
from cms.settings import handed_on
from cms.telemetry import first_line
from cms.wording import say, whole

MOST_FILES = 100_000  # of an archive
MOST_BYTES = 4 * 1024**3  # of all that is in it
FINDINGS_KEPT = 200  # in the row; the page of the report has all
EVERY = 1.0  # seconds between looks at how far it is
LONGEST_LINE = 16 * 1024 * 1024  # bytes that the command says in one piece
FAILED = "It could not be done."


@dataclass
class _Said:
    """By the command."""

    code: int
    out: str
    error: str
    progress: dict[str, Any] = field(default_factory=dict)


async def run(database: Database, data: Path, public_url: str, transfer_id: int) -> None:
    async with database.transaction() as work:
        row = await transfer_runs.begin(work, transfer_id)
    if row is None:
        return
    folder = data / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    try:
        said, values = await _ERRANDS[row.kind](_Errand(database, data, folder, public_url, row))
        error = "" if said.code == 0 else said.error or FAILED
    except OperatorError as refused:
        error, values = refused.message, {}
    except Unavailable:
        raise  # it is done again when the database is back
    except Exception:  # it goes into the log; a second try would begin with what the first has left
        async with database.transaction() as work:
            await transfer_runs.end(work, transfer_id, error=FAILED)
        raise
    async with database.transaction() as work:
        await transfer_runs.end(work, transfer_id, error=error, **values)


@dataclass
class _Errand:
    database: Database
    data: Path
    folder: Path
    public_url: str
    row: Transfer

    def place(self, name: str) -> Path:
        return self.folder / f"{self.row.id}{name}"

    async def command(self, *arguments: str) -> _Said:
        """Whatever it says while it works is noted; it ends when this does, and with this process: nothing comes over its input."""
        settings = {"data": str(self.data), "database_url": self.database.url, "site_url": self.public_url, "log_level": "error"}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "cms", "--in-parts", *arguments, "--json",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            env=handed_on(**settings), limit=LONGEST_LINE,
        )  # fmt: skip
        try:
            return await self._listen(process)
        finally:
            if process.returncode is None:
                process.terminate()
                await process.wait()

    async def _listen(self, process: asyncio.subprocess.Process) -> _Said:
        assert process.stdout is not None  # noqa: S101 - a pipe
        assert process.stderr is not None  # noqa: S101
        said = _Said(1, "", "")

        async def errors(stream: asyncio.StreamReader) -> None:
            async for line in stream:
                text = line.decode(errors="replace").strip()
                if text.startswith('{"progress"'):
                    said.progress = json.loads(text)["progress"]
                elif text.startswith('{"error"'):
                    said.error = whole(json.loads(text)["error"])
                elif text:
                    said.error = first_line(text).removeprefix("squall: ")

        noting = asyncio.create_task(self._note(said))
        try:
            out, _ = await asyncio.gather(process.stdout.read(), errors(process.stderr))
        finally:
            noting.cancel()
        said.out, said.code = out.decode(errors="replace"), await process.wait()
        return said

    async def _note(self, said: _Said) -> None:
        noted: dict[str, Any] = {}
        while True:
            await asyncio.sleep(EVERY)
            if said.progress != noted:
                noted = said.progress
                async with self.database.transaction() as work:
                    await transfer_runs.note_progress(work, self.row.id, noted)


async def _import(errand: _Errand) -> tuple[_Said, dict[str, Any]]:
    options, source, page = errand.row.options, errand.place("-in"), errand.place("-report.html")
    await asyncio.to_thread(unpack, errand.data / errand.row.file, source)
    chosen = [f"--{name}={options[key]}" for name, key in (("permalink", "permalink"), ("from", "program")) if options.get(key)]
    rehearsal = ["--dry-run"] if options.get("rehearsal") else []
    try:
        said = await errand.command("import", "markdown", str(_inner(source)), "--progress", "--report", str(page), *chosen, *rehearsal)
    finally:
        await asyncio.to_thread(shutil.rmtree, source, True)
    report = _read(said.out)
    if not report:
        return said, {}
    refused = said.code == 1  # some of it; the report says which
    findings = report["findings"]
    kept = {**report, "findings": findings[:FINDINGS_KEPT], "number": len(findings), "page": page.name, "is_partly_refused": refused}
    return _Said(0, said.out, ""), {"report": kept}


async def _export(errand: _Errand) -> tuple[_Said, dict[str, Any]]:
    folder, target = errand.place("-out"), errand.place(".zip")
    try:
        said = await errand.command("export", "markdown", str(folder), "--progress")
        if said.code:
            return said, {}
        await asyncio.to_thread(_zip, folder, target)
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, True)
    return said, {"file": f"{FOLDER}/{target.name}", "size": target.stat().st_size, "report": _read(said.out)}


async def _backup(errand: _Errand) -> tuple[_Said, dict[str, Any]]:
    said = await errand.command("backup", "create")
    made = _read(said.out)
    if said.code or not made:
        return said, {}
    name = Path(made["file"]).name
    kept = {key: made[key] for key in ("counts", "uploads", "notes") if key in made}
    return said, {"file": f"backups/{name}", "size": made["bytes"], "report": kept}


async def _check(errand: _Errand) -> tuple[_Said, dict[str, Any]]:
    said = await errand.command("doctor")
    found = _read(said.out)
    return _Said(0 if found else 1, said.out, said.error), {"report": {"results": found}} if found else {}


_ERRANDS = {
    TransferKind.IMPORT: _import,
    TransferKind.EXPORT: _export,
    TransferKind.BACKUP: _backup,
    TransferKind.CHECK: _check,
}


def _read(out: str) -> Any:
    try:
        return json.loads(out)
    except ValueError:
        return None


# --- archives --------------------------------------------------------------------------------------------------------------


def unpack(archive: Path, folder: Path) -> None:
    """Plain files of a ZIP, below ``folder``. Raises ``OperatorError`` for what is none, is too much or leads elsewhere."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        with zipfile.ZipFile(archive) as packed:
            members = [member for member in packed.infolist() if not member.is_dir()]
            if len(members) > MOST_FILES or sum(member.file_size for member in members) > MOST_BYTES:
                raise OperatorError("There is too much in this archive; unpack it on the server and use `squall import`.")
            left = MOST_BYTES
            for member in members:
                left -= _take(packed, member, folder, left)
    except (
        zipfile.BadZipFile,
        zlib.error,
        lzma.LZMAError,
        NotImplementedError,
        RuntimeError,
        UnicodeError,
        EOFError,
        zipfile.LargeZipFile,
    ):
        raise OperatorError("This is no ZIP archive, or it is damaged.") from None
    except OSError as error:
        raise OperatorError(say("It could not be unpacked: {reason}.", reason=error.strerror or error)) from None


def _take(packed: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path, most: int) -> int:
    """The size it says of itself may be a lie: counted while it is read. Links are passed over."""
    parts = Path(member.filename.replace("\\", "/")).parts
    is_link = (member.external_attr >> 28) == 0o12
    if is_link or not parts or any(part in ("..", "/") or part.endswith(":") or "\0" in part for part in parts):
        return 0
    target, taken = folder.joinpath(*parts), 0
    target.parent.mkdir(parents=True, exist_ok=True)
    with packed.open(member) as source, target.open("xb") as file:
        while piece := source.read(1024 * 1024):
            taken += len(piece)
            if taken > most:
                raise OperatorError("There is too much in this archive; unpack it on the server and use `squall import`.")
            file.write(piece)
    return taken


def _inner(folder: Path) -> Path:
    """Archives often have all in one folder."""
    there = [path for path in folder.iterdir() if path.name not in ("__MACOSX", ".DS_Store")]
    return there[0] if len(there) == 1 and there[0].is_dir() else folder


def _zip(folder: Path, target: Path) -> None:
    draft = target.with_suffix(".part")
    with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                packed.write(path, path.relative_to(folder).as_posix())
    draft.rename(target)


async def clear_away(database: Database, data: Path) -> None:
    """Files that nobody needs any more."""
    async with database.read() as session:
        rows = await transfer_runs.spent(session, database.clock())
    for row in rows:
        async with database.transaction() as work:
            await transfer_runs.drop_file(work, row.id)
        await asyncio.to_thread(remove, data, row)


def remove(data: Path, row: Transfer) -> None:
    """What belongs to a transfer, on the disk."""
    for name in transfer_runs.files_of(row):
        (data / name).unlink(missing_ok=True)
