"""Pictures on the site's own pages: in the sizes that fit, cut around what matters in them where the design cuts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tornado.web import UIModule

from cms.content.context import Media
from cms.content.responsive import COVER, FACT, LEAD, PORTRAIT, THUMB, Offer, Place, offer
from cms.ui.module import Module
from cms.ui.words import href

_CARD = Place("", 1280)  # what others show with a link
_LEAST_CARD = 600  # pixels; one of a smaller crop is not shown large anywhere

Known = Mapping[str, Any]  # as a read document has a picture: Asset.as_shown; older ones lack some


@dataclass(frozen=True, slots=True)
class _Use:
    place: Place
    shape: str = ""
    is_first: bool = False  # it is seen at once
    is_told: bool = False  # else the words beside it say what it is of
    css: str = ""


_USES = {
    "cover": _Use(COVER, is_first=True, is_told=True),
    "lead": _Use(LEAD, "wide", is_first=True),
    "thumb": _Use(THUMB, "wide"),
    "portrait": _Use(PORTRAIT, is_first=True, css="portrait"),
    "fact": _Use(FACT, is_told=True),
}


class Picture(Module):
    """``use``: where on a page it stands."""

    def render(self, picture: Known, use: str) -> str:
        how = _USES[use]
        media = _media(picture)
        offered = offer(media, how.place, how.shape) or Offer((), media.path, "", media.width, media.height)
        alt = picture["alt"] if how.is_told else ""
        return self.render_string("modules/picture.html", offered=offered, how=how, alt=alt).decode()


def shared(picture: Known) -> dict[str, Any]:
    """What others show of it with a link: a crop of the right proportions, unless it is too small, or nobody can cut it."""
    crop = offer(_media(picture), _CARD, "card") if picture.get("frames", 1) == 1 else None
    if crop is None or crop.width < _LEAST_CARD:
        return {"address": href(picture["path"]), "width": picture["width"], "height": picture["height"], "alt": picture["alt"]}
    return {"address": crop.src, "width": crop.width, "height": crop.height, "alt": picture["alt"]}


def _media(picture: Known) -> Media:
    return Media(
        href(picture["path"]),
        content_type=picture.get("type", ""),
        width=picture["width"] or 0,
        height=picture["height"] or 0,
        frames=picture.get("frames", 1),
        focus=tuple(picture.get("focus", (50, 50))),
    )


MODULES: dict[str, type[UIModule]] = {"Picture": Picture}
