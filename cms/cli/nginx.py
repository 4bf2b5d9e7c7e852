"""``squall nginx``: what nginx has to be told to answer with finished pages from the folder, as the program would."""

import json

import typer

from cms.cli.program import DataOption, load_settings
from cms.errors import OperatorError
from cms.handlers.site.base import SiteHandler, page_headers
from cms.page_cache.folder import ADDRESS, END, PAGES
from cms.settings import Settings

TEMPLATE = """\
# Finished pages of Squall, from {folder}; everything else, and everybody who is signed in, goes to @squall.
# Made by `squall nginx`: include it in the `server` of the site, and make it again when settings change.
set $squall_page "";
if ($request_uri ~ "^{address}$") {{ set $squall_page $request_uri; }}
if ($request_method !~ "^(?:GET|HEAD)$") {{ set $squall_page ""; }}
if ($http_cookie ~ "(?:^|[; ])(?:{cookies})=") {{ set $squall_page ""; }}

location / {{
    root {root};
    try_files $squall_page{end} @squall;
    open_file_cache off;  # it would go on answering with what was removed
    types {{ }}
    default_type {content_type};
    gzip_static on;
    gzip_vary on;
    max_ranges 0;
    if_modified_since off;
    add_header Last-Modified "";  # a file's time says what is in it, and not when
{headers}
}}
"""


def register(app: typer.Typer) -> None:
    app.command("nginx")(nginx)


def nginx(data: DataOption = None) -> None:
    """Print the part of nginx's configuration that serves pages from SQUALL_PAGES_FOLDER."""
    typer.echo(configuration(load_settings(data=data)), nl=False)


def configuration(settings: Settings) -> str:
    """Raises ``OperatorError`` if there is no folder."""
    if settings.pages_folder is None:
        raise OperatorError("There is no folder for pages; name one with SQUALL_PAGES_FOLDER.")
    headers = page_headers(settings)
    content_type = headers.pop("Content-Type")
    return TEMPLATE.format(
        folder=settings.pages_folder,
        root=_quoted(str(settings.pages_folder / PAGES)),
        address=ADDRESS,
        end=END,
        cookies="|".join(SiteHandler.cookies_of_somebody(settings)),
        content_type=_quoted(content_type),
        headers="\n".join(f"    add_header {name} {_quoted(value)};" for name, value in headers.items()),
    )


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
