"""What benches over many rows share: their arguments, and a database of each kind that is there to be filled."""

import argparse
import asyncio
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from tests import postgresql, rust_blog

Compare = Callable[[dict[str, str], int, Path], Coroutine[Any, Any, bool]]


def run(about: str | None, compare: Compare, *, of: str = "posts", number: int = 100_000) -> int:
    """``compare`` gets addresses of empty databases by name, how many ``of`` these to put in, and a folder with the texts of a real blog;
    it says whether the bar was held, which becomes the exit code."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument(f"--{of}", dest="number", type=int, default=number)
    parser.add_argument("--database-url", default="", help="an empty database instead")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, server = Path(name), postgresql.Server()
        databases = {"given": given.database_url} if given.database_url else {"sqlite": f"sqlite+aiosqlite:///{folder / 'squall.db'}"}
        if not given.database_url:
            try:
                databases["postgresql"] = postgresql.url(server.start().folder, "postgres")
            except postgresql.Missing as missing:
                print(missing)
        try:
            return 0 if asyncio.run(compare(databases, given.number, rust_blog.unpack(folder))) else 1
        finally:
            server.close()
