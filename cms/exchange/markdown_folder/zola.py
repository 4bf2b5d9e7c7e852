"""Zola's folders: ``config.toml``, texts below ``content`` with TOML above them (https://www.getzola.org/documentation/content/page/)."""

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from cms.content.slugs import slugify
from cms.exchange.markdown_folder import front_matter
from cms.exchange.markdown_folder.front_matter import as_flag, as_moment, as_text, as_texts
from cms.exchange.markdown_folder.report import Outcome, Report, why
from cms.exchange.markdown_folder.shortcodes import Shortcode, replace_shortcodes
from cms.exchange.markdown_folder.source import TEXTS, Blog, Document, files_below, note_list, read_text, text_files
from cms.models.address import MAX_PATH
from cms.models.post import Kind
from cms.wording import say

_DATED = re.compile(r"(\d{4}-\d{2}-\d{2})[-_](.+)")
_IN_PATH = re.compile(r"(\d{4})/(\d{2})/(\d{2})/")
_CODE = re.compile(r"\{\{\s*([\w:-]+)\((.*?)\)\s*\}\}|\{%\s*([\w:-]+)\((.*?)\)\s*%\}(.*?)\{%\s*end\s*%\}", re.DOTALL)
_ARGUMENT = re.compile(r"(\w+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|`([^`]*)`|([^\s,]+))")
_VIDEOS = {"youtube": "https://www.youtube.com/watch?v={id}", "vimeo": "https://vimeo.com/{id}"}


class Zola:
    program = "zola"

    def recognises(self, folder: Path) -> bool:
        """Its settings; or texts with TOML above them and nothing that belongs to Hugo, which is what a copy of ``content`` looks like."""
        settings = _settings(folder)
        if settings is not None and "base_url" in settings:
            return True
        texts = (file for file in files_below(folder) if file.endswith(TEXTS))
        return _content(folder) == folder and any(_is_toml(folder / file) for file in islice(texts, 20))

    def read(self, folder: Path, report: Report) -> Blog:
        settings = _settings(folder) or {}
        content = _content(folder)
        below = content.relative_to(folder).as_posix()
        sections = _sections(folder, below, report)
        front = sections.get("", {})
        blog = Blog(
            program=self.program,
            folder=folder,
            title=as_text(settings.get("title")) or as_text(front.get("title")),
            description=as_text(settings.get("description")) or as_text(front.get("description")),
            base_url=as_text(settings.get("base_url")),
            language=as_text(settings.get("default_language")),
            files_at={"": "static"} if (folder / "static").is_dir() else {},
            feeds=tuple(_feeds(settings, sections)),
            find_text=lambda _document, target: _find_text(folder, below, target),
        )
        for file in text_files(folder, below if below != "." else ""):
            document = _document(folder, content, file, sections, report)
            if document:
                blog.documents.append(document)
        return blog


def _settings(folder: Path) -> dict[str, Any] | None:
    for name in ("config.toml", "zola.toml"):
        try:
            return dict(front_matter.parse((folder / name).read_text(encoding="utf-8"), ".toml"))
        except (OSError, ValueError):
            continue
    return None


def _content(folder: Path) -> Path:
    return folder / "content" if (folder / "content").is_dir() else folder


def _is_toml(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(8).lstrip(b"\xef\xbb\xbf").startswith((b"+++\n", b"+++\r\n"))
    except OSError:
        return False


def _sections(folder: Path, below: str, report: Report) -> dict[str, dict[str, Any]]:
    """Folder below the content → what its ``_index.md`` says."""
    found = {}
    for file in text_files(folder, below if below != "." else ""):
        if file.endswith("_index.md") and (text := read_text(folder, file, report)):
            found[_below_content(file, below).rpartition("/")[0]] = front_matter.split(text[0]).data
    return found


def _feeds(settings: dict[str, Any], sections: dict[str, dict[str, Any]]) -> Iterator[str]:
    names = as_texts(settings.get("feed_filenames")) or as_texts(settings.get("feed_filename")) or ("atom.xml",)
    folders = {"": settings, **{folder: data for folder, data in sections.items() if folder}}
    for folder, data in folders.items():
        if data.get("generate_feeds") or data.get("generate_feed"):
            yield from (f"{folder}/{name}".strip("/") for name in names)


def _below_content(file: str, below: str) -> str:
    return file if below == "." else file.removeprefix(f"{below}/")


def _document(folder: Path, content: Path, file: str, sections: dict[str, dict[str, Any]], report: Report) -> Document | None:
    text = read_text(folder, file, report)
    if text is None:
        return None
    matter = front_matter.split(text[0])
    if matter.problem:
        report.refuse(file, matter.problem, 1)
        return None
    place = _below_content(file, content.relative_to(folder).as_posix())
    if matter.data.get("render") is False:
        if matter.body.strip():
            report.refuse(file, "had no address of its own: render = false", 1)
        return None
    if place.rpartition("/")[2].startswith("_index."):
        return _section_page(file, place, matter, text[1], report)
    extra = matter.data.get("extra") if isinstance(matter.data.get("extra"), dict) else {}
    terms = matter.data.get("taxonomies") if isinstance(matter.data.get("taxonomies"), dict) else {}
    path, slug, named_date = _address(place, matter.data)
    document = Document(
        file=file,
        title=as_text(matter.data.get("title")) or slug,
        body=_body(file, matter, report),
        body_line=matter.line,
        paths=tuple(dict.fromkeys([path, *_aliases(matter.data)])),
        is_draft=as_flag(matter.data.get("draft")),
        slug=slug,
        excerpt=as_text(matter.data.get("description")),
        authors=as_texts(matter.data.get("authors")) or as_texts((extra or {}).get("author")),
        tags=as_texts((terms or {}).get("tags")),
        categories=as_texts((terms or {}).get("categories")),
        series=as_text(next(iter(as_texts((terms or {}).get("series"))), "")),
        template=as_text(matter.data.get("template")),
        digest=text[1],
    )
    _date(document, matter.data, named_date, report)
    section = sections.get(place.rpartition("/")[0].removesuffix(f"/{slug}"), {})
    if document.date is None and not _IN_PATH.match(f"{path}/") and section.get("sort_by") != "date":
        document.kind = Kind.PAGE
    return document


def _section_page(file: str, place: str, matter: front_matter.FrontMatter, digest: str, report: Report) -> Document | None:
    """A section with words of its own is a page; the list below it is ours to make."""
    folder = place.rpartition("/")[0]
    title = as_text(matter.data.get("title")) or folder.rpartition("/")[2]
    is_draft, has_words = as_flag(matter.data.get("draft")), bool(matter.body.strip())
    paths = tuple(dict.fromkeys(path for path in (folder, *_aliases(matter.data)) if path))
    body = _body(file, matter, report)
    page = Document(file, title, body, paths, Kind.PAGE, matter.line, is_draft=is_draft, digest=digest)
    if folder and has_words:
        return page
    if has_words:
        report.refuse(file, "stood on the front page, which is a list of posts here")
    note_list(report, page)
    return None


def _aliases(data: dict[str, Any]) -> list[str]:
    return [alias.strip("/") for alias in as_texts(data.get("aliases"))]


def _address(place: str, data: dict[str, Any]) -> tuple[str, str, str]:
    """Old path, the last part of it, and a date that the file's name has."""
    folder, _, name = place.rpartition("/")
    name = name.rpartition(".")[0]
    if name == "index":
        folder, _, name = folder.rpartition("/")
    dated = _DATED.fullmatch(name)
    slug = as_text(data.get("slug")).strip("/") or slugify(dated[2] if dated else name, MAX_PATH)
    path = as_text(data.get("path")).strip("/") or (f"{folder}/{slug}" if folder else slug)
    return path, path.rpartition("/")[2], dated[1] if dated else ""


def _date(document: Document, data: dict[str, Any], named: str, report: Report) -> None:
    """From the front matter, the file's name, or the path, as Zola's sites have it."""
    in_path = _IN_PATH.match(f"{document.paths[0]}/")
    try:
        document.date = as_moment(data.get("date")) or as_moment(named) or (as_moment("-".join(in_path.groups())) if in_path else None)
        document.updated = as_moment(data.get("updated"))
    except ValueError as error:
        report.note(Outcome.CHANGED, document.file, say("{problem}; it has no date now, and is a draft", problem=why(error)), 1)
        document.is_draft = True


def _body(file: str, matter: front_matter.FrontMatter, report: Report) -> str:
    def known(code: Shortcode) -> str | None:
        address = _VIDEOS.get(code.name)
        return f"\n\n{address.format(id=code.arguments.get('id', ''))}\n\n" if address and code.arguments.get("id") else None

    return replace_shortcodes(matter.body, _CODE, _shortcode, known, lambda line, name: report.note(
        Outcome.NOT_UNDERSTOOD, file, say("the shortcode {name}", name=name), matter.line + line - 1
    ))  # fmt: skip


def _shortcode(found: re.Match[str]) -> Shortcode:
    arguments = {name: a or b or c or d for name, a, b, c, d in _ARGUMENT.findall(found[2] or found[4] or "")}
    return Shortcode(found[1] or found[3], arguments, found[5] or "")


def _find_text(folder: Path, below: str, target: str) -> str:
    """``@/blog/other.md`` counts from the content's folder."""
    if not target.startswith("@/"):
        return ""
    file = target[2:] if below == "." else f"{below}/{target[2:]}"
    return file if (folder / file).is_file() else ""
