"""HTTP/1 heads: httptools parses, and what it lets pass although it is ambiguous is refused here, never repaired.

RFC 9112 and 9110; the rules are those of the native door.
"""

import enum
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import httptools

from lbsuite.proxy.settings import DoorSettings

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_TARGET = re.compile(r"[!-~]+")
_MOST_LENGTH = 2**64 - 1
_BODILESS = (204, 304)


class Framing(enum.Enum):
    """How a body is delimited (RFC 9112 section 6.3)."""

    NONE = enum.auto()
    LENGTH = enum.auto()
    CHUNKED = enum.auto()
    UNTIL_CLOSE = enum.auto()


class Refusal(Exception):
    """What is answered to a message that is not taken: a status, and why."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status
        self.why = why


@dataclass(slots=True)
class Head:
    """Of one message, as parsed. method, target: of a request; status, reason: of a response; HTTP/1.minor."""

    fields: list[tuple[str, str]] = field(default_factory=list)
    method: str = ""
    target: str = ""
    status: int = 0
    reason: str = ""
    minor: int = 1
    framing: Framing = Framing.NONE
    length: int = 0
    keep_alive: bool = True
    upgrade: bool = False

    def values(self, name: str) -> Iterator[str]:
        """Of every field of this name; `name` in lower case."""
        return (value for each, value in self.fields if each.lower() == name)

    def find(self, name: str) -> str | None:
        """The first of this name; `name` in lower case."""
        return next(self.values(name), None)


def lists(values: str, element: str) -> bool:
    """Whether a comma-separated list has this element, given in lower case."""
    return any(each.strip(" \t").lower() == element for each in values.split(","))


class HeadEnd:
    """Finds where a head ends in bytes that come piece by piece."""

    def __init__(self, limits: DoorSettings) -> None:
        self._limits = limits
        self._seen = self._line = self._lines = 0

    def find(self, data: bytearray) -> int:
        """data: all that came so far. The length of the head, 0 if more is needed. Raises Refusal."""
        while (at := data.find(b"\n", self._seen)) >= 0:
            line = data[self._line : at]
            if not line.endswith(b"\r"):
                raise Refusal(400, "a line ends with a bare LF")
            if line.find(b"\r") != len(line) - 1:
                raise Refusal(400, "a bare CR")
            if at >= self._limits.head_bytes:
                raise Refusal(431, "the head is too long")
            self._seen = self._line = at + 1
            if len(line) == 1 and self._lines:
                return self._seen
            self._count(line)
        self._seen = len(data)
        if not self._lines and len(data) > self._limits.target_bytes + 64:
            raise Refusal(414, "the target is too long")
        if len(data) > self._limits.head_bytes:
            raise Refusal(431, "the head is too long")
        return 0

    def _count(self, line: bytearray) -> None:
        if len(line) == 1:
            raise Refusal(400, "an empty line comes first")
        if line.startswith((b" ", b"\t")):
            raise Refusal(400, "a line begins with white space")
        self._lines += 1
        if self._lines > self._limits.fields + 1:
            raise Refusal(431, "too many fields")


class _Collector:
    """What httptools tells, as a Head."""

    def __init__(self) -> None:
        self.head = Head()

    def on_url(self, url: bytes) -> None:
        self.head.target += url.decode("latin-1")

    def on_status(self, reason: bytes) -> None:
        self.head.reason += reason.decode("latin-1")

    def on_header(self, name: bytes, value: bytes) -> None:
        self.head.fields.append((name.decode("latin-1"), value.decode("latin-1")))


def parse_request(data: bytes, limits: DoorSettings) -> Head:
    """One whole head. Raises Refusal."""
    collector = _Collector()
    parser = httptools.HttpRequestParser(collector)
    _feed(parser, data, 400)
    head = collector.head
    head.method = parser.get_method().decode("latin-1")
    _read_version(head, parser.get_http_version())
    if len(head.target) > limits.target_bytes:
        raise Refusal(414, "the target is too long")
    if not _TARGET.fullmatch(head.target):
        raise Refusal(400, "the target has a character that no target has")
    if head.method == "CONNECT":
        raise Refusal(501, "CONNECT is not served")
    hosts = sum(1 for _ in head.values("host"))
    if hosts > 1 or (hosts == 0 and head.minor == 1):
        raise Refusal(400, "two Hosts" if hosts else "no Host")
    _check_values(head, 400)
    _read_framing(head, 400)
    if head.upgrade and (head.framing is Framing.CHUNKED or head.length):
        raise Refusal(400, "an Upgrade with a body")
    if head.framing is Framing.UNTIL_CLOSE:
        head.framing = Framing.NONE
    return head


def parse_response(data: bytes, *, for_head: bool) -> Head:
    """One whole head; for_head: it answers a HEAD. Raises Refusal with status 502."""
    collector = _Collector()
    parser = httptools.HttpResponseParser(collector)
    _feed(parser, data, 502)
    head = collector.head
    head.status = parser.get_status_code()
    _read_version(head, parser.get_http_version())
    if not 100 <= head.status <= 999:
        raise Refusal(502, "no status")
    _check_values(head, 502)
    _read_framing(head, 502)
    if for_head or head.status < 200 or head.status in _BODILESS:
        head.framing = Framing.NONE
    return head


def _feed(parser: "httptools.HttpRequestParser | httptools.HttpResponseParser", data: bytes, status: int) -> None:
    try:
        parser.feed_data(data)
    except httptools.HttpParserUpgrade:
        pass
    except httptools.HttpParserError as error:
        raise Refusal(status, str(error)) from None


def _read_version(head: Head, version: str) -> None:
    if version not in ("1.0", "1.1"):
        raise Refusal(505, "neither HTTP/1.1 nor HTTP/1.0")
    head.minor = int(version[2])


def _check_values(head: Head, status: int) -> None:
    if any(_CONTROL.search(value) for _, value in head.fields):
        raise Refusal(status, "a field's value has a control character")


def _read_framing(head: Head, status: int) -> None:
    lengths, codings = list(head.values("content-length")), list(head.values("transfer-encoding"))
    if len(lengths) > 1:
        raise Refusal(status, "two Content-Lengths")
    if lengths and not re.fullmatch(r"[0-9]+", lengths[0]):
        raise Refusal(status, "Content-Length is no number")
    head.length = int(lengths[0]) if lengths else 0
    if head.length > _MOST_LENGTH:
        raise Refusal(status, "Content-Length is too large")
    if len(codings) > 1 or (codings and codings[0].lower() != "chunked"):
        raise Refusal(status, "a Transfer-Encoding other than chunked")
    if lengths and codings:
        raise Refusal(status, "both Content-Length and Transfer-Encoding")
    if codings and head.minor == 0:
        raise Refusal(status, "chunked in HTTP/1.0")
    connections = list(head.values("connection"))
    closes = any(lists(value, "close") for value in connections)
    keeps = head.minor == 1 or any(lists(value, "keep-alive") for value in connections)
    head.keep_alive = keeps and not closes
    head.upgrade = any(lists(value, "upgrade") for value in connections) and head.find("upgrade") is not None
    if codings:
        head.framing = Framing.CHUNKED
    elif lengths:
        head.framing = Framing.LENGTH if head.length else Framing.NONE
    else:
        head.framing = Framing.UNTIL_CLOSE
