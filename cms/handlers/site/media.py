"""Uploads. Whatever somebody put into a file, it does nothing to the site: wrong types are not guessed, and nothing in it runs."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from tornado.iostream import StreamClosedError

from cms.content.renditions import TYPES, formats, parse, path
from cms.errors import NotFound
from cms.handlers.site.base import SiteHandler
from cms.media.kinds import SVG
from cms.models.media import Asset
from cms.page_cache.marks import EVERYTHING
from cms.policy import Capability, allows
from cms.services import media, media_places, preview_links
from cms.services.renditions import storage_name
from cms.ui.words import href

CONTENT_POLICY = "sandbox; default-src 'none'; img-src 'self' data:; media-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'"
BY_PREVIEW = "preview"  # the argument with which a preview's page asks for files
FOR_EVER = "public, max-age=31536000, immutable"
CAPTIONS = "text/vtt"
SIGNED_FOR = 3600  # seconds that an address of the storage can be used
SHOWN_IN_PLACE = ("image/", "audio/", "video/")
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


@dataclass(frozen=True, slots=True)
class File:
    """What is sent. ``mark``: of its bytes."""

    storage_name: str
    name: str
    content_type: str
    size: int
    mark: str


class FileHandler(SiteHandler):
    """Bytes that an address names by their digest: they never change."""

    content_policy = CONTENT_POLICY
    is_kept = False  # streamed, and cheap
    is_guest = False  # somebody who looks at a preview

    async def prepare(self) -> None:
        await super().prepare()
        self.is_let_in = self.is_let_in and not self.is_guest

    async def _may_come_in(self) -> bool:
        self.is_guest = await self._is_passed(self.get_query_argument(BY_PREVIEW, ""))
        return self.is_guest or await super()._may_come_in()

    async def _is_passed(self, given: str) -> bool:
        if not given:
            return False
        async with self.read() as session:
            number, now = self.number(self.path_args[0] or ""), self.parts.database.clock()
            return await preview_links.opens_file(session, self.parts.sealer, given, number, now)

    async def find(self, asset_id: str, mark: str, name: str) -> Asset:
        """The asset that has this address, or had it once. Raises ``NotFound``, also for what this reader may not have."""
        frame = await self.parts.door.frame()
        async with self.read() as session:
            asset = await media.get_ready(session, self.number(asset_id))
            if not await media.knows_address(session, asset, mark, name):
                raise NotFound
            is_public = not frame.private_media or await media_places.are_public(session, asset)
        if not is_public and not self.is_guest:
            await self._require_somebody(asset)
        return asset

    async def _require_somebody(self, asset: Asset) -> None:
        """What nobody has published is seen by those at the desk who may see it there, in the library or in a text."""
        self.is_private = True
        await self.load_actor()
        if allows(self.actor, Capability.MEDIA_SEE):
            return
        async with self.read() as session:
            if not await media_places.are_seen_by(session, self.actor, asset):
                raise NotFound

    def lead_to_present(self, address: str) -> None:
        self.redirect(href(address) + self._kept_query, status=302)

    async def send_file(self, file: File, again: Callable[[], Awaitable[Any]] | None = None) -> None:
        """``again``: makes what the storage does not have any more."""
        self._describe(file)
        if self.check_etag_header():
            self.set_status(304)
            return
        if not self.is_guest and self._sent_elsewhere(file):
            return
        span = self._wanted_range(file.size)
        if span is not None and span[0] >= span[1]:
            self._refuse(file.size)
            return
        try:
            await self._stream(file, span)
        except NotFound:
            if again is None or self._headers_written:
                raise
            await again()
            await self._stream(file, span)

    def compute_etag(self) -> str | None:
        """Described with the rest, from the digest and not from what is in the buffer."""
        return self._headers.get("Etag")

    def _describe(self, file: File) -> None:
        self._transforms = []  # compressing would change what lengths and ranges count
        self.set_header("Content-Type", file.content_type)
        self.set_header("Content-Disposition", self._disposition(file))
        self.set_header("Cache-Control", self._keeping)
        self.set_header("Cross-Origin-Resource-Policy", "cross-origin")
        self.set_header("Accept-Ranges", "bytes")
        if self.parts.settings.surrogate_keys:
            self.set_header(self.parts.settings.surrogate_header, EVERYTHING)
        self.set_header("Etag", f'"{file.mark}"')

    @property
    def _keeping(self) -> str:
        if self.is_guest:
            return "private, no-store"  # it is gone when the preview is
        return FOR_EVER.replace("public", "private") if self.is_private else FOR_EVER

    def _disposition(self, file: File) -> str:
        in_place = file.content_type.startswith(SHOWN_IN_PLACE) or file.content_type == CAPTIONS
        return f"{'inline' if in_place else 'attachment'}; filename*=UTF-8''{quote(file.name, safe='')}"

    def _sent_elsewhere(self, file: File) -> bool:
        """By a storage that gives addresses of its own, where the operator wants that. Not what needs more than a type: browsers read words
        from the page's own host only, and a drawing has its sandbox from us. Nor heads, as an address is signed for GET alone."""
        if not self.parts.settings.media_signed or file.content_type in (CAPTIONS, SVG) or self.request.method == "HEAD":
            return False
        url = self.parts.storage.signed_url(
            file.storage_name, seconds=SIGNED_FOR, content_type=file.content_type, disposition=self._disposition(file)
        )
        if url is None:
            return False
        self.set_header("Cache-Control", f"private, max-age={SIGNED_FOR // 2}")
        self.redirect(url, status=302)
        return True

    def _wanted_range(self, size: int) -> tuple[int, int] | None:
        """From which byte to before which; None for everything, as several ranges or none that can be read get (RFC 9110, 14.2)."""
        found = _RANGE.fullmatch(self.request.headers.get("Range", "")) if self.request.method == "GET" else None
        if found is None or self.request.headers.get("If-Range", self.compute_etag()) != self.compute_etag():
            return None
        first, last = found.groups()
        if not first:
            return (max(0, size - int(last)), size) if last else None
        if last and int(last) < int(first):
            return None
        return int(first), min(int(last) + 1, size) if last else size

    def _refuse(self, size: int) -> None:
        self.set_status(416)
        self.set_header("Content-Range", f"bytes */{size}")
        self.set_header("Cache-Control", "no-store")

    async def _stream(self, file: File, span: tuple[int, int] | None) -> None:
        start, end = span or (0, file.size)
        self.set_header("Content-Length", str(end - start))
        if span is not None:
            self.set_status(206)
            self.set_header("Content-Range", f"bytes {start}-{end - 1}/{file.size}")
        if self.request.method == "HEAD":
            return
        try:
            async for piece in self.parts.storage.read(file.storage_name, span):
                self.write(piece)
                await self.flush()
        except StreamClosedError:
            return  # the reader has left


class MediaHandler(FileHandler):
    """What readers get of an asset."""

    async def get(self, asset_id: str, mark: str, name: str) -> None:
        asset = await self.find(asset_id, mark, name)
        if not self.is_at(asset.path):
            self.lead_to_present(asset.path)
            return
        digest = asset.shown_digest
        await self.send_file(File(media.storage_name(digest), asset.name, asset.content_type, asset.shown_size, digest[:32]))


class LatestMediaHandler(FileHandler):
    """The address that a person can type: leads to the present bytes. Numbers alone can be counted through, so the name has to fit."""

    async def get(self, asset_id: str, name: str) -> None:
        asset = await self.find(asset_id, "", name)
        self.lead_to_present(asset.path)


class RenditionHandler(FileHandler):
    """A smaller picture of it, made now if it was not made before."""

    async def get(self, asset_id: str, mark: str, rendition: str, name: str) -> None:
        stem, _, extension = name.rpartition(".")
        spec = parse(rendition, extension)
        if spec is None:
            raise NotFound
        asset = await self.find(asset_id, mark, stem)
        if spec.format not in formats(asset.content_type, asset.frames):
            raise NotFound
        present = replace(spec, focus=asset.focus) if spec.shape else spec
        address = path(asset.path, present)
        if not self.is_at(address):
            self.lead_to_present(address)
            return
        renditions, digest = self.parts.renditions, asset.shown_digest
        size = await renditions.size(asset, present)
        mark = f"{digest[:24]}-{present.file_name}"
        file = File(storage_name(digest, present.file_name), address.rpartition("/")[2], TYPES[spec.format], size, mark)
        await self.send_file(file, lambda: renditions.again(asset, present))
