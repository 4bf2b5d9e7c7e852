"""Custom fields: as inputs at the desk, and as readers see them."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import localcontext
from typing import Any
from urllib.parse import urlsplit

from babel.dates import format_date
from babel.numbers import format_decimal
from tornado.web import UIModule

from cms.models import Asset, CustomField
from cms.models.desk import FieldType
from cms.schemas.post import CUSTOM
from cms.ui.form import Field, FormLike
from cms.ui.module import Module
from cms.ui.site import SiteModule
from cms.ui.words import locale_of
from cms.wording import phrases

TYPES = phrases(
    {
        "text": "Text",
        "number": "Number",
        "date": "Date",
        "choice": "Choice",
        "link": "Link",
        "picture": "Picture",
    }
)
LONGEST = 400  # digits of a number: the largest have 309 before the point
_INPUTS = {FieldType.DATE: {"kind": "date"}, FieldType.NUMBER: {"keys": "decimal"}, FieldType.LINK: {"keys": "url"}}


def labels_of(fields: Iterable[CustomField]) -> dict[str, str]:
    """By the name in a form."""
    return {f"{CUSTOM}{field.key}": field.label for field in fields}


class CustomInput(Module):
    """One field in a form; ``of``: the form's id, if it stands elsewhere."""

    def render(self, field: CustomField, form: FormLike, pictures: Sequence[Asset], *, of: str = "", is_fixed: bool = False) -> str:
        _, name = self.locale.translate, f"{CUSTOM}{field.key}"
        needed = _("Needed before it goes out.") if field.is_required else ""
        hint = " ".join(filter(None, (field.help, needed)))
        options: dict[str, Any] = {**_INPUTS.get(field.type, {})}
        if field.type in (FieldType.CHOICE, FieldType.PICTURE):
            known = _choices(field, pictures)
            said = str(form[name])
            other = [] if not said or said in dict(known) else [(said, _("%s (not offered any more)") % said)]
            options = {"kind": "select", "options": [("", _("None")), *known, *other]}
        drawn = Field(self.handler).render(form, name, hint=hint, of=of, is_fixed=is_fixed, is_checked=bool(of), **options)
        return f'<media-choice data-kind="picture">{drawn}</media-choice>' if field.type is FieldType.PICTURE else drawn


def _choices(field: CustomField, pictures: Sequence[Asset]) -> list[tuple[str, str]]:
    if field.type is FieldType.CHOICE:
        return [(choice, choice) for choice in field.choices]
    return [(str(picture.id), picture.alt or picture.name) for picture in pictures]


class Facts(SiteModule):
    """Those of an article that are set, for readers."""

    def render(self, custom: Sequence[dict[str, Any]] | None, language: str) -> str:
        return self.draw("facts", custom=custom, in_words=lambda each: _in_words(each, language)) if custom else ""


def _in_words(field: dict[str, Any], language: str) -> str:
    """A value that is written; a link by where it leads."""
    value = field["value"]
    match field["type"]:
        case "number":
            with localcontext(prec=LONGEST):
                return format_decimal(value, "#,##0.###############", locale=locale_of(language))
        case "date":
            return format_date(date.fromisoformat(value), "long", locale_of(language))
        case "link":
            parts = urlsplit(value)
            return f"{parts.netloc}{parts.path}".removesuffix("/").removeprefix("www.") or value
    return str(value)


MODULES: dict[str, type[UIModule]] = {"CustomInput": CustomInput, "Facts": Facts}
