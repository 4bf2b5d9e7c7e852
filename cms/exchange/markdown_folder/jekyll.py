"""Jekyll's folders: ``_config.yml``, posts in ``_posts``, drafts in ``_drafts``, pages anywhere (https://jekyllrb.com/docs/)."""

import posixpath
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote
from zoneinfo import ZoneInfo

from cms.exchange.markdown_folder import front_matter
from cms.exchange.markdown_folder.front_matter import as_flag, as_moment, as_text, as_texts
from cms.exchange.markdown_folder.report import Outcome, Report, why
from cms.exchange.markdown_folder.shortcodes import code_ranges
from cms.exchange.markdown_folder.source import TEXTS, Blog, Document, files_below, is_file, read_text
from cms.models.post import Kind
from cms.wording import say

_Note = Callable[[Outcome, str, re.Match[str]], None]

_SETTINGS = ("_config.yml", "_config.yaml")
_EXCLUDED = ("node_modules", "vendor", "Gemfile", "Gemfile.lock", "gemfiles", ".sass-cache", ".jekyll-cache")
_OTHER_FORMATS = {".adoc", ".asciidoc", ".org", ".rst", ".textile"}
_NAMED = re.compile(r"(\d{2,4})-(\d{1,2})-(\d{1,2})-(.+)")
_STYLES = {
    "date": "/:categories/:year/:month/:day/:title:output_ext",
    "pretty": "/:categories/:year/:month/:day/:title/",
    "ordinal": "/:categories/:year/:y_day/:title:output_ext",
    "weekdate": "/:categories/:year/W:week/:short_day/:title:output_ext",
    "none": "/:categories/:title:output_ext",
}
_LAYOUTS = {
    "year": "%Y", "short_year": "%y", "month": "%m", "i_month": "%-m", "short_month": "%b", "long_month": "%B", "day": "%d", "i_day": "%-d",
    "y_day": "%j", "w_year": "%G", "week": "%V", "w_day": "%u", "short_day": "%a", "long_day": "%A", "hour": "%H", "minute": "%M",
    "second": "%S",
}  # fmt: skip
_WORDS = {"year": "{year}", "month": "{month}", "day": "{day}", "title": "{slug}", "slug": "{slug}", "name": "{slug}", "output_ext": ""}
_WORD = re.compile(r":([a-z]+(?:_[a-z]+)*)")
_PRETTY = frozenset("._~!$&'()+,;=@")
_PLAIN: frozenset[str] = frozenset()

_RAW = re.compile(
    r"\{%-?\s*(?P<block>raw|comment)\s*-?%\}(?P<inner>(?:(?!\{%-?\s*(?P=block)\b).)*?)\{%-?\s*end(?P=block)\s*-?%\}"
    r"|\{%-?\s*highlight\s+(?P<options>[^{}%]*?)\s*-?%\}"
    r"(?P<code>(?:(?!\{%-?\s*highlight\b).)*?)\{%-?\s*endhighlight\s*-?%\}",
    re.DOTALL,
)
_RAW_TAG = re.compile(r"\{%-?\s*(?:end)?raw\s*-?%\}")
_LIQUID = re.compile(r"\{%-?\s*(?P<tag>\w+)(?P<words>(?:(?!\{[{%]).)*?)-?%\}|\{\{-?(?P<value>(?:(?!\{[{%]).)*?)-?\}\}|\{[{%]", re.DOTALL)
_BEFORE_LINK = re.compile(r"(?:\{\{-?\s*site\.(?:url|baseurl)\s*-?\}\}[ \t]*)+(?=\{%-?\s*(?:post_url|link)\b)")
_SHIELD = "\ufdd0"  # for a brace that is meant as one; no text has this character
_FILTER = re.compile(r"\s*(\w+)\s*(?::\s*(.*?)\s*)?", re.DOTALL)
_ATTRIBUTES = re.compile(
    r"^(?P<toc>[ \t]*[*\-+\d.]+[ \t]+\S[^\n]*\n)[ \t]*\{:\s*toc[^{}\n]*\}[ \t]*$"
    r"|^(?P<heading>#{1,6}[ \t][^\n{}]*?)[ \t#]*\n[ ]{0,3}\{:[^{}\n#]*#(?P<id>[\w-]+)[^{}\n]*\}[ \t]*$"
    r"|\{::comment\}(?s:(?:(?!\{::comment).)*?)\{:/(?:comment)?\}"
    r"|\{::?[^{}\n]*\}",
    re.MULTILINE,
)


class Jekyll:
    program = "jekyll"

    def recognises(self, folder: Path) -> bool:
        """Its settings, or a folder of posts with dates in their names."""
        posts = folder / "_posts"
        has_posts = posts.is_dir() and any(_NAMED.fullmatch(path.stem) for path in posts.rglob("*.*"))
        return any((folder / name).is_file() for name in _SETTINGS) or has_posts

    def read(self, folder: Path, report: Report) -> Blog:
        site = _Site.of(folder, report)
        blog = Blog(
            program=self.program,
            folder=folder,
            title=as_text(site.settings.get("title")),
            description=as_text(site.settings.get("description")),
            base_url=site.url + site.base,
            language=as_text(site.settings.get("lang")) or as_text(site.settings.get("locale")).replace("_", "-"),
            files_at=_files_at(site),
            feeds=tuple(_feeds(site)),
            find_text=lambda _document, target: _find_text(site, target),
        )
        blog.documents = [document for file in site.files if (document := _document(site, file))]
        site.read = frozenset(document.file for document in blog.documents)
        blog.permalink = _permalink(site, blog.documents)
        return blog


@dataclass(slots=True)
class _Site:
    """``collections``: folders that begin with "_" and whose texts are pages, by name. ``posts``: file by date and slug."""

    folder: Path
    report: Report
    settings: dict[str, Any]
    url: str = ""
    base: str = ""
    zone: ZoneInfo | None = None
    collections: dict[str, dict[str, Any]] = field(default_factory=dict)
    people: dict[str, Any] = field(default_factory=dict)
    excluded: tuple[str, ...] = ()
    files: list[str] = field(default_factory=list)
    read: frozenset[str] = frozenset()
    posts: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, folder: Path, report: Report) -> "_Site":
        settings = next((_yaml(folder, name, report) for name in _SETTINGS if (folder / name).is_file()), {})
        site = cls(folder, report, settings)
        site.url = as_text(settings.get("url")).rstrip("/")
        site.base = f"/{base}" if (base := as_text(settings.get("baseurl")).strip("/")) else ""
        site.zone = _zone(as_text(settings.get("timezone")), report)
        collections = settings.get("collections")
        for name, data in collections.items() if isinstance(collections, dict) else ():
            if isinstance(data, dict) and as_flag(data.get("output")) and name != "posts":
                site.collections[str(name)] = data
        names = (f"_data/authors.{suffix}" for suffix in ("yml", "yaml", "json"))
        site.people = next((_yaml(folder, name, report) for name in names if (folder / name).is_file()), {})
        site.excluded = (*_EXCLUDED, *as_texts(settings.get("exclude")))
        site.files = [file for file in _texts(folder) if site.has(file)]
        for file in site.files:
            if _is_in(file, "_posts"):
                site.posts.setdefault(_stem(file), []).append(file)
        _refuse_other_formats(site)
        return site

    def has(self, file: str) -> bool:
        """Whether a text is a part of the site: not excluded, and in no folder that only templates are in."""
        special = {"_posts", "_drafts", *(f"_{name}" for name in self.collections)}
        *folders, name = file.split("/")
        is_hidden = any(part.startswith(("_", ".")) and part not in special for part in folders) or name.startswith(("_", "."))
        return not is_hidden and not _is_excluded(file, self.excluded)

    @property
    def template(self) -> str:
        return as_text(self.settings.get("permalink")) or "date"


def _refuse_other_formats(site: _Site) -> None:
    """Posts that are no Markdown, and pages of HTML that have words of their own and are no templates."""
    for file in files_below(site.folder):
        suffix = posixpath.splitext(file)[1].lower()
        is_post = _is_in(file, "_posts")
        is_other = suffix in _OTHER_FORMATS if is_post else suffix in {".html", ".htm"}
        if not is_other or file in site.files or not site.has(file):
            continue
        text = "" if is_post else (read_text(site.folder, file, site.report) or ("", ""))[0]
        if is_post or (text.startswith("---") and "{%" not in text and front_matter.split(text).body.strip()):
            site.report.refuse(file, say("is no Markdown, but {kind}", kind=suffix[1:]))


def _is_in(file: str, folder: str) -> bool:
    return folder in file.split("/")[:-1]


def _stem(file: str) -> str:
    return file.rpartition("/")[2].rpartition(".")[0]


def _texts(folder: Path) -> list[str]:
    """Markdown; posts may be HTML as well."""
    endings = (*TEXTS, ".html", ".htm")
    return sorted(file for file in files_below(folder) if file.endswith(endings if _is_in(file, "_posts") else TEXTS))


def _is_excluded(file: str, excluded: Iterable[str]) -> bool:
    """By its own name or path, or a folder's above it; patterns as the settings have them."""
    parts = file.split("/")
    paths = ["/".join(parts[:end]) for end in range(1, len(parts) + 1)]
    return any(fnmatchcase(path, pattern.strip("/")) for pattern in excluded for path in paths)


def _files_at(site: _Site) -> dict[str, str]:
    """Folders stand where they are, but for those that begin with "_" or ".", and excluded ones."""
    names = [path.name for path in site.folder.iterdir() if path.is_dir() and path.name[0] not in "_."]
    return {name: name for name in sorted(names, key=lambda name: (-len(name), name)) if not _is_excluded(name, site.excluded)}


def _feeds(site: _Site) -> Iterator[str]:
    """The one that a plugin makes, and those that are templates of the site's own."""
    if "jekyll-feed" in {*as_texts(site.settings.get("plugins")), *as_texts(site.settings.get("gems"))}:
        feed = site.settings.get("feed")
        yield (as_text(feed.get("path")) if isinstance(feed, dict) else "").strip("/") or "feed.xml"
    yield from (name for name in ("feed.xml", "atom.xml", "rss.xml", "index.xml") if is_file(site.folder / name))


# --- settings --------------------------------------------------------------------------------------------------------------


def _yaml(folder: Path, file: str, report: Report) -> dict[str, Any]:
    text = read_text(folder, file, report)
    try:
        data = front_matter.parse(text[0], Path(file).suffix) if text else {}
    except ValueError as error:
        report.refuse(file, say("the settings cannot be read: {reason}", reason=error))
        return {}
    return {str(key): value for key, value in data.items()} if isinstance(data, dict) else {}


def _zone(name: str, report: Report) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (KeyError, ValueError, OSError):
        report.note(Outcome.CHANGED, _SETTINGS[0], say("the time zone “{name}” is unknown; the site's own counts", name=name[:40]))
        return None


def _default_author(site: _Site, file: str) -> Any:
    """Of all defaults this is the one that belongs to a text, and not to a theme."""
    kind = "drafts" if _is_in(file, "_drafts") else "posts" if _is_in(file, "_posts") else "pages"
    kind = next((name for name in site.collections if _is_in(file, f"_{name}")), kind)
    found = None
    defaults = site.settings.get("defaults")
    for one in defaults if isinstance(defaults, list) else []:
        scope, values = (one.get(name) if isinstance(one, dict) else None for name in ("scope", "values"))
        if not isinstance(scope, dict) or not isinstance(values, dict) or not values.get("author"):
            continue
        path = as_text(scope.get("path")).strip("/")
        if as_text(scope.get("type")) in {"", kind} and (not path or file.startswith(f"{path}/") or fnmatchcase(file, path)):
            found = values["author"]
    return found


# --- texts -----------------------------------------------------------------------------------------------------------------


def _document(site: _Site, file: str) -> Document | None:
    text = read_text(site.folder, file, site.report)
    if text is None:
        return None
    is_post, is_draft = _is_in(file, "_posts"), _is_in(file, "_drafts")
    has_matter = text[0].startswith("---")
    if not has_matter and not is_post and not is_draft:
        return None
    matter = front_matter.split(text[0]) if has_matter else front_matter.FrontMatter({}, text[0], 1)
    named = _NAMED.fullmatch(_stem(file)) if is_post else None
    problem = matter.problem or ("" if text[0].strip() else say("is empty"))
    if is_post and not named:
        problem = say("its name does not begin with a date, and Jekyll passes over it")
    if problem or not _is_text(site, file, matter):
        if problem:
            site.report.refuse(file, problem, 1)
        return None
    data = matter.data
    document = Document(
        file=file,
        title=as_text(data.get("title")) or _titled(named[4] if named else _stem(file)),
        body=_body(site, file, matter),
        body_line=matter.line,
        kind=Kind.POST if is_post or is_draft else Kind.PAGE,
        is_draft=is_draft or data.get("published") is False,
        slug=_slugified(as_text(data.get("slug")) or (named[4] if named else _stem(file)), _PRETTY),
        excerpt=as_text(data.get("excerpt")) or as_text(data.get("description")),
        language=as_text(data.get("lang")),
        authors=_authors(site, data.get("authors") or data.get("author") or _default_author(site, file)),
        categories=tuple(dict.fromkeys([*_folders(file), *_terms(data, "category", "categories")])) if is_post or is_draft else (),
        tags=_terms(data, "tag", "tags"),
        picture=_picture(data.get("image")),
        template=as_text(data.get("layout")),
        digest=text[1],
    )
    _give_dates(site, document, data, named)
    document.paths = _paths(site, document, data)
    return document


def _is_text(site: _Site, file: str, matter: front_matter.FrontMatter) -> bool:
    """Not the front page, and not a mere signpost to another address."""
    target = next(iter(as_texts(matter.data.get("redirect_to"))), "")
    has_words = bool(matter.body.strip())
    is_front = file in {"index.md", "index.markdown"} or matter.data.get("permalink") == "/"
    if target:
        if has_words:
            what = say("redirect_to: it sent readers to {target}; here they see its own words", target=target)
            site.report.note(Outcome.CHANGED, file, what, 1)
        else:
            site.report.refuse(file, say("redirect_to: it sent readers to {target}, which is elsewhere", target=target), 1)
        return has_words
    if is_front and has_words:
        site.report.refuse(file, "stood on the front page, which is a list of posts here")
    return not is_front


def _titled(name: str) -> str:
    return " ".join(word.capitalize() for word in name.split("-") if word)


def _folders(file: str) -> list[str]:
    """Categories that a post has from the folders above ``_posts``."""
    return file.split("/_posts/")[0].split("/_drafts/")[0].split("/") if "/_posts/" in file or "/_drafts/" in file else []


def _terms(data: Mapping[str, Any], one: str, many: str) -> tuple[str, ...]:
    """One term is taken as it is, many in a text are words."""
    several = data.get(many)
    return as_texts([data.get(one), *(several.split() if isinstance(several, str) else as_texts(several))])


def _authors(site: _Site, value: Any) -> tuple[str, ...]:
    """Names, by way of ``_data/authors.yml`` if they are keys there."""
    people = [site.people.get(one, one) if isinstance(one, str) else one for one in (value if isinstance(value, list) else [value])]
    return as_texts([one.get("name") or one.get("display_name") if isinstance(one, dict) else one for one in people])


def _picture(value: Any) -> str:
    return as_text(value.get("path") if isinstance(value, dict) else value)


def _give_dates(site: _Site, document: Document, data: Mapping[str, Any], named: re.Match[str] | None) -> None:
    try:
        document.date = _moment(site, data.get("date"))
        if document.date is None and named:
            document.date = date(int(named[1]) + (2000 if len(named[1]) == 2 else 0), int(named[2]), int(named[3]))
    except ValueError as error:
        site.report.note(Outcome.CHANGED, document.file, say("{problem}; it has no date now, and is a draft", problem=why(error)), 1)
        document.is_draft = True
    try:
        document.updated = _moment(site, data.get("last_modified_at"))
    except ValueError as error:
        site.report.note(Outcome.CHANGED, document.file, say("last_modified_at: {problem}; left out", problem=why(error)), 1)


def _moment(site: _Site, value: Any) -> datetime | date | None:
    """Without a zone YAML means UTC, and so does Jekyll; only what is no moment to YAML is in the settings' zone."""
    moment = as_moment(value)
    if not isinstance(moment, datetime) or moment.tzinfo:
        return moment
    zone = UTC if isinstance(value, datetime) else site.zone
    return moment.replace(tzinfo=zone) if zone else moment


# --- addresses -------------------------------------------------------------------------------------------------------------


def _paths(site: _Site, document: Document, data: Mapping[str, Any]) -> tuple[str, ...]:
    """A draft has no address but the one that it names."""
    own = as_text(data.get("permalink"))
    template = own or ("" if _is_in(document.file, "_drafts") else _template(site, document))
    urls = [_expand(document, data, _STYLES.get(template, template), at) for at in _days(site, document)] if template else []
    paths = [path for url in urls for path in _served(url)]
    return tuple(dict.fromkeys(path for path in [*paths, *map(_clean, as_texts(data.get("redirect_from")))] if path))


def _template(site: _Site, document: Document) -> str:
    if document.kind is Kind.POST:
        return site.template
    style = _STYLES.get(site.template, site.template)
    ending = "/" if style.endswith("/") else ":output_ext" if style.endswith(":output_ext") else ""
    name = next((name for name in site.collections if _is_in(document.file, f"_{name}")), "")
    if name:
        return as_text(site.collections[name].get("permalink")) or f"/:collection/:path{ending}"
    return "/:path/" if _stem(document.file) == "index" else f"/:path/:basename{ending}"


def _days(site: _Site, document: Document) -> list[datetime | date | None]:
    """The date in the settings' zone; without one it is not known where the old site was built: in the writer's zone, or in UTC."""
    at = document.date
    if not isinstance(at, datetime) or at.tzinfo is None:
        return [at]
    try:
        return [at.astimezone(site.zone)] if site.zone else [at, at.astimezone(UTC)]
    except OverflowError:
        return [at]


def _expand(document: Document, data: Mapping[str, Any], template: str, at: datetime | date | None) -> str:
    folder, _, name = document.file.rpartition("/")
    stem = name.rpartition(".")[0]
    collection = next((part for part in folder.split("/") if part.startswith("_")), "")
    values = {
        "title": document.slug,
        "slug": _slugified(as_text(data.get("slug")), _PLAIN).lower() or _slugified(document.slug, _PLAIN).lower(),
        "name": _slugified(stem, _PLAIN).lower(),
        "basename": stem,
        "path": f"{document.file.rpartition('.')[0].partition(f'{collection}/')[2]}" if collection else folder,
        "collection": collection[1:],
        "output_ext": ".html",
        "categories": "/".join(dict.fromkeys(category.lower() for category in document.categories)),
        "slugified_categories": "/".join(dict.fromkeys(_slugified(name, _PLAIN).lower() for name in document.categories)),
    }

    def word(found: re.Match[str]) -> str:
        name = found[1]
        if name in _LAYOUTS:
            return f"{at:{_LAYOUTS[name]}}" if at else ""
        return values.get(name, found[0])

    return re.sub(r"/{2,}", "/", _WORD.sub(word, template))


def _slugified(text: str, allowed: frozenset[str]) -> str:
    """Letters, digits and some signs; single hyphens for the rest."""
    signs = (sign if sign.isalnum() or sign in allowed or unicodedata.category(sign).startswith("M") else "-" for sign in text)
    return re.sub(r"-+", "-", "".join(signs)).strip("-")


def _served(url: str) -> list[str]:
    """A page without a slash or a dot at its end was a file with ``.html``, and servers answered for both."""
    path = _clean(url)
    return [path] if not path or url.endswith("/") or "." in path.rpartition("/")[2] else [path, f"{path}.html"]


def _clean(url: str) -> str:
    """Decoded, no slashes at the ends, no name of an index."""
    path = unquote(url).strip("/")
    return path.removesuffix("index.html").strip("/") if path.rpartition("/")[2] == "index.html" else path


def _permalink(site: _Site, documents: Iterable[Document]) -> str:
    """The setting in our words, or "" if they cannot say it."""
    template = _STYLES.get(site.template, site.template)
    most = max((len(document.categories) for document in documents), default=0)
    words = _WORDS if most > 1 else {**_WORDS, "categories": "{category}" if most else ""}
    if any(found[1] not in words for found in _WORD.finditer(template)):
        return ""
    path = re.sub(r"/{2,}", "/", _WORD.sub(lambda found: words[found[1]], template)).strip("/").removesuffix(".html")
    return f"/{path}" if path.count("{slug}") == 1 else ""


# --- words -----------------------------------------------------------------------------------------------------------------


def _body(site: _Site, file: str, matter: front_matter.FrontMatter) -> str:
    """Liquid that we know is settled, kramdown's attributes go. Every line stays on its number."""
    note = _noting(site.report, file, matter.line)
    text = _unwrapped(matter.body, note)
    text = _settled(site, _BEFORE_LINK.sub("", text), note)
    text = _without_attributes(text, note)
    separator = as_text(matter.data.get("excerpt_separator")) or as_text(site.settings.get("excerpt_separator"))
    if separator and separator != "<!--more-->":
        text = text.replace(separator, "<!--more-->", 1)
    return text.replace(_SHIELD, "{")


def _noting(report: Report, file: str, first: int) -> _Note:
    """Of something found in a text whose lines are those of the file, from ``first`` on."""
    return lambda outcome, what, found: report.note(outcome, file, what, first + found.string.count("\n", 0, found.start()))


def _unwrapped(body: str, note: _Note) -> str:
    """Without ``raw`` and ``comment``, and with a fence for ``highlight``; what was in them is safe from what comes next."""

    def settle(found: re.Match[str]) -> str:
        if found["block"] == "comment":
            note(Outcome.CHANGED, "a Liquid comment was left out", found)
            return "\n" * found[0].count("\n")
        return found["inner"].replace("{", _SHIELD) if found["block"] else _fence(found)

    return _RAW.sub(settle, body)


def _fence(found: re.Match[str]) -> str:
    """With the options as they stand after the language: ``linenos``, ``hl_lines="1 3"``, ``mark_lines="1 3"``."""
    language, _, options = found["options"].partition(" ")
    options = options.strip().replace("mark_lines", "hl_lines").replace('"', "'")
    code = _RAW_TAG.sub("", found["code"]).replace("{", _SHIELD)
    fence = "`" * (max((len(run) for run in re.findall(r"`{3,}", code)), default=2) + 1)
    begin = "" if code.lstrip(" \t").startswith("\n") else "\n"
    end = "" if code.rstrip(" \t").endswith("\n") else "\n"
    info = f"{language} {_SHIELD}{options}}}" if options else language
    return f"{fence}{info}{begin}{code}{end}{fence}"


def _settled(site: _Site, text: str, note: _Note) -> str:
    code = list(code_ranges(text))

    def settle(found: re.Match[str]) -> str:
        is_code = any(begin <= found.start() < end for begin, end in code)
        value = _tag(site, found) if found["tag"] else _value(site, found["value"] or "")
        if value is not None and (found["value"] or not is_code):
            return value
        if not is_code:
            note(*_unknown(found), found)
        return found[0]

    return _LIQUID.sub(settle, text)


def _unknown(found: re.Match[str]) -> tuple[Outcome, str]:
    words = " ".join((found["words"] or found["value"] or "").split())[:60]
    if found["tag"] in {"post_url", "link"}:
        return Outcome.MISSING, say("{words}: nothing here has this name", words=words)
    if found["tag"]:
        return Outcome.NOT_UNDERSTOOD, say("the Liquid tag {name}", name=found["tag"])
    return Outcome.NOT_UNDERSTOOD, say("the Liquid value {words}", words=words) if found["value"] else say("Liquid without its end")


def _tag(site: _Site, found: re.Match[str]) -> str | None:
    """``post_url`` and ``link`` as ``_find_text`` takes them; files stand at their own place."""
    words = found["words"].strip().strip("\"'")
    if found["tag"] == "post_url":
        file = _post(site, words)
        return f"@/{quote(file)}" if file else None
    if found["tag"] == "link":
        file = posixpath.normpath(words.strip("/"))
        if file in site.files:
            return f"@/{quote(file)}"
        return f"{site.base}/{quote(file)}" if (site.folder / file).is_file() and not file.startswith((".", "_")) else None
    return None


def _post(site: _Site, name: str) -> str:
    """By date and slug, and by the folder that stands before them if there are several."""
    folder, _, stem = name.strip("/").rpartition("/")
    found = site.posts.get(stem, [])
    near = [file for file in found if folder and file.rpartition("/")[0].replace("/_posts", "").removeprefix("_posts/").endswith(folder)]
    return next(iter([*near, *found]), "")


def _value(site: _Site, expression: str) -> str | None:
    """A text in quotes or a setting, through filters about addresses; None if it is anything else."""
    first, *filters = (part.strip() for part in expression.split("|"))
    value = _operand(site, first)
    for one in filters:
        found = _FILTER.fullmatch(one)
        if value is None or found is None:
            return None
        value = _filtered(site, value, found[1], found[2] or "")
    return value


def _operand(site: _Site, text: str) -> str | None:
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    name = text.removeprefix("site.")
    if name == text:
        return None
    if name in {"url", "baseurl"}:
        return site.url if name == "url" else site.base
    return as_text(site.settings.get(name)) or None


def _filtered(site: _Site, value: str, name: str, operand: str) -> str | None:
    if name in {"relative_url", "absolute_url"}:
        host = site.url if name == "absolute_url" else ""
        return value if "://" in value else f"{host}{site.base}/{value.lstrip('/')}"
    other = _operand(site, operand)
    if name not in {"prepend", "append"} or other is None:
        return None
    return other + value if name == "prepend" else value + other


def _without_attributes(text: str, note: _Note) -> str:
    """An id that stands below a heading goes to its end, where we read it."""
    code = list(code_ranges(text))

    def settle(found: re.Match[str]) -> str:
        if any(begin <= found.start() < end for begin, end in code):
            return found[0]
        what = say("the list of headings" if found["toc"] else "a comment" if "::comment" in found[0] else "attributes")
        note(Outcome.CHANGED, say("kramdown: {what} left out", what=what), found)
        head = f"{found['heading']} {{#{found['id']}}}" if found["heading"] else ""
        return head + "\n" * found[0].count("\n")

    return _ATTRIBUTES.sub(settle, text)


def _find_text(site: _Site, target: str) -> str:
    """``@/_posts/2024-01-02-x.md``; or a file at the top, where ``files_at`` has only folders."""
    file = unquote(target.removeprefix("@").removeprefix("/"))
    if target.startswith("@/"):
        return file if file in site.read else ""
    is_file = target.startswith("/") and file and "/" not in file and file[0] not in "_." and file not in site.files
    return file if is_file and not _is_excluded(file, site.excluded) and (site.folder / file).is_file() else ""
