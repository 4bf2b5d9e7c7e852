"""Which program a folder was made for."""

import os
from collections.abc import Iterator
from pathlib import Path

from cms.errors import OperatorError
from cms.exchange.markdown_folder.hugo import Hugo
from cms.exchange.markdown_folder.jekyll import Jekyll
from cms.exchange.markdown_folder.report import Outcome, Report
from cms.exchange.markdown_folder.source import Blog, Document, Reader, has_name
from cms.exchange.markdown_folder.squall import Squall
from cms.exchange.markdown_folder.zola import Zola
from cms.models.post import Kind
from cms.wording import say

READERS: tuple[Reader, ...] = (Squall(), Jekyll(), Hugo(), Zola())


def read_folder(folder: Path, report: Report, program: str = "") -> Blog:
    """Raises ``OperatorError`` if there is no folder, or nobody knows what it is."""
    if program and program not in {reader.program for reader in READERS}:
        raise OperatorError(say("“{program}” is no program whose folders are known: --from takes zola, hugo or jekyll.", program=program))
    if folder.is_file():
        raise OperatorError(
            say("{folder} is a file; name the folder in which the settings of your Zola, Hugo or Jekyll site are.", folder=folder)
        )
    if not folder.is_dir():
        raise OperatorError(
            say("There is no folder {folder}; name the one in which the settings of your Zola, Hugo or Jekyll site are.", folder=folder)
        )
    reader = next((reader for reader in READERS if (reader.program == program if program else reader.recognises(folder))), None)
    if reader is None:
        raise OperatorError(say(
            "{folder} does not look like a site of Zola, Hugo or Jekyll; if it is one, say so with --from zola, hugo or jekyll.",
            folder=folder,
        ))  # fmt: skip
    for file, why in _unfit(folder):
        report.refuse(file, why)
    blog = reader.read(folder, report)
    blog.documents = [document for document in blog.documents if not _is_template(document, report)]
    return blog


def _unfit(folder: Path) -> Iterator[tuple[str, str]]:
    """What is passed over where a site's texts would be: links to folders, and names that are no text; why."""
    start = folder / "content" if (folder / "content").is_dir() else folder
    for place, folders, files in os.walk(start):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "node_modules")
        for name in [*folders, *sorted(files)]:
            path = Path(place) / name
            if not has_name(name):
                yield path.relative_to(folder).as_posix(), say("has a name that is not UTF-8")
            elif name in folders and path.is_symlink():
                yield path.relative_to(folder).as_posix(), say("is a link to a folder; links to folders are not followed")
        folders[:] = [name for name in folders if has_name(name)]


def _is_template(document: Document, report: Report) -> bool:
    """A page without words, which a template filled there: here it would be empty, and stand in the menu."""
    if document.kind is not Kind.PAGE or not document.template or document.body.strip():
        return False
    path = document.paths[0] if document.paths else document.slug
    report.note(Outcome.MISSING, document.file, say(
        "the old address /{path}: it has no words of its own, the template “{template}” made them",
        path=path, template=document.template[:40],
    ), 1)  # fmt: skip
    return True
