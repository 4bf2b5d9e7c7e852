"""The report as a file to read in a browser: nothing in it comes from elsewhere, and nothing of a text is taken for HTML."""

import html
from collections.abc import Iterator, Mapping

from cms.exchange.markdown_folder.report import EXPLANATIONS, Finding, Report

MOST_PLACES = 5  # shown of one finding; more are folded away

_STYLE = """
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }
body { max-inline-size: 60rem; margin: 2rem auto; padding-inline: 1rem }
h1, h2 { line-height: 1.2; text-wrap: balance }
h2 { margin-block: 2.5rem .25rem }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { text-align: start; padding: .25rem 2rem .25rem 0; border-block-end: 1px solid color-mix(in srgb, currentcolor 20%, transparent) }
td { text-align: end }
li { margin-block: .4rem; overflow-wrap: anywhere }
ul ul, summary { opacity: .8; font-size: .9em }
"""


def as_page(report: Report, title: str) -> str:
    """A whole HTML document."""
    return "".join(_parts(report, title))


def _parts(report: Report, title: str) -> Iterator[str]:
    yield f'<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{html.escape(title)}</title>'
    yield f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>\n<body>\n<main>\n'
    yield f"<h1>{html.escape(title)}</h1>\n"
    yield _counts("In the folder", report.found)
    yield _counts("Brought in", report.counts)
    if not report.findings:
        yield "<p>Nothing was changed, dropped or left dangling.</p>\n"
    for outcome, groups in report.grouped():
        number = sum(len(findings) for _, findings in groups)
        yield f"<h2>{html.escape(EXPLANATIONS[outcome])} ({number})</h2>\n<ul>\n"
        for what, findings in groups:
            yield _group(what, findings)
        yield "</ul>\n"
    yield "</main>\n</body>\n</html>\n"


def _counts(title: str, counts: Mapping[str, int]) -> str:
    rows = "".join(f'<tr><th scope="row">{html.escape(name)}</th><td>{number:,}</td></tr>' for name, number in counts.items())
    return f"<h2>{title}</h2>\n<table>{rows or '<tr><td>nothing</td></tr>'}</table>\n"


def _group(what: str, findings: list[Finding]) -> str:
    if len(findings) == 1:
        return f"<li>{html.escape(what)} <small>{_place(findings[0])}</small></li>\n"
    places = "".join(f"<li>{_place(finding)}</li>" for finding in findings)
    shown = f"<ul>{places}</ul>" if len(findings) <= MOST_PLACES else f"<details><summary>where</summary><ul>{places}</ul></details>"
    return f"<li>{html.escape(what)} ({len(findings)} times){shown}</li>\n"


def _place(finding: Finding) -> str:
    return f"<code>{html.escape(finding.file)}{f':{finding.line}' if finding.line else ''}</code>"
