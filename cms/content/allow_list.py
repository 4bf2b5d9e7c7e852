"""What HTML may appear in a text: tag → attribute → what its value must look like. The one such list in the program.

There is no ``style``, no event handler, no ``name``, no ``target``, no form, no foreign content (SVG, MathML), nothing
that runs or embeds. Both sanitisers and the tests read this table.
"""

import re
from collections.abc import Callable, Mapping

from cms.content.identifiers import is_safe_id
from cms.content.safe_url import is_safe_link, is_safe_source, is_safe_source_set

Predicate = Callable[[str], bool]


def _pattern(expression: str) -> Predicate:
    compiled = re.compile(expression)
    return lambda value: compiled.fullmatch(value) is not None


def _any(_: str) -> bool:
    """Free text: both sanitisers escape it, and no browser acts on it."""
    return True


_WORD = r"-?[A-Za-z_][\w\-]{0,63}"
_classes = _pattern(rf"(?a:\s*{_WORD}(?:\s+{_WORD})*\s*)")
_flag = _pattern(r"|checked|disabled|open|reversed|controls|loop|muted|playsinline|true")
_number = _pattern(r"(?a:-?\d{1,6})")
_span = _pattern(r"(?a:[1-9]\d{0,2})")
_size = _pattern(r"(?a:\d{1,5}(?:\.\d{1,4})?%?)")
_amount = _pattern(r"(?a:-?\d{0,12}(?:\.\d{1,12})?)")
_language = _pattern(r"(?a:[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)?")
_date = _pattern(r"(?a:[0-9TtZzPpYyMmWwDdHhSs:+.\- ]{1,40})")
_media_type = _pattern(r"(?a:[a-z]+/[\w.+\-]+(?:;\s*codecs=[\w.,'\" \-]+)?)")
_sizes = _pattern(r"(?a:[\w\s().,:%<>=+*/\-]{1,500})")
_relation = _pattern(r"\s*(?:(?:noopener|noreferrer|nofollow|ugc|sponsored|external|author|tag|license|help|next|prev|bookmark)(?:\s+|$))+")
_role = _pattern(r"doc-noteref|doc-backlink|doc-endnotes|region|list|listitem|note|presentation|none|group")

EVERYWHERE: Mapping[str, Predicate] = {
    "aria-hidden": _pattern("true|false"),
    "aria-label": _any,
    "class": _classes,
    "dir": _pattern("ltr|rtl|auto"),
    "id": is_safe_id,
    "lang": _language,
    "role": _role,
    "title": _any,
}

_PLAIN = frozenset(
    {"abbr", "aside", "b", "bdi", "bdo", "br", "caption", "cite", "code", "dd", "dfn", "dl", "dt", "em", "figcaption"}
    | {"figure", "h2", "h3", "h4", "h5", "h6", "hr", "i", "kbd", "label", "mark", "p", "picture", "rp", "rt", "ruby", "s"}
    | {"samp", "section", "small", "strong", "sub", "summary", "sup", "table", "tbody", "tfoot", "thead", "tr", "u"}
    | {"ul", "var", "wbr"}
)
_FOCUSABLE: Mapping[str, Predicate] = {"tabindex": _pattern("0")}
_CELL: Mapping[str, Predicate] = {"colspan": _span, "rowspan": _span}
_SOURCES: Mapping[str, Predicate] = {"src": is_safe_source, "srcset": is_safe_source_set, "sizes": _sizes}
_BOX: Mapping[str, Predicate] = {"width": _size, "height": _size}
_EDIT: Mapping[str, Predicate] = {"cite": is_safe_link, "datetime": _date}
_PLAYER: Mapping[str, Predicate] = {
    "src": is_safe_source, "controls": _flag, "loop": _flag, "muted": _flag, "preload": _pattern("none|metadata|auto|"),
}  # fmt: skip

TAGS: Mapping[str, Mapping[str, Predicate]] = {
    **{tag: {} for tag in _PLAIN},
    "a": {"href": is_safe_link, "hreflang": _language, "rel": _relation},
    "audio": _PLAYER,
    "blockquote": {"cite": is_safe_link},
    "col": {"span": _span},
    "colgroup": {"span": _span},
    "del": _EDIT,
    "details": {"open": _flag},
    "div": _FOCUSABLE,
    "img": {
        **_SOURCES,
        **_BOX,
        "alt": _any,
        "decoding": _pattern("async|sync|auto"),
        "loading": _pattern("lazy|eager"),
    },
    "input": {"checked": _flag, "disabled": _flag, "type": _pattern("checkbox")},
    "ins": _EDIT,
    "li": {"value": _number},
    "ol": {"reversed": _flag, "start": _number, "type": _pattern("[1aAiI]")},
    "pre": _FOCUSABLE,
    "progress": {"max": _amount, "value": _amount},
    "q": {"cite": is_safe_link},
    "source": {**_SOURCES, "media": _sizes, "type": _media_type},
    "span": {"data-line": _number},
    "td": _CELL,
    "th": {**_CELL, "abbr": _any, "scope": _pattern("col|row|colgroup|rowgroup")},
    "time": {"datetime": _date},
    "track": {"kind": _pattern("captions|subtitles|descriptions|chapters"), "label": _any, "src": is_safe_source, "srclang": _language},
    "video": {**_PLAYER, **_BOX, "playsinline": _flag, "poster": is_safe_source},
}

VOID = frozenset({"br", "col", "hr", "img", "input", "source", "track", "wbr"})  # elements without an end tag
ADDRESSES = frozenset({"cite", "href", "poster", "src", "srcset"})

# Elements that go with everything inside them; of all others that are not allowed only the tags go, the words stay.
DROPPED = frozenset({"applet", "embed", "iframe", "math", "object", "script", "style", "svg", "template"})


def permits(tag: str, name: str, value: str) -> bool:
    """Whether this attribute with this value may stand on this tag."""
    predicate = TAGS.get(tag, {}).get(name) or (EVERYWHERE.get(name) if tag in TAGS else None)
    return predicate is not None and predicate(value)
