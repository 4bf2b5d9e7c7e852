"""One of the library: all that can be changed of it, where it is shown, what was sent, and the words of a film."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from tornado.iostream import StreamClosedError

from cms.db.session import ReadSession
from cms.errors import Conflict, InvalidInput
from cms.handlers.admin.media import LibraryHandler
from cms.handlers.forms import Form
from cms.models import Asset
from cms.models.media import MediaKind
from cms.policy import Capability
from cms.schemas.audit import AuditQuery
from cms.schemas.library import LEAST_LEFT, AssetInput, DescriptionInput, TrackInput
from cms.services import audit, folders, library, media, media_changes, media_edits, media_places, media_tracks
from cms.services.library import Row
from cms.ui.library import crops
from cms.wording import phrases

ACTS_SHOWN = 10
TURNS = phrases(((0, "Not turned"), (90, "To the right"), (180, "Upside down"), (270, "To the left")))


class OneHandler(LibraryHandler, is_base=True):
    async def load(self, number: str) -> Row:
        async with self.read() as session:
            return await library.get(session, self.actor, self.number(number))

    async def show(self, row: Row, form: Form[AssetInput], *, status: int = 200, **values: Any) -> None:
        """``values``: ``differing``, fields that two changed; ``track``, a form that was refused."""
        asset = row.asset
        async with self.read() as session:
            uses = await media_places.find(session, self.actor, asset.id)
            branches = await folders.tree(session)
            tracks = await media_tracks.list_of(session, asset.id) if asset.kind in media_tracks.PLAYED else []
            captions = await library.newest(session, MediaKind.CAPTIONS) if tracks or asset.kind in media_tracks.PLAYED else []
            pictures = await library.newest(session, MediaKind.PICTURE, asset.poster_id) if asset.kind is MediaKind.VIDEO else []
            acts = await self._acts(session, asset) if self.may(Capability.AUDIT_SEE) else None
        given = {"differing": None, "track": Form(TrackInput), "status": status, **values}
        self.set_status(status)
        self.render(
            "admin/media/one.html", row=row, asset=asset, form=form, uses=uses, folders=folders.choices(branches), tracks=tracks,
            captions=captions, pictures=pictures, acts=acts, can_cut=media_edits.is_cut(asset), least=LEAST_LEFT,
            turns=[(value, self.locale.translate(words)) for value, words in TURNS], crops=crops(asset),
            flash=self.take_flash() if status == 200 else None, **given,
        )  # fmt: skip

    async def _acts(self, session: ReadSession, asset: Asset) -> audit.Record:
        about = AuditQuery.model_validate({"subject": f"asset {asset.id}"})
        return await audit.list_lines(session, self.actor, about, self.parts.last_frame.zone, ACTS_SHOWN)


class AssetHandler(OneHandler):
    """Whoever may only look finds it to be used. A script that brought a picture sends its alternative text alone, and is told in JSON."""

    requires = Capability.MEDIA_SEE

    async def get(self, number: str) -> None:
        row = await self.load(number)
        await self.show(row, form_of(row))

    async def post(self, number: str) -> None:
        if self.request.headers.get("Accept", "").startswith("application/json"):
            await self._describe(self.number(number))
            return
        form, row = self.form(AssetInput), await self.load(number)
        try:
            wanted = form.value()
            await media_edits.save(self.parts.intake, self.in_transaction, self.actor, row.asset, wanted)
        except InvalidInput as error:
            form.refuse(error)
            await self.show(row, form, status=422)
        except Conflict:
            await self._show_conflict(await self.load(number), form)
        else:
            self.flash("Saved. Texts that show it follow within a minute.")
            self.redirect_to("admin.asset", row.asset.id)

    async def _show_conflict(self, row: Row, form: Form[AssetInput]) -> None:
        """Theirs is kept, one's own is in the form with their version: sent again, it goes over theirs."""
        if str(form["version"]) == str(row.asset.version):
            raise Conflict
        stored = form_of(row)
        names = [
            name for name in AssetInput.model_fields if name != "version" and str(stored[name]) != str(form[name]).replace("\r\n", "\n")
        ]
        differing = [(form.label(name), str(stored[name]), str(form[name])) for name in names]
        form.values["version"] = row.asset.version
        await self.show(row, form, status=409, differing=differing)

    async def _describe(self, asset_id: int) -> None:
        form = self.form(DescriptionInput)
        wanted = form.value().model_dump()
        asset = await self.in_transaction(lambda work: media_changes.describe(work, self.actor, asset_id, wanted))
        self.finish({"id": asset.id, "alt": asset.alt, "is_decorative": asset.is_decorative, "version": asset.version})


class TracksHandler(OneHandler):
    requires = Capability.MEDIA_EDIT

    async def post(self, number: str) -> None:
        track, row = self.form(TrackInput), await self.load(number)
        try:
            wanted = track.value()
            await self.in_transaction(lambda work: media_tracks.put(work, self.actor, row.asset.id, wanted))
        except InvalidInput as error:
            track.refuse(error)
            await self.show(row, form_of(row), status=422, track=track)
            return
        self._go_back(row.asset)

    async def delete(self, number: str) -> None:
        row, language = await self.load(number), self.get_body_argument("language", "")
        await self.in_transaction(lambda work: media_tracks.take_away(work, self.actor, row.asset.id, language))
        self._go_back(row.asset)

    def _go_back(self, asset: Asset) -> None:
        self.flash("Saved. Texts that show it follow within a minute.")
        self.redirect_to("admin.asset", asset.id)


class OriginalHandler(OneHandler):
    """What was sent, as it was: to be kept, or to be looked at by whoever cuts it."""

    requires = Capability.MEDIA_SEE
    content_policy = "sandbox; default-src 'none'; frame-ancestors 'none'"

    async def get(self, number: str) -> None:
        asset = (await self.load(number)).asset
        is_looked_at = bool(self.get_query_argument("shown", "")) and media_edits.is_cut(asset)
        self._transforms = []
        self.set_header("Content-Type", asset.content_type if is_looked_at else "application/octet-stream")
        self.set_header("Content-Length", str(asset.size))
        if not is_looked_at:
            self.set_header("Content-Disposition", f"attachment; filename*=UTF-8''{quote(asset.name, safe='')}")
        if self.request.method == "HEAD":
            return
        try:
            async for piece in self.parts.storage.read(media.storage_name(asset.digest)):
                self.write(piece)
                await self.flush()
        except StreamClosedError:
            return  # whoever asked has left


def form_of(row: Row) -> Form[AssetInput]:
    asset, crop = row.asset, row.asset.edits.get("crop", (0, 0, 10_000, 10_000))
    left, top, width, height = (f"{part / 100:g}" for part in crop)
    values: Mapping[str, Any] = {
        "name": media.stem_of(asset.name),
        **{name: getattr(asset, name) for name in ("alt", "caption", "credit", "licence", "description", "focus_x", "focus_y", "version")},
        "is_decorative": "on" if asset.is_decorative else "",
        "tags": ", ".join(row.tags),
        "folder": asset.folder_id or "",
        "poster": asset.poster_id or "",
        "rotation": asset.edits.get("rotation", 0),
        "crop_left": left,
        "crop_top": top,
        "crop_width": width,
        "crop_height": height,
    }
    return Form(AssetInput, values)
