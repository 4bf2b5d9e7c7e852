"""The program, running, on each database."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cms.imaging import Imaging
from cms.rendering import Renderer
from tests.web import Site, running_site


@pytest.fixture
async def site(database_url: str, tmp_path: Path, renderer: Renderer, imaging: Imaging) -> AsyncIterator[Site]:
    async with running_site(database_url, tmp_path / "data", renderer=renderer, imaging=imaging) as site:
        yield site
