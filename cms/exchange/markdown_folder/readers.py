"""Which program a folder was made for."""

import os
from collections.abc import Iterator
from pathlib import Path

from cms.errors import OperatorError
from cms.exchange.markdown_folder.hugo import Hugo
from cms.exchange.markdown_folder.jekyll import Jekyll
from cms.exchange.markdown_folder.report import Report
from cms.exchange.markdown_folder.source import Blog, Reader
from cms.exchange.markdown_folder.squall import Squall
from cms.exchange.markdown_folder.zola import Zola

READERS: tuple[Reader, ...] = (Squall(), Jekyll(), Hugo(), Zola())


def read_folder(folder: Path, report: Report, program: str = "") -> Blog:
    """Raises ``OperatorError`` if there is no folder, or nobody knows what it is."""
    if not folder.is_dir():
        raise OperatorError(f"There is no folder {folder}; name the one in which the settings of your Zola, Hugo or Jekyll site are.")
    reader = next((reader for reader in READERS if (reader.program == program if program else reader.recognises(folder))), None)
    if reader is None:
        raise OperatorError(
            f"{folder} does not look like a site of Zola, Hugo or Jekyll; if it is one, say so with --from zola, hugo or jekyll."
        )
    for linked in _linked_folders(folder):
        report.refuse(linked, "is a link to a folder; links to folders are not followed")
    return reader.read(folder, report)


def _linked_folders(folder: Path) -> Iterator[str]:
    """Those in which a site's texts would be."""
    start = folder / "content" if (folder / "content").is_dir() else folder
    for place, folders, _ in os.walk(start):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "node_modules")
        yield from ((Path(place) / name).relative_to(folder).as_posix() for name in folders if (Path(place) / name).is_symlink())
