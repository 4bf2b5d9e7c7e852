"""What the desk's lists offer: languages and time zones."""

from functools import lru_cache

from cms.content.folding import fold
from cms.ui.words import locale_of
from cms.wording import phrases

# Those in which publications are written most; another, set by an import, stays.
_LANGUAGES = (
    "af ar az be bg bn bs ca cs cy da de de-AT de-CH el en en-AU en-GB en-US eo es es-MX et eu fa fi fil fr fr-CA ga gl gu he hi hr hu hy "
    "id is it ja ka kk km kn ko lt lv mk ml mn mr ms my nb ne nl nn pa pl pt pt-BR ro ru si sk sl sq sr sv sw ta te th tr uk ur uz vi zh "
    "zh-Hans zh-Hant zu"
)


@lru_cache(100)
def languages(present: str, desk: str) -> tuple[tuple[str, str], ...]:
    """Tag and name in the desk's language, by name; with the present one, whatever it is."""
    return tuple(sorted(((tag, _name(tag, desk)) for tag in {*_LANGUAGES.split(), present}), key=lambda pair: fold(pair[1])))


def _name(tag: str, desk: str) -> str:
    known, (language, *rest) = locale_of(desk), tag.split("-")
    more = [known.territories.get(part) or known.scripts.get(part) or part for part in rest]
    return str(known.languages.get(language, language)) + (f" ({', '.join(more)})" if more else "")


ROLES = phrases(
    (  # that can be given, and what they are for
        ("contributor", "Contributor", "writes, and hands texts in"),
        ("author", "Author", "writes, and publishes it"),
        ("editor", "Editor", "everything that is content"),
        ("administrator", "Administrator", "people and the site, too"),
    )
)
