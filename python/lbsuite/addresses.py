"""Addresses that may serve: strict HOST:PORT, and the networks a balancer lets them come from.

Everything that takes an address from a user, a peer or etcd parses it here, before it is stored, dialled or logged.
"""

import ipaddress
import re
from collections.abc import Iterable

MAX_BYTES = 255
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_PORT = re.compile(r"0|[1-9][0-9]{0,4}")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


def parse(text: str, *, listening: bool = False) -> tuple[str, int]:
    """Splits strict `HOST:PORT` (IPv4, `[IPv6]` or a DNS name; port 1..65535).

    Raises ValueError, with the value, for anything else: a scheme, white space, control characters, more than 255
    bytes, an unspecified, multicast or link-local address. listening: port 0 and the unspecified addresses are taken.
    """
    if not isinstance(text, str):
        raise ValueError(f"not HOST:PORT: {text!r}")
    host, colon, port = text.rpartition(":")
    if not colon or len(text.encode(errors="replace")) > MAX_BYTES or not _PORT.fullmatch(port):
        raise ValueError(f"not HOST:PORT: {text!r}")
    number = int(port)
    if number > 65535 or (number == 0 and not listening):
        raise ValueError(f"port out of 1..65535: {text!r}")
    literal = host.startswith("[") and host.endswith("]")
    ip = ip_of(host[1:-1] if literal else host)
    if ip is None:
        labels = host.removesuffix(".").split(".")
        if literal or labels[-1].isdigit() or not all(_LABEL.fullmatch(label) for label in labels):
            raise ValueError(f"not an IPv4 address, [IPv6] address or DNS name: {text!r}")
    elif (ip.version == 6) != literal:
        raise ValueError(f"an IPv6 address goes in brackets, nothing else does: {text!r}")
    elif _cannot_serve(ip) and not (listening and ip.is_unspecified):
        raise ValueError(f"unspecified, multicast and link-local addresses cannot serve: {text!r}")
    return host, number


def valid(text: str) -> str:
    """`text` itself if `parse` takes it; raises ValueError otherwise."""
    parse(text)
    return text


def is_valid(text: str) -> bool:
    """Whether `parse` takes it."""
    try:
        parse(text)
    except ValueError:
        return False
    return True


def ip_of(host: str) -> IPAddress | None:
    """The IP address that `host` spells, or None for a name. A zone (`%eth0`) is not an address here."""
    if "%" in host:
        return None
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _cannot_serve(ip: IPAddress) -> bool:
    meant = ip.ipv4_mapped or ip if isinstance(ip, ipaddress.IPv6Address) else ip
    return meant.is_unspecified or meant.is_multicast or meant.is_link_local


def unspecified(address: str) -> bool:
    """True if HOST:PORT stands for every address of this machine, so that nobody can dial it as it is."""
    host, _, _ = address.rpartition(":")
    ip = ip_of(host.strip("[]"))
    return ip is not None and ip.is_unspecified


def network(text: str) -> Network:
    """A CIDR such as `10.0.0.0/8`; raises ValueError with the value."""
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        raise ValueError(f"not a network in CIDR form: {text!r}") from None


LOOPBACK: tuple[Network, ...] = (network("127.0.0.0/8"), network("::1/128"))


def inside(ips: Iterable[IPAddress], allowed: Iterable[Network]) -> bool:
    """True if there is at least one address and every one lies in an allowed network."""
    ips, allowed = list(ips), list(allowed)
    return bool(ips) and all(any(ip.version == net.version and ip in net for net in allowed) for ip in ips)
