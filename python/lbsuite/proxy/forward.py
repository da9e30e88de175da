"""The heads that the asyncio door sends on: made of what was parsed, never of the bytes that came."""

import enum
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from lbsuite.proxy.message import Framing, Head, lists

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


class Delivery(enum.Enum):
    """How a response's body reaches the client."""

    AS_FRAMED = enum.auto()
    CHUNKED = enum.auto()
    UNTIL_CLOSE = enum.auto()


def request(head: Head, origin: Origin, via: str) -> bytes:
    """The request's head as it goes to a backend: hop-by-hop fields go (RFC 9110 7.6.1), Via, Forwarded (RFC 7239) and
    X-Forwarded-* come."""
    of_this_hop = _of_this_hop(head)
    lines = [f"{head.method} {_origin_form(head.target)} HTTP/1.1"]
    for name, value in head.fields:
        if not of_this_hop(name.lower()) and name.lower() not in _FORWARDED:
            lines.append(f"{name}: {value}")
    if head.find("host") is None:
        lines.append("Host: ")
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
    lines += [f"{name}: {value}" for name, value in head.fields if not of_this_hop(name.lower())]
    if delivery is Delivery.CHUNKED:
        lines.append("Transfer-Encoding: chunked")
    elif delivery is Delivery.AS_FRAMED and (length := head.find("content-length")) is not None:
        # What a response to HEAD or a 304 would have been framed by is told, too.
        lines.append(f"Content-Length: {length}")
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
    """Whether a field, its name in lower case, is of one hop: those above, and what Connection names."""
    connections = list(head.values("connection"))

    def of_this_hop(name: str) -> bool:
        if name in _HOP_BY_HOP:
            return True
        # Whoever names Host, the backend cannot do without.
        return name != "host" and any(lists(listed, name) for listed in connections)

    return of_this_hop


def _origin_form(target: str) -> str:
    """Of "http://host/path", as a client of a forward proxy writes it, the part that Host does not say."""
    if target.startswith("/") or target == "*" or "://" not in target:
        return target
    rest = target.split("://", 1)[1]
    starts = [at for at in (rest.find("/"), rest.find("?")) if at >= 0]
    return rest[min(starts) :] if starts else "/"


def _origin_lines(head: Head, origin: Origin) -> list[str]:
    def told(name: str) -> str:
        return (head.find(name) or "") if origin.trusted else ""

    def listed(before: str, own: str) -> str:
        return f"{before}, {own}" if before else own

    own = f'for="[{origin.host}]"' if ":" in origin.host else f"for={origin.host}"
    lines = [
        f"X-Forwarded-For: {listed(told('x-forwarded-for'), origin.host)}",
        f"X-Forwarded-Proto: {told('x-forwarded-proto') or 'http'}",
    ]
    if host := told("x-forwarded-host") or head.find("host"):
        lines.append(f"X-Forwarded-Host: {host}")
    lines.append(f"Forwarded: {listed(told('forwarded'), f'{own};proto=http')}")
    return lines
