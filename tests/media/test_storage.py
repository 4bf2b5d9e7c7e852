"""Each verb on each kind of storage; and what is left, and said, when it is full, away, or somebody is killed."""

import asyncio
import hashlib
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Awaitable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import obstore
import pytest
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from cms.errors import NotFound, StorageAway, StorageFull, Unavailable
from cms.media import storage as module
from cms.media.signing import Key, signed_address
from cms.media.storage import Bucket, Folder, Storage, open_storage
from cms.settings import load
from tests import s3

DIGEST = "ab/cd/abcd"
PIECE = bytes(range(256)) * 1024  # 256 kB
NAMES_THAT_LEAVE = ["../x", "/x", "", "a/../../x", "a//b", "a/\0", ".", "a/./b"]


async def pieces(number: int, then: BaseException | None = None) -> AsyncIterator[bytes]:
    for _ in range(number):
        yield PIECE
    if then:
        raise then


async def content(storage: Storage, name: str, span: tuple[int, int] | None = None) -> bytes:
    return b"".join([piece async for piece in storage.read(name, span)])


async def names(storage: Storage, prefix: str = "") -> dict[str, int]:
    return {name: size async for name, size in storage.list(prefix)}


# --- verbs -----------------------------------------------------------------------------------------------------------------


async def test_bytes_are_kept_under_a_name(storage: Storage, tmp_path: Path) -> None:
    await storage.put(DIGEST, b"twelve bytes")
    await storage.put(DIGEST, b"twelve bytes")  # once more
    assert await content(storage, DIGEST) == b"twelve bytes"
    assert await content(storage, DIGEST, (3, 6)) == b"lve"
    assert await storage.size(DIGEST) == 12
    room = tmp_path / "room"
    room.mkdir()
    path = await storage.local_file(DIGEST, room)
    assert path.read_bytes() == b"twelve bytes"
    assert list(room.iterdir()) == ([] if isinstance(storage, Folder) else [path]), "nothing lies anywhere else"

    (tmp_path / "made").write_bytes(PIECE * 3)
    await storage.put_file("ef/0", tmp_path / "made")
    await storage.put_stream("ef/empty", pieces(0))
    assert await content(storage, "ef/0") == PIECE * 3
    assert await content(storage, "ef/empty") == b""
    assert await names(storage) == {DIGEST: 12, "ef/0": len(PIECE) * 3, "ef/empty": 0}
    assert await names(storage, "ef") == {"ef/0": len(PIECE) * 3, "ef/empty": 0}
    assert await names(storage, "gh") == {}
    assert [name async for name, _ in storage.list(before=datetime.now(UTC) - timedelta(hours=1))] == []

    for _ in range(2):  # what is not there has been deleted
        await storage.delete(DIGEST)
    assert await storage.size(DIGEST) is None
    with pytest.raises(NotFound):
        await content(storage, DIGEST)
    with pytest.raises(NotFound):
        await storage.local_file(DIGEST, room)


async def test_names_do_not_leave(storage: Storage, tmp_path: Path) -> None:
    for name in NAMES_THAT_LEAVE:
        refused = f"^{re.escape(name)}$"
        for verb in (storage.put(name, b"x"), storage.put_stream(name, pieces(1)), storage.size(name), storage.delete(name)):
            with pytest.raises(ValueError, match=refused):
                await verb
        with pytest.raises(ValueError, match=refused):
            await content(storage, name)
        with pytest.raises(ValueError, match=refused):
            await storage.local_file(name, tmp_path)
        if isinstance(storage, Bucket):
            with pytest.raises(ValueError, match=refused):
                storage.signed_url(name, seconds=1, content_type="", disposition="")
    assert await names(storage) == {}


# --- streams ---------------------------------------------------------------------------------------------------------------


async def test_twenty_megabytes_come_through(storage: Storage, tmp_path: Path) -> None:
    """Four at once, one of which reads what another one wrote."""
    await storage.put_stream("from", pieces(80))
    await asyncio.gather(*(storage.put_stream(f"to/{number}", storage.read("from")) for number in range(4)))
    expected = hashlib.sha256(PIECE * 80).hexdigest()
    for number in range(4):
        assert hashlib.sha256(await content(storage, f"to/{number}")).hexdigest() == expected
    assert await storage.size("to/3") == len(PIECE) * 80


class Mine(Exception):
    pass


@pytest.mark.parametrize("error", [Mine("mine"), OSError(5, "mine"), StorageFull("mine")])
async def test_half_a_stream_leaves_nothing(storage: Storage, error: Exception) -> None:
    with pytest.raises(type(error), match="mine") as raised:
        await storage.put_stream(DIGEST, pieces(40, error))
    assert raised.value is error, "what the iterator raised, not what a storage would"
    await assert_nothing_is_left(storage)


async def test_cancelled_in_the_middle_leaves_nothing(storage: Storage) -> None:
    reached = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        async for piece in pieces(40):
            yield piece
        reached.set()
        await asyncio.Event().wait()

    sending = asyncio.create_task(storage.put_stream(DIGEST, endless()))
    await reached.wait()
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    await assert_nothing_is_left(storage)


async def assert_nothing_is_left(storage: Storage) -> None:
    assert await names(storage) == {}
    assert await storage.size(DIGEST) is None
    if isinstance(storage, Bucket):
        found = urllib.request.urlopen(f"{storage._address.removesuffix(s3.PREFIX)}?uploads").read()
        assert b"ListMultipartUploadsResult" in found
        assert b"<Upload>" not in found


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from cms.media.storage import Folder

async def pieces():
    yield b"x" * 1_000_000
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(Folder(Path(sys.argv[1])).put_stream("ab/x", pieces()))
"""


async def test_killed_in_the_middle_leaves_what_a_listing_shows_and_nothing_under_the_name(tmp_path: Path) -> None:
    assert subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "media")], check=False).returncode == -9
    storage = Folder(tmp_path / "media")
    assert await storage.size("ab/x") is None
    (left,) = await names(storage)
    assert left.startswith(module.DRAFT)
    await storage.delete(left)
    assert list((tmp_path / "media").rglob("*")) == []


# --- full, or away ---------------------------------------------------------------------------------------------------------

FULL = """
mount -t tmpfs -o size=64k none "$1" && exec "$2" -c '
import asyncio, os, sys
from pathlib import Path
from cms.errors import CMSError
from cms.media.storage import Folder

async def pieces():
    for _ in range(100):
        yield b"x" * 10_000

storage = Folder(Path(sys.argv[1]) / "media")
for verb in (storage.put("aa/x", b"x" * 1_000_000), storage.put_stream("aa/y", pieces())):
    try:
        asyncio.run(verb)
    except CMSError as error:
        print(type(error).__name__, error.message)
print(*[file for _, _, files in os.walk(sys.argv[1]) for file in files], "left")
' "$1"
"""


def test_a_full_disk_is_one_sentence_and_has_room_again(tmp_path: Path) -> None:
    if not shutil.which("unshare") or subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False).returncode:
        pytest.skip("no disk can be made that is full")
    command = ["unshare", "-rm", "sh", "-c", FULL, "sh", str(tmp_path), sys.executable]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    one, other, left = said.stdout.splitlines()
    assert one == other
    assert one.startswith("StorageFull The disk is full"), said.stderr
    assert left == "left"


@pytest.mark.parametrize(
    "answer",
    [
        "Server returned non-2xx status code: 507 Insufficient Storage",
        "400 Bad Request: <Error><Code>XMinioAdminBucketQuotaExceeded</Code>",
        "403 Forbidden: <Error><Code>QuotaExceeded</Code>",
    ],
)
def test_a_full_bucket_is_a_full_disk(answer: str) -> None:
    assert isinstance(module._translated(obstore.exceptions.GenericError(answer)), StorageFull)


async def every_verb_says(storage: Storage, words: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    for verb in (
        storage.put(DIGEST, b"x"), storage.put_stream(DIGEST, pieces(1)), storage.put_file(DIGEST, tmp_path / "file"),
        storage.delete(DIGEST),
        storage.size(DIGEST), content(storage, DIGEST), names(storage), storage.local_file(DIGEST, tmp_path),
    ):  # fmt: skip
        with pytest.raises(Unavailable, match=f"The storage of files cannot be used: {words}"):
            await verb


async def test_a_storage_that_is_away_is_one_sentence(tmp_path: Path) -> None:
    with s3.Server() as server:
        settings = load({"SQUALL_DATA": str(tmp_path), **server.new_bucket()})
        storage = open_storage(settings)
        await storage.put("a", b"x")
        missing = open_storage(settings.model_copy(update={"media_url": "s3://another"}))
        await every_verb_says(missing, "its bucket is not there", tmp_path)
        server.ask("POST", "/moto-api/reset-auth", b"0")  # from now on it looks at keys, and has never heard of this one
        await every_verb_says(storage, "it refuses the key", tmp_path)
    await every_verb_says(storage, "Connection refused", tmp_path)


async def assert_is_away(verb: Awaitable[object], words: str = "it does not answer") -> None:
    with pytest.raises(StorageAway, match=words):
        await verb


async def test_a_silent_storage_is_asked_by_few_and_all_are_told_soon(
    s3_server: s3.Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, seconds in (("PATIENCE", 0.5), ("SENDING", 0.5)):
        monkeypatch.setattr(module, name, timedelta(seconds=seconds))
    monkeypatch.setattr(module, "PAUSE", 0.3)
    async with s3.Between(s3_server) as between:
        settings = load({"SQUALL_DATA": str(tmp_path), **s3_server.new_bucket(), "SQUALL_S3_ENDPOINT": between.address})
        storage = open_storage(settings)
        await storage.put("a", b"x")
        between.mood, between.heard = "silent", 0
        await asyncio.wait_for(asyncio.gather(*(assert_is_away(content(storage, "a")) for _ in range(100))), 5)
        assert between.heard <= 4 * module.THREADS, "not each of them waited; those who do try four times"
        await assert_is_away(storage.put_stream("b", pieces(1)))
        assert not storage.is_waited_for
        between.mood = "open"
        while True:
            with suppress(StorageAway):
                assert await content(storage, "a") == b"x"
                break
            await asyncio.sleep(0.05)
        assert await storage.size("a") == 1, "as it answers, nobody waits any more"


async def test_what_is_sent_to_a_storage_that_falls_silent_is_refused_long_before_a_slow_one_would_be(
    s3_server: s3.Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", timedelta(seconds=0.5))
    monkeypatch.setattr(module, "PAUSE", 0.3)
    monkeypatch.setattr(module, "LISTENING", 0.1)
    async with s3.Between(s3_server) as between:
        storage = open_storage(load({"SQUALL_DATA": str(tmp_path), **s3_server.new_bucket(), "SQUALL_S3_ENDPOINT": between.address}))
        await storage.put("a", b"x")
        between.mood = "silent"
        await asyncio.wait_for(assert_is_away(storage.put_stream("b", pieces(1))), 10)


async def test_a_storage_that_sends_a_byte_now_and_then_is_away(
    s3_server: s3.Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", timedelta(seconds=0.5))
    async with s3.Between(s3_server) as between:
        settings = load({"SQUALL_DATA": str(tmp_path), **s3_server.new_bucket(), "SQUALL_S3_ENDPOINT": between.address})
        await open_storage(settings).put("a", bytes(1000))
        between.mood = "slow"
        await assert_is_away(content(open_storage(settings), "a"), "timed out")
        await assert_is_away(names(open_storage(settings)))


async def test_what_is_sent_slowly_arrives(s3_server: s3.Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a part that takes longer than an answer may."""
    monkeypatch.setattr(module, "PATIENCE", timedelta(seconds=0.2))
    async with s3.Between(s3_server) as between:
        storage = open_storage(load({"SQUALL_DATA": str(tmp_path), **s3_server.new_bucket(), "SQUALL_S3_ENDPOINT": between.address}))
        between.delay = 0.5
        await storage.put_stream("a", pieces(40))


async def test_a_folder_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    storage = Folder(tmp_path / "media")
    (tmp_path / "media" / "file").write_bytes(b"x")
    with pytest.raises(Unavailable, match="The storage of files cannot be used: Not a directory"):
        await content(storage, "file/below")


# --- signed addresses ------------------------------------------------------------------------------------------------------


async def test_signed_addresses_say_what_is_sent(storage: Storage) -> None:
    await storage.put(DIGEST, b"<p>")
    address = storage.signed_url(
        DIGEST, seconds=60, content_type="text/html; charset=utf-8", disposition="attachment; filename*=UTF-8''a%20b"
    )
    if isinstance(storage, Folder):
        assert address is None
        return
    assert address is not None
    with urllib.request.urlopen(address) as answer:
        assert answer.read() == b"<p>"
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''a%20b"
    assert open_storage(load({"SQUALL_MEDIA_URL": "s3://bucket"})).signed_url("a", seconds=1, content_type="", disposition="") is None


@pytest.mark.parametrize(
    "query", [{}, {"response-content-type": "a/b", "response-content-disposition": "inline; filename*=UTF-8''a%20(b)~ö"}]
)
def test_addresses_are_signed_as_amazon_does(query: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime(2026, 11, 29, 12, tzinfo=UTC)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda remove_tzinfo=True: now)
    place = "https://s3.example.org:9000/bucket/a/site/ab/cd"
    request = AWSRequest("GET", place, params=dict(sorted(query.items())))
    S3SigV4QueryAuth(Credentials("squall", s3.SECRET), "s3", "eu-1", expires=60).add_auth(request)
    ours = signed_address(place, query, Key("squall", s3.SECRET), "eu-1", 60, now)
    assert ours.rpartition("=")[2] == request.url.rpartition("=")[2]
