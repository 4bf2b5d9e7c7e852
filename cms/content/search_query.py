"""What somebody typed into a search field, as terms: words, ``"phrases"``, ``-not``; the last word may be unfinished. Never an error."""

import re

from cms.content.folding import words
from cms.schemas.search import Term

MAX_TERMS = 12
SHORTEST_PREFIX = 3  # letters; fewer would be the beginning of half of all words

_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»＂", '"'))
_PART = re.compile(r'-?"[^"]*"?|[^\s"]+')


def parse(text: str) -> tuple[Term, ...]:
    terms = [term for part in _PART.findall(text.translate(_QUOTES)) if (term := _term(part)).words][:MAX_TERMS]
    if terms and not text.rstrip().endswith('"') and _may_go_on(terms[-1]):
        terms[-1] = Term(terms[-1].words, is_prefix=True)
    return tuple(dict.fromkeys(terms))


def _term(part: str) -> Term:
    return Term(tuple(words(part)), is_excluded=part.startswith("-"))


def _may_go_on(last: Term) -> bool:
    return not last.is_excluded and len(last.words[-1]) >= SHORTEST_PREFIX
