"""Files on their way into the library: as a form, or in pieces by a script. Who sends is known before a byte is read, and what is sent is
written down as it comes."""

import asyncio
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from tornado.ioloop import IOLoop
from tornado.web import HTTPError, stream_request_body

from cms.errors import CMSError, TooManyRequests
from cms.handlers.admin.base import AdminHandler
from cms.handlers.base import STATUS
from cms.handlers.multipart import Event, FieldSent, FileBegins, FileEnds, FormReader
from cms.models import Asset, Upload
from cms.policy import Capability
from cms.schemas.text import clean_line
from cms.schemas.uploads import UploadInput
from cms.services import uploads
from cms.services.uploads import PIECE
from cms.telemetry import log
from cms.ui.library import markdown, thumbnail

SILENCE = 60.0  # seconds after which somebody who sends nothing more has left
LONGEST = 24 * 3600.0  # seconds that one form may take
AT_ONCE = 8  # of one person, each of which may have a piece in memory; our own script sends two
TRIED_AGAIN = 5  # seconds after which one more may have its turn
FORM_LIMIT = 1 << 40  # bytes; of each file the site says how large it may be
UNNAMED = "file"


class ReceivingHandler(AdminHandler, is_base=True):
    """What is sent is taken as it comes; an error ends it at once, and the other side hears of it."""

    _silence: object | None = None
    _is_refused = False
    _has_place = False

    async def prepare(self) -> None:
        if self.is_receiving:
            self.request.connection.set_body_timeout(LONGEST)  # type: ignore[union-attr]  # Tornado has one for all that is sent
        await super().prepare()
        if self.request.method not in self._methods():
            raise HTTPError(405)
        if self.is_receiving:
            self._take_place()
        self._listen()

    @property
    def is_receiving(self) -> bool:
        return self.request.method not in ("GET", "HEAD", "OPTIONS")

    async def data_received(self, chunk: bytes) -> None:
        if self._is_refused:
            return
        self._stop_listening()
        try:
            await self.receive(chunk)
        except Exception as error:  # Tornado would close without a word
            self._refuse(error)
        except asyncio.CancelledError:
            self._cut_off()
        else:
            self._listen()

    async def receive(self, chunk: bytes) -> None:
        raise NotImplementedError

    def _cut_off(self) -> None:
        """The program ends, and waits no longer. Tornado would show each such error as a fault of ours, but for one in its own reading."""
        self._is_refused = True
        log.warning("cut off", handler=type(self).__name__)
        if task := asyncio.current_task():
            task.cancel()

    def _refuse(self, error: Exception) -> None:
        self._is_refused = True
        self.log_exception(*sys.exc_info())
        self.send_error(error.status_code if isinstance(error, HTTPError) else 500, exc_info=sys.exc_info())
        self.on_connection_close()  # there is no method to be called any more

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        if self.is_receiving:
            self.request.connection.stream.lingers = True  # type: ignore[union-attr]  # ours (server/stream.py)
            self.end_connection()
        super().send_error(status_code, **kwargs)

    def _take_place(self) -> None:
        if self.parts.receiving[self.actor.user_id] >= AT_ONCE:
            raise TooManyRequests(TRIED_AGAIN)
        self.parts.receiving[self.actor.user_id] += 1
        self._has_place = True

    def _give_place(self) -> None:
        if self._has_place:
            self.parts.receiving[self.actor.user_id] -= 1
            self._has_place = False

    def _listen(self) -> None:
        if self.is_receiving and not self._finished:
            self._silence = IOLoop.current().call_later(SILENCE, self.request.connection.stream.close)  # type: ignore[union-attr]

    def _stop_listening(self) -> None:
        if self._silence is not None:
            IOLoop.current().remove_timeout(self._silence)
            self._silence = None

    def on_finish(self) -> None:
        self._stop_listening()
        self._give_place()
        super().on_finish()

    def on_connection_close(self) -> None:
        self._stop_listening()
        self._give_place()
        super().on_connection_close()


@dataclass(slots=True)
class Outcome:
    """Of one file of a form. ``why``: a sentence, if it was not taken."""

    name: str
    asset: Asset | None = None
    is_known: bool = False
    why: str = ""
    status: int = 200


@stream_request_body
class FormUploadHandler(ReceivingHandler):
    """Several files in one form. Each is an asset as soon as its last byte has come, whatever becomes of the next ones. The form's key is
    its first field, as all before the files is read before them."""

    requires = Capability.MEDIA_UPLOAD
    body_limit = FORM_LIMIT

    def initialize(self, **options: Any) -> None:
        super().initialize(**options)
        self._reader: FormReader | None = None
        self._fields: dict[str, str] = {}
        self._outcomes: list[Outcome] = []
        self._file: _Coming | None = None
        self._has_key = False
        self._reading = asyncio.Lock()

    def check_xsrf_cookie(self) -> None:
        """Later, where it is in the form."""
        is_form = self.request.headers.get("Content-Type", "").startswith("multipart/form-data")
        if not is_form or "X-Xsrftoken" in self.request.headers:
            super().check_xsrf_cookie()
            self._has_key = True

    async def receive(self, chunk: bytes) -> None:
        if self._reader is None:
            self._reader = FormReader(self.request.headers.get("Content-Type", ""))
        async with self._reading:
            for event in self._reader.feed(chunk):
                await self._take(event)

    def on_connection_close(self) -> None:
        super().on_connection_close()
        IOLoop.current().spawn_callback(self._forget)

    async def _forget(self) -> None:
        """Nobody can go on with a form: of the file in which it broke off, what has come is of no use."""
        async with self._reading:
            coming, self._file = self._file, None
        if coming:
            await coming.drop()

    async def _take(self, event: Event) -> None:
        match event:
            case FieldSent("_xsrf", value):
                self._check_key(value)
            case FieldSent(name, value):
                self._fields[name] = value.decode("utf-8", "replace")
            case FileBegins(_, name):
                self._check_key(b"")
                self._file = _Coming(self, name) if name else None
            case FileEnds() if self._file:
                self._outcomes.append(await self._file.end())
                self._file = None
            case bytes() if self._file:
                await self._file.add(event)

    def _check_key(self, sent: bytes) -> None:
        if not self._has_key:
            self.request.arguments["_xsrf"] = [sent]
            self._is_admitted = False
            super().check_xsrf_cookie()
            self._is_admitted = self._has_key = True

    @property
    def folder(self) -> int | None:
        return self.numbered("folder")

    def numbered(self, field: str) -> int | None:
        sent = self._fields.get(field, "")
        return int(sent) if sent.isascii() and sent.isdigit() and len(sent) < 18 else None

    async def post(self) -> None:
        """What became of each. Some may be here although others are not."""
        if self._reader is None:
            raise HTTPError(400)
        self._reader.close()
        self._check_key(b"")
        statuses, replaced = [each.status for each in self._outcomes], self.numbered("replaces")
        if replaced and 200 in statuses:
            self.flash("Replaced. Texts that show it follow within a minute.")
            self.redirect_to("admin.asset", replaced)
            return
        self.set_status(200 if 200 in statuses else next(iter(statuses), 422))
        self.render("admin/media/uploaded.html", section="media", outcomes=self._outcomes, folder=self.folder, replaced=replaced)


class _Coming:
    """One file of a form."""

    def __init__(self, handler: FormUploadHandler, name: str) -> None:
        self._handler = handler
        self._outcome = Outcome(clean_line(name) or UNNAMED)
        self._upload: Upload | None = None
        self._chunks = _Chunks()

    async def add(self, data: bytes) -> None:
        """What is refused is passed over from there on."""
        if not self._outcome.why:
            try:
                self._chunks.add(data)
                if self._chunks.size >= PIECE:
                    await self._keep(self._chunks.take(PIECE))
            except CMSError as error:
                await self._fail(error)

    async def end(self) -> Outcome:
        handler = self._handler
        if not self._outcome.why:
            try:
                upload = await self._keep(self._chunks.take(PIECE))
                taken = await uploads.finish(handler.parts.intake, handler.actor, upload.id, handler.in_transaction)
                self._outcome.asset, self._outcome.is_known = taken.asset, taken.is_known
            except CMSError as error:
                await self._fail(error)
        return self._outcome

    async def _keep(self, chunks: list[bytes]) -> Upload:
        handler = self._handler
        if self._upload is None:
            wanted = UploadInput(name=self._outcome.name, size=None, folder=handler.folder, replaces=handler.numbered("replaces"))
            self._upload = await handler.in_transaction(lambda work: uploads.begin(work, handler.actor, wanted))
        upload = self._upload = await uploads.add_piece(handler.parts.intake, handler.actor, self._upload.id, self._upload.received, chunks)
        return upload

    async def _fail(self, error: CMSError) -> None:
        self._outcome.why, self._outcome.status = error.message, status_of(error)
        await self.drop()

    async def drop(self) -> None:
        self._chunks = _Chunks()
        if self._upload is not None:
            with suppress(CMSError):  # what is away now is pruned later
                await uploads.abandon(self._handler.parts.intake, self._handler.actor, self._upload.id)


class _Chunks:
    """Bytes as they came, without copies of them."""

    def __init__(self) -> None:
        self.size = 0
        self._chunks: list[bytes] = []

    def add(self, chunk: bytes) -> None:
        self._chunks.append(chunk)
        self.size += len(chunk)

    def take(self, most: int) -> list[bytes]:
        """The first so many bytes; what is over stays."""
        over = self.size - most
        taken, self._chunks, self.size = self._chunks, [], 0
        if over > 0:
            last = taken.pop()
            taken.append(last[:-over])
            self.add(last[-over:])
        return taken


# --- by scripts ------------------------------------------------------------------------------------------------------------


class ScriptHandler(AdminHandler, is_base=True):
    """Told what went wrong as JSON."""

    def write_error_page(self, status: int, message: str) -> None:
        sentence = self._sentence(status, message, self.comes_from_elsewhere())
        self.finish({"error": self.locale.translate(sentence)})

    def tell(self, upload: Upload, asset: Asset | None = None) -> None:
        self.finish({"id": upload.id, "received": upload.received, "piece": PIECE, "asset": as_json(asset) if asset else None})


class UploadsHandler(ScriptHandler):
    """A file is announced. What is wrong with it is said before it is sent."""

    requires = Capability.MEDIA_UPLOAD

    async def post(self) -> None:
        wanted = self.form(UploadInput).value()
        upload = await self.in_transaction(lambda work: uploads.begin(work, self.actor, wanted))
        self.set_status(201)
        self.tell(upload)


@stream_request_body
class UploadHandler(ScriptHandler, ReceivingHandler):
    """How much of a file has arrived; the next piece of it; or it is not wanted any more."""

    requires = Capability.MEDIA_UPLOAD
    body_limit = PIECE
    counts_as_write = False  # a large file has hundreds of pieces

    def initialize(self, **options: Any) -> None:
        super().initialize(**options)
        self._chunks = _Chunks()

    async def receive(self, chunk: bytes) -> None:
        self._chunks.add(chunk)

    async def get(self, upload_id: str) -> None:
        async with self.read() as session:
            upload = await uploads.get(session, self.actor, upload_id)
            asset = await uploads.find_asset(session, upload)
        self.tell(upload, asset)

    async def put(self, upload_id: str) -> None:
        self._stop_listening()  # all has come; a storage may take its time
        offset = self.number(self.get_query_argument("offset", ""))
        upload = await uploads.add_piece(self.parts.intake, self.actor, upload_id, offset, self._chunks.take(PIECE))
        self.tell(upload)

    async def delete(self, upload_id: str) -> None:
        await uploads.abandon(self.parts.intake, self.actor, upload_id)
        self.set_status(204)


class CompletionHandler(ScriptHandler):
    """All has arrived. Asked again, as after a lost network, it says the same."""

    requires = Capability.MEDIA_UPLOAD

    async def post(self, upload_id: str) -> None:
        taken = await uploads.finish(self.parts.intake, self.actor, upload_id, self.in_transaction)
        self.finish({**as_json(taken.asset), "is_known": taken.is_known})


def as_json(asset: Asset) -> dict[str, Any]:
    shown = {"path": asset.path, "width": asset.width, "height": asset.height, "alt": asset.alt, "is_decorative": asset.is_decorative}
    return {"id": asset.id, "name": asset.name, "kind": asset.kind.value, **shown, "small": thumbnail(asset), "markdown": markdown(asset)}


def status_of(error: CMSError) -> int:
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
