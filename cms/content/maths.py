"""Formulas from TeX to MathML, which browsers draw without a script.

``latex2mathml`` reads what writers type and answers a tree; nothing of it is shown but the elements and attributes of MathML Core
(https://www.w3.org/TR/mathml-core/) that are listed here. It goes into a text after the gate, which lets no foreign element
through, at the places that the gate saw as plain words; a formula that cannot be read stays what was typed.
"""

import html
import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from latex2mathml.converter import convert_to_element

LONGEST = 5000  # characters of one formula
_ENVIRONMENT = re.compile(r"(\\(?:begin|end)\{)(\w+\*?)\}")
# Surroundings the library knows; of others it would show the signs that part their cells. And those that only have another name there.
_KNOWN = frozenset({"align", "align*", "array", "cases", "equation", "equation*", "smallmatrix", "split", "substack"}) | {
    f"{kind}matrix{star}" for kind in ("", "b", "B", "p", "v", "V") for star in ("", "*")
}
_KNOWN_AS = {"aligned": "split", "gather": "matrix", "gather*": "matrix", "gathered": "matrix"}
_MATHS = re.compile(r'<(span|div) class="maths">([^<]*)</\1>')
_TAGS = frozenset(
    {"math", "merror", "mfrac", "mi", "mmultiscripts", "mn", "mo", "mover", "mpadded", "mphantom", "mprescripts", "mroot", "mrow", "ms"}
    | {"mspace", "msqrt", "mstyle", "msub", "msubsup", "msup", "mtable", "mtd", "mtext", "mtr", "munder", "munderover"}
)
_TOKENS = frozenset({"mi", "mn", "mo", "ms", "mspace", "mtext"})
_CHILDREN = {"mfrac": 2, "mover": 2, "mroot": 2, "msub": 2, "msubsup": 3, "msup": 2, "munder": 2, "munderover": 3}
# What the library draws as a letter although it stands between two terms (Unicode: arrows, operators, and some from older blocks).
_OPERATOR = re.compile("[+<=>±·†‡•⌢⌣▷◁△▽⟂⟰-⟿⤀-⥿⧵⨀-⫿]")
_NAMES = frozenset("∅∞")  # and the other way round
_ATTRIBUTES = {
    "accent": "true|false",
    "columnalign": "[a-z ]{1,200}",
    "columnspan": r"[1-9]\d?",
    "depth": r"-?[\d.]{1,8}(?:em|ex|px|pt)?",
    "displaystyle": "true|false",
    "fence": "true|false",
    "form": "prefix|infix|postfix",
    "height": r"-?[\d.]{1,8}(?:em|ex|px|pt)?",
    "largeop": "true|false",
    "linethickness": r"[\d.]{1,8}(?:em|ex|px|pt)?",
    "mathvariant": "[a-z-]{1,30}",
    "maxsize": r"[\d.]{1,8}(?:em|ex|px|pt|%)?",
    "minsize": r"[\d.]{1,8}(?:em|ex|px|pt|%)?",
    "movablelimits": "true|false",
    "rowspan": r"[1-9]\d?",
    "separator": "true|false",
    "stretchy": "true|false",
    "symmetric": "true|false",
    "width": r"-?[\d.]{1,8}(?:em|ex|px|pt)?",
}
_VALUES = {name: re.compile(values) for name, values in _ATTRIBUTES.items()}


def as_typed(tex: str, *, display: bool) -> str:
    """HTML that holds a formula's source until ``draw_maths``, and for those who draw none."""
    tag = "div" if display else "span"
    return f'<{tag} class="maths">{html.escape(tex.strip())}</{tag}>'


def draw_maths(markup: str) -> str:
    """Safe HTML, with a drawing in the place of each formula's source."""
    return _MATHS.sub(lambda found: _drawn(html.unescape(found[2]), found[1]) or found[0], markup)


def _drawn(tex: str, tag: str) -> str:
    readable = _ENVIRONMENT.sub(lambda found: f"{found[1]}{_KNOWN_AS.get(found[2], found[2])}}}", tex)
    if not tex.strip() or len(tex) > LONGEST or any(found[2] not in _KNOWN for found in _ENVIRONMENT.finditer(readable)):
        return ""
    try:
        root = convert_to_element(readable, display="block" if tag == "div" else "inline")
        return f'<{tag} class="maths">{"".join(_written(root, tex))}</{tag}>'
    except Exception:  # it raises what it likes for what it cannot read, and the source is an answer
        return ""


def _written(root: Element, tex: str) -> Iterator[str]:
    """Each part of the drawing, escaped. The root carries the source, for those who copy it."""
    display = "block" if root.get("display") == "block" else "inline"
    yield f'<math display="{display}" alttext="{html.escape(tex.strip())}">'
    for child in root:
        yield from _element(child)
    yield "</math>"


def _element(element: Element) -> Iterator[str]:
    tag = element.tag if element.tag in _TAGS and element.tag != "math" else "mrow"
    attributes = "".join(
        f' {name}="{value}"' for name, value in sorted(element.items()) if name in _VALUES and _VALUES[name].fullmatch(value)
    )
    if len(element) != _CHILDREN.get(tag, len(element)):
        raise ValueError(tag)
    if tag in _TOKENS:
        yield _token(tag, attributes, html.unescape("".join(element.itertext())))
        return
    yield f"<{tag}{attributes}>"
    for child in element:
        yield from _element(child)
    yield f"</{tag}>"


def _token(tag: str, attributes: str, sign: str) -> str:
    """Escaped, since browsers read HTML in it."""
    if tag == "mi" and _OPERATOR.fullmatch(sign):
        tag = "mo"
    elif sign in _NAMES:
        tag = "mi"
    return f"<{tag}{attributes}>{html.escape(sign, quote=False)}</{tag}>"
