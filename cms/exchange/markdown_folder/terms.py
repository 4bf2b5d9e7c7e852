"""People, categories, tags and series that the texts name: made once for all of them, then looked up for each."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cms.content.slugs import slugify
from cms.db.session import Work
from cms.exchange.markdown_folder.report import Outcome, Report
from cms.exchange.markdown_folder.source import Blog, Document
from cms.models.address import TargetKind
from cms.policy import SYSTEM
from cms.services import accounts, addresses, taxonomies
from cms.wording import say

MAX_NAME, MAX_TERM, MAX_TERMS = 80, 80, 50


@dataclass
class Terms:
    """``parts``: file of a text → its series, and which part of it the text is."""

    report: Report
    parts: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    people: dict[str, int] = field(default_factory=dict)  # name → id
    tags: dict[str, int] = field(default_factory=dict)
    categories: dict[str, int] = field(default_factory=dict)
    series: dict[str, int] = field(default_factory=dict)

    async def add(self, work: Work, documents: Sequence[Document]) -> None:
        for name in self._all(documents, "authors"):
            self.people[name] = (await accounts.ensure_author(work, SYSTEM, name)).id
        for name in dict.fromkeys(names[0] for document in documents if (names := self._names(document, "categories"))):
            self.categories[name] = (await taxonomies.ensure_category(work, SYSTEM, name)).id
        others = (name for document in documents for name in self._names(document, "categories")[1:])
        for name in dict.fromkeys([*self._all(documents, "tags"), *others]):
            (self.tags[name],) = await taxonomies.ensure_tags(work, [name])
        for name in dict.fromkeys(name for name, _ in self.parts.values()):
            if slugify(name):
                self.series[name] = (await taxonomies.ensure_series(work, SYSTEM, name[:MAX_TERM].rstrip())).id

    async def lead_old_lists(self, work: Work, blog: Blog) -> list[str]:
        """Where the old site listed the texts of a term, its list of now is found; and so is its feed. Texts' own addresses were there
        first. Those of terms that stayed out are answered."""
        for name, tag in self.tags.items():
            await _lead(work, blog, _usual(("tags", "categories"), name), TargetKind.TAG, tag)
        for name, category in self.categories.items():
            await _lead(work, blog, _usual(("categories",), name), TargetKind.CATEGORY, category)
        targets = {path: self._list(taxonomy, name) for path, (taxonomy, name) in blog.lists.items()}
        for path, target in targets.items():
            if target:
                await _lead(work, blog, [path], *target)
        return [path for path, target in targets.items() if not target]

    def _list(self, taxonomy: str, name: str) -> tuple[TargetKind, int] | None:
        """What stands for a term now: a text's second category is a tag."""
        known: dict[str, list[tuple[TargetKind, Mapping[str, int]]]] = {
            "authors": [(TargetKind.AUTHOR, self.people)],
            "series": [(TargetKind.SERIES, self.series)],
            "categories": [(TargetKind.CATEGORY, self.categories), (TargetKind.TAG, self.tags)],
            "tags": [(TargetKind.TAG, self.tags)],
        }
        return next(((kind, ids[name]) for kind, ids in known[taxonomy] if name in ids), None)

    def of(self, document: Document) -> dict[str, Any]:
        """What the map of a working copy says of them."""
        categories = self._names(document, "categories")
        tags = [self.tags[name] for name in (*self._names(document, "tags"), *categories[1:])]
        fields = {
            "authors": tuple(dict.fromkeys(self.people[name] for name in self._names(document, "authors"))),
            "category": self.categories[categories[0]] if categories else None,
            "tags": tuple(dict.fromkeys(tags))[:MAX_TERMS],
        }
        series = self.series_of(document)
        return {**fields, "series": series} if series else fields

    def series_of(self, document: Document) -> dict[str, int] | None:
        name, position = self.parts.get(document.file, ("", 0))
        return {"id": self.series[name], "position": position} if name in self.series else None

    def _all(self, documents: Iterable[Document], kind: str) -> list[str]:
        return list(dict.fromkeys(name for document in documents for name in self._names(document, kind)))

    def _names(self, document: Document, kind: str) -> list[str]:
        """One without a letter has no address, and stays out."""
        names = []
        for name in getattr(document, kind):
            if slugify(name) or kind == "authors":
                names.append(shortened(self.report, document, name, MAX_NAME if kind == "authors" else MAX_TERM))
            else:
                what = say("“{name}” has no letter or digit to make an address from", name=name)
                self.report.note(Outcome.CHANGED, document.file, what, 1)
        return names


def parts_of_series(documents: Iterable[Document]) -> dict[str, tuple[str, int]]:
    """In the order of the texts, which is that of their dates, if they do not say it themselves."""
    counts: Counter[str] = Counter()
    parts = {}
    for document in documents:
        if document.series:
            counts[document.series] += 1
            parts[document.file] = (document.series, document.part or counts[document.series])
    return parts


def shortened(report: Report, document: Document, text: str, most: int) -> str:
    if len(text) <= most:
        return text
    report.note(Outcome.CHANGED, document.file, say("“{text}…” was cut to {number} characters", text=text[:40], number=most), 1)
    return text[:most].rstrip()


def _usual(folders: Iterable[str], name: str) -> list[str]:
    """From words as Zola and as Hugo write them."""
    slugs = (slugify(name), "-".join(name.lower().split()))
    return [f"{folder}/{slug}" for folder in folders for slug in slugs]


async def _lead(work: Work, blog: Blog, lists: Iterable[str], kind: TargetKind, target_id: int) -> None:
    feeds = {feed.rpartition("/")[2] for feed in blog.feeds}
    stood = [path for here in lists for path in (here, *(f"{here}/{feed}" for feed in sorted(feeds)))]
    await addresses.lead(work, kind, {target_id: [path for one in stood for path in blog.old_paths(one)]})
