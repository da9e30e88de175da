"""What the parts of an HTTP/1 message may look like (RFC 9110, 9112); the same reading as the native door's."""

import re

_AUTHORITY = re.compile(r"(\[[0-9A-Za-z:.\-_~%]{2,}\]|[0-9A-Za-z\-._~%!$&'()*+;=]*)(:[0-9]{0,5})?")
_TARGET = re.compile(r"[!\"$-~]*")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_REQUEST_LINE = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+ [!-~]+ HTTP/1\.[0-9]")
_STATUS_LINE = re.compile(rb"HTTP/1\.[0-9] [1-9][0-9]{2}( [^\x00-\x08\x0a-\x1f\x7f]*)?")

NEVER_TRAIL = {
    *("content-length", "transfer-encoding", "host", "connection", "upgrade", "te", "trailer", "expect", "range"),
    *("content-range", "content-type", "content-encoding", "authorization", "set-cookie", "cookie", "cache-control"),
    *("keep-alive", "proxy-connection", "forwarded", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"),
    *("max-forwards", "via", "location", "www-authenticate", "proxy-authenticate", "proxy-authorization"),
}
"""RFC 9110 6.5.1: what a trailer must not say: how its message is framed, routed, meant or permitted."""


def plain(name: str) -> str:
    """A field's name as those servers read it that take `_` for `-`."""
    return name.lower().replace("_", "-")


def lists(values: str, element: str) -> bool:
    """Whether a comma-separated list has this element, given in lower case."""
    return any(each.strip(" \t").lower() == element for each in values.split(","))


def printable(value: str) -> bool:
    """RFC 9110 5.5: a value has no control characters but tabs."""
    return not _CONTROL.search(value)


def token(text: str) -> bool:
    return _TOKEN.fullmatch(text) is not None


def authority(text: str) -> bool:
    """HOST or HOST:PORT; nothing at all is one, too."""
    found = _AUTHORITY.fullmatch(text)
    return found is not None and (bool(found[1]) or not found[2])


def request_line(line: bytes) -> bool:
    """Three parts, one space between them, and HTTP's."""
    return _REQUEST_LINE.fullmatch(line) is not None


def status_line(line: bytes) -> bool:
    return _STATUS_LINE.fullmatch(line) is not None


def split_target(method: str, target: str) -> tuple[str, str] | None:
    """(authority, path) that a target names, the authority empty where Host alone says it; None: no server has it."""
    if not _TARGET.fullmatch(target):
        return None
    if target.startswith("/") or (target == "*" and method == "OPTIONS"):
        return "", target
    scheme, separator, rest = target.partition("://")
    if not separator or scheme.lower() not in ("http", "https"):
        return None
    end = min((at for at in (rest.find("/"), rest.find("?")) if at >= 0), default=len(rest))
    if not end or not authority(rest[:end]):
        return None
    path = rest[end:]
    if not path and method == "OPTIONS":
        return rest[:end], "*"  # RFC 9112 3.2.4
    return rest[:end], path if path.startswith("/") else f"/{path}"
