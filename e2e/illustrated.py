"""A post that shows one of everything that the library has, and pictures to look at."""

import hashlib
import io
import random
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFilter

from cms.content.pipeline import render
from cms.db.session import Database
from cms.models import Asset, AssetTrack
from cms.models.media import MediaKind
from cms.policy import Actor
from cms.services import posts, publishing, references
from cms.services.media import storage_name
from tests import factories

TITLE = "Low water"
SIZES = {"quay": (2400, 1600), "mast": (1200, 1800), "pier": (2000, 1500), "gull": (900, 900), "buoy": (1600, 900)}
TEXT = """
The water leaves at night and nobody sees it go, but for those who have a boat in it.

![]({quay})

## A row of boats

![The mast against the sky]({mast})
![The pier, with nobody on it]({pier} "In March the pier is the harbour's own again.")
![A gull]({gull})
![A buoy that came loose]({buoy})
![The quay once more]({quay})

## Further out

![The pier]({pier}){{.wide}}

Nobody has been there since October, when the buoy came loose and was brought in on a cart.

![The buoy in the evening]({buoy})
{{.full}}

## To hear and to keep

![The tide runs out]({film})

![The bell, twice]({bell})

![The plan of the moorings]({plan})

An end, with the [plan]({plan}) once more.
"""


def photograph(name: str) -> bytes:
    """Sky, water and something between, the same each time."""
    (width, height), chance = SIZES[name], random.Random(name)
    image = Image.new("RGB", (width, height))
    drawing = ImageDraw.Draw(image)
    hue = chance.randrange(360)
    for y in range(height):
        light = 82 - 30 * y // height if y < height * 0.6 else 42 - 24 * y // height
        drawing.line((0, y, width, y), fill=f"hsl({(hue + 60 * y // height) % 360}, 42%, {light}%)")
    for _ in range(14):
        x, tall = chance.randrange(width), chance.randrange(height // 12, height // 2)
        drawing.rectangle((x, height * 0.62 - tall, x + width // 60, height * 0.64), fill=f"hsl({chance.randrange(360)}, 30%, 24%)")
    kept = io.BytesIO()
    image.filter(ImageFilter.GaussianBlur(1)).save(kept, "JPEG", quality=85)
    return kept.getvalue()


def illustrate(media: Path) -> Any:
    """``media``: the storage's folder. For ``fill``; answers with the addresses in the text by name."""

    async def make(database: Database, actor: Actor) -> dict[str, str]:
        async with database.transaction() as work:

            async def bring(name: str, content: bytes, kind: MediaKind, content_type: str, **values: Any) -> Asset:
                digest = hashlib.sha256(content).hexdigest()
                file = media / storage_name(digest)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
                usual = {"kind": kind, "content_type": content_type, "size": len(content), "shown_size": len(content)}
                asset = factories.asset_row(digest, name, created_at=work.now, **usual, **values)
                work.session.add(asset)
                await work.session.flush()
                return asset

            known = {}
            for name, (width, height) in SIZES.items():
                known[name] = await bring(f"{name}.jpg", photograph(name), MediaKind.PICTURE, "image/jpeg", width=width, height=height)
            known["quay"].alt, known["quay"].caption = "The quay at low water", "At the lowest water of the year."
            known["quay"].credit, known["quay"].licence = "Ines Falk", "CC BY 4.0"
            known["pier"].focus_x = 20
            words = await bring("film.vtt", b"WEBVTT\n\n00:00.000 --> 00:02.000\nIt runs.\n", MediaKind.CAPTIONS, "text/vtt")
            film = {"width": 1280, "height": 720, "duration": 125, "poster_id": known["gull"].id}
            known["film"] = await bring("film.webm", b"film", MediaKind.VIDEO, "video/webm", **film)
            known["bell"] = await bring("bell.mp3", b"bell", MediaKind.AUDIO, "audio/mpeg", duration=9, caption="The harbour’s bell")
            known["plan"] = await bring("moorings.pdf", b"%PDF-1.7" + b" " * 345_678, MediaKind.FILE, "application/pdf")
            work.session.add(AssetTrack(asset_id=known["film"].id, language="en", track_id=words.id, label="English"))
            paths = {name: asset.path for name, asset in known.items()}
        text = TEXT.format(**paths)
        post = await factories.draft(database, actor, title=TITLE, text=text, picture=known["pier"].id)
        async with database.read() as session:
            context = await references.context(session, post.id, text, "en", "http://localhost")
            seen = await posts.get_draft(session, actor, post.id)
        async with database.transaction() as work:
            await publishing.publish(work, actor, post.id, publishing.Version(seen.version, render(text, context)))
        return paths

    return make
