"""The schema's history: Alembic run inside our own event loop, under a lock, after a copy of a SQLite file was made.

Where a database stands is asked without Alembic, which takes long to import: at most starts that is all that is wanted.
"""

import asyncio
import io
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from cms.db.session import dialect_for
from cms.errors import OperatorError, Unavailable
from cms.settings import data_folder

if TYPE_CHECKING:
    from alembic.config import Config

KEPT_COPIES = 5
_REVISION = re.compile(r"""^(revision|down_revision)\s*=\s*["'](\w+)["']""", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a database stands: the revision it has (None: empty), the program's newest, and whether the program knows it at all."""

    current: str | None
    head: str
    is_known: bool

    @property
    def is_current(self) -> bool:
        return self.current == self.head


async def upgrade(url: str, revision: str = "head", *, keep_copy_in: Path | None = None) -> Standing:
    """Bring the database up to ``revision``; returns where it stood before. One process at a time; the others find it done.

    ``keep_copy_in``: folder for a copy of a SQLite file that has something in it, made before it is changed.
    """
    return await _migrate(url, revision, "upgrade", keep_copy_in)


async def downgrade(url: str, revision: str, *, keep_copy_in: Path | None = None) -> Standing:
    """Bring the database down to ``revision`` ("base", "-1" or an id)."""
    return await _migrate(url, revision, "downgrade", keep_copy_in)


async def standing(url: str) -> Standing:
    """Only reads, so that asking (a probe does, every few seconds) never waits for whoever writes."""
    dialect = dialect_for(url)
    if dialect.is_absent(url):  # looking must not make an empty file
        return Standing(None, newest(), True)
    engine, _ = dialect.engines(url)
    try:
        return await _standing(engine)
    except (DBAPIError, OSError) as error:
        raise _away(url, error) from error
    finally:
        await engine.dispose()


async def is_empty(url: str) -> bool:
    """Whether nothing is in the database yet, if there is one at all. Raises ``OperatorError`` if it is away."""
    dialect = dialect_for(url)
    if dialect.is_absent(url):
        return True
    engine = dialect.migration_engine(url)
    try:
        async with engine.connect() as connection:
            return not await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    except (DBAPIError, OSError) as error:
        raise _away(url, error) from error
    finally:
        await engine.dispose()


def newest() -> str:
    """The revision that this program works with."""
    known = _revisions(data_folder("migrations"))
    (head,) = known.keys() - set(known.values())
    return head


def knows(revision: str | None) -> bool:
    """Whether a database at this revision is of this program or an older one."""
    return revision is None or revision in _revisions(data_folder("migrations"))


async def revision_of(session: AsyncSession) -> str | None:
    """The revision of the database that a session looks at."""
    return await (await session.connection()).run_sync(_revision)


async def check(url: str) -> list[str]:
    """What the models have that the database has not, or the other way round; empty when they agree."""
    from alembic import command
    from alembic.util.exc import CommandError

    dialect = dialect_for(url)
    if dialect.is_absent(url):
        raise OperatorError("There is no database yet; `squall serve` or `squall db upgrade` makes it.")
    engine = dialect.migration_engine(url)
    try:
        refuse_unknown(await _standing(engine))
        async with engine.connect() as connection:
            await connection.run_sync(lambda sync: command.check(_config(sync)))
    except CommandError as error:
        return [str(error)]
    except (DBAPIError, OSError) as error:
        raise _away(url, error) from error
    finally:
        await engine.dispose()
    return []


def refuse_unknown(state: Standing) -> None:
    """Raise ``OperatorError`` if the database was written by a newer program."""
    if not state.is_known:
        raise OperatorError(
            f"The database is newer than this program (its revision {state.current} is unknown here);"
            " start the newer Squall again, or restore a backup made by this one."
        )


async def _migrate(url: str, revision: str, act: Literal["upgrade", "downgrade"], keep_copy_in: Path | None) -> Standing:
    from alembic import command
    from alembic.util.exc import CommandError

    dialect = dialect_for(url)
    try:
        async with dialect.migration_lock(url):
            engine = dialect.migration_engine(url)
            try:
                before = await _standing(engine)
                refuse_unknown(before)
                if act == "upgrade" and revision == "head" and before.is_current:
                    return before
                if keep_copy_in and before.current and dialect.name == "sqlite":
                    await _keep_copy(url, keep_copy_in, before.current)
                async with engine.connect() as connection:
                    await connection.run_sync(lambda sync: getattr(command, act)(_config(sync), revision))
                return before
            finally:
                await engine.dispose()
    except CommandError as error:
        raise OperatorError(f"The database was not migrated: {error}.") from error
    except (DBAPIError, OSError) as error:
        raise _away(url, error) from error


async def _standing(engine: AsyncEngine) -> Standing:
    async with engine.connect() as connection:
        current = await connection.run_sync(_revision)
    return Standing(current, newest(), knows(current))


def _revision(connection: Connection) -> str | None:
    if not connection.dialect.has_table(connection, "alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


@cache  # of several applications in one process, each reads the same scripts
def _revisions(folder: Path) -> dict[str, str | None]:
    """Each that the program knows, and what it follows. Read from the text: the scripts need not run for that."""
    found = [dict(_REVISION.findall(path.read_text(encoding="utf-8"))) for path in (folder / "versions").glob("*.py")]
    return {each["revision"]: each.get("down_revision") for each in found}


def _config(connection: Connection | None = None) -> "Config":
    from alembic.config import Config

    config = Config(stdout=io.StringIO())  # what it would print is said by whoever called
    config.set_main_option("script_location", str(data_folder("migrations")).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    if connection is not None:
        config.attributes["connection"] = connection
    return config


async def _keep_copy(url: str, folder: Path, revision: str) -> None:
    """Newest few only; the name says when and from which revision."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    target = folder / f"before-migration-{datetime.now(UTC):%Y%m%dT%H%M%S}-{revision}.db"
    await dialect_for(url).save_copy(url, target)
    for old in sorted(folder.glob("before-migration-*.db"))[:-KEPT_COPIES]:
        await asyncio.to_thread(old.unlink)


def _away(url: str, error: DBAPIError | OSError) -> Exception:
    ours = dialect_for(url).translate(error)
    return (
        ours
        if ours and not isinstance(ours, Unavailable)
        else OperatorError(f"The database cannot be reached or changed: {_first_line(error)}. {dialect_for(url).advice}")
    )


def _first_line(error: DBAPIError | OSError) -> str:
    cause = error.orig if isinstance(error, DBAPIError) else error
    return (str(cause).strip().splitlines() or [type(cause).__name__])[0].removeprefix("<class 'asyncpg.exceptions.").rstrip(".")
