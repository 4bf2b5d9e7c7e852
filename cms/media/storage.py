"""Where the bytes of uploads are kept, by name: a folder, or a bucket of an S3-compatible storage, behind the same verbs."""

import asyncio
import errno
import os
import re
import secrets
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, S3Store

from cms.errors import CMSError, NotFound, StorageAway, StorageFull
from cms.media.signing import Key, signed_address
from cms.settings import Settings
from cms.wording import say

CHUNK = 256 * 1024  # bytes
PART = 5 * 1024 * 1024  # bytes; the least that S3 takes, so that 10,000 of them, its most, are 50 GB
PARTS_AT_ONCE = 2  # each is in memory
THREADS = 16  # that wait for a storage
SENDERS = 8  # streams that are sent at once; they have threads of their own, as what they send may come from the storage
PATIENCE = timedelta(seconds=30)  # for one answer, or one more chunk of it
SENDING = timedelta(minutes=2)  # for a part until it has arrived: two parts need 80 kB/s, which a small line has
WHOLE = timedelta(days=1)  # for all of a file that is read, which may be long
LISTENING = 5.0  # seconds of sending after which the storage is asked whether it is there; again and again
PAUSE = 10.0  # seconds after which somebody asks again whether a storage answers that did not
GRACE = 5.0  # seconds for taking back what was sent
DRAFT = ".draft-"  # what begins the name of a file that is being written
_CODE = re.compile(r"\bOs \{\s*code: (\d+)")  # of the system's error, in what the store says of it
_FULL = re.compile(r"<Code>\w*(?:StorageFull|QuotaExceeded)</Code>|status code: 507")
_REFUSED = re.compile("status code: 40[13]")
_BROKEN = re.compile("status code: 5")
_SILENT = re.compile("kind: Timeout|TimedOut")

Item = TypeVar("Item")

if TYPE_CHECKING:
    from obstore import BytesStream, ObjectMeta


def open_storage(settings: Settings) -> "Storage":
    """The one that the settings name. Nothing is asked of a storage elsewhere yet."""
    if folder := settings.media_folder:
        return Folder(folder)
    bucket, prefix = settings.bucket
    secret = settings.s3_secret_access_key.get_secret_value()
    key = Key(settings.s3_access_key_id, secret) if secret else None
    return Bucket(bucket, prefix, endpoint=settings.s3_endpoint, region=settings.s3_region, key=key)


class Storage(ABC):
    """Names are ours (digests), never a person's, and lead below the storage; ``ValueError`` for others.

    Each verb raises ``StorageFull`` or ``StorageAway`` if the storage is full or away.

    The store's plain calls in threads, not its own coroutines: their threads outlive the loop, and abort a process that ends
    while they still hold one of its objects (https://github.com/PyO3/pyo3-async-runtimes/issues/40).
    """

    _store: LocalStore | S3Store
    _reading: LocalStore | S3Store  # of files, which may take long
    _least = CHUNK  # bytes that it is asked for at once

    def __init__(self) -> None:
        """Threads of its own: where a storage hangs, nothing else waits for it."""
        self._threads = ThreadPoolExecutor(THREADS, "storage")
        self._line = _Line()

    @property
    def is_waited_for(self) -> bool:
        """Whether a thread does, which nobody can end."""
        return bool(self._line.waiting)

    async def put(self, name: str, content: bytes) -> None:
        """Keep bytes under a name. What is there already is replaced, all at once: by the same, as names are digests. So it is as young
        as whoever counts on it."""
        await self.put_stream(name, _one(content))

    @abstractmethod
    async def put_stream(self, name: str, pieces: AsyncIterator[bytes]) -> None:
        """Keep what comes in pieces, of which few are in memory at once. All of it is there in the end or, whatever happens, nothing.
        A bucket takes few streams at once: what somebody sends slowly is collected in pieces before."""

    async def put_file(self, name: str, path: Path) -> None:
        """Keep what is in a file of this machine."""
        with await asyncio.to_thread(path.open, "rb") as file:
            await self.put_stream(name, _in_threads(iter(lambda: file.read(CHUNK) or None, None)))

    async def read(self, name: str, span: tuple[int, int] | None = None) -> AsyncIterator[bytes]:
        """The bytes in pieces, all or from ``span[0]`` to before ``span[1]``. Raises ``NotFound``."""
        result = await self._call(obstore.get, self._reading, _checked(name), options={"range": span} if span else None)
        async for chunk in self._each(_chunks(result.stream(min_chunk_size=self._least))):
            yield chunk

    async def size(self, name: str) -> int | None:
        """In bytes; None if it is not there."""
        found = await self._head(name)
        return found and found["size"]

    async def written_at(self, name: str) -> datetime | None:
        """When it was put there last; None if it is not there."""
        found = await self._head(name)
        return found and found["last_modified"]

    async def _head(self, name: str) -> "ObjectMeta | None":
        try:
            return await self._call(obstore.head, self._store, _checked(name))
        except NotFound:
            await anext(self.list(name), None)  # tells a bucket that is not there from a file that is not
            return None

    @abstractmethod
    async def local_file(self, name: str, folder: Path) -> Path:
        """A file of this machine with these bytes, to be read and nothing else: in ``folder``, if it is not there anyway. Raises
        ``NotFound``."""

    async def delete(self, name: str) -> None:
        """What is not there has been deleted."""
        try:
            await self._call(obstore.delete, self._store, _checked(name))
        except NotFound:
            return

    async def list(self, prefix: str = "", *, before: datetime | None = None) -> AsyncIterator[tuple[str, int]]:
        """Each name with its size in bytes: those below the folder ``prefix``, last written ``before`` then. Among them are
        drafts: of streams that go on, and of processes that were killed."""
        async for batch in self._each(iter(obstore.list(self._store, prefix=prefix or None))):
            for meta in batch:
                if before is None or meta["last_modified"] < before:
                    yield meta["path"], meta["size"]

    def signed_url(self, name: str, *, seconds: int, content_type: str, disposition: str) -> str | None:
        """An address where anybody may read the bytes for so long, sent with these headers; None if the storage gives none."""
        return None

    async def _call(self, verb: Callable[..., Item], *given: Any, **options: Any) -> Item:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, partial(self._line.ask, verb, *given, **options))
        except (BaseError, OSError) as error:
            raise _translated(error) from None

    async def _each(self, items: Iterator[Item]) -> AsyncIterator[Item]:
        while (item := await self._call(next, items, None)) is not None:
            yield item


class Folder(Storage):
    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._store = self._reading = LocalStore(folder)

    async def put_stream(self, name: str, pieces: AsyncIterator[bytes]) -> None:
        """Written aside and renamed. Not by the store: what it leaves when it is killed is in no listing."""
        target, draft = self._path(name), self.folder / f"{DRAFT}{secrets.token_hex(8)}"
        file: BinaryIO = await self._call(draft.open, "xb")
        try:
            async for piece in pieces:
                await self._call(file.write, piece)
            await self._call(_settle, file, draft, target)
        finally:
            await asyncio.shield(asyncio.to_thread(_discard, file, draft))

    async def local_file(self, name: str, folder: Path) -> Path:
        path = self._path(name)
        if not await asyncio.to_thread(path.is_file):
            raise NotFound
        return path

    def _path(self, name: str) -> Path:
        return self.folder / _checked(name)


class Bucket(Storage):
    """``key`` is None where the machine itself has a right to the bucket (a role in AWS): the store finds that out."""

    def __init__(self, bucket: str, prefix: str, *, endpoint: str, region: str, key: Key | None) -> None:
        super().__init__()
        self._senders, self._least = ThreadPoolExecutor(SENDERS, "sending"), 1
        self._key, self._region = key, region
        endpoint = endpoint or f"https://s3.{region}.amazonaws.com"
        self._address = f"{endpoint}/{bucket}{prefix and f'/{prefix}'}"
        options: dict[str, Any] = {"access_key_id": key.id, "secret_access_key": key.secret} if key else {}

        def store(**patience: timedelta) -> S3Store:
            client: Any = {"allow_http": endpoint.startswith("http:"), "connect_timeout": timedelta(seconds=5), **patience}
            return S3Store(
                bucket,
                prefix=prefix or None,
                region=region,
                aws_endpoint_url_s3=endpoint,  # the one that nothing in the environment wins over
                disable_bulk_delete=True,  # not every storage knows it
                client_options=client,
                retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=10)},
                **options,
            )

        self._store, self._sending = store(timeout=PATIENCE), store(timeout=SENDING)
        self._reading = store(read_timeout=PATIENCE, timeout=WHOLE)

    async def put(self, name: str, content: bytes) -> None:
        await self._call(obstore.put, self._sending, _checked(name), content)  # in one go, and on no condition: not every storage knows any

    async def put_stream(self, name: str, pieces: AsyncIterator[bytes]) -> None:
        """In parts. Those of a process that was killed stay in the bucket, in no listing, until a rule of the bucket removes them."""
        pulled = _Pulled(pieces)
        put = partial(obstore.put, self._sending, _checked(name), pulled, chunk_size=PART, max_concurrency=PARTS_AT_ONCE)
        job = self._senders.submit(self._line.ask, put)
        sent = asyncio.wrap_future(job)
        try:
            await self._sent(name, sent)
        except (asyncio.CancelledError, StorageAway) as error:
            pulled.stop()
            job.cancel()
            grace = 0 if isinstance(error, StorageAway) else GRACE
            await asyncio.wait([asyncio.gather(sent, return_exceptions=True)], timeout=grace)  # it takes back what it sent
            raise
        except (BaseError, OSError) as error:
            raise pulled.error or _translated(error) from None

    async def _sent(self, name: str, sent: asyncio.Future[Any]) -> None:
        """For what is sent there is long, so that the storage is asked beside it whether it is there."""
        while not (await asyncio.wait([sent], timeout=LISTENING))[0]:
            with suppress(StorageAway):
                await self.size(name)
            self._line.require()
        sent.result()

    async def local_file(self, name: str, folder: Path) -> Path:
        path = folder / "stored"
        with await self._call(path.open, "wb") as file:
            async for piece in self.read(name):
                await self._call(file.write, piece)
        return path

    def signed_url(self, name: str, *, seconds: int, content_type: str, disposition: str) -> str | None:
        """By ourselves, as ``obstore.sign`` takes no headers for the answer."""
        if self._key is None:
            return None
        headers = {"response-content-disposition": disposition, "response-content-type": content_type}
        return signed_address(f"{self._address}/{_checked(name)}", headers, self._key, self._region, seconds, datetime.now(UTC))


class _Line:
    """To a storage. If it is silent, those who ask are refused at once, but for one now and then who finds out whether it answers again:
    all threads would wait for it otherwise, and readers for a thread. ``waiting``: threads."""

    def __init__(self) -> None:
        self.waiting: set[int] = set()
        self._heard = 0.0  # when it has answered last
        self._again = 0.0  # when it is asked again, if it is silent

    def ask(self, verb: Callable[..., Item], *given: Any, **options: Any) -> Item:
        """In a thread."""
        began, own = time.monotonic(), threading.get_ident()
        if self._again:
            if began < self._again:
                self.require()
            self._again = began + PAUSE
        self.waiting.add(own)
        try:
            found = verb(*given, **options)
        except (BaseError, OSError) as error:
            if not _SILENT.search(str(error)):
                self._answered()
            elif time.monotonic() - self._heard > PAUSE:  # or it is this one that got lost
                self._again = time.monotonic() + PAUSE
            raise
        finally:
            self.waiting.discard(own)
        self._answered()
        return found

    def require(self) -> None:
        """That it was not silent when it was asked last."""
        if self._again:
            raise _away(say("it does not answer"))

    def _answered(self) -> None:
        self._heard, self._again = time.monotonic(), 0.0


class _Pulled:
    """The pieces of an asynchronous iterator for the thread that sends them; the loop is asked for each."""

    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        self._pieces = pieces
        self._loop = asyncio.get_running_loop()
        self._asked: asyncio.Task[Any] | None = None
        self._is_stopped = False
        self.error: BaseException | None = None  # of the iterator

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        piece = asyncio.run_coroutine_threadsafe(self._next(), self._loop).result()
        if piece is None:
            raise StopIteration
        return piece

    async def _next(self) -> bytes | None:
        if self._is_stopped:
            raise asyncio.CancelledError
        self._asked = asyncio.current_task()
        try:
            return await anext(self._pieces, None)
        except BaseException as error:
            self.error = error
            raise
        finally:
            self._asked = None

    def stop(self) -> None:
        self._is_stopped = True
        if self._asked:
            self._asked.cancel()


def _checked(name: str) -> str:
    if any(part in {"", ".", ".."} or "\0" in part for part in name.split("/")):
        raise ValueError(name)
    return name


def _settle(file: BinaryIO, draft: Path, target: Path) -> None:
    """On the disk, then under its name: after a power failure it is whole, too."""
    file.flush()
    os.fsync(file.fileno())
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _discard(file: BinaryIO, draft: Path) -> None:
    draft.unlink(missing_ok=True)
    try:
        file.close()
    except OSError:
        return  # what could not be written is of no use any more


def _translated(error: BaseError | OSError) -> CMSError:
    """The store knows no class for a full disk or a bucket that is not there, and tells its own structures at length."""
    text = str(error)
    found = _CODE.search(text)
    code = (error.errno if isinstance(error, OSError) else None) or (int(found[1]) if found else 0)
    if code in {errno.ENOSPC, errno.EDQUOT} or _FULL.search(text):
        return StorageFull()
    if "NoSuchBucket" in text:
        reason: str = say("its bucket is not there")
    elif isinstance(error, FileNotFoundError):
        return NotFound()
    elif _REFUSED.search(text):
        reason = say("it refuses the key that it was given")
    else:
        reason = os.strerror(code) if code else say("it answers with an error") if _BROKEN.search(text) else say("it does not answer")
    return _away(reason)


def _away(reason: str) -> StorageAway:
    return StorageAway(say("The storage of files cannot be used: {reason}.", reason=reason))


def _chunks(pieces: "BytesStream") -> Iterator[bytes]:
    """For each the storage has as long as for an answer: one that sends a byte now and then would never be at its end."""
    held, since = bytearray(), time.monotonic()
    for piece in pieces:
        held += piece
        if len(held) >= CHUNK:
            yield bytes(held)
            held, since = bytearray(), time.monotonic()
        elif time.monotonic() - since > PATIENCE.total_seconds():
            raise TimeoutError(errno.ETIMEDOUT, "TimedOut")
    if held:
        yield bytes(held)


async def _in_threads(items: Iterator[Item]) -> AsyncIterator[Item]:
    """Each next item from a thread, as the disk may be slow."""
    while (item := await asyncio.to_thread(next, items, None)) is not None:
        yield item


async def _one(content: bytes) -> AsyncIterator[bytes]:
    yield content
