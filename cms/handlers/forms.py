"""Form: a request's arguments made into a schema; raw values and errors are kept to show the form again."""

from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from cms.errors import InvalidInput

Schema = TypeVar("Schema", bound=BaseModel)


class Form(Generic[Schema]):
    """What was typed, field by field, and what is wrong with it."""

    def __init__(self, schema: type[Schema], values: Mapping[str, Any] | None = None) -> None:
        self.schema = schema
        self.values: dict[str, Any] = dict(values or {})
        self.errors: dict[str, str] = {}

    @classmethod
    def of_request(cls, schema: type[Schema], arguments: Mapping[str, Sequence[bytes]]) -> "Form[Schema]":
        """The last value of each field; bytes that are not UTF-8 become replacement characters, so nothing typed is lost."""
        return cls(schema, {name: sent[-1].decode("utf-8", "replace") for name, sent in arguments.items() if sent})

    def value(self) -> Schema:
        """The valid input. Raises ``InvalidInput`` with one sentence for each wrong field, and keeps them in ``errors``."""
        known = {name: value for name, value in self.values.items() if name in self.schema.model_fields and value != ""}
        try:
            return self.schema.model_validate(known)
        except ValidationError as error:
            found = {str(problem["loc"][0]): _sentence(problem) for problem in reversed(error.errors())}  # the first of each field
            self.errors = {name: found[name] for name in self.schema.model_fields if name in found}
            raise InvalidInput(self.errors) from None

    def refuse(self, error: InvalidInput) -> None:
        """Take over what a service found wrong."""
        self.errors = {**error.errors}

    def __getitem__(self, name: str) -> Any:
        """What to show in a field: as it was typed."""
        value = self.values.get(name)
        return "" if value is None else value

    def label(self, name: str) -> str:
        return self.schema.model_fields[name].title or name

    def limit(self, name: str) -> int | None:
        """Most characters a field takes."""
        limits = (getattr(rule, "max_length", None) for rule in self.schema.model_fields[name].metadata)
        return next((limit for limit in limits if limit is not None), None)


def _sentence(problem: ErrorDetails) -> str:
    """Pydantic's error in words for people; by its type, as its own text speaks to programmers."""
    context = problem.get("ctx", {})
    match problem["type"]:
        case "missing" | "string_too_short" if context.get("min_length", 1) == 1:
            return "This is needed."
        case "string_too_short":
            return f"At least {context['min_length']} characters, please."
        case "string_too_long":
            return f"At most {context['max_length']:,} characters, please."
        case "too_long":
            return f"At most {context['max_length']}, please."
        case "int_parsing" | "int_type" | "greater_than_equal" | "literal_error" | "enum":
            return "Choose one of the list."
        case "value_error":
            reason = str(context.get("error") or context.get("reason", "")).rstrip(".")
            is_email = problem["loc"][-1] == "email"
            return "This is not an e-mail address." if is_email else f"{reason[:1].upper()}{reason[1:]}."
        case _:
            return "This cannot be read."
