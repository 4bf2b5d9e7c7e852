"""Form: a request's arguments made into a schema; raw values and errors are kept to show the form again."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from cms.errors import ChangedMeanwhile, InvalidInput
from cms.wording import said, say

Schema = TypeVar("Schema", bound=BaseModel)

_IN_ROW = re.compile(r"([a-z_]+)-([0-9]{1,3})-([a-z_]+)")


class Form(Generic[Schema]):
    """What was typed, field by field, and what is wrong with it.

    A field that is a tuple of schemas has rows, whose parts are sent as ``links-0-label``. Rows without anything that is needed are
    left out and the others numbered anew, so that a row's number is its place in the tuple.
    """

    def __init__(self, schema: type[Schema], values: Mapping[str, Any] | None = None) -> None:
        self.schema = schema
        self.values: dict[str, Any] = dict(values or {})
        self.errors: dict[str, str] = {}
        self.labels: dict[str, str] = {}  # of fields whose names people have chosen

    @classmethod
    def of_request(cls, schema: type[Schema], arguments: Mapping[str, Sequence[bytes]]) -> "Form[Schema]":
        """The last value of each field, or all with commas between of one that takes several; bytes that are not UTF-8 become replacement
        characters, so nothing typed is lost."""
        several = takes_several(schema)
        typed = {
            name: ",".join(each.decode("utf-8", "replace") for each in (sent if name in several else sent[-1:]))
            for name, sent in arguments.items()
            if sent
        }
        return cls(schema, {**typed, **{name: _rows(typed, name, row) for name, row in _row_schemas(schema).items()}})

    @classmethod
    def showing(cls, schema: type[Schema], now: Mapping[str, Any]) -> "Form[Schema]":
        """Of what stands there already, and may be changed by others before it is sent (schemas/seen.py)."""
        return cls(schema, {**now, "seen": json.dumps(now)})

    def value(self) -> Schema:
        """The valid input. Raises ``InvalidInput`` with one sentence for each wrong field, and keeps them in ``errors``."""
        known = {name: value for name, value in self.values.items() if self._is_known(name) and (value not in ("", []) or "." in name)}
        try:
            return self.schema.model_validate(known)
        except ValidationError as error:
            found: dict[str, str] = {}
            for problem in error.errors():
                found.setdefault(self._name(problem["loc"]), _sentence(problem))  # the first of each field
            refusal = InvalidInput(found)
            self.refuse(refusal)
            raise refusal from None

    def _is_known(self, name: str) -> bool:
        """A field that is a map is sent in parts, as ``custom.tide``."""
        return name in self.schema.model_fields or name.partition(".")[0] in _maps(self.schema)

    def refuse(self, error: InvalidInput) -> None:
        """Take over what a service found wrong. What somebody else changed has been told then: sent again, the form goes over it."""
        self.errors = {**error.errors}
        if isinstance(error, ChangedMeanwhile):
            self.values["seen"] = json.dumps(error.seen)

    def __getitem__(self, name: str) -> Any:
        """What to show in a field: as it was typed."""
        if part := _IN_ROW.fullmatch(name):
            rows = self.values.get(part[1]) or []
            value = rows[int(part[2])].get(part[3]) if int(part[2]) < len(rows) else None
        else:
            value = self.values.get(name)
        return "" if value is None else value

    def label(self, name: str) -> str:
        """A row's fields are told apart by its number; a file is no field of the schema."""
        if name in self.labels:
            return self.labels[name]
        if part := _IN_ROW.fullmatch(name):
            return say("{label} {number}", label=said(self._field(name).title or part[3]), number=int(part[2]) + 1)
        return (self._field(name).title if name in self.schema.model_fields else "") or name.capitalize()

    def limit(self, name: str) -> int | None:
        """Most characters a field takes."""
        limits = (getattr(rule, "max_length", None) for rule in self._field(name).metadata)
        return next((limit for limit in limits if limit is not None), None)

    def _field(self, name: str) -> FieldInfo:
        part = _IN_ROW.fullmatch(name)
        return _row_schemas(self.schema)[part[1]].model_fields[part[3]] if part else self.schema.model_fields[name.partition(".")[0]]

    def _name(self, place: tuple[int | str, ...]) -> str:
        """As the field is called in the form."""
        if len(place) > 1 and place[0] in _maps(self.schema):
            return f"{place[0]}.{place[1]}"
        return "-".join(map(str, place)) if place[0] in _row_schemas(self.schema) and len(place) > 1 else str(place[0])


def takes_several(schema: type[BaseModel]) -> set[str]:
    return {name for name, field in schema.model_fields.items() if get_origin(field.annotation) is tuple}


def _maps(schema: type[BaseModel]) -> set[str]:
    return {name for name, field in schema.model_fields.items() if get_origin(field.annotation) is dict}


def _row_schemas(schema: type[BaseModel]) -> dict[str, type[BaseModel]]:
    kinds = {name: next(iter(get_args(field.annotation)), None) for name, field in schema.model_fields.items()}
    return {name: kind for name, kind in kinds.items() if isinstance(kind, type) and issubclass(kind, BaseModel)}


def _rows(typed: Mapping[str, str], name: str, row: type[BaseModel]) -> list[dict[str, str]]:
    found: dict[int, dict[str, str]] = {}
    for key, value in typed.items():
        part = _IN_ROW.fullmatch(key)
        if part and part[1] == name and part[3] in row.model_fields and value != "":
            found.setdefault(int(part[2]), {})[part[3]] = value
    needed = {field for field, info in row.model_fields.items() if info.is_required()}
    return [found[number] for number in sorted(found) if needed & found[number].keys()]


def _sentence(problem: ErrorDetails) -> str:
    """Pydantic's error in words for people; by its type, as its own text speaks to programmers."""
    context, is_text = problem.get("ctx", {}), isinstance(problem["input"], str)
    match problem["type"]:
        case "missing" | "string_too_short" | "too_short" if context.get("min_length", 1) == 1:
            return say("This is needed.")
        case "string_too_short":
            return say("At least {number} characters, please.", number=context["min_length"])
        case "string_too_long" | "too_long" if is_text:
            return say("At most {number} characters, please.", number=context["max_length"])
        case "too_long":
            return say("At most {number}, please.", number=context["max_length"])
        case "int_parsing" | "int_type" | "literal_error" | "enum":
            return say("Choose one of the list.")
        case "greater_than_equal":
            return say("{number} or more, please.", number=context["ge"])
        case "less_than" | "less_than_equal":
            return say("A smaller number, please.")
        case "value_error":
            is_email = problem["loc"][-1] == "email"
            return say("This is not an e-mail address.") if is_email else context["error"].args[0]
        case _:
            return say("This cannot be read.")
