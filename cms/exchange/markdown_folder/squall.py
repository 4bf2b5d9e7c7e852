"""Our own folders, as ``export`` writes them: ``site.yaml``, below ``content`` a folder for each text with its files beside it, below
``library`` those that no text shows, and ``library.json`` with what is to be known of them all.

A text's folder is its address. Reading one gives back what was written, to the letter.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from cms.content.characters import without_control_characters
from cms.exchange.markdown_folder import front_matter, library
from cms.exchange.markdown_folder.front_matter import as_flag, as_moment, as_text, as_texts
from cms.exchange.markdown_folder.report import Outcome, Report, why
from cms.exchange.markdown_folder.source import Blog, Document, read_text, text_files
from cms.models.post import Kind, Visibility
from cms.schemas.fields import NewFieldInput
from cms.schemas.post import MAX_CUSTOM, META, is_custom_key
from cms.schemas.text import clean_line
from cms.wording import say

SITE_FILE = "site.yaml"
CONTENT = "content"
FORMAT = 1


class Squall:
    program = "squall"

    def recognises(self, folder: Path) -> bool:
        return _site(folder).get("squall") == FORMAT

    def read(self, folder: Path, report: Report) -> Blog:
        site = _site(folder)
        filed, folders = library.read(folder, report)
        blog = Blog(
            program=self.program,
            folder=folder,
            title=as_text(site.get("title")),
            description=as_text(site.get("description")),
            base_url=as_text(site.get("base_url")),
            language=as_text(site.get("language")),
            permalink=as_text(site.get("permalink")),
            is_exact=True,
            library=filed,
            folders=folders,
            fields=tuple(_fields(site.get("fields"))),
        )
        for file in text_files(folder, CONTENT):
            if document := _document(folder, file, report):
                blog.documents.append(document)
        return blog


def _site(folder: Path) -> dict[str, Any]:
    try:
        site = front_matter.parse((folder / SITE_FILE).read_text(encoding="utf-8"), ".yaml")
    except (OSError, ValueError):
        return {}
    return site if isinstance(site, dict) else {}


def _fields(said: Any) -> Iterator[tuple[str, NewFieldInput]]:
    """What custom fields mean; what cannot be read is left out."""
    for each in said if isinstance(said, list) else ():
        with contextlib.suppress(ValidationError, AttributeError):
            choices = "\n".join(as_texts(each.get("choices")))
            if is_custom_key(key := str(each.get("key"))):
                yield key, NewFieldInput.model_validate({**each, "choices": choices})


def _custom(said: Any) -> tuple[dict[str, str], dict[str, str]]:
    """Custom fields: texts, and pictures by the names of their files."""
    known = {str(key): value for key, value in said.items() if is_custom_key(str(key))} if isinstance(said, dict) else {}
    pictures = {key: as_text(value.get("picture")) for key, value in known.items() if isinstance(value, dict)}
    texts = {key: clean_line(str(value))[:MAX_CUSTOM] for key, value in known.items() if not isinstance(value, dict | list)}
    return texts, pictures


def _visibility(said: Any, file: str, report: Report) -> Visibility:
    """What cannot be read is closed rather than open."""
    if said is None or said == Visibility.PUBLIC:
        return Visibility.PUBLIC
    if said == Visibility.UNLISTED:
        return Visibility.UNLISTED
    report.note(Outcome.CHANGED, file, "its password does not come along; until there is a new one, only editors can read it", 1)
    return Visibility.PASSWORD


def _document(folder: Path, file: str, report: Report) -> Document | None:
    text = read_text(folder, file, report)
    if text is None:
        return None
    matter = front_matter.split(text[0])
    if matter.problem:
        report.refuse(file, matter.problem, 1)
        return None
    data = matter.data
    document = Document(
        file=file,
        title=without_control_characters(str(data.get("title", ""))),
        body=matter.body.removesuffix("\n"),
        body_line=matter.line,
        paths=tuple(path for path in (as_text(data.get("path")), *as_texts(data.get("aliases"))) if path),
        kind=Kind.PAGE if data.get("kind") == Kind.PAGE else Kind.POST,
        is_draft=as_flag(data.get("draft")),
        visibility=_visibility(data.get("visibility"), file, report),
        slug=as_text(data.get("slug")),
        excerpt=without_control_characters(str(data.get("summary", ""))),
        meta={name: without_control_characters(str(data[name])) for name in META if data.get(name)},
        language=as_text(data.get("language")),
        authors=as_texts(data.get("authors")),
        categories=as_texts(data.get("category")),
        tags=as_texts(data.get("tags")),
        series=without_control_characters(str(data.get("series", ""))),
        part=part if isinstance(part := data.get("part"), int) and 0 < part < 2**31 else 0,
        picture=as_text(data.get("picture")),
        digest=text[1],
    )
    document.custom, document.custom_pictures = _custom(data.get("custom"))
    try:
        document.date, document.updated = as_moment(data.get("date")), as_moment(data.get("updated"))
        document.expires_at = as_moment(data.get("expires"))
    except ValueError as error:
        report.note(Outcome.CHANGED, file, say("{problem}; it has no date now, and is a draft", problem=why(error)), 1)
        document.is_draft = True
    return document
