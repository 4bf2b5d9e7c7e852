"""What readers look for. Nothing a reader can type is wrong: what makes no sense is left out."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

from cms.schemas.text import Line, Sought, cut

MAX_FILTER = 400
FILTERS = ("tag", "category", "author", "year")


def _page(value: Any) -> int:
    text = str(value).strip()
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 6 else 1


def _year(value: Any) -> str:
    text = str(value).strip()
    return text if len(text) == 4 and text.isascii() and text.isdigit() else ""


class SearchInput(BaseModel):
    """The address of a page of results. Filters are what stands in the addresses of lists: ``/tag/sea`` is ``tag=sea``."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    q: Sought = ""
    page: Annotated[int, BeforeValidator(_page)] = 1
    tag: Annotated[Line, cut(MAX_FILTER)] = ""
    category: Annotated[Line, cut(MAX_FILTER)] = ""
    author: Annotated[Line, cut(MAX_FILTER)] = ""
    year: Annotated[str, BeforeValidator(_year)] = ""

    @property
    def filters(self) -> dict[str, str]:
        return {name: value for name in FILTERS if (value := getattr(self, name))}


@dataclass(frozen=True, slots=True)
class Term:
    """Folded words one after the other: one word, or a phrase. ``is_prefix``: the last one may go on."""

    words: tuple[str, ...]
    is_prefix: bool = False
    is_excluded: bool = False

    def __str__(self) -> str:
        """As somebody would type it."""
        text = " ".join(self.words)
        return ("-" if self.is_excluded else "") + (text if len(self.words) == 1 else f'"{text}"')


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a database is asked for: all terms (or any of them) and all marks, which are letters and digits only."""

    terms: tuple[Term, ...] = ()
    marks: tuple[str, ...] = ()
    any_term: bool = False

    @property
    def included(self) -> tuple[Term, ...]:
        return tuple(term for term in self.terms if not term.is_excluded)

    @property
    def excluded(self) -> tuple[Term, ...]:
        return tuple(term for term in self.terms if term.is_excluded)

    def __bool__(self) -> bool:
        return bool(self.included or self.marks)
