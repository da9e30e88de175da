"""What the status of an attempt means: for its caller, and for the health of who was asked."""

from collections.abc import Iterable
from dataclasses import dataclass

import grpc

from lbsuite.wire import services

Trailers = Iterable[tuple[str, str | bytes]]

# What gRPC says where no connection came up. A server may say the same of one of its own; ours is up then.
_NO_CONNECTION = "failed to connect to all addresses"
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
    was full or about to leave, or the caller went away: nothing is known of its health.
    """

    code: grpc.StatusCode
    begun: bool
    error: str | None
    turned_away: bool = False


def outcome(code: grpc.StatusCode, details: str | None, trailers: Trailers, *, connected: bool) -> Outcome:
    """Of an attempt that ended with `code`. connected: its endpoint's connection stands now."""
    if any(name == services.REFUSED_METADATA for name, _ in trailers):
        return Outcome(code, begun=False, error=None, turned_away=True)
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED:
        return Outcome(code, begun=True, error=None, turned_away=True)
    unsent = code is grpc.StatusCode.UNAVAILABLE and not connected and (details or "").startswith(_NO_CONNECTION)
    return Outcome(code, begun=not unsent, error=code.name if code in _FAULTS else None)


def cancelled() -> Outcome:
    """Of an attempt whose caller went away."""
    return Outcome(grpc.StatusCode.CANCELLED, begun=True, error=None, turned_away=True)
