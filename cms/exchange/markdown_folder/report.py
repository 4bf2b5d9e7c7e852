"""What became of each thing in a folder: counted, and said where somebody should look."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from cms.wording import Said, say


class Outcome(StrEnum):
    """Kinds of findings, gravest first."""

    REFUSED = "refused"
    MISSING = "missing"
    NOT_UNDERSTOOD = "not understood"
    CHANGED = "changed"
    ELSEWHERE = "elsewhere"
    LEFT_ALONE = "left alone"


EXPLANATIONS = {
    Outcome.REFUSED: "Not brought in",
    Outcome.MISSING: "Links, pictures and old addresses that lead nowhere",
    Outcome.NOT_UNDERSTOOD: "Kept as it was typed, because only the other program understands it",
    Outcome.CHANGED: "Brought in, and changed on the way",
    Outcome.ELSEWHERE: "Pictures that stay on another site",
    Outcome.LEFT_ALONE: "Not touched, because somebody has edited it here",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """``line`` is 0 where there is none."""

    outcome: Outcome
    file: str
    line: int
    what: str


@dataclass(slots=True)
class Report:
    """``counts``: what came out, by its name in the plural; ``found``: what was in the folder."""

    findings: list[Finding] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    _seen: set[Finding] = field(default_factory=set)

    def note(self, outcome: Outcome, file: str, what: str, line: int = 0) -> None:
        finding = Finding(outcome, _printable(file), line, _printable(what))
        if finding not in self._seen:
            self._seen.add(finding)
            self.findings.append(finding)

    def refuse(self, file: str, why: str, line: int = 0) -> None:
        self.note(Outcome.REFUSED, file, why, line)

    def grouped(self) -> Iterator[tuple[Outcome, list[tuple[str, list[Finding]]]]]:
        """Findings by outcome, then by what they say; the most frequent first."""
        for outcome in Outcome:
            by_words: dict[str, list[Finding]] = {}
            for finding in self.findings:
                if finding.outcome is outcome:
                    by_words.setdefault(finding.what, []).append(finding)
            if by_words:
                yield outcome, sorted(by_words.items(), key=lambda item: -len(item[1]))


def why(error: Exception) -> str:
    """What it was raised with: a sentence that keeps its parts, if it was one."""
    first = next(iter(error.args), None)
    return first if isinstance(first, Said) else str(error)


def _printable(text: str) -> str:
    """Bytes of a file's name that are no UTF-8 are escaped."""
    if isinstance(text, Said):
        values = {name: value if isinstance(value, int) else _printable(value) for name, value in text.values.items()}
        return say(text.message, text.plural, text.number, **values)
    text = str(text)
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
