"""Rules that protect people, checked by reading the source. Imports are held by import-linter; sizes are taste."""

import ast
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tornado.web import RedirectHandler, url

from cms.handlers import admin
from cms.handlers.admin.base import AdminHandler
from cms.handlers.base import BaseHandler
from cms.models.address import RESERVED_SEGMENTS
from cms.policy import Capability
from cms.routes import refuse_undeclared, routes

ROOT = Path(__file__).resolve().parent.parent
SOURCES = {path.relative_to(ROOT).as_posix(): path.read_text() for path in sorted((ROOT / "cms").rglob("*.py"))}
TEMPLATES = {path.relative_to(ROOT / "templates").as_posix(): path.read_text() for path in sorted((ROOT / "templates").rglob("*.*"))}

# Where the names of the databases may stand, and why.
KNOWS_DATABASES = {
    "cms/db/": "this is what it is for",
    "cms/settings.py": "an address is refused that no driver here understands, and the default one is made",
    "cms/models/": "partial indexes and AUTOINCREMENT have no portable spelling (names of arguments only)",
}

# What may be written into a page as it is: HTML that cms.content made safe when it was stored.
RAW = {"card.title_html", "article.title_html", "article.html", "post.title_html", 'link["title_html"]'}

# The first segments of PRODUCT.md's addresses, also of those that are not routes yet.
PROMISED = """
page tag category author series archive feed.xml atom.xml feed.json sitemap.xml robots.txt llms.txt search media preview login logout
invitation password account admin api live healthz readyz metrics static setup favicon.ico .well-known
"""


def nodes(kind: type[ast.AST], prefix: str = "cms/") -> Iterator[tuple[str, ast.AST]]:
    for name, source in SOURCES.items():
        if name.startswith(prefix):
            yield from ((name, node) for node in ast.walk(ast.parse(source)) if isinstance(node, kind))


def test_only_the_unit_of_work_commits() -> None:
    assert {name for name, source in SOURCES.items() if ".commit(" in source} == {"cms/db/session.py"}


def test_names_of_databases_stand_only_where_they_must() -> None:
    found = set()
    for name, source in SOURCES.items():
        tree = ast.parse(source)
        docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            is_text = isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings
            if is_text and re.search("sqlite|postgresql", node.value):
                found.add(name)
    assert {name for name in found if not name.startswith(tuple(KNOWS_DATABASES))} == set()
    # In models only as the name of an option that the other database passes over.
    options = {
        node.value
        for _, node in nodes(ast.Constant, "cms/models/")
        if isinstance(node.value, str) and re.match("(sqlite|postgresql)", node.value)
    }
    assert options <= {"sqlite_autoincrement"}


def test_settings_alone_read_the_environment() -> None:
    readers = {name for name, node in nodes(ast.Attribute) if node.attr in ("environ", "getenv", "environb")}
    known = {"cms/settings.py"}
    known |= {"cms/db/postgresql.py"}  # which hands it on to pg_dump, whose own settings stand there;
    known |= {"cms/server/parent.py", "cms/server/systemd.py"}  # and these to workers, without what systemd says to the parent alone
    assert readers <= known


def test_templates_write_nothing_unescaped_but_stored_html() -> None:
    written = {
        (name, expression.strip())
        for name, source in TEMPLATES.items()
        for expression in re.findall(r"\{%-?\s*raw\s+(.*?)%\}", source, re.DOTALL)
    }
    assert {(name, expression) for name, expression in written if expression not in RAW} == set()


def test_escaping_is_never_switched_off() -> None:
    used = {kind for source in TEMPLATES.values() for kind in re.findall(r"\{%-?\s*autoescape\s+(\S+)", source)}
    assert used <= {"xml_text", "one_line"}, "feeds drop what XML cannot hold; in a mail's text no name begins a line"
    assert [name for name, source in SOURCES.items() if re.search(r"autoescape\"?\s*[=:]\s*None", source)] == []


def desk_handlers() -> list[type[AdminHandler]]:
    for module in pkgutil.iter_modules(admin.__path__):
        importlib.import_module(f"{admin.__name__}.{module.name}")
    found, waiting = [], [AdminHandler]
    while waiting:
        waiting += (subclasses := waiting.pop().__subclasses__())
        found += subclasses
    return [handler for handler in found if handler.__module__.startswith("cms.")]


def test_every_handler_of_the_desk_says_what_it_requires() -> None:
    handlers = {handler for handler in desk_handlers() if any(method in vars(handler) for method in ("get", "post", "put", "delete"))}
    assert len(handlers) > 5
    for handler in handlers:
        assert "requires" in vars(handler), f"{handler.__name__} in {inspect.getsourcefile(handler)}"
        assert handler.requires is None or isinstance(handler.requires, (Capability, property, str)), handler


@pytest.mark.parametrize("spec", [spec for spec in routes() if "/admin" in spec.regex.pattern], ids=lambda spec: spec.name)
def test_every_address_of_the_desk_is_for_people_who_are_signed_in(spec: object) -> None:
    handler = spec.handler_class
    assert issubclass(handler, AdminHandler)
    assert handler.requires is not None


def test_no_route_is_served_whose_handler_does_not_say_whom_it_is_for() -> None:
    class Forgetful(BaseHandler):
        pass

    for handler in (Forgetful, RedirectHandler):
        with pytest.raises(TypeError, match="does not say what it requires"):
            refuse_undeclared([url("/forgotten", handler, {}, name="forgotten")])
    refuse_undeclared(routes())


def test_only_doors_are_open_to_everybody() -> None:
    open_to_all = {handler.__name__ for handler in desk_handlers() if vars(handler).get("requires", 0) is None}
    by_a_link = {"SetupHandler", "InvitationHandler", "NewPasswordHandler", "NewAddressHandler"}
    second_steps = {"SecondFactorHandler", "SecondFactorChallengeHandler"}
    passkeys = {"PasskeyDoorHandler", "PasskeyDoorChallengeHandler"}
    provider = {"DepartureHandler", "AcceptanceHandler", "ReturnHandler"}
    assert open_to_all <= {"LoginHandler", "LogoutHandler", "ForgottenHandler"} | by_a_link | second_steps | passkeys | provider


def test_no_post_can_stand_where_the_program_answers() -> None:
    patterns = [spec.regex.pattern.removesuffix("$").replace("\\", "") for spec in routes()]
    first = {pattern.removeprefix("/").split("/", 1)[0] for pattern in patterns}
    fixed = {segment for segment in first if segment and "(" not in segment}
    assert len(fixed) > 10
    assert fixed <= RESERVED_SEGMENTS
    assert set(PROMISED.split()) <= RESERVED_SEGMENTS


def test_every_route_has_a_name_of_its_own() -> None:
    names = [spec.name for spec in routes()]
    assert all(names)
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("module", ["cms.cli.serving", "cms.cli.commands", "cms.content.pipeline", "cms.media.probing"])
def test_each_process_starts_without_what_others_need(module: str) -> None:
    """The program neither renders nor opens pictures, and a start would take half a second longer; commands answer no requests."""
    renders = {"markdown", "pymdownx", "bleach", "nh3", "latex2mathml", "cms.content.pipeline"}
    opens = {"PIL", "py_svg_hush", "tinytag", "cms.media.pictures"}
    waits = {"alembic", "webauthn", "pycrdt", "anyio", "rich", "segno"}
    answers = {"cms.app", "cms.handlers.base", "cms.ui"}
    heavy = {
        "cms.cli.serving": renders | opens | waits | {"yaml"},
        "cms.cli.commands": renders | opens | waits | answers,
        "cms.content.pipeline": opens | {"sqlalchemy", "pydantic"},
        "cms.media.probing": renders | {"sqlalchemy", "pydantic"},
    }[module]
    script = "import sys, {1}; print(*sorted(name for name in sys.modules if name.split('.')[0] in {0!r} or name in {0!r}))"
    loaded = subprocess.run(
        [sys.executable, "-c", script.format(heavy, module)], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout
    assert not loaded.split()


def test_who_waits_can_be_ended() -> None:
    """Python 3.11's ``asyncio.wait_for`` forgets that it was cancelled when what it waits for comes at that moment
    (https://github.com/python/cpython/issues/86296): what was to end goes on, and whoever ended it waits. ``asyncio.timeout`` does not."""
    assert [path for path in (ROOT / "cms").rglob("*.py") if "wait_for(" in path.read_text(encoding="utf-8")] == []
