"""The hostile corpus, and the walk that says whether HTML is harmless. It knows no code of the sanitiser's own.

Drawings of formulas go into a text after the gate, so they have rules of their own here, and ``without_maths`` takes them out
for the question whether the gate would change its own work.
"""

import re
from pathlib import Path
from xml.etree.ElementTree import Element

import html5lib

from cms.content.allow_list import EVERYWHERE, TAGS

_FOLDER = Path(__file__).parents[1] / "data" / "hostile"
_SCHEME = re.compile(r"([a-z][a-z0-9+.\-]*):", re.IGNORECASE)
_HARMLESS_SCHEMES = {"http", "https", "mailto", "tel"}
_RUNS = {"script", "style", "iframe", "object", "embed", "svg", "math", "form", "base", "link", "meta", "template", "noscript"}

_MATHML = "{http://www.w3.org/1998/Math/MathML}"
_MATHS_TAGS = frozenset(
    """
    math merror mfrac mi mmultiscripts mn mo mover mpadded mphantom mprescripts mroot mrow ms mspace msqrt mstyle msub msubsup msup
    mtable mtd mtext mtr munder munderover
    """.split()  # noqa: SIM905 - a list of words reads better as words
)
_MATHS_ATTRIBUTES = frozenset(
    """
    accent alttext columnalign columnspan depth display displaystyle fence form height largeop linethickness mathvariant maxsize minsize
    movablelimits rowspan separator stretchy symmetric width
    """.split()  # noqa: SIM905
)
_DRAWING = re.compile(r'<math display="(?:inline|block)" alttext="[^"]*">.*?</math>', re.DOTALL)

# What a text file cannot hold.
WITH_CONTROL_CHARACTERS = [
    '<a href="java\x00script:alert(1)">x</a>',
    '<a href="\x01javascript:alert(1)">x</a>',
    '<a href="java\x0bscript:alert(1)">x</a>',
    '<a href="java\x7fscript:alert(1)">x</a>',
    '<a href="java\x85script:alert(1)">x</a>',
    '<a href="\u2028javascript:alert(1)">x</a>',
    '<a href="java\u200bscript:alert(1)">x</a>',
    '<a href="\ufeffjavascript:alert(1)">x</a>',
    '<a href="\u3000javascript:alert(1)">x</a>',
    "<scr\x00ipt>alert(1)</scr\x00ipt>",
    "<img\x0csrc=x\x0conerror=alert(1)>",
    "<img\x0bsrc=x onerror=alert(1)>",
    "\ud800<script>alert(1)</script>\udfff",
    "\x02wzxhzdk:0\x03 \x02klzzwxh:0000\x03 \x0260\x03script\x0262\x03",
    "[x](java\x02\x03script:alert(1))",
    "[x](\x02106\x03avascript:alert(1))",
    "\ufffe\uffff<p id='\u202elocation'>x</p>",
    "<a href='jav\rascript:alert(1)'>x</a>",
]


def cases() -> list[str]:
    """Every case: HTML that is hostile as it stands, and Markdown that becomes it."""
    texts = [(_FOLDER / name).read_text(encoding="utf-8") for name in ("html.txt", "markdown.txt", "dialect.txt", "maths.txt")]
    return [case for text in texts for case in re.split(r"^%%\n", text, flags=re.MULTILINE)] + WITH_CONTROL_CHARACTERS


def without_maths(markup: str) -> str:
    return _DRAWING.sub("", markup)


def faults(markup: str) -> list[str]:
    """What a browser could act on in this HTML; an empty list means harmless."""
    tree = html5lib.parseFragment(markup, namespaceHTMLElements=False)
    return [fault for element in tree.iter() if element is not tree for fault in _faults_of(element)]


def maths_faults(markup: str) -> list[str]:
    """The same for HTML with drawings of formulas in it."""
    tree = html5lib.parseFragment(markup, namespaceHTMLElements=False)
    found: list[str] = []
    stack = [(child, False) for child in tree]
    while stack:
        element, is_inside = stack.pop()
        is_maths = isinstance(element.tag, str) and element.tag.startswith(_MATHML)
        if is_inside and not is_maths:
            found.append(f"{element.tag} in a formula")
        found += _maths_faults_of(element) if is_maths else _faults_of(element)
        stack += [(child, is_maths) for child in element]
    return found


def _maths_faults_of(element: Element) -> list[str]:
    name = element.tag.removeprefix(_MATHML)
    return ([] if name in _MATHS_TAGS else [f"<{name}>"]) + [
        f"{name}[{attribute}={value!r}]"
        for attribute, value in element.attrib.items()
        if attribute not in _MATHS_ATTRIBUTES or (attribute != "alttext" and re.search(r"[(:;<>]", value))
    ]


def _faults_of(element: Element) -> list[str]:
    if not isinstance(element.tag, str):
        return ["a comment"]
    found = [f"<{element.tag}>"] if element.tag not in TAGS or element.tag in _RUNS else []
    if element.tag == "input" and (element.get("type") != "checkbox" or "disabled" not in element.attrib):
        found.append("an input that takes input")
    for name, value in element.attrib.items():
        found += [f"{element.tag}[{name}={value!r}]"] if _is_harmful(element.tag, str(name), value) else []
    return found


def _is_harmful(tag: str, name: str, value: str) -> bool:
    if name not in {*TAGS.get(tag, ()), *EVERYWHERE} or name.startswith("on") or name in {"style", "name", "target"}:
        return True
    if name == "id":
        return value.lower() in {"location", "document", "window", "forms", "cookie", "attributes", "innerhtml", "__proto__"}
    if name == "srcset":
        return any(_leads_astray(candidate.split()[0]) for candidate in value.split(",") if candidate.split())
    return name in {"href", "src", "cite", "poster"} and _leads_astray(value)


def _leads_astray(address: str) -> bool:
    """As a browser reads it: leading controls and spaces go, so do tabs and newlines anywhere."""
    address = re.sub(r"[\t\r\n]", "", address.lstrip("".join(map(chr, range(33)))))
    scheme = _SCHEME.match(address)
    return scheme is not None and scheme[1].lower() not in _HARMLESS_SCHEMES
