"""docs/performance.md, its charts, and what the README quotes: from the figures of one run and nothing else."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from bench.performance import charts
from bench.performance.bars import Results, bars, is_noisy, lost, ratio, spread
from bench.performance.sampling import BROWSER, CONNECTIONS, WAYS
from bench.performance.servers import BARE, FAST_DOOR, FILE, FOLDER_TIER, MADE_ANEW, NGINX, NGINX_CONF, NGINX_OPEN, SLOW_PATH, WAGTAIL

COMMAND = "`./squall bench`"
OURS = (FAST_DOOR, FOLDER_TIER, SLOW_PATH, MADE_ANEW)
NAMES = {
    NGINX: "the page lies on the disk; this is what the others are compared with",
    NGINX_OPEN: "with an option that looks for a changed file once in a minute only, and so may show what is over",
    FOLDER_TIER: "nginx sends the files that Squall keeps for it, and removes with each change",
    FAST_DOOR: "as it comes. A page that was made once lies in memory, and is sent before the request is taken apart",
    SLOW_PATH: "the same page from memory, asked for in a way that the fast door leaves to Tornado",
    MADE_ANEW: "without any memory for pages (`SQUALL_PAGE_CACHE=0`): asked of the database and laid out each time",
    BARE: "the least that a program on Tornado does; its `RequestHandler` writes the bytes (`bench/bare.py`)",
    **dict(zip(WAGTAIL, ("as it comes", "with its pages kept in memory"), strict=True)),
}
IN_SHORT = (
    f"“{FAST_DOOR}” is Squall as it comes: a page that was made once is sent from memory, before the request is taken apart."
    f" “{FOLDER_TIER}”: nginx sends the files that Squall keeps for it. “{SLOW_PATH}”: what the fast door leaves alone."
    f" “{MADE_ANEW}”: without any memory for pages."
)
QUOTED = re.compile(r"(?<=<!-- what squall bench found -->\n).*?(?=<!-- /what squall bench found -->)", re.DOTALL)


def draw(results: Results, folder: Path) -> None:
    """The page and its pictures into ``folder``; and into a README.md above it, if that has room for a quotation."""
    pictures = folder / "pictures"
    pictures.mkdir(exist_ok=True)
    for name, drawing in drawings(results):
        (pictures / name).write_text(drawing, encoding="utf-8")
    (folder / "performance.md").write_text(page(results), encoding="utf-8")
    readme = folder.parent / "README.md"
    if readme.exists():
        readme.write_text(quoted_in(readme.read_text(encoding="utf-8"), results), encoding="utf-8")


def page(results: Results) -> str:
    parts = (_head, _bars, _compared, _posts, _connections, _meanwhile, _how)
    return "\n\n".join(paragraph for part in parts for paragraph in part(results)) + "\n"


def quoted_in(readme: str, results: Results) -> str:
    """As it was if nothing was found that one may quote."""
    is_sound = "compared" in results and not is_noisy(results)
    return QUOTED.sub(lambda _: f"\n{_quotation(results)}\n\n", readme) if is_sound else readme


def drawings(results: Results) -> Iterator[tuple[str, str]]:
    if samples := results.get("compared", {}).get("samples"):
        rows = [
            (name, reached := _middle(got["plain"], "per_second"), f"{_number(reached)}/s", name in OURS) for name, got in samples.items()
        ]
        title = "Answers in a second, on one core"
        said = ", ".join(f"{name} {label}" for name, _, label, _ in rows)
        yield "performance-compared.svg", charts.bars(title, f"The same page, plain requests: {said}.", rows)
    if found := results.get("posts"):
        steps = [int(number) for number in found]
        series = {name: ([_middle(found[str(step)][name], "cpu") for step in steps], True) for name in found[str(steps[0])]}
        yield (
            "performance-posts.svg",
            charts.lines(
                "CPU for a page, by the number of posts", _told(series, steps, "µs"), steps, series, "µs of CPU for a request", of="posts"
            ),
        )
    if found := results.get("connections"):
        steps = [int(number) for number in found]
        series = {name: ([_middle(found[str(step)][name], "per_second") for step in steps], name in OURS) for name in (FAST_DOOR, NGINX)}
        yield (
            "performance-connections.svg",
            charts.lines(
                "Answers in a second, by connections", _told(series, steps, "/s"), steps, series, "answers in a second", of="connections"
            ),
        )


# --- the page ---


def _head(results: Results) -> Iterator[str]:
    yield "# Performance"
    yield (
        "What a page costs, beside what else serves pages on the same machine. All of this page was made by"
        f" {COMMAND}, and every figure is from one run ({_machine(results)}). Times differ from machine to machine;"
        " the ratios are what to look at, and the command makes them on yours."
    )
    if is_noisy(results):
        yield "**The machine had other work in this run, so that its figures say little.**"
    for part, why in {**results["left out"], **results.get("compared", {}).get("left out", {})}.items():
        yield f"Not measured in this run: {part.replace('_', ' ')}. {why}"


def _bars(results: Results) -> Iterator[str]:
    yield "## Bars"
    yield f"{COMMAND.rstrip('`')} --check` fails if one is missed."
    yield _table(
        ("bar", "wanted", "reached", ""),
        [(bar.name, bar.wanted, bar.reached, "held" if bar.is_held else "**missed**") for bar in bars(results)],
    )


def _compared(results: Results) -> Iterator[str]:
    if "compared" not in results:
        return
    found = results["compared"]
    samples, sizes = found["samples"], found["sizes"]
    yield "## One page"
    size, small = sizes[FAST_DOOR]["plain"][0], sizes[FAST_DOOR]["browser"][0]
    yield (
        f"A post page of {_kilobytes(size)}, {CONNECTIONS} connections; each server on one core, `wrk`, which asks, on another."
        f" “Browser”: with {len(BROWSER)} headers as a browser sends them, answered in a coding that it takes"
        f" ({_kilobytes(small)} from us). Medians of {len(samples[NGINX]['plain'])} rounds of {found['seconds']} s, in turn;"
        " “of nginx” is taken in each round: 1 is as much as nginx, 0.5 half of it. “CPU” is what one answer takes of the server’s"
        " processor, in millionths of a second; “99 of 100 within” is how long all but the slowest hundredth of the answers took."
    )
    yield "\n".join(f"- {'**' if name in OURS else ''}{name}{'**' if name in OURS else ''}: {NAMES[name]}." for name in samples)
    yield _picture(results, "performance-compared.svg")
    rows = []
    for name, got in samples.items():
        cells: list[str] = [f"**{name}**" if name in OURS else name]
        for how in ("plain", "browser"):
            cells += [
                f"{_number(_middle(got[how], 'per_second'))} ± {100 * spread(got[how]):.0f} %",
                f"{ratio(results, name, how):.2g}",
                _number(_middle(got[how], "cpu")),
            ]
        rows.append((*cells, f"{_middle(got['plain'], 'p99'):.2f}"))
    yield _table(
        ("", "plain, requests/s", "of nginx", "CPU, µs", "browser, requests/s", "of nginx", "CPU, µs", "99 of 100 within, ms"), rows
    )
    idle = [f"{name} ({100 * _middle(got['plain'], 'busy'):.0f} %)" for name, got in samples.items() if _middle(got["plain"], "busy") < 0.9]
    if idle:
        yield (
            f"`wrk` could not keep all of them busy: of its core used {', '.join(idle)}. There, CPU for a request says more"
            " than requests in a second."
        )
    names = [name for name in (FAST_DOOR, FOLDER_TIER) if name in samples]
    strangers = " and ".join(f"{ratio(results, name, 'browsers'):.2f} of nginx with {name}" for name in names)
    yield (
        f"A server may remember what it has read in the headers of a browser. Asked by {WAYS['browsers'].browsers:,} browsers in turn,"
        f" no two of which send the same, it is {strangers}."
    )
    failed = sum(each["failed"] for got in samples.values() for how in got.values() for each in how)
    yield f"Answers that were errors, or did not come: {failed}."


def _posts(results: Results) -> Iterator[str]:
    if "posts" not in results:
        return
    found = results["posts"]
    names = list(next(iter(found.values())))
    yield "## More posts"
    yield (
        "The home page and the post page, from the page cache and made anew for each request, on sites of several sizes;"
        " µs of CPU for a request."
    )
    yield _picture(results, "performance-posts.svg")
    yield _table(
        ("posts", *names), [(f"{int(step):,}", *(_number(_middle(got[name], "cpu")) for name in names)) for step, got in found.items()]
    )


def _connections(results: Results) -> Iterator[str]:
    if "connections" not in results:
        return
    found = results["connections"]
    yield "## More connections"
    yield "Plain requests for the post page; and within how many milliseconds 99 of 100 are answered."
    yield _picture(results, "performance-connections.svg")
    names = (FAST_DOOR, NGINX)
    yield _table(
        ("connections", *(f"{name}, {what}" for name in names for what in ("requests/s", "99 of 100, ms"))),
        [
            (step, *(cell for name in names for cell in (_number(_middle(got[name], "per_second")), f"{_middle(got[name], 'p99'):.2f}")))
            for step, got in found.items()
        ],
    )


def _meanwhile(results: Results) -> Iterator[str]:
    lines = []
    if of := results.get("publishing"):
        seconds = len(of["bytes per second"]["other"])
        lines.append(
            f"- **An editor changes and publishes a post every second**, through the forms of the desk: readers of another post get"
            f" {100 * lost(results, 'other'):.1f} % less, readers of that very post {100 * lost(results, 'same'):.1f} %. (Medians of"
            f" {seconds} seconds, each compared with its own second half, when the publish is over. Saving, rendering and making pages"
            " anew are on the server’s core, too.)"
        )
    if of := results.get("idle"):
        memory = ", ".join(f"{number / 1024:.1f} KiB with {name}" for name, number in of["bytes"].items())
        lines.append(
            f"- **{of['connections']:,} connections that got a page and are kept open**: {memory} for each (resident memory of the"
            " processes)."
        )
    if of := results.get("signing_in"):
        lines.append(
            f"- **{of['people']} people sign in at once**, each password hashed with argon2: {of['readers']} readers, who pause"
            f" between pages, wait {of['busy']['p50']:.1f} ms (99 of 100: {of['busy']['p99']:.0f}) instead of"
            f" {of['quiet']['p50']:.1f} ({of['quiet']['p99']:.0f})."
        )
    if of := results.get("slow"):
        lines.append(
            f"- **{of['clients']:,} slow clients**, a third each send headers, send bodies, or take answers, a byte in a second: 99 of 100"
            f" other readers are answered within {of['p99']:.0f} ms, {of['failed']} fail, and after {of['gone']:.0f} s the slow"
            " ones are gone."
        )
    if lines:
        yield "## While something else happens"
        yield "\n".join(lines)


def _how(results: Results) -> Iterator[str]:
    yield "## How it is measured"
    yield (
        "Everything runs on one machine over loopback. `taskset` gives each server, with all that it starts, one core, and `wrk`"
        " with the bench itself another, for all alike. One server is asked at a time; in each round all take their turn, after a"
        " warm-up that does not count. CPU is the time of the server’s processes in user and system mode from `/proc`. ± is half of"
        " what lies between the highest and the lowest round."
    )
    yield (
        "Squall runs with its settings as they come, on SQLite: statistics, limits and the log of answers are on; the log goes to"
        " `/dev/null`. Wagtail, where it is: one page of this size, SQLite, gunicorn with a process of eight threads"
        f" (`bench/performance/wagtail_site`{results['compared']['wagtail'] if 'compared' in results else ''})."
    )
    yield (
        f"nginx sends the page as a file, without a log, as below; “{NGINX_OPEN}”: with `open_file_cache max=1000` as well;"
        f" “{FOLDER_TIER}”: with what `./squall nginx` prints instead of the lines from `root` on."
    )
    yield f"```nginx\n{NGINX_CONF.format(folder='FOLDER', port='PORT', server=FILE.format(folder='FOLDER'))}```"
    yield "The headers of a browser:"
    yield "```http\n" + "\n".join(f"{name}: {value}" for name, value in BROWSER.items()) + "\n```"


# --- the README ---


def _quotation(results: Results) -> str:
    samples = results["compared"]["samples"]
    rows = [
        (
            f"**{name}**" if name in OURS else name,
            *(
                cell
                for how in ("plain", "browser")
                for cell in (_number(_middle(got[how], "per_second")), f"{ratio(results, name, how):.2g}")
            ),
        )
        for name, got in samples.items()
    ]
    table = _table(("one core, a post page", "requests/s", "of nginx", "with a browser’s headers", "of nginx"), rows)
    found = bars(results)
    held = sum(bar.is_held for bar in found)
    said = f"Measured by {COMMAND}, all in one run, in which {held} of {len(found)} bars were held; [how, and what else it measures]"
    return f"{_picture(results, 'performance-compared.svg', 'docs/')}\n\n{IN_SHORT}\n\n{table}\n\n{said}(docs/performance.md)."


# --- words and numbers ---


def _middle(samples: Sequence[dict[str, Any]], what: str) -> float:
    return float(median(each[what] for each in samples))


def _number(value: float) -> str:
    """To three figures, which is more than a second run would repeat."""
    rounded = float(f"{value:.3g}")
    return f"{rounded:,.0f}" if rounded >= 100 else f"{rounded:g}"


def _kilobytes(size: int) -> str:
    return f"{size / 1000:.1f} kB"


def _machine(results: Results) -> str:
    of = results["machine"]
    return (
        f"{of['date']}, {of['processor']}, {of['cores']} cores, {of['system']}, Python {of['Python']}, nginx {of['nginx']}, wrk {of['wrk']}"
    )


def _told(series: dict[str, tuple[Sequence[float], bool]], steps: Sequence[int], unit: str) -> str:
    return " ".join(
        f"{name}: " + ", ".join(f"{_number(value)} {unit} at {step:,}" for value, step in zip(values, steps, strict=True)) + "."
        for name, (values, _) in series.items()
    )


def _picture(results: Results, name: str, where: str = "") -> str:
    drawing = dict(drawings(results))[name]
    title = re.search(r"<title[^>]*>(.*?)</title>", drawing)
    return f"![{title[1] if title else ''}; the figures are in the table below]({where}pictures/{name})"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines: list[Sequence[str]] = [head, ["---", *("--:" if _is_number(rows, column) else "---" for column in range(1, len(head)))], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _is_number(rows: Sequence[Sequence[str]], column: int) -> bool:
    return all(row[column][:1].isdigit() or row[column][:1] == "-" for row in rows)
