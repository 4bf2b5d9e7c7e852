"""``squall nginx``: what nginx has to be told to answer with finished pages from the folder, as the program would."""

import json

import typer

from cms.cli.program import DataOption, load_settings
from cms.errors import OperatorError
from cms.page_cache.folder import END, PAGES
from cms.settings import Settings

TEMPLATE = """\
# Finished pages of Squall, from {folder}; everything else, and everybody who is signed in, goes to @squall.
# Made by `squall nginx`: include it in the `server` of the site, and make it again when settings change.
# A file is opened by the address as it was sent, without looking for it first, which would cost as much again.
location = / {{
    root {root};
    try_files /{end} @squall;
    error_page 405 418 = @squall;
{answer}
}}

location / {{
    error_page 418 = @squall;
    location ~ "[^/]$" {{
        alias {address};
        error_page 403 404 405 418 = @squall;
        log_not_found off;
        if ($request_uri ~ "/[./]") {{ return 418; }}  # the system would read it otherwise
    {nested}
    }}
    return 418;
}}
"""
ANSWER = """\
    if ($http_cookie ~ "(?:^|[; ])(?:{cookies})=") {{ return 418; }}
    open_file_cache off;  # it would go on answering with what was removed
    types {{ }}
    default_type {content_type};
    gzip_static on;
    gzip_vary off;  # which would look for the twin that nobody asked for
    add_header Vary "Accept-Encoding";
    max_ranges 0;
    if_modified_since off;
    add_header Last-Modified "";  # a file's time says what is in it, and not when
{headers}"""


def register(app: typer.Typer) -> None:
    app.command("nginx")(nginx)


def nginx(data: DataOption = None) -> None:
    """Print the part of nginx's configuration that serves pages from SQUALL_PAGES_FOLDER."""
    typer.echo(configuration(load_settings(data=data)), nl=False)


def configuration(settings: Settings) -> str:
    """Raises ``OperatorError`` if there is no folder."""
    if settings.pages_folder is None:
        raise OperatorError("There is no folder for pages; name one with SQUALL_PAGES_FOLDER.")
    from cms.handlers.site.base import SiteHandler, page_headers

    headers = page_headers(settings)
    content_type = headers.pop("Content-Type")
    answer = ANSWER.format(
        cookies="|".join(SiteHandler.cookies_of_somebody(settings)),
        content_type=_quoted(content_type),
        headers="\n".join(f"    add_header {name} {_quoted(value)};" for name, value in headers.items()),
    )
    pages = str(settings.pages_folder / PAGES)
    return TEMPLATE.format(
        folder=settings.pages_folder,
        root=_quoted(pages),
        address=_quoted(f"{pages}$request_uri{END}"),
        end=END,
        answer=answer,
        nested=answer.replace("\n", "\n    "),
    )


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
