"""What all tables share: names of constraints, keys, timestamps."""

from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase, mapped_column

from cms.db.types import Id, Json, UTCDateTime

PrimaryKey = Annotated[int, mapped_column(Id, primary_key=True, autoincrement=True)]
Moment = Annotated[datetime, mapped_column(UTCDateTime)]
JsonMap = Annotated[dict[str, Any], mapped_column(Json)]
JsonList = Annotated[list[Any], mapped_column(Json)]


class Base(DeclarativeBase):
    """Relationships are not used across services: what is needed is selected by name, so nothing can load lazily."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
