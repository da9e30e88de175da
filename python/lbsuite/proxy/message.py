"""HTTP/1 heads: httptools parses, and what it lets pass although it is ambiguous is refused here, never repaired.

RFC 9112 and 9110; the rules are those of the native door.
"""

import contextlib
import enum
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import httptools

from lbsuite.proxy import grammar
from lbsuite.proxy.grammar import lists
from lbsuite.proxy.settings import DoorSettings

_VERSION = re.compile(rb" HTTP/[0-9]\.[0-9]")
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
    """Of one message, as parsed. method, target (without the authority that it may name): of a request; status, reason:
    of a response; HTTP/1.minor."""

    fields: list[tuple[str, str]] = field(default_factory=list)
    method: str = ""
    target: str = ""
    authority: str = ""
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


class HeadEnd:
    """Finds where a head ends in bytes that come piece by piece."""

    def __init__(self, limits: DoorSettings) -> None:
        self._limits = limits
        self._seen = self._line = self._lines = 0
        self._skipped = False

    def find(self, data: bytearray) -> int:
        """data: all that came so far. The length of the head, 0 if more is needed. Raises Refusal."""
        while (at := data.find(b"\n", self._seen)) >= 0:
            self._check_length(at + 1)
            line = bytes(data[self._line : at + 1])
            self._seen = self._line = at + 1
            if self._take(line):
                return self._seen
        self._seen = len(data)
        self._check_length(len(data))
        return 0

    def _check_length(self, end: int) -> None:
        if not self._lines and end > self._limits.target_bytes + 64:
            raise Refusal(414, "the target is too long")
        if end > self._limits.head_bytes:
            raise Refusal(431, "the head is too long")

    def _take(self, line: bytes) -> bool:
        """True: it is the empty line that ends the head."""
        if not line.endswith(b"\r\n"):
            raise Refusal(400, "a line ends with a bare LF")
        if b"\r" in line[:-2]:
            raise Refusal(400, "a bare CR")
        if len(line) == 2:
            return self._take_empty()
        if line.startswith((b" ", b"\t")):
            raise Refusal(400, "a line begins with white space")
        self._lines += 1
        if self._lines > self._limits.fields + 1:
            raise Refusal(431, "too many fields")
        return False

    def _take_empty(self) -> bool:
        # RFC 9112 2.2: some clients end a body with a CR LF that belongs to nothing.
        if not self._lines and self._skipped:
            raise Refusal(400, "empty lines come first")
        self._skipped = True
        return self._lines > 0


class _Collector:
    """What httptools tells, as a Head."""

    def __init__(self) -> None:
        self.head = Head()

    def on_url(self, url: bytes) -> None:
        self.head.target += url.decode("latin-1")

    def on_status(self, reason: bytes) -> None:
        self.head.reason += reason.decode("latin-1")

    def on_header(self, name: bytes, value: bytes) -> None:
        self.head.fields.append((name.decode("latin-1"), value.decode("latin-1").strip(" \t")))


def parse_request(data: bytes, limits: DoorSettings) -> Head:
    """One whole head. Raises Refusal."""
    data = data.removeprefix(b"\r\n")
    line = data.partition(b"\r\n")[0]
    collector = _Collector()
    parser = httptools.HttpRequestParser(collector)
    try:
        _feed(parser, data)
    except httptools.HttpParserInvalidMethodError as error:
        known = not grammar.token(line.partition(b" ")[0].decode("latin-1"))
        raise Refusal(400, str(error)) if known else Refusal(501, "an unknown method") from None
    except httptools.HttpParserError as error:
        raise Refusal(505 if _strange_version(line) else 400, str(error)) from None
    head = collector.head
    head.method = parser.get_method().decode("latin-1")
    _read_version(head, parser.get_http_version(), 505)
    if not grammar.request_line(line):
        raise Refusal(400, "not METHOD TARGET VERSION")
    if len(head.target) > limits.target_bytes:
        raise Refusal(414, "the target is too long")
    if head.method == "CONNECT":
        raise Refusal(501, "CONNECT is not served")
    if (target := grammar.split_target(head.method, head.target)) is None:
        raise Refusal(400, "no target that a server has")
    head.authority, head.target = target
    _check_fields(head)
    _read_framing(head, 400)
    if head.framing is Framing.UNTIL_CLOSE:
        head.framing = Framing.NONE
    return head


def parse_response(data: bytes, *, for_head: bool) -> Head:
    """One whole head; for_head: it answers a HEAD. Raises Refusal with status 502."""
    collector = _Collector()
    parser = httptools.HttpResponseParser(collector)
    try:
        _feed(parser, data)
    except httptools.HttpParserError as error:
        raise Refusal(502, str(error)) from None
    head = collector.head
    head.status = parser.get_status_code()
    _read_version(head, parser.get_http_version(), 502)
    if not grammar.status_line(data.partition(b"\r\n")[0]):
        raise Refusal(502, "no status line")
    if not all(grammar.printable(value) for _, value in head.fields):
        raise Refusal(502, "a field's value has a control character")
    if head.status == 101 and head.find("upgrade") is None:
        raise Refusal(502, "it switches to no protocol")
    _read_framing(head, 502)
    if for_head or head.status < 200 or head.status in _BODILESS:
        head.framing = Framing.NONE
    return head


def _feed(parser: "httptools.HttpRequestParser | httptools.HttpResponseParser", data: bytes) -> None:
    with contextlib.suppress(httptools.HttpParserUpgrade):
        parser.feed_data(data)


def _strange_version(line: bytes) -> bool:
    return len(line) > 9 and _VERSION.fullmatch(line, len(line) - 9) is not None and not line.endswith((b"1.0", b"1.1"))


def _read_version(head: Head, version: str, status: int) -> None:
    if version not in ("1.0", "1.1"):
        raise Refusal(status, "neither HTTP/1.1 nor HTTP/1.0")
    head.minor = int(version[2])


def _check_fields(head: Head) -> None:
    """RFC 9112 3.2: one Host, that of an absolute target where there is one, and HTTP/1.1 cannot do without."""
    for name, value in head.fields:
        if not grammar.printable(value):
            raise Refusal(400, "a field's value has a control character")
        if grammar.plain(name) == "expect" and head.minor and value.lower() != "100-continue":
            raise Refusal(417, "an expectation other than 100-continue")
    hosts = list(head.values("host"))
    if len(hosts) > 1:
        raise Refusal(400, "two Hosts")
    if not hosts and head.minor:
        raise Refusal(400, "no Host")
    if not all(grammar.authority(host) for host in hosts):
        raise Refusal(400, "Host is no host")
    if hosts and head.authority and hosts[0].lower() != head.authority.lower():
        raise Refusal(400, "Host is not that of the target")


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
    # What HTTP/2 over clear text would carry past all checks is not asked for.
    protocol = head.find("upgrade")
    asked = any(lists(value, "upgrade") for value in connections) and head.minor == 1
    head.upgrade = asked and protocol is not None and not lists(protocol, "h2c")
    if head.upgrade and status == 400 and (codings or head.length):
        raise Refusal(400, "an Upgrade with a body")
    if codings:
        head.framing = Framing.CHUNKED
    elif lengths:
        head.framing = Framing.LENGTH if head.length else Framing.NONE
    else:
        head.framing = Framing.UNTIL_CLOSE
