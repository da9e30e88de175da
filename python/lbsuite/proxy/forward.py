"""The heads that the asyncio door sends on: made of what was parsed, never of the bytes that came."""

import enum
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from lbsuite.proxy.grammar import lists, plain
from lbsuite.proxy.message import Framing, Head

_HOP_BY_HOP = {
    *("connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade", "proxy-authorization"),
    *("content-length", "proxy-authenticate"),
}
_FORWARDED = {"forwarded", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"}
_REASONS = {413: "Content Too Large", 414: "URI Too Long"}


@dataclass(frozen=True, slots=True)
class Origin:
    """Whom a request came from; trusted: his word on whom he forwards for is passed on."""

    host: str
    trusted: bool
    tls: bool = False


class Delivery(enum.Enum):
    """How a response's body reaches the client."""

    AS_FRAMED = enum.auto()
    CHUNKED = enum.auto()
    UNTIL_CLOSE = enum.auto()


def request(head: Head, origin: Origin, via: str) -> bytes:
    """The request's head as it goes to a backend: hop-by-hop fields go (RFC 9110 7.6.1), Via, Forwarded (RFC 7239) and
    X-Forwarded-* come."""
    of_this_hop = _of_this_hop(head)
    lines = [f"{head.method} {head.target} HTTP/1.1"]
    for name, value in head.fields:
        # RFC 9110 10.1.1: what HTTP/1.0 expects is nothing.
        unheard = not head.minor and name.lower() == "expect"
        if not of_this_hop(name) and plain(name) not in _FORWARDED and not unheard:
            lines.append(f"{name}: {value}")
    if head.find("host") is None:
        lines.append(f"Host: {head.authority}")
    if head.framing is Framing.CHUNKED:
        lines.append("Transfer-Encoding: chunked")
    elif head.framing is Framing.LENGTH or head.find("content-length") is not None:
        lines.append(f"Content-Length: {head.length}")
    lines += _origin_lines(head, origin)
    lines.append(f"Via: 1.{head.minor} {via}")
    if head.upgrade:
        lines += ["Connection: Upgrade", f"Upgrade: {head.find('upgrade')}"]
    return _bytes(lines)


def response(head: Head, delivery: Delivery, keep_alive: bool, client_minor: int, via: str) -> bytes:
    """The response's head as it goes to the client."""
    of_this_hop = _of_this_hop(head)
    lines = [f"HTTP/1.1 {head.status} {head.reason}"]
    lines += [f"{name}: {value}" for name, value in head.fields if not of_this_hop(name)]
    if delivery is Delivery.CHUNKED:
        lines.append("Transfer-Encoding: chunked")
    elif delivery is Delivery.AS_FRAMED and head.status != 204 and head.find("content-length") is not None:
        # What a response to HEAD or a 304 would have been framed by is told, too; a 204 has none (RFC 9110 8.6).
        lines.append(f"Content-Length: {head.length}")
    lines.append(f"Via: 1.1 {via}")
    if head.status == 101:
        lines += ["Connection: Upgrade", f"Upgrade: {head.find('upgrade') or ''}"]
    elif not keep_alive:
        lines.append("Connection: close")
    elif client_minor == 0:
        lines.append("Connection: keep-alive")
    return _bytes(lines)


def answer(status: int, why: str, keep_alive: bool, bodiless: bool = False) -> bytes:
    """A whole response of the proxy's own."""
    lines = [
        f"HTTP/1.1 {status} {_REASONS.get(status) or HTTPStatus(status).phrase}",
        "Content-Type: text/plain; charset=utf-8",
        f"Content-Length: {len(why) + 1}",
    ]
    if status == 503:
        lines.append("Retry-After: 1")
    if not keep_alive:
        lines.append("Connection: close")
    return _bytes(lines) + (b"" if bodiless else f"{why}\n".encode("latin-1"))


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _bytes(lines: list[str]) -> bytes:
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _of_this_hop(head: Head) -> Callable[[str], bool]:
    """Whether a field is of one hop: those above, and what Connection names."""
    connections = list(head.values("connection"))

    def of_this_hop(name: str) -> bool:
        if plain(name) in _HOP_BY_HOP:
            return True
        # Whoever names Host, the backend cannot do without.
        return name.lower() != "host" and any(lists(listed, name.lower()) for listed in connections)

    return of_this_hop


def _origin_lines(head: Head, origin: Origin) -> list[str]:
    def told(name: str) -> str:
        return (head.find(name) or "") if origin.trusted else ""

    def listed(name: str, own: str) -> str:
        """A list may be spread over fields."""
        before = [value for value in head.values(name) if value] if origin.trusted else []
        return ", ".join([*before, own])

    own = f'for="[{origin.host}]"' if ":" in origin.host else f"for={origin.host}"
    scheme = "https" if origin.tls else "http"
    lines = [
        f"X-Forwarded-For: {listed('x-forwarded-for', origin.host)}",
        f"X-Forwarded-Proto: {told('x-forwarded-proto') or scheme}",
    ]
    if host := told("x-forwarded-host") or head.find("host"):
        lines.append(f"X-Forwarded-Host: {host}")
    lines.append(f"Forwarded: {listed('forwarded', f'{own};proto={scheme}')}")
    return lines
