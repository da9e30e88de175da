"""Where endpoints are, as IP address and port: clients of xDS resolve no names."""

import asyncio
import functools
import logging
import time
from collections.abc import Awaitable, Callable, Iterable

import grpc

from lbsuite import addresses, background
from lbsuite.wire.refusal import Refused

REFRESH_S = 5.0

_log = logging.getLogger(__name__)

Place = tuple[str, int]
Targets = Callable[[str], Awaitable[list[str]]]


class Hosts:
    """targets: what to dial for HOST:PORT, as AllowList has it. moved: called when a name stands for something else.

    A name that resolves no more keeps what it stood for, one that has moved to where none may be does not.
    """

    def __init__(self, targets: Targets, moved: Callable[[], None]) -> None:
        self._targets, self._moved = targets, moved
        self._known: dict[str, Place] = {}
        self._due_s: dict[str, float] = {}
        self._asking: set[asyncio.Task[None]] = set()

    def place(self, address: str) -> Place | None:
        """Of HOST:PORT, at once; None: not known yet, and asked for."""
        if (literal := _literal(address)) is not None:
            return literal
        now = time.monotonic()
        if now >= self._due_s.get(address, now):
            self._due_s[address] = now + REFRESH_S
            asking = background.start(self._ask(address), f"the place of {address}")
            self._asking.add(asking)
            asking.add_done_callback(self._asking.discard)
        return self._known.get(address)

    def keep(self, wanted: Iterable[str]) -> None:
        """Forgets all other names."""
        for address in self._due_s.keys() - set(wanted):
            del self._due_s[address]
            self._known.pop(address, None)

    def close(self) -> None:
        for asking in self._asking:
            asking.cancel()

    async def _ask(self, address: str) -> None:
        known = self._known.get(address)
        try:
            target, *_ = await self._targets(address)
        except Refused as refusal:
            if refusal.code is grpc.StatusCode.PERMISSION_DENIED:
                self._known.pop(address, None)
            _log.warning("xDS clients are told of %s as it was, if at all: %s", address, refusal)
        else:
            self._known[address] = _place(target.partition(":")[2].partition(",")[0])
        if self._known.get(address) != known:
            self._moved()


@functools.lru_cache(maxsize=8192)
def _literal(address: str) -> Place | None:
    host, _ = addresses.parse(address)
    return _place(address) if addresses.ip_of(host.strip("[]")) else None


def _place(literal: str) -> Place:
    host, port = addresses.parse(literal)
    return host.strip("[]"), port
