"""Bringing a site in and taking it out, at the desk: what was asked for, how far it is, and what came of it."""

import asyncio
import contextlib
import os
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from tornado.iostream import StreamClosedError

from cms.errors import Conflict, InvalidInput, NotFound
from cms.handlers.admin.base import AdminHandler
from cms.handlers.forms import Form
from cms.models import Transfer
from cms.models.desk import TransferKind
from cms.policy import Capability
from cms.schemas.transfers import ImportInput
from cms.services import transfer_runs
from cms.services.transfer_runs import FOLDER
from cms.ui.admin import readable
from cms.ui.transfers import counted
from cms.wording import whole

KINDS = (TransferKind.IMPORT, TransferKind.EXPORT)
REPORT_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
CHUNK = 256 * 1024  # bytes


class TransferringHandler(AdminHandler, is_base=True):
    kinds: ClassVar[tuple[TransferKind, ...]] = KINDS

    @property
    def data(self) -> Path:
        return self.parts.settings.data

    async def find(self, number: str) -> Transfer:
        async with self.read() as session:
            return await transfer_runs.get(session, self.actor, self.number(number), self.kinds)

    async def send_file(self, name: str, content_type: str, shown_as: str = "") -> None:
        """A file of the data folder, piece by piece. ``shown_as``: its name for whoever keeps it; "" to look at it here."""
        path = self.data / name
        if not name or not await asyncio.to_thread(path.is_file):
            raise NotFound
        self._transforms = []
        self.set_header("Content-Type", content_type)
        self.set_header("Content-Length", str((await asyncio.to_thread(path.stat)).st_size))
        if shown_as:
            self.set_header("Content-Disposition", f'attachment; filename="{shown_as}"')
        pieces = _pieces(path)
        with contextlib.suppress(StreamClosedError):  # somebody has left
            while piece := await asyncio.to_thread(next, pieces, b""):
                self.write(piece)
                await self.flush()

    async def bring_in(self, wanted: ImportInput, content: bytes) -> Transfer:
        name = f"{FOLDER}/in-{secrets.token_hex(8)}.zip"
        await asyncio.to_thread(_keep, self.data / name, content)
        try:
            async with self.transaction() as work:
                options = wanted.model_dump()
                return await transfer_runs.ask(work, self.actor, TransferKind.IMPORT, file=name, size=len(content), **options)
        except Conflict:
            await asyncio.to_thread((self.data / name).unlink)
            raise

    async def forget(self, number: str) -> None:
        async with self.transaction() as work:
            row = await transfer_runs.forget(work, self.actor, self.number(number), self.kinds)
        for name in transfer_runs.files_of(row):
            await asyncio.to_thread((self.data / name).unlink, missing_ok=True)
        self.flash("Deleted.")


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(CHUNK):
            yield piece


class TransfersHandler(TransferringHandler):
    requires = Capability.CONTENT_TRANSFER

    async def get(self) -> None:
        await self.show(Form(ImportInput, {"rehearsal": True}))

    async def show(self, form: Form[ImportInput], *, status: int = 200) -> None:
        async with self.read() as session:
            rows = await transfer_runs.list_of(session, self.actor, KINDS)
        self.set_status(status)
        self.render("admin/transfers/list.html", section="transfers", rows=rows, form=form, flash=self.take_flash())


class ImportsHandler(TransfersHandler):
    requires = Capability.CONTENT_TRANSFER
    body_limit = 128 * 1024 * 1024  # an archive; larger ones are brought in on the server

    def get(self) -> None:  # type: ignore[override]
        self.redirect_to("admin.transfers")

    async def post(self) -> None:
        form, sent = self.form(ImportInput), self.request.files.get("archive", [])
        try:
            wanted = form.value()
            if not sent or not sent[0].body:
                raise InvalidInput({"archive": "Choose a ZIP archive of the site's folder."})
            if not sent[0].body.startswith(b"PK"):
                raise InvalidInput({"archive": "This is no ZIP archive."})
            row = await self.bring_in(wanted, sent[0].body)
        except (InvalidInput, Conflict) as error:
            form.refuse(error if isinstance(error, InvalidInput) else InvalidInput({"archive": error.message}))
            await self.show(form, status=422)
            return
        self.redirect_to("admin.transfer", row.id)


def _keep(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)


class ExportsHandler(TransferringHandler):
    requires = Capability.CONTENT_TRANSFER

    async def post(self) -> None:
        async with self.transaction() as work:
            row = await transfer_runs.ask(work, self.actor, TransferKind.EXPORT, form="markdown")
        self.redirect_to("admin.transfer", row.id)


class TransferHandler(TransferringHandler):
    requires = Capability.CONTENT_TRANSFER

    async def get(self, number: str) -> None:
        row = await self.find(number)
        self.render("admin/transfers/show.html", section="transfers", row=row, flash=self.take_flash(), told=self._told, counted=counted)

    def _told(self, finding: Mapping[str, Any]) -> str:
        """What it says, in the reader's language; reports of an earlier release have it in English."""
        return readable(self.locale.translate(whole(finding.get("parts", finding["what"]))))

    async def post(self, number: str) -> None:
        """What was rehearsed is brought in: the same archive, as it was chosen then."""
        row = await self.find(number)
        if not row.is_rehearsed:
            raise NotFound
        wanted = ImportInput.model_validate({**row.options, "rehearsal": False})
        content = await asyncio.to_thread((self.data / row.file).read_bytes)
        self.redirect_to("admin.transfer", (await self.bring_in(wanted, content)).id)

    async def delete(self, number: str) -> None:
        await self.forget(number)
        self.redirect_to("admin.transfers")


class TransferFileHandler(TransferringHandler):
    requires = Capability.CONTENT_TRANSFER
    kinds = (TransferKind.EXPORT,)

    async def get(self, number: str) -> None:
        row = await self.find(number)
        await self.send_file(row.file, "application/zip", f"squall-export-{row.created_at:%Y%m%d}.zip")


class TransferReportHandler(TransferringHandler):
    """The whole report, a page of its own. What stands in it came from elsewhere: nothing of it runs."""

    requires = Capability.CONTENT_TRANSFER
    kinds = (TransferKind.IMPORT,)
    content_policy = REPORT_POLICY

    async def get(self, number: str) -> None:
        row = await self.find(number)
        page = (row.report or {}).get("page", "")
        await self.send_file(f"{FOLDER}/{page}" if page else "", "text/html; charset=utf-8")
