"""A form with files, read as it comes: whatever its size, only the piece that has just come is in memory."""

from dataclasses import dataclass
from email.message import Message

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from tornado.web import HTTPError

MOST_PARTS = 1000
LARGEST_FIELD = 64 * 1024  # bytes; files may have any size


@dataclass(frozen=True, slots=True)
class FieldSent:
    name: str
    value: bytes


@dataclass(frozen=True, slots=True)
class FileBegins:
    field: str
    name: str  # as the browser says; "" where a field for files was left empty


@dataclass(frozen=True, slots=True)
class FileEnds:
    pass


Event = FieldSent | FileBegins | bytes | FileEnds


class FormReader:
    """Raises ``HTTPError`` for what is no such form."""

    def __init__(self, content_type: str) -> None:
        said = Message()
        said["Content-Type"] = content_type
        boundary = said.get_boundary()
        if said.get_content_type() != "multipart/form-data" or not boundary:
            raise HTTPError(415)
        self._events: list[Event] = []
        self._parts = 0
        self._is_whole = False
        try:
            self._parser = MultipartParser(
                boundary.encode("latin-1", "replace"),
                {
                    "on_part_begin": self._begin,
                    "on_header_field": lambda data, start, end: self._field.extend(data[start:end]),
                    "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._end_headers,
                    "on_part_data": self._data,
                    "on_part_end": self._end,
                    "on_end": self._finish,
                },
            )
        except FormParserError:  # of a boundary that is longer than any
            raise HTTPError(415) from None

    def feed(self, chunk: bytes) -> list[Event]:
        """What it tells."""
        try:
            self._parser.write(chunk)
        except FormParserError:
            raise HTTPError(400) from None
        events, self._events = self._events, []
        return events

    def close(self) -> None:
        """It is all that was sent."""
        if not self._is_whole:
            raise HTTPError(400)

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise HTTPError(400)
        self._field, self._value, self._content = bytearray(), bytearray(), bytearray()
        self._disposition = b""
        self._is_file = False

    def _end_header(self) -> None:
        if self._field.lower() == b"content-disposition":
            self._disposition = bytes(self._value)
        self._field.clear()
        self._value.clear()

    def _end_headers(self) -> None:
        found = _parameters(self._disposition)
        self._name, self._is_file = found.get("name", ""), "filename" in found
        if self._is_file:
            self._events.append(FileBegins(self._name, found["filename"]))

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._is_file:
            self._events.append(data[start:end])
            return
        self._content += data[start:end]
        if len(self._content) > LARGEST_FIELD:
            raise HTTPError(413)

    def _end(self) -> None:
        self._events.append(FileEnds() if self._is_file else FieldSent(self._name, bytes(self._content)))

    def _finish(self) -> None:
        self._is_whole = True


def _parameters(disposition: bytes) -> dict[str, str]:
    """Browsers write names as they are, in UTF-8, with quotes and line ends as in addresses
    (https://html.spec.whatwg.org/#multipart-form-data)."""
    _, found = parse_options_header(disposition)
    return {name.decode("latin-1"): _plain(value.decode("utf-8", "replace")) for name, value in found.items()}


def _plain(text: str) -> str:
    for code, sign in (("%22", '"'), ("%0D", "\r"), ("%0A", "\n")):
        text = text.replace(code, sign)
    return text
