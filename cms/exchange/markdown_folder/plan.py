"""Addresses before anything is written: the permalink pattern that most old addresses follow, and where each text will stand."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from cms.content.slugs import slugify
from cms.errors import InvalidInput, OperatorError
from cms.exchange.markdown_folder.report import Outcome, Report
from cms.exchange.markdown_folder.source import Blog, Document
from cms.models.address import MAX_PATH, is_reserved, normalise_path
from cms.models.post import Kind
from cms.models.site import Frame
from cms.schemas.post import MAX_SLUG
from cms.services import permalinks
from cms.wording import say

PATTERNS = (
    "/{year}/{month}/{day}/{slug}",
    "/{year}/{month}/{slug}",
    "/{year}/{slug}",
    "/blog/{slug}",
    "/posts/{slug}",
    "/{slug}",
)
_WITHOUT_SUFFIX = re.compile(r"(?:/index)?\.html?$")


@dataclass(slots=True)
class Planned:
    """Where a text goes. ``path``: its new address; ``former``: all its old ones but that."""

    document: Document
    path: str
    slug: str
    at: datetime | None  # its date; None if it has none
    former: list[str] = field(default_factory=list)
    parent: str = ""  # file of the page above


def require_permalink(pattern: str) -> None:
    """Raises ``OperatorError`` for a pattern that makes no addresses."""
    try:
        permalinks.require(pattern)
    except InvalidInput as error:
        raise OperatorError(say("{pattern} is no pattern for addresses. {why}", pattern=pattern, why=error.message)) from None


def guess_permalink(blog: Blog, zone: ZoneInfo) -> tuple[str, int, int]:
    """The pattern that most posts' addresses follow, for how many it is right, and of how many. The settings' own word counts first."""
    posts = [document for document in blog.documents if document.kind is Kind.POST and document.paths]
    patterns = dict.fromkeys([*([blog.permalink] if blog.permalink else []), *PATTERNS, *_sections(posts)])
    right = Counter({pattern: sum(_fits(pattern, document, zone) for document in posts) for pattern in patterns})
    best = max(patterns, key=lambda pattern: right[pattern], default=Frame.permalink)
    return (best if right[best] else Frame.permalink), right[best], len(posts)


def _sections(posts: Iterable[Document]) -> list[str]:
    """``/notes/{slug}`` for texts that stand below one folder."""
    folders = Counter(document.paths[0].rpartition("/")[0] for document in posts)
    return [f"/{folder}/{{slug}}" for folder, _ in folders.most_common(3) if folder and not is_reserved(folder)]


def _fits(pattern: str, document: Document, zone: ZoneInfo) -> bool:
    at = moment(document.date, zone)
    wanted = _WITHOUT_SUFFIX.sub("", document.paths[0])
    return fill(pattern, wanted.rpartition("/")[2], at) == wanted if at or "{year}" not in pattern else False


def fill(pattern: str, slug: str, at: datetime | None) -> str:
    """A path by a pattern; categories and authors are not known here, and stay in their braces."""
    day = at or datetime.fromtimestamp(0, UTC)
    values = {"year": f"{day:%Y}", "month": f"{day:%m}", "day": f"{day:%d}", "slug": slug}
    return re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], found[0]), pattern).strip("/")


def moment(value: datetime | date | None, zone: ZoneInfo) -> datetime | None:
    """A day without a time is its noon, a moment without a zone is the site's; the answer is in the site's zone."""
    if value is None:
        return None
    if not isinstance(value, datetime):
        value = datetime.combine(value, time(12))
    try:
        return (value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(zone)
    except (OverflowError, ValueError):
        return None


def lay_out(blog: Blog, pattern: str, zone: ZoneInfo, taken: set[str], report: Report) -> list[Planned]:
    """A place for each text: pages from the top down, then posts by date. ``taken``: paths that are another's already."""
    planned: list[Planned] = []
    taken = {path.casefold() for path in taken}
    pages = sorted((d for d in blog.documents if d.kind is Kind.PAGE), key=lambda d: (_path_of(d).count("/"), d.file))
    by_path: dict[str, Planned] = {}
    for document in pages:
        place = _page(document, moment(document.date, zone), by_path, taken)
        by_path[_path_of(document)] = place
        planned.append(place)
    posts = [(moment(document.date, zone), document) for document in blog.documents if document.kind is Kind.POST]
    for at, document in sorted(posts, key=lambda item: (item[0] is None, item[0] or datetime.now(zone), item[1].file)):
        planned.append(_post(document, at, pattern, taken))
    _give_former_addresses(blog, planned, taken, report)
    return planned


def _path_of(document: Document) -> str:
    return document.paths[0] if document.paths else document.slug


def _slug_of(document: Document) -> str:
    """As the old site had it, case and dots included."""
    last = _WITHOUT_SUFFIX.sub("", _path_of(document)).rpartition("/")[2]
    return (last or document.slug or slugify(document.title) or "untitled")[:MAX_SLUG]


def _page(document: Document, at: datetime | None, above: dict[str, Planned], taken: set[str]) -> Planned:
    """Below the page whose address is the beginning of its own; else at the top. A draft without an address has nothing below it."""
    path = _WITHOUT_SUFFIX.sub("", _path_of(document))
    folder = path.rpartition("/")[0]
    parent = above.get(folder) if folder else None
    base = f"{parent.path}/" if parent else ""
    slug = _free(base, _slug_of(document), taken)
    return Planned(document, base + slug, slug, at, parent=parent.document.file if parent else "")


def _post(document: Document, at: datetime | None, pattern: str, taken: set[str]) -> Planned:
    before, _, after = fill(pattern, "\0", at).partition("\0")
    slug = _free(before, _slug_of(document), taken, after)
    return Planned(document, f"{before}{slug}{after}", slug, at)


def _free(before: str, slug: str, taken: set[str], after: str = "") -> str:
    """The slug, or with the first number that makes the path free; the program's own addresses never are."""
    for number in range(1, len(taken) + 2):
        candidate = slug if number == 1 else f"{slug}-{number}"
        path = normalise_path(f"{before}{candidate}{after}").casefold()
        if path not in taken and not is_reserved(path):
            taken.add(path)
            return candidate
    return slug


def _give_former_addresses(blog: Blog, planned: Sequence[Planned], taken: set[str], report: Report) -> None:
    """Old addresses that are nobody's present one; of two texts with one old address the first keeps it."""
    for place in planned:
        for path in (path for old in place.document.paths for path in blog.old_paths(old)):
            path = normalise_path(path)
            if path.casefold() == normalise_path(place.path).casefold() or not path:
                continue
            if is_reserved(path) or len(path) > MAX_PATH:
                what = say("the old address /{path}: Squall answers there itself", path=path[:80])
                report.note(Outcome.MISSING, place.document.file, what, 1)
            elif path.casefold() in taken:
                report.note(Outcome.MISSING, place.document.file, say("the old address /{path} belongs to another text", path=path), 1)
            else:
                taken.add(path.casefold())
                place.former.append(path)
