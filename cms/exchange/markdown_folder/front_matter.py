"""What stands above a text: YAML between ``---``, TOML between ``+++``, or a JSON object."""

import json
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import yaml

from cms.content.characters import without_control_characters
from cms.wording import say


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """``line``: of the file, at which the body begins. ``problem``: why it could not be read; then ``data`` is empty."""

    data: dict[str, Any]
    body: str
    line: int
    problem: str = ""


def split(text: str) -> FrontMatter:
    """Never raises."""
    first = text.partition("\n")[0].rstrip()
    if first == "---":
        return _fenced(text, ("---", "..."), ".yaml")
    if first == "+++":
        return _fenced(text, ("+++",), ".toml")
    if text.startswith("{"):
        return _json(text)
    return FrontMatter({}, text, 1)


def _fenced(text: str, ends: tuple[str, ...], suffix: str) -> FrontMatter:
    lines = text.split("\n")
    end = next((number for number, line in enumerate(lines[1:], start=1) if line.rstrip() in ends), 0)
    if not end:
        return FrontMatter({}, text, 1, say("the {sign} that ends the front matter is missing", sign=ends[0]))
    body = "\n".join(lines[end + 1 :])
    try:
        data = parse("\n".join(lines[1:end]), suffix)
    except ValueError as error:
        return FrontMatter({}, body, end + 2, say("the front matter cannot be read: {reason}", reason=error))
    if data is None:
        data = {}
    if not isinstance(data, dict):
        return FrontMatter({}, body, end + 2, say("the front matter is not a list of names and values"))
    return FrontMatter({str(key): value for key, value in data.items()}, body, end + 2)


def parse(text: str, suffix: str) -> Any:
    """What YAML, TOML or JSON says. Raises ``ValueError`` with one line for whatever is wrong with it."""
    try:
        return PARSERS[suffix](text)
    except Exception as error:  # PyYAML raises what it likes for a value that is none of its kind
        raise ValueError(" ".join(str(error).split())[:200] or type(error).__name__) from None


def _yaml(text: str) -> Any:
    return yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader


class _Loader(yaml.SafeLoader):
    """Aliases can make a file of a kilobyte fill the memory, and nobody uses them above a text."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases (*name) are not read")
        return super().compose_node(parent, index)


def _timestamp(loader: _Loader, node: Any) -> Any:
    """A day that no calendar has, and what is no day, is told by whoever asks for a date."""
    try:
        return loader.construct_yaml_timestamp(node)
    except (ValueError, AttributeError):
        return node.value


_Loader.add_constructor("tag:yaml.org,2002:timestamp", _timestamp)

PARSERS: dict[str, Callable[[str], Any]] = {".yaml": _yaml, ".yml": _yaml, ".toml": tomllib.loads, ".json": json.loads}


def _json(text: str) -> FrontMatter:
    try:
        data, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())[:200]
        return FrontMatter({}, text, 1, say("the front matter cannot be read: {reason}", reason=reason))
    return FrontMatter(data, text[end:].removeprefix("\n"), text[:end].count("\n") + 2)


# --- values ----------------------------------------------------------------------------------------------------------------


def as_text(value: Any) -> str:
    if not isinstance(value, (str, int, float)) or isinstance(value, bool):
        return ""
    try:
        return without_control_characters(" ".join(str(value).split()))
    except ValueError:  # a number of more digits than Python writes
        return ""


def as_texts(value: Any) -> tuple[str, ...]:
    """A list, or one text, each once."""
    values = value if isinstance(value, (list, tuple)) else [value]
    return tuple(dict.fromkeys(text for text in map(as_text, values) if text))


def as_flag(value: Any) -> bool:
    return value is True or (isinstance(value, str) and value.strip().lower() in {"true", "yes", "1"})


def as_moment(value: Any) -> datetime | date | None:
    """None if there is no date. Raises ``ValueError`` for what should be one and is not."""
    if isinstance(value, (datetime, date)) or value is None or value == "":
        return value or None
    if not isinstance(value, str):
        raise ValueError(say("{value} is no date", value=repr(value)))
    text = value.strip()
    for form in ("%Y-%m-%d %H:%M:%S %z", "%Y-%m-%d %H:%M %z", "%Y/%m/%d", "%Y-%m-%d %H:%M:%S %Z"):
        try:
            moment = datetime.strptime(text, form)  # noqa: DTZ007 - a moment without a zone is the site's
        except ValueError:
            continue
        if form.endswith("%Z"):
            return moment.replace(tzinfo=UTC) if text.endswith(("UTC", "GMT")) else moment
        return moment.date() if form == "%Y/%m/%d" else moment
    try:
        return date.fromisoformat(text) if len(text) == len("2024-01-02") else datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(say("“{text}” is no date", text=text[:40])) from None
