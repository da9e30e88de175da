"""What the status of an attempt means: for its caller, and for the health of who was asked."""

import functools
from collections.abc import Iterable
from dataclasses import dataclass

import grpc

from lbsuite import addresses
from lbsuite.wire import services

Trailers = Iterable[tuple[str, str | bytes]]

# What gRPC says where no connection came up; it goes on with the address. A handler that passes on what it heard of a
# server of its own names that one, and ours is up, or was: it may be gone by the time that its answer is read.
_NO_CONNECTION = "failed to connect to all addresses; last error: "
# What the blocking stack says, as INTERNAL, of a message that its own process cannot write or read.
_OWN_MESSAGE = ("Exception serializing request!", "Exception deserializing response!")
_FAULTS = (
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DATA_LOSS,
)
"""Codes by which a server fails; with the others it has told its caller something."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended that did not succeed.

    begun: its handler may have begun. error: what speaks against the endpoint's health, if anything. turned_away: it
    was full or about to leave, or the caller went away: nothing is known of its health. leaving: it said so itself.
    """

    code: grpc.StatusCode
    begun: bool
    error: str | None
    turned_away: bool = False
    leaving: bool = False


def outcome(
    code: grpc.StatusCode, details: str | None, trailers: Trailers, *, address: str, connected: bool
) -> Outcome:
    """Of an attempt at `address` that ended with `code`. connected: the endpoint's connection stands now."""
    for name, why in trailers:
        if name == services.REFUSED_METADATA:
            return Outcome(code, begun=False, error=None, turned_away=True, leaving=why == services.DRAINING)
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED or (code is grpc.StatusCode.INTERNAL and details in _OWN_MESSAGE):
        return Outcome(code, begun=True, error=None, turned_away=True)
    unsent = code is grpc.StatusCode.UNAVAILABLE and not connected and _tells_of_no_connection(details or "", address)
    return Outcome(code, begun=not unsent, error=code.name if code in _FAULTS else None)


def cancelled() -> Outcome:
    """Of an attempt whose caller went away."""
    return Outcome(grpc.StatusCode.CANCELLED, begun=True, error=None, turned_away=True)


def _tells_of_no_connection(details: str, address: str) -> bool:
    return details.startswith(_NO_CONNECTION) and _as_grpc_has_it(address) in details


@functools.lru_cache(maxsize=4096)
def _as_grpc_has_it(address: str) -> str:
    """Of a name, whose addresses gRPC alone knows, the port."""
    host, port = addresses.parse(address)
    ip = addresses.ip_of(host.strip("[]"))
    if ip is None:
        return f":{port}: "
    return f"ipv4:{ip}:{port}: " if ip.version == 4 else f"ipv6:%5B{ip}%5D:{port}: "
