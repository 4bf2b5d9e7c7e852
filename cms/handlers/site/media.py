"""Uploads. Whatever somebody put into a file, it does nothing to the site: wrong types are not guessed, and nothing in it runs."""

import re
from urllib.parse import quote

from tornado.iostream import StreamClosedError

from cms.errors import NotFound
from cms.handlers.site.base import SiteHandler
from cms.models.media import Asset
from cms.services import media

CONTENT_POLICY = "sandbox; default-src 'none'; img-src 'self' data:; media-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'"
FOR_EVER = "public, max-age=31536000, immutable"
SHOWN_IN_PLACE = ("image/", "audio/", "video/")
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


class MediaHandler(SiteHandler):
    """The bytes that an address names by their digest: they never change."""

    content_policy = CONTENT_POLICY
    is_kept = False  # streamed, and cheap

    async def get(self, asset_id: str, digest: str, name: str) -> None:
        async with self.read() as session:
            asset = await media.get(session, self.number(asset_id))
        if (asset.digest[:12], asset.name) != (digest, name):
            raise NotFound
        self._describe(asset)
        if self.check_etag_header():
            self.set_status(304)
            return
        span = self._wanted_range(asset.size)
        if span is not None and span[0] >= span[1]:
            self._refuse(asset.size)
        else:
            await self._stream(asset, span)

    def compute_etag(self) -> str | None:
        """Described with the rest, from the digest and not from what is in the buffer."""
        return self._headers.get("Etag")

    def _describe(self, asset: Asset) -> None:
        self._transforms = []  # compressing would change what lengths and ranges count
        in_place = asset.content_type.startswith(SHOWN_IN_PLACE)
        self.set_header("Content-Type", asset.content_type)
        self.set_header("Content-Disposition", f"{'inline' if in_place else 'attachment'}; filename*=UTF-8''{quote(asset.name, safe='')}")
        self.set_header("Cache-Control", FOR_EVER.replace("public", "private") if self.is_private else FOR_EVER)
        self.set_header("Cross-Origin-Resource-Policy", "cross-origin")
        self.set_header("Accept-Ranges", "bytes")
        self.set_header("Etag", f'"{asset.digest[:32]}"')

    def _wanted_range(self, size: int) -> tuple[int, int] | None:
        """From which byte to before which; None for everything, as several ranges or none that can be read get (RFC 9110, 14.2)."""
        found = _RANGE.fullmatch(self.request.headers.get("Range", ""))
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

    async def _stream(self, asset: Asset, span: tuple[int, int] | None) -> None:
        start, end = span or (0, asset.size)
        self.set_header("Content-Length", str(end - start))
        if span is not None:
            self.set_status(206)
            self.set_header("Content-Range", f"bytes {start}-{end - 1}/{asset.size}")
        if self.request.method == "HEAD":
            return
        try:
            async for piece in self.parts.storage.read(media.storage_name(asset.digest), span):
                self.write(piece)
                await self.flush()
        except StreamClosedError:
            return  # the reader has left


class LatestMediaHandler(SiteHandler):
    """The address that a person can type: leads to the present bytes. Numbers alone can be counted through, so the name has to fit."""

    is_kept = False

    async def get(self, asset_id: str, name: str) -> None:
        async with self.read() as session:
            asset = await media.get(session, self.number(asset_id))
        if asset.name != name:
            raise NotFound
        self.redirect_to_path(asset.path, status=302)
