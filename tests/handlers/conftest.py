"""The program, running, on each database."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.web import Site, running_site


@pytest.fixture
async def site(database_url: str, tmp_path: Path) -> AsyncIterator[Site]:
    async with running_site(database_url, tmp_path / "data") as site:
        yield site
