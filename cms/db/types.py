"""Column types that mean the same on both databases."""

import json
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Enum, Integer, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator, TypeEngine

from cms.wording import Said, parts, said, whole

MARK = "\x1e"  # stands before JSON where other text stands, too (RFC 7464)
LONGEST = 1000  # characters of a text that anybody may have put together

# SQLite counts rows up only for INTEGER PRIMARY KEY.
Id = BigInteger().with_variant(Integer, "sqlite")

Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


class UTCDateTime(TypeDecorator[datetime]):
    """An aware datetime in UTC: timestamptz on PostgreSQL, naive UTC text on SQLite. Naive values are refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(DateTime(timezone=dialect.name != "sqlite"))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a datetime without a zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Sentence(TypeDecorator[str]):
    """What somebody is told later, in his own language: text, or the parts of a sentence that has values in it."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if isinstance(value, Said) and value.values:
            return _storable(MARK + json.dumps(parts(value), ensure_ascii=False))
        return value and _storable(value.lstrip(MARK).replace("\0", "")[:LONGEST])

    def process_result_value(self, value: str | None, dialect: Dialect) -> Said | None:
        if value is None:
            return None
        return whole(json.loads(value[1:])) if value.startswith(MARK) else said(value)


def _storable(text: str) -> str:
    """Names of files may have signs in them that are none: there is a question mark in their place."""
    return text.encode(errors="replace").decode()


def enum_type(enum: type[StrEnum]) -> Enum:
    """An enum stored by value as text, so that adding a value needs no migration of a database type."""
    return Enum(
        enum,
        native_enum=False,
        length=20,
        create_constraint=False,
        values_callable=lambda kind: [m.value for m in kind],
    )
