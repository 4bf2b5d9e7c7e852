"""Hugo's folders: ``hugo.toml`` or its older names, texts below ``content`` (https://gohugo.io/content-management/)."""

import posixpath
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote
from zoneinfo import ZoneInfo

from cms.exchange.markdown_folder import front_matter
from cms.exchange.markdown_folder.front_matter import as_flag, as_moment, as_text, as_texts
from cms.exchange.markdown_folder.report import Outcome, Report, why
from cms.exchange.markdown_folder.shortcodes import Shortcode, code_ranges
from cms.exchange.markdown_folder.source import Blog, Document, Term, files_below, note_list, read_text, text_files
from cms.models.post import Kind
from cms.wording import say

_SETTINGS = tuple(f"{name}.{suffix}" for name in ("hugo", "config") for suffix in ("toml", "yaml", "yml", "json"))
_OTHER_FORMATS = {".adoc", ".asciidoc", ".htm", ".html", ".org", ".pandoc", ".pdc", ".rst"}
_DATES = {  # of ours → names in the front matter, the first one that is there counts
    "date": ("date", "publishdate", "pubdate", "published", "lastmod", "modified"),
    "updated": ("lastmod", "modified"),
    "publish_at": ("publishdate", "pubdate"),
    "expires_at": ("expirydate", "unpublishdate"),
}
_PICTURES = ("images", "featured_image", "featuredimage", "image", "cover", "thumbnail")
_TAXONOMIES = {"categories": "categories", "tags": "tags", "series": "series", "authors": "authors", "author": "authors"}  # → of ours
_KINDS = {"post": Kind.POST, "posts": Kind.POST, "page": Kind.PAGE}
_DATED = re.compile(r"(\d{4}-\d{2}-\d{2})[-_]*(.*)")
_WORDS = {  # of the permalinks setting → ours
    "year": "{year}", "2006": "{year}", "month": "{month}", "01": "{month}", "day": "{day}", "02": "{day}",
    **dict.fromkeys(("slug", "title", "filename", "slugorfilename", "contentbasename", "slugorcontentbasename"), "{slug}"),
}  # fmt: skip
_LAYOUTS = {  # Go's way of writing a date
    "2006": "%Y", "06": "%y", "01": "%m", "1": "%-m", "02": "%d", "2": "%-d", "002": "%j", "Jan": "%b", "January": "%B",
    "Mon": "%a", "Monday": "%A", "monthname": "%B", "weekdayname": "%A", "weekday": "%w", "yearday": "%-j", "month": "%m", "day": "%d",
}  # fmt: skip
_WORD = re.compile(r":(\w+)(?:\[(.*?)\])?")
_IN_PATHS = frozenset("./\\_#+~-@")
_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ELSEWHERE = re.compile(r"//|[A-Za-z][\w+.-]*:")

# A pair around code, else one tag, opening or closing.
_CODE = re.compile(
    r"\{\{[<%]\s*highlight\s(?P<options>(?:(?!\{\{[<%]).)*?)[>%]\}\}"
    r"(?P<code>(?:(?!\{\{[<%]\s*highlight\s).)*?)\{\{[<%]\s*/\s*highlight\s*[>%]\}\}"
    r"|\{\{[<%]\s*(?P<end>/?)\s*(?P<name>[\w./-]*\w)(?P<arguments>(?:(?!\{\{[<%]).)*?)/?\s*[>%]\}\}"
    r"|\{\{[<%](?!\s*/\*)(?P<unfinished>)",
    re.DOTALL,
)
_ESCAPED = re.compile(r"\{\{([<%])\s*/\*(.*?)\*/\s*([>%])\}\}", re.DOTALL)
_ARGUMENT = re.compile(r"(?:([\w-]+)\s*=\s*)?(?:\"((?:\\.|[^\"\\])*)\"|`([^`]*)`|([^\s\"`=]+))", re.DOTALL)
_ADDRESSES = {
    "youtube": "https://www.youtube.com/watch?v={id}",
    "vimeo": "https://vimeo.com/{id}",
    "gist": "https://gist.github.com/{user}/{id}",
    "tweet": "https://twitter.com/{user}/status/{id}",
    "twitter": "https://twitter.com/{user}/status/{id}",
    "x": "https://x.com/{user}/status/{id}",
    "instagram": "https://www.instagram.com/p/{id}/",
}
_LINKS = {"ref", "relref"}
_FIGURE = {"src", "alt", "caption", "title", "link", "attr", "attrlink"}


class Hugo:
    program = "hugo"

    def recognises(self, folder: Path) -> bool:
        """Its settings: under its own name, or under the one it shares with Zola, with ``baseURL`` or a folder that only Hugo has."""
        if any((folder / name).is_file() for name in _SETTINGS[:4]) or (folder / "config" / "_default").is_dir():
            return True
        settings = _settings(folder, Report())
        hers = any((folder / name).is_dir() for name in ("archetypes", "layouts"))
        return bool(settings) and "base_url" not in settings and ("baseurl" in settings or hers)

    def read(self, folder: Path, report: Report) -> Blog:
        site = _Site.of(folder, report)
        params = _table(site.settings, "params")
        own = _table(_table(site.settings, "languages"), site.language)
        static = as_text(site.settings.get("staticdir")).strip("/") or "static"
        blog = Blog(
            program=self.program,
            folder=folder,
            title=as_text(own.get("title")) or as_text(site.settings.get("title")),
            description=as_text(params.get("description")) or as_text(site.settings.get("description")),
            base_url=as_text(site.settings.get("baseurl")),
            language=as_text(site.settings.get("languagecode")) or as_text(site.settings.get("defaultcontentlanguage")),
            files_at={"": static} if (folder / static).is_dir() else {},
            find_text=lambda _document, target: _find_text(site, target),
        )
        texts = [text for place in site.places if (text := _document(site, place))]
        _give_kinds(texts)
        blog.documents = [document for document, _ in texts]
        site.files = frozenset(document.file for document in blog.documents)
        blog.permalink = _permalink(site, texts)
        blog.lists = site.lists
        blog.other_lists = tuple(_other_lists(site, texts))
        blog.feeds = tuple(_feeds(site, texts))
        return blog


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a text lies. ``folder``, ``name``: below the texts of its language; a bundle's name is its folder's."""

    file: str
    folder: str
    name: str
    language: str = ""
    is_section: bool = False
    kind: Kind | None = None  # if the text says so

    @property
    def path(self) -> str:
        """Empty for the front page."""
        return posixpath.join(self.folder, self.name)

    @property
    def section(self) -> str:
        return (self.path if self.is_section else self.folder).partition("/")[0]


@dataclass(slots=True)
class _Site:
    """``settings``: names in lower case. ``content``: the folder of the texts below ``folder``, or "". ``files``: texts that were read.

    ``lists``: as the blog's. ``taxonomies``: addresses of the lists of all terms of one.
    """

    folder: Path
    report: Report
    settings: dict[str, Any]
    content: str = ""
    language: str = ""
    zone: ZoneInfo | None = None
    places: list[_Place] = field(default_factory=list)
    files: frozenset[str] = frozenset()
    by_path: dict[str, _Place] = field(default_factory=dict)
    by_name: dict[str, list[_Place]] = field(default_factory=dict)
    lists: dict[str, Term] = field(default_factory=dict)
    taxonomies: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, folder: Path, report: Report) -> "_Site":
        settings = _settings(folder, report)
        content = as_text(settings.get("contentdir")).strip("/") or "content"
        site = cls(folder, report, settings, content if (folder / content).is_dir() else "")
        site.language = as_text(settings.get("defaultcontentlanguage")).lower() or "en"
        site.zone = _zone(as_text(settings.get("timezone")), report)
        site._find_places()
        return site

    def _find_places(self) -> None:
        languages = {name: data for name, data in _table(self.settings, "languages").items() if isinstance(data, dict)}
        roots = {as_text(data.get("contentdir")).strip("/"): name for name, data in languages.items() if data.get("contentdir")}
        roots.setdefault(self.content, self.language)
        files = sorted({file for root in roots for file in text_files(self.folder, root)})
        bundles = {file.rpartition("/")[0] for file in files if _is_bundle(file)} - set(roots)
        for file in files:
            root = max((root for root in roots if not root or file.startswith(f"{root}/")), key=len)
            if any(_above(file, bundles)):
                self.report.refuse(file, "belongs to another text's folder, and is no page of its own")
            else:
                self.places.append(_place(file, root, roots[root], set(languages)))
        for place in sorted(self.places, key=lambda place: place.language != self.language):
            self.by_path.setdefault(place.path.lower(), place)
            self.by_name.setdefault(place.name.lower(), []).append(place)
        _refuse_other_formats(self.folder, self.content, self.report)

    def makes(self, kind: str) -> bool:
        """Whether the old site had pages of a kind: section, taxonomy, term, rss."""
        return kind not in {name.lower() for name in as_texts(self.settings.get("disablekinds"))}

    @property
    def lowers_paths(self) -> bool:
        return not as_flag(self.settings.get("disablepathtolower"))


def _is_bundle(file: str) -> bool:
    return file.rpartition("/")[2].startswith("index.")


def _above(file: str, bundles: set[str]) -> Iterator[str]:
    """Folders of bundles that a text lies in without being theirs."""
    folder = file.rpartition("/")[0]
    if folder in bundles and _is_bundle(file):
        folder = folder.rpartition("/")[0]
    while folder:
        if folder in bundles:
            yield folder
        folder = folder.rpartition("/")[0]


def _place(file: str, root: str, language: str, languages: set[str]) -> _Place:
    folder, _, name = (file.removeprefix(f"{root}/") if root else file).rpartition("/")
    name = name.rpartition(".")[0]
    if "." in name and name.rpartition(".")[2].lower() in languages:
        name, _, language = name.rpartition(".")
    if name not in {"index", "_index"}:
        return _Place(file, folder, name, language.lower())
    above, _, own = folder.rpartition("/")
    return _Place(file, above, own, language.lower(), is_section=name == "_index")


def _refuse_other_formats(folder: Path, content: str, report: Report) -> None:
    for file in files_below(folder, content) if content else []:
        suffix = posixpath.splitext(file)[1]
        if suffix.lower() in _OTHER_FORMATS:
            is_html = suffix.lower().startswith(".htm")
            if not is_html or _begins_with(folder / file, (b"---", b"+++", b"{")):  # without front matter it is a file like others
                report.refuse(file, say("is no Markdown, but {kind}", kind=suffix[1:]))


def _begins_with(path: Path, signs: tuple[bytes, ...]) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(8).lstrip(b"\xef\xbb\xbf").startswith(signs)
    except OSError:
        return False


# --- settings --------------------------------------------------------------------------------------------------------------


def _settings(folder: Path, report: Report) -> dict[str, Any]:
    """Of the first file that is there, and of those in ``config/_default``, where a file's name is a setting's."""
    settings: dict[str, Any] = {}
    if name := next((name for name in _SETTINGS if (folder / name).is_file()), ""):
        settings = _settings_file(folder, name, report)
    for path in sorted((folder / "config" / "_default").glob("*")):
        data = _settings_file(folder, path.relative_to(folder).as_posix(), report) if path.suffix in front_matter.PARSERS else {}
        settings |= data if path.stem in {"hugo", "config"} else {path.stem.lower(): data}
    return settings


def _settings_file(folder: Path, file: str, report: Report) -> dict[str, Any]:
    text = read_text(folder, file, report)
    try:
        data = front_matter.parse(text[0], Path(file).suffix) if text else {}
    except ValueError as error:
        report.refuse(file, say("the settings cannot be read: {reason}", reason=error))
        return {}
    return _lowered(data) if isinstance(data, dict) else {}


def _lowered(data: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(key).lower(): _lowered(value) if isinstance(value, dict) else value for key, value in data.items()}


def _table(data: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = data.get(name)
    return value if isinstance(value, dict) else {}


def _zone(name: str, report: Report) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (KeyError, ValueError, OSError):
        what = say("the time zone “{name}” of the settings is unknown; the site's own counts", name=name[:40])
        report.note(Outcome.CHANGED, "", what)
        return None


# --- texts -----------------------------------------------------------------------------------------------------------------


def _document(site: _Site, place: _Place) -> tuple[Document, _Place] | None:
    text = read_text(site.folder, place.file, site.report)
    if text is None:
        return None
    matter = front_matter.split(text[0])
    if problem := matter.problem or ("" if text[0].strip() else say("is empty")):
        site.report.refuse(place.file, problem, 1)
        return None
    data = _lowered(matter.data)
    if not _is_page(site, place, data, matter.body):
        return None
    params = _table(data, "params")
    document = Document(
        file=place.file,
        title=as_text(data.get("title")) or place.name,
        body=_body(site, place, matter),
        body_line=matter.line,
        is_draft=as_flag(data.get("draft")) or data.get("published") is False,
        excerpt=as_text(data.get("summary")) or as_text(data.get("description")),
        language=place.language if place.language != site.language else "",
        authors=_names(next((d[name] for d in (data, params) for name in ("authors", "author") if d.get(name)), None)),
        categories=as_texts(data.get("categories")),
        series=next(iter(as_texts(data.get("series"))), ""),
        picture=_picture(data),
        template=as_text(data.get("layout")),
        digest=text[1],
    )
    document.tags = tuple(dict.fromkeys([*as_texts(data.get("tags")), *_own_terms(site, data)]))
    if not document.is_draft:
        _find_lists(site, place, data)
    _give_dates(site, document, data)
    place = _named_by_date(site, document, place)
    document.paths = _paths(site, document, place, data)
    document.slug = document.paths[0].rpartition("/")[2].removesuffix(".html") if document.paths else place.name
    if place.is_section and not document.body.strip():
        note_list(site.report, document)
        return None
    return document, replace(place, kind=_KINDS.get(as_text(data.get("type"))))


def _is_page(site: _Site, place: _Place, data: Mapping[str, Any], body: str) -> bool:
    """Whether it had an address, and another one than the front page."""
    build = _table(data, "build") or _table(data, "_build")
    if as_flag(data.get("headless")) or as_text(build.get("render")) in {"never", "link"} or build.get("render") is False:
        site.report.refuse(place.file, "had no address of its own: it is headless")
        return False
    if place.path:
        return True
    if body.strip():
        site.report.refuse(place.file, "stood on the front page, which is a list of posts here")
    return False


def _feeds(site: _Site, texts: list[tuple[Document, _Place]]) -> Iterator[str]:
    """Of the whole site, and of each section with posts."""
    if site.makes("rss"):
        yield "index.xml"
        for section in dict.fromkeys(place.section for document, place in texts if document.kind is Kind.POST and place.section):
            yield f"{section}/index.xml"


def _names(value: Any) -> tuple[str, ...]:
    """Of people: texts, or tables with a name."""
    people = value if isinstance(value, list) else [value]
    return as_texts([one.get("name") if isinstance(one, dict) else one for one in people])


def _taxonomies(site: _Site) -> dict[str, str]:
    """Name in the front matter → ours of its terms."""
    names = site.settings.get("taxonomies", {"category": "categories", "tag": "tags"})
    plural = [name.lower() for name in names.values() if isinstance(name, str)] if isinstance(names, dict) else []
    return {name: _TAXONOMIES.get(name, "tags") for name in plural}


def _own_terms(site: _Site, data: Mapping[str, Any]) -> Iterator[str]:
    """Terms of taxonomies that only this site has."""
    for name in _taxonomies(site):
        if name not in _TAXONOMIES:
            yield from as_texts(data.get(name))


def _picture(data: Mapping[str, Any]) -> str:
    for name in _PICTURES:
        value = data.get(name)
        if isinstance(value, dict):
            value = value.get("image") or value.get("src")
        if pictures := as_texts(value):
            return pictures[0]
    return ""


def _give_dates(site: _Site, document: Document, data: Mapping[str, Any]) -> None:
    for name, keys in _DATES.items():
        value = next((data[key] for key in keys if data.get(key) and not isinstance(data[key], bool)), None)
        try:
            moment = as_moment(value)
        except ValueError as error:
            document.is_draft = document.is_draft or name != "updated"
            what = say("{problem}; left out" if name == "updated" else "{problem}; it has no date now, and is a draft", problem=why(error))
            site.report.note(Outcome.CHANGED, document.file, what, 1)
            continue
        if isinstance(moment, datetime) and moment.tzinfo is None and site.zone:
            moment = moment.replace(tzinfo=site.zone)
        setattr(document, name, moment)


def _named_by_date(site: _Site, document: Document, place: _Place) -> _Place:
    """``2024-01-02-name.md``, which is a date and a slug if the settings say so."""
    dated = _DATED.fullmatch(place.name)
    if not dated or ":filename" not in as_texts(_table(site.settings, "frontmatter").get("date")):
        return place
    try:
        document.date = date.fromisoformat(dated[1])
    except ValueError:
        return place
    return replace(place, name=dated[2] or place.name)


def _give_kinds(texts: list[tuple[Document, _Place]]) -> None:
    """A post is in a section that has dates, or at the top of a folder that has no such section."""
    dated = {place.section for document, place in texts if document.date and place.section not in {"", "page", "pages"}}
    for document, place in texts:
        is_listed = place.section in dated or (not dated and document.date is not None and place.section == "")
        document.kind = place.kind or (Kind.POST if is_listed and not place.is_section else Kind.PAGE)


# --- lists -----------------------------------------------------------------------------------------------------------------


def _find_lists(site: _Site, place: _Place, data: Mapping[str, Any]) -> None:
    """Where the old site listed the texts of this one's terms, and all terms of a taxonomy."""
    patterns = _table(_table(site.settings, "permalinks"), "term")
    for taxonomy, ours in _taxonomies(site).items():
        names = _names(data.get(taxonomy)) if ours == "authors" else as_texts(data.get(taxonomy))
        pattern = as_text(patterns.get(taxonomy)) or f"{taxonomy}/:slug"
        for name in names if site.makes("term") else ():
            path = _list_path(site, place, pattern.replace(":slug", name).replace(":title", name))
            site.lists.setdefault(path, (ours, name))
        if names and site.makes("taxonomy"):
            site.taxonomies.add(_list_path(site, place, taxonomy))


def _list_path(site: _Site, place: _Place, path: str) -> str:
    return _clean(posixpath.join(_prefix(site, place), _sanitised(site, path.strip("/"))))


def _other_lists(site: _Site, texts: list[tuple[Document, _Place]]) -> Iterator[str]:
    """Those that no text says: of taxonomies, and of sections without a text of their own. Where a text stood there was no list."""
    sections = [_list_path(site, place, place.section) for document, place in texts if place.section and not document.is_draft]
    stood = {path.lower() for document, _ in texts for path in document.paths}
    told = {_list_path(site, place, place.path).lower() for place in site.places if place.is_section}
    for path in dict.fromkeys([*(sections if site.makes("section") else ()), *sorted(site.taxonomies)]):
        if path.lower() not in stood | told:
            yield path


# --- addresses -------------------------------------------------------------------------------------------------------------


def _paths(site: _Site, document: Document, place: _Place, data: Mapping[str, Any]) -> tuple[str, ...]:
    url = as_text(data.get("url"))
    pattern = url if ":" in url else _pattern(site, place)
    prefix = _prefix(site, place)
    if url and pattern is not url:
        path = url if url.startswith("/") else posixpath.join(prefix, url)
    elif pattern:
        path = _expand(site, pattern, document, place, as_text(data.get("slug"))).strip("/")
        path = posixpath.join(prefix, path.lower() if site.lowers_paths else path)
    else:
        name = place.name if place.is_section else as_text(data.get("slug")).strip("/") or place.name
        path = posixpath.join(prefix, _sanitised(site, posixpath.join(place.folder, name)))
    is_ugly = _is_ugly(site, place)
    path = _clean(path)
    if is_ugly and not url and not place.is_section:
        path += ".html"
    aliases = [_alias(alias, path, prefix, is_ugly) for alias in as_texts(data.get("aliases")) if not _ELSEWHERE.match(alias)]
    for alias in filter(_ELSEWHERE.match, as_texts(data.get("aliases"))):
        site.report.note(Outcome.MISSING, place.file, say("the old address {address} is none of this site", address=alias[:80]), 1)
    return tuple(dict.fromkeys(path for path in [path, *aliases] if path))


def _prefix(site: _Site, place: _Place) -> str:
    in_folder = place.language != site.language or as_flag(site.settings.get("defaultcontentlanguageinsubdir"))
    return place.language if in_folder else ""


def _alias(alias: str, path: str, prefix: str, is_ugly: bool) -> str:
    """One that does not begin with a slash counts from the folder that the text's address is in."""
    whole = posixpath.join(prefix, alias.lstrip("/")) if alias.startswith("/") else posixpath.join("/", posixpath.dirname(path), alias)
    whole = posixpath.normpath(whole)
    return _clean(f"{whole}.html" if is_ugly and not whole.endswith(".html") else whole)


def _clean(path: str) -> str:
    """Decoded, no slashes at the ends, no name of an index."""
    path = unquote(path.partition("?")[0]).strip("/")
    return path.removesuffix("index.html").strip("/") if path.rpartition("/")[2] == "index.html" else path


def _is_ugly(site: _Site, place: _Place) -> bool:
    value = site.settings.get("uglyurls")
    return as_flag(value.get(place.section) if isinstance(value, dict) else value)


def _pattern(site: _Site, place: _Place) -> str:
    """The permalinks setting for a text: by kind and section, or by section alone."""
    permalinks = _table(site.settings, "permalinks")
    by_kind = _table(permalinks, "section" if place.is_section else "page")
    ways = [by_kind] if place.is_section else [by_kind, {key: value for key, value in permalinks.items() if isinstance(value, str)}]
    folder = place.path if place.is_section else place.folder
    for way in ways:
        by_folder = {key.strip(" /"): value for key, value in way.items()}
        for name in dict.fromkeys([folder.lower(), place.section.lower()]):
            if as_text(by_folder.get(name)):
                return as_text(by_folder[name])
    return ""


def _expand(site: _Site, pattern: str, document: Document, place: _Place, slug: str) -> str:
    at = document.date or date(1, 1, 1)  # so does Hugo
    titled = slug or document.title
    names = {
        "title": document.title, "slug": titled, "filename": place.name, "contentbasename": place.name,
        "slugorfilename": slug or place.name, "slugorcontentbasename": slug or place.name,
    }  # fmt: skip

    def word(found: re.Match[str]) -> str:
        if found[1] in names:
            return _sanitised(site, names[found[1]])
        if found[1] in {"section", "sectionslug"}:
            return place.section
        if found[1] in {"sections", "sectionslugs"}:
            return "/".join(_part(_sections(site, place), found[2]))
        if found[1] == "year":
            return str(at.year)
        return f"{at:{_LAYOUTS[found[1]]}}" if found[1] in _LAYOUTS else found[0]

    return _WORD.sub(word, pattern.replace("\\:", "\0")).replace("\0", ":")


def _sections(site: _Site, place: _Place) -> list[str]:
    """From the top down to the nearest folder that has an ``_index.md``."""
    parts = (place.path if place.is_section else place.folder).split("/")
    for end in range(len(parts), 1, -1):
        found = site.by_path.get("/".join(parts[:end]).lower())
        if found and found.is_section:
            return parts[:end]
    return [part for part in parts[:1] if part]


def _part(sections: list[str], cut: str | None) -> list[str]:
    """``[1:]``, ``[last]``, ``[0]``."""
    if cut is None:
        return sections
    ends = [len(sections) - 1 if end.strip() == "last" else int(end) if end.strip().isdecimal() else None for end in cut.split(":")]
    return sections[ends[0] : ends[1]] if len(ends) == 2 else sections[ends[0] or 0 :][:1]


def _sanitised(site: _Site, text: str) -> str:
    """As Hugo makes paths: spaces to hyphens, most signs away."""
    if as_flag(site.settings.get("removepathaccents")):
        text = "".join(sign for sign in unicodedata.normalize("NFD", text) if not unicodedata.category(sign).startswith("M"))
    path = ""
    is_apart = False
    for sign in _ESCAPE.sub("", text):
        if sign.isalnum() or sign in _IN_PATHS or sign == "%" or unicodedata.category(sign).startswith("M"):
            path += "-" if is_apart and sign != "-" else ""
            path += sign
            is_apart = False
        elif sign.isspace():
            is_apart = bool(path) and not path.endswith("-")
    return path.lower() if site.lowers_paths else path


def _permalink(site: _Site, texts: list[tuple[Document, _Place]]) -> str:
    """The pattern of most posts in our words, or ""."""
    used = Counter((_pattern(site, place), place.section) for document, place in texts if document.kind is Kind.POST)
    pattern, section = used.most_common(1)[0][0] if used else ("", "")
    words = {**_WORDS, "section": section, "sections": section}
    if not pattern or any(found[1] not in words for found in _WORD.finditer(pattern)):
        return ""
    path = _WORD.sub(lambda found: words[found[1]], pattern).strip("/").removesuffix(".html")
    return f"/{path}" if path.count("{slug}") == 1 else ""


# --- words -----------------------------------------------------------------------------------------------------------------


def _body(site: _Site, place: _Place, matter: front_matter.FrontMatter) -> str:
    """Shortcodes that we know become Markdown. In code they are as they were typed; so are unknown ones, which are reported."""
    code = list(code_ranges(matter.body))

    def settle(found: re.Match[str]) -> str:
        if any(begin <= found.start() < end for begin, end in code):
            return found[0]
        line = matter.line + matter.body.count("\n", 0, found.start())
        if found["unfinished"] is not None:
            site.report.note(Outcome.NOT_UNDERSTOOD, place.file, "a shortcode without its end", line)
            return found[0]
        if found["name"] is None:
            return _fence(found)
        shortcode = Shortcode(found["name"], _arguments(found["arguments"]))
        drawn = None if found["end"] else _drawn(site, place, shortcode, line)
        if drawn is None:
            _note_unknown(site, place, shortcode, line)
            return found[0]
        return drawn if shortcode.name in _LINKS else _apart(found, drawn)

    return _ESCAPED.sub(r"{{\1\2\3}}", _CODE.sub(settle, matter.body))


def _note_unknown(site: _Site, place: _Place, shortcode: Shortcode, line: int) -> None:
    if shortcode.name in _LINKS:
        target = shortcode.arguments.get("path") or shortcode.arguments.get("0", "")
        site.report.note(Outcome.MISSING, place.file, say("{target}: no text has this name", target=target), line)
    else:
        site.report.note(Outcome.NOT_UNDERSTOOD, place.file, say("the shortcode {name}", name=shortcode.name), line)


def _arguments(text: str) -> dict[str, str]:
    """By name, or by their number."""
    found: dict[str, str] = {}
    for name, quoted, raw, bare in _ARGUMENT.findall(text):
        found[name or str(len(found))] = re.sub(r"\\(.)", r"\1", quoted) or raw or bare
    return found


def _fence(found: re.Match[str]) -> str:
    arguments = _arguments(found["options"])
    options = arguments.pop("options", "") or ",".join(f"{name}={text}" for name, text in arguments.items() if not name.isdecimal())
    options = options or arguments.get("1", "")
    longest = max((len(run) for run in re.findall(r"`{3,}", found["code"])), default=2)
    fence = "`" * (longest + 1)
    info = arguments.get("0", "") + (f" {{{options}}}" if options else "")
    begin = "" if found["code"].lstrip(" \t").startswith("\n") else "\n"
    end = "" if found["code"].rstrip(" \t").endswith("\n") else "\n"
    return f"{fence}{info}{begin}{found['code']}{end}{fence}"


def _drawn(site: _Site, place: _Place, shortcode: Shortcode, line: int) -> str | None:
    arguments = shortcode.arguments
    if shortcode.name in _LINKS:
        return _link(site, place, arguments.get("path") or arguments.get("0", ""))
    if shortcode.name == "figure":
        if left := sorted(set(arguments) - _FIGURE):
            site.report.note(Outcome.CHANGED, place.file, say("a figure lost its {what}", what=", ".join(left)), line)
        return _figure(arguments) if arguments.get("src") else None
    if shortcode.name not in _ADDRESSES:
        return None
    address = _ADDRESSES[shortcode.name]
    values = [value for key, value in arguments.items() if key.isdecimal()]
    named = {"user": values[0] if len(values) > 1 else "i", "id": values[-1] if values else "", **arguments}
    return address.format(user=named["user"], id=named["id"]) if named["id"] else None


def _figure(arguments: Mapping[str, str]) -> str:
    credit = arguments.get("attr", "")
    words = [text for text in (arguments.get("title"), arguments.get("caption")) if text]
    caption = ": ".join(words) + (f" ({credit})" if credit and words else credit)
    alt = arguments.get("alt") or " ".join(words)
    target = f"<{arguments['src']}>" if re.search(r"[\s()]", arguments["src"]) else arguments["src"]
    title = ' "{}"'.format(" ".join(caption.replace('"', '\\"').split())) if caption else ""
    alt = re.sub(r"([\[\]])", r"\\\1", " ".join(alt.split()))
    picture = f"![{alt}]({target}{title})"
    return f"[{picture}]({arguments['link']})" if arguments.get("link") else picture


def _apart(found: re.Match[str], markdown: str) -> str:
    """As a paragraph of its own: with the blank lines that are missing around it."""
    text = found.string
    begin = text.rfind("\n", 0, found.start()) + 1
    indent = text[begin : found.start()]
    end = text.find("\n", found.end())
    after = text[found.end() : end if end >= 0 else len(text)]
    stands_below = not indent.strip() and not text[max(0, begin - 2) : begin].strip("\n")
    stands_above = not after.strip() and (end < 0 or text[end + 1 : end + 2] in {"\n", ""})
    before = "" if stands_below else "\n\n" + ("" if indent.strip() else indent)
    return before + markdown + ("" if stands_above else "\n" if not after.strip() else "\n\n")


def _link(site: _Site, place: _Place, target: str) -> str | None:
    """A text's file as ``_find_text`` takes it. None if it cannot be told which one is meant."""
    path, sign, fragment = target.partition("#")
    if not path.strip("/"):
        return f"{path}{sign}{fragment}" or None
    found = _look_up(site, place, unquote(path))
    if found is None:
        return None
    return f"@/{quote(found.file.removeprefix(f'{site.content}/') if site.content else found.file)}{sign}{fragment}"


def _look_up(site: _Site, place: _Place, target: str) -> _Place | None:
    """By a path from the top, else from the text's own folder, else by a name that only one has."""
    path = re.sub(r"\.(?:md|markdown)$", "", target.lower().rstrip("/"))
    path = re.sub(r"(?:^|/)_?index$", "", path)
    folders = [""] if target.startswith("/") else [place.path, place.folder, ""]
    for folder in folders:
        whole = posixpath.normpath(posixpath.join(folder.lower(), path.lstrip("/")))
        if found := site.by_path.get(whole):
            return found
    named = site.by_name.get(path, [])
    return named[0] if len({one.path for one in named}) == 1 and not target.startswith("/") else None


def _find_text(site: _Site, target: str) -> str:
    """``@/posts/other.md``, as ``_link`` writes it, or ``/posts/other.md``: both count from the content's folder."""
    if not target.startswith(("@/", "/")) or not target.endswith((".md", ".markdown")):
        return ""
    path = unquote(target.lstrip("@").lstrip("/"))
    return next((file for file in (posixpath.join(site.content, path), path) if file in site.files), "")
