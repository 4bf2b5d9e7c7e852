"""Takes the messages out of the program into the catalogues, and compiles these: python messages.py [a new language, like fr]

docs/translating.md says which strings are messages.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from tornado.template import Loader, Template

from cms import errors
from cms.ui import writing
from cms.ui.languages import CATALOGUES, DOMAIN

ROOT = Path(__file__).parent
SPOKEN = {"_", "translate", "flash", "say"}  # functions whose first argument is a message; the second one is its plural, if it is a text
REFUSALS = {  # said to whoever caused them
    *(name for name, kind in vars(errors).items() if isinstance(kind, type)),
    *("Away", "MailFailed", "OutgoingFailed", "Refusal", "Refused", "RefusedError", "ValueError"),
    "Result",  # of the doctor
}
OPERATORS_OWN = ("cms/cli/", "cms/db/", "cms/settings.py", "cms/server/")  # speak English: they are met in a terminal
REPORTING = "cms/exchange/markdown_folder/"  # whose findings are what `note` and `refuse` of a report are given
AT_THE_DESK = ("cms/cli/doctor.py", "cms/db/postgresql.py", "cms/db/sqlite.py")  # who speak there, too
_EXTENDS = re.compile(r"\{%\s*extends[^%]*%\}")  # the blocks of a page are read where they stand, without what is around them

_SENTENCE = re.compile(r"[A-Z].*[.?!]")  # a constant that is one is said to somebody
_WORDS = re.compile(r"(?!/)(\{\w+\}|%\w)*[^{].*[^\W\d].*")  # and not only a place for them, or an address

Message = str | tuple[str, str]


class Untranslatable(Exception):
    """A text is put together before it is marked, so no catalogue can have it."""


class Lone(Loader):
    """Reads a template without those that it includes."""

    def load(self, name: str, parent_path: str | None = None) -> Template:
        return Template("")


def collect() -> Catalog:
    """Every message of the program, with the files it is in."""
    catalog = Catalog(charset="utf-8")
    for path in sorted([*ROOT.glob("cms/**/*.py"), *(each for each in ROOT.glob("templates/**/*") if each.is_file())]):
        name = path.relative_to(ROOT).as_posix()
        if not name.startswith(OPERATORS_OWN) or name.startswith(AT_THE_DESK):
            for message in _messages(_code(path), name):
                catalog.add(message, locations=[(name, 0)])
    for words in writing.english().values():
        catalog.add(words, locations=[("static/js/editor-words.json", 0)])
    return catalog


def _code(path: Path) -> str:
    source = path.read_text(encoding="utf-8")
    return source if path.suffix == ".py" else Template(_EXTENDS.sub("", source), loader=Lone("")).code


def _messages(code: str, name: str) -> Iterator[Message]:
    for node in ast.walk(ast.parse(code)):
        try:
            yield from _of(
                node, is_schema=name.startswith("cms/schemas/"), is_error=name == "cms/errors.py", is_report=name.startswith(REPORTING)
            )
        except Untranslatable as error:
            raise SystemExit(f"{name}:{getattr(node, 'lineno', 0)}: {error}") from None


def _of(node: ast.AST, *, is_schema: bool, is_error: bool, is_report: bool) -> Iterator[Message]:
    if isinstance(node, ast.Call):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if called in SPOKEN and node.args:
            yield from _spoken(node.args)
        elif called in REFUSALS or (is_report and called in {"note", "refuse"}):
            yield from (text for argument in node.args for text in _texts(argument))
        elif called == "phrases":
            yield from _of_table(node.args[0])
        elif called == "Field" and is_schema:
            yield from (text for keyword in node.keywords if keyword.arg == "title" for text in _texts(keyword.value))
    elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        is_said = is_error if node.targets[0].id == "message" else node.targets[0].id.isupper()
        yield from (text for text in _texts(node.value) if _SENTENCE.fullmatch(text)) if is_said else ()


def _spoken(arguments: list[ast.expr]) -> Iterator[Message]:
    singular, plural = list(_texts(arguments[0])), [text for argument in arguments[1:2] for text in _texts(argument)]
    if len(singular) == len(plural) == 1:
        yield singular[0], plural[0]
    else:
        yield from singular


def _texts(node: ast.expr) -> Iterator[str]:
    """What an argument can be, as far as it is written there."""
    match node:
        case ast.Constant(value=str(text)) if text:
            yield text
        case ast.JoinedStr():
            raise Untranslatable(f"{ast.unparse(node)}: use say() with values")
        case ast.IfExp():
            yield from (*_texts(node.body), *_texts(node.orelse))
        case ast.BoolOp():
            yield from (text for value in node.values for text in _texts(value))
        case ast.Dict():
            yield from (text for value in node.values for text in _texts(value))


def _of_table(node: ast.AST, *, is_in_row: bool = False) -> Iterator[Message]:
    """Whatever is written in a table, but for the keys, which stand first in rows, too. Two texts for one key: of one, and of several."""
    match node:
        case ast.Constant(value=str(text)):
            yield from [text] * bool(_WORDS.fullmatch(text))
        case ast.Tuple(elts=[ast.Constant(value=str(one)), ast.Constant(value=str(several))]) if not is_in_row:
            yield one, several
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            for part in parts[1 if is_in_row else 0 :]:
                yield from _of_table(part, is_in_row=isinstance(part, ast.Tuple))
        case ast.Dict(values=parts) | ast.Call(args=parts):
            for part in parts if isinstance(node, ast.Dict) else [*parts, *(keyword.value for keyword in node.keywords)]:
                yield from _of_table(part)


def read(folder: Path) -> Catalog:
    with (folder / "LC_MESSAGES" / f"{DOMAIN}.po").open("rb") as file:
        return read_po(file, locale=folder.name, domain=DOMAIN)


def update(folder: Path, collected: Catalog) -> Catalog:
    """The catalogue with exactly these messages, and the translations of those that it had."""
    catalog = read(folder) if folder.is_dir() else Catalog(locale=folder.name, domain=DOMAIN, project="Squall")
    made = catalog.creation_date
    catalog.update(collected, no_fuzzy_matching=True)
    catalog.obsolete.clear()
    catalog.creation_date = made
    place = folder / "LC_MESSAGES"
    place.mkdir(parents=True, exist_ok=True)
    with (place / f"{DOMAIN}.po").open("wb") as file:
        write_po(file, catalog, width=100, sort_output=True, include_lineno=False)
    with (place / f"{DOMAIN}.mo").open("wb") as file:
        write_mo(file, catalog)
    return catalog


def main(new: list[str]) -> None:
    collected = collect()
    for folder in sorted({*CATALOGUES.glob("*"), *(CATALOGUES / code for code in new)}):
        missing = [message for message in update(folder, collected) if message.id and not (message.string and all(message.string))]
        print(f"{folder.name}: {len(collected)} messages, {len(missing)} without a translation")
        for message in missing:
            print(f"  {message.id}")


if __name__ == "__main__":
    main(sys.argv[1:])
