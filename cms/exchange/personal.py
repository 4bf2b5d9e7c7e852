"""A person's copy of everything that is kept about him: a ZIP of JSON files, made while it is being sent, so that nothing of it is kept."""

import asyncio
import io
import json
import zipfile
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import IO, Any

from cms.db.session import Database
from cms.models import User
from cms.services import privacy
from cms.services.privacy import Collection

README = """What {site} keeps about {name}, as of {at:%d %B %Y, %H:%M} UTC.

account.json         name, address, role, profile, and which ways to sign in there are
sessions.json        browsers that are signed in
devices.json         browsers that were signed in before, without anything that tells what they are
passkeys.json        passkeys, without the keys
identities.json      accounts elsewhere that may sign in here
one-time-links.json  links that were sent and not used yet, without what they carry
notices.json         mail about the account that waits, or went out in the last days
audit-by.json        what the person did here, in the last 400 days
audit-about.json     what was done to the account
posts.json           texts that the person began or stands above as they are being written
working-copies.json  their drafts as they are now
bylines.json         public texts that have the person's name
revisions.json       versions of texts that the person made
media.json           uploaded files; each can be had at its address
threads.json         comments on texts that the person began, and suggestions
remarks.json         what the person said in such threads
reviews.json         what the person did and said when texts were reviewed
preview-links.json   links to texts that the person made for somebody outside, without what they carry
notifications.json   what the person was told at the desk
views.json           lists that the person keeps under a name

Passwords are kept only as a hash that tells nothing, and are left out, as are all keys and secrets.
"""


async def pieces(database: Database, user: User, site_name: str) -> AsyncIterator[bytes]:
    """The archive, as it grows. Each batch of rows is read by itself: whoever receives slowly holds up nobody."""
    outlet = _Outlet()
    archive = zipfile.ZipFile(outlet, "w", zipfile.ZIP_DEFLATED)
    readme = README.format(site=site_name, name=user.name, at=database.clock())
    async with database.read() as session:
        small = await privacy.kept(session, user.id)
    await asyncio.to_thread(archive.writestr, "README.txt", readme)
    for name, content in small.items():
        await asyncio.to_thread(archive.writestr, f"{name}.json", _json(content))
    yield outlet.take()
    for name, collection in privacy.COLLECTIONS.items():
        with archive.open(f"{name}.json", "w", force_zip64=True) as file:
            async for _ in _fill(file, database, collection, user):
                yield outlet.take()
    archive.close()
    yield outlet.take()


async def _fill(file: IO[bytes], database: Database, collection: Collection, user: User) -> AsyncIterator[None]:
    """A list in JSON, batch by batch."""
    after, separator = 0, "[\n"
    while True:
        async with database.read() as session:
            rows, after = await collection.read(session, user, after)
        if not rows:
            break
        await asyncio.to_thread(_write, file, rows, separator)
        separator = ",\n"
        yield
    file.write(b"\n]\n" if separator == ",\n" else b"[]\n")


def _write(file: IO[bytes], rows: Sequence[dict[str, Any]], separator: str) -> None:
    for row in rows:
        file.write((separator + _json(row)).encode())
        separator = ",\n"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1, default=_plain)


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


class _Outlet(io.RawIOBase):
    """What was written since it was last taken; nothing can be changed any more, so the archive says sizes after each file."""

    def __init__(self) -> None:
        self._written: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._written.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        taken, self._written = b"".join(self._written), []
        return taken
