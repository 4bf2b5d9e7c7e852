"""What was met on the way through a text."""

from dataclasses import dataclass, field

from cms.content.context import Heading


@dataclass(slots=True)
class Findings:
    """Headings, paths of this site, media, cards, titles of nothing, pictures, links, ids."""

    headings: list[Heading] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    media: list[str] = field(default_factory=list)
    cards: list[str] = field(default_factory=list)
    nowhere: list[str] = field(default_factory=list)
    pictures: list[tuple[str, bool]] = field(default_factory=list)  # address as it was written; whether something says what it shows
    anchors: list[tuple[str, str]] = field(default_factory=list)  # address and words of every link that somebody wrote
    ids: set[str] = field(default_factory=set)
