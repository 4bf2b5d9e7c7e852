"""Fields that administrators define for posts or pages: what they mean, what may stand in them, and what readers get of it.

A working copy keeps what was typed, right or not yet, below ``custom.KEY``; whatever nobody defines any more stays there unseen.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cms import policy
from cms.content.folding import fold
from cms.content.safe_url import is_safe_link
from cms.content.slugs import slugify
from cms.db.session import Work
from cms.errors import InvalidInput, NotFound
from cms.models import Asset, CustomField, TrashedThing, User
from cms.models.desk import FieldType, TrashKind
from cms.models.post import Kind
from cms.policy import Actor, Capability
from cms.schemas.fields import FieldInput, NewFieldInput
from cms.schemas.post import CUSTOM, CustomText, PostFields
from cms.schemas.seen import Shown
from cms.services import audit, jobs, media, site, trashed_things
from cms.wording import say

MOST = 40  # for one kind
FOLLOWING = "follow_label"  # the job by which labels of what is public follow (services/field_labels.py)
NEEDED = "This is needed before it goes out."
NO_PICTURE = "There is no such picture any more; choose another."

_TEXT = TypeAdapter[str](CustomText)


# --- what is defined -------------------------------------------------------------------------------------------------------


async def list_of(session: AsyncSession, kind: Kind) -> Sequence[CustomField]:
    """In the order in which they stand in the editor and before readers."""
    wanted = select(CustomField).where(CustomField.kind == kind).order_by(CustomField.position, CustomField.id)
    return (await session.scalars(wanted)).all()


_ALL = select(CustomField).order_by(CustomField.position, CustomField.id)


async def all_of(session: AsyncSession) -> dict[Kind, list[CustomField]]:
    found: dict[Kind, list[CustomField]] = {kind: [] for kind in Kind}
    for field in await session.scalars(_ALL):
        found[field.kind].append(field)
    return found


async def get(session: AsyncSession, field_id: int, *, lock: bool = False) -> CustomField:
    field = await session.get(CustomField, field_id, with_for_update=lock)
    if field is None:
        raise NotFound
    return field


def shown_in_form(field: CustomField) -> Shown:
    choices = {"choices": "\n".join(field.choices)} if field.type is FieldType.CHOICE else {}
    return {"label": field.label, "help": field.help, "is_required": field.is_required, **choices}


async def define(work: Work, actor: Actor, wanted: NewFieldInput, key: str = "") -> CustomField:
    """At the end of its kind. Its key is made of the label, unless it has one from elsewhere, and stays whatever the label becomes."""
    field = await _add(work, actor, wanted, key)
    audit.note(work, actor, "field.create", "field", field.id, key=field.key)
    return field


async def _add(work: Work, actor: Actor, wanted: NewFieldInput, key: str) -> CustomField:
    policy.require(actor, Capability.SITE_CONFIGURE)
    kind, type = Kind(wanted.kind), FieldType(wanted.type)
    others = await list_of(work.session, kind)
    if len(others) >= MOST:
        raise InvalidInput({"label": say("There are {most} fields already; more would be too many for anybody to fill in.", most=MOST)})
    _require_right(wanted, type, others)
    taken = {other.key for other in others}
    if key in taken:
        raise InvalidInput({"label": "Another field has this key already."})
    field = CustomField(
        kind=kind, key=key or _key(wanted.label, taken), label=wanted.label, type=type, help=wanted.help,
        choices=list(wanted.offered) if type is FieldType.CHOICE else [], is_required=wanted.is_required,
        position=max((other.position for other in others), default=0) + 1,
    )  # fmt: skip
    work.session.add(field)
    await work.session.flush()
    return field


async def change(work: Work, actor: Actor, field_id: int, wanted: FieldInput) -> CustomField:
    """All but its kind, key and type, by which texts have it already. What others changed since the form was shown stays. Raises
    ``InvalidInput`` by field."""
    policy.require(actor, Capability.SITE_CONFIGURE)
    field = await get(work.session, field_id, lock=True)
    wanted = wanted.beside(shown_in_form(field))
    _require_right(wanted, field.type, [each for each in await list_of(work.session, field.kind) if each is not field])
    values = {"label": wanted.label, "help": wanted.help, "is_required": wanted.is_required}
    if field.type is FieldType.CHOICE:
        values["choices"] = list(wanted.offered)
    sides = audit.difference({name: getattr(field, name) for name in values}, values)
    if sides:
        for name, value in values.items():
            setattr(field, name, value)
        audit.note(work, actor, "field.edit", "field", field.id, **sides)
        if "label" in sides["after"]:
            await jobs.enqueue(work, FOLLOWING, field=field.id)
    return field


async def move(work: Work, actor: Actor, field_id: int, by: int) -> CustomField:
    """Up (-1) or down (1) among those of its kind; at the end it stays where it is."""
    policy.require(actor, Capability.SITE_CONFIGURE)
    field = await get(work.session, field_id)
    order = list(await list_of(work.session, field.kind))
    place = order.index(field)
    order.insert(max(0, place + by), order.pop(place))
    for position, each in enumerate(order, start=1):
        each.position = position
    if order.index(field) != place:
        audit.note(work, actor, "field.move", "field", field.id)
    return field


async def delete(work: Work, actor: Actor, field_id: int) -> TrashedThing:
    """What stands in texts stays in them and in their revisions, and is not shown."""
    policy.require(actor, Capability.SITE_CONFIGURE)
    await site.hold(work)
    field = await get(work.session, field_id)
    await work.session.delete(field)
    line = audit.note(work, actor, "field.delete", "field", field.id, name=field.label, key=field.key)
    was = {name: getattr(field, name) for name in ("kind", "key", "type", "help", "choices", "is_required", "position")}
    return await trashed_things.put(work, TrashKind.FIELD, line, field.label, was)


async def restore(work: Work, actor: Actor, thing: TrashedThing) -> None:
    """With its key, so that all that texts have in it is there again. Raises ``InvalidInput`` if another is called so, or has the key."""
    was = {**thing.was, "choices": "\n".join(thing.was["choices"])}
    field = await _add(work, actor, NewFieldInput(label=thing.name, **was), thing.was["key"])
    field.position = thing.was["position"]


def _require_right(wanted: FieldInput, type: FieldType, others: Iterable[CustomField]) -> None:
    if any(fold(other.label) == fold(wanted.label) for other in others):
        raise InvalidInput({"label": "Another field is called so already."})
    if type is FieldType.CHOICE and len(wanted.offered) < 2:
        raise InvalidInput({"choices": "Write at least two, one on each line."})


def _key(label: str, taken: Collection[str]) -> str:
    words = slugify(label).replace("-", "_")[:30].strip("_")
    stem = words if words[:1].isalpha() and words.isascii() else f"field_{words}" if words.isascii() and words else "field"
    names = (f"{stem}_{number}" if number else stem for number in (0, *range(2, MOST + 3)))
    return next(name for name in names if name not in taken)


# --- what may stand in them ------------------------------------------------------------------------------------------------


async def typed(session: AsyncSession, actor: Actor, kind: Kind, said: Mapping[str, str], before: Mapping[str, str]) -> dict[str, str]:
    """What a form says, as keys of the map. What nobody defines any more is left out. Raises ``InvalidInput``."""
    fields = [field for field in await list_of(session, kind) if field.key in said]
    changes = {field.key: said[field.key] for field in fields}
    errors = {f"{CUSTOM}{field.key}": words for field in fields if (words := _wrong_with(field, changes[field.key]))}
    for field in fields:
        value = changes[field.key]
        if field.type is FieldType.PICTURE and value != before.get(field.key, "") and not await _may_use(session, actor, value):
            errors[f"{CUSTOM}{field.key}"] = NO_PICTURE
    if errors:
        raise InvalidInput(errors)
    return {f"{CUSTOM}{key}": value for key, value in changes.items()}


async def settled(
    session: AsyncSession, kind: Kind, writer: User | None, said: Mapping[str, Any], kept: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """What a document says of them: what the working copy takes over, and what has to be set back in the document.

    What is only typed wrong is taken over: it is said where it is typed, and nothing goes out with it.
    """
    names = {name for name in said if name.startswith(CUSTOM)} | {f"{CUSTOM}{key}" for key in kept}
    changed = {name for name in names if (said.get(name) or "") != kept.get(name.removeprefix(CUSTOM), "")}
    fields = {f"{CUSTOM}{field.key}": field for field in await list_of(session, kind)} if changed else {}
    taken, back = dict[str, str](), dict[str, str]()
    for name in sorted(changed):
        value, before = _cleaned(said.get(name)), kept.get(name.removeprefix(CUSTOM), "")
        is_picture = name in fields and fields[name].type is FieldType.PICTURE
        if name not in fields or (is_picture and writer and not await _may_use(session, writer.actor, value or "")):
            back[name] = before
        elif value is not None and value != before:
            taken[name] = value
    return taken, back


async def wrong(session: AsyncSession, kind: Kind, said: Mapping[str, str]) -> dict[str, str]:
    """By the name of the field, what is not right in those that are set."""
    return {
        f"{CUSTOM}{field.key}": words for field in await list_of(session, kind) if (words := _wrong_with(field, said.get(field.key, "")))
    }


async def require(session: AsyncSession, fields: Sequence[CustomField], text: PostFields) -> None:
    """Raises ``InvalidInput`` if the text cannot go out: something is wrong, or missing that is needed."""
    said = text.custom
    errors = {
        field: _wrong_with(field, said.get(field.key, "")) or (NEEDED if field.is_required and field.key not in said else "")
        for field in fields
    }
    for field, asset_id in _pictures(fields, said):
        if await session.get(Asset, asset_id) is None:
            errors[field] = NO_PICTURE
    if any(errors.values()):
        raise InvalidInput(
            {f"{CUSTOM}{field.key}": say("{label}: {words}", label=field.label, words=words) for field, words in errors.items() if words}
        )


def _cleaned(value: Any) -> str | None:
    """None for what cannot be kept."""
    try:
        return _TEXT.validate_python(value or "")
    except ValidationError:
        return None


async def _may_use(session: AsyncSession, actor: Actor, value: str) -> bool:
    return not value or (_is_number(value) and await media.is_picture_for(session, actor, int(value)))


def _is_number(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) < 19


def _wrong_with(field: CustomField, said: str) -> str:
    """A sentence, or ""."""
    try:
        if said:
            _read(field, said)
    except ValueError as error:
        reason: str = error.args[0]
        return reason
    return ""


def _read(field: CustomField, said: str) -> str | float:
    """The value that was typed. Raises ``ValueError`` with a sentence."""
    match field.type:
        case FieldType.NUMBER:
            return _number(said)
        case FieldType.DATE:
            return _day(said)
        case FieldType.CHOICE if said not in field.choices:
            raise ValueError("Choose one of the list.")
        case FieldType.LINK if not _is_link(said):
            raise ValueError("Write a whole address, like https://example.org/tides, or one of this site that begins with a slash.")
        case FieldType.PICTURE if not _is_number(said):
            raise ValueError(NO_PICTURE)
    return said


def _number(said: str) -> float:
    try:
        number = float(said.replace("\u2212", "-").replace(",", ".", 1))
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or "_" in said:
        raise ValueError("Write a number, like 12 or 3.5.")
    return int(number) if number == int(number) and abs(number) < 2**53 else number


def _day(said: str) -> str:
    try:
        return date.fromisoformat(said).isoformat() if len(said) == len("2026-11-29") else _no_day()
    except ValueError:
        return _no_day()


def _no_day() -> str:
    raise ValueError("Write a day of the calendar, like 2026-11-29.") from None


def _is_link(said: str) -> bool:
    try:
        parts = urlsplit(said)
    except ValueError:  # half an IPv6 address, for example
        return False
    is_whole = parts.scheme in ("mailto", "tel") or (parts.scheme in ("http", "https") and bool(parts.netloc))
    is_here = said.startswith("/") and not said.startswith("//")
    return (is_whole or is_here) and " " not in said and "\\" not in said and is_safe_link(said)


# --- what readers get ------------------------------------------------------------------------------------------------------


def pictures_of(fields: Mapping[Kind, Sequence[CustomField]], texts: Iterable[PostFields]) -> set[int]:
    """The ids of pictures that stand in custom fields."""
    return {asset_id for text in texts for each in fields.values() for asset_id in pictures_in(each, text).values()}


def pictures_in(fields: Iterable[CustomField], text: PostFields) -> dict[str, int]:
    """The same, by key."""
    return {field.key: asset_id for field, asset_id in _pictures(fields, text.custom)}


def shown(fields: Sequence[CustomField], said: Mapping[str, str], pictures: Mapping[int, Asset]) -> list[dict[str, Any]]:
    """For the read document: those that are set and right, in order."""
    return [
        {"key": field.key, "label": field.label, "type": field.type.value, "value": value}
        for field in fields
        if (value := _value(field, said.get(field.key, ""), pictures)) is not None
    ]


def _value(field: CustomField, said: str, pictures: Mapping[int, Asset]) -> Any:
    if not said or _wrong_with(field, said):
        return None
    if field.type is not FieldType.PICTURE:
        return _read(field, said)
    asset = pictures.get(int(said))
    return asset.as_shown if asset else None


def _pictures(fields: Iterable[CustomField], said: Mapping[str, str]) -> list[tuple[CustomField, int]]:
    pictures = [(field, said.get(field.key, "")) for field in fields if field.type is FieldType.PICTURE]
    return [(field, int(value)) for field, value in pictures if _is_number(value)]
