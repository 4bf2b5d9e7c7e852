"""What several tests of moving in ask for."""

from pathlib import Path

import pytest

from cms.db.session import Database
from cms.imaging import Imaging
from cms.media.storage import Folder
from cms.rendering import Renderer
from tests.exchange.moving import Mover


@pytest.fixture
def move_in(database: Database, renderer: Renderer, imaging: Imaging, tmp_path: Path) -> Mover:
    return Mover(database, Folder(tmp_path / "media"), renderer, imaging)
