"""``squall routes``: the whole URL map, as operators and scripts want to read it."""

import inspect
from typing import Any
from urllib.parse import unquote

import typer
from tornado.routing import URLSpec
from tornado.web import RequestHandler

from cms.cli.program import JsonOption, print_json

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


def register(app: typer.Typer) -> None:
    app.command("routes")(list_routes)


def list_routes(as_json: JsonOption = False) -> None:
    """Every route with its name, methods, face and what it requires."""
    from cms.routes import requirement, routes

    rows: list[dict[str, Any]] = [
        {
            "path": _readable(route),
            "pattern": route.regex.pattern,
            "name": route.name,
            "methods": _methods(route.handler_class),
            "face": route.handler_class.face,
            "requires": requirement(route) or "",
        }
        for route in routes()
    ]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        typer.echo(f"{','.join(row['methods']):<22} {row['face']:<11} {row['requires'] or '–':<14} {row['path']}  ({row['name']})")
    typer.echo(f"{len(rows)} routes.")


def _methods(handler: type[RequestHandler]) -> list[str]:
    return [method for method in METHODS if getattr(handler, method.lower()) is not getattr(RequestHandler, method.lower())]


def _readable(route: URLSpec) -> str:
    """``/tag/{slug}/page/{page}``: each group by the name that the handler gives it."""
    names = _argument_names(route.handler_class, route.regex.groups)
    try:
        return unquote(route.reverse(*(f"{{{name}}}" for name in names)) or "")
    except (ValueError, AssertionError):  # a pattern that Tornado itself cannot turn into an address
        return route.regex.pattern.removesuffix("$")


def _argument_names(handler: type[RequestHandler], number: int) -> list[str]:
    method = next(getattr(handler, method.lower()) for method in _methods(handler) or METHODS)
    parameters = [parameter for parameter in inspect.signature(method).parameters.values() if parameter.name != "self"]
    named = [parameter.name for parameter in parameters if parameter.kind is parameter.POSITIONAL_OR_KEYWORD][:number]
    rest = next((parameter.name.strip("_") for parameter in parameters if parameter.kind is parameter.VAR_POSITIONAL), "") or "path"
    return named + [rest if n == 1 else f"{rest}{n}" for n in range(1, number - len(named) + 1)]
