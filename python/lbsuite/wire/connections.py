"""One watched connection to each endpoint: a killed process is known by its broken connection, in milliseconds."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

import grpc
import grpc.aio

from lbsuite import background
from lbsuite.backoff import Backoff
from lbsuite.errors import LbsuiteError
from lbsuite.wire.dial import OPTIONS

CONNECT_S = 2.0
BACKOFF_S = (0.1, 2.0)

_BROKEN = (grpc.ChannelConnectivity.TRANSIENT_FAILURE, grpc.ChannelConnectivity.SHUTDOWN)

_log = logging.getLogger(__name__)

Targets = Callable[[str], Awaitable[list[str]]]
Changed = Callable[[str, bool], None]


class Connections:
    """Keeps a connection to each watched address and tells when one breaks and refuses, and when it is back.

    targets: what to dial for an address, asked anew before each attempt; it raises LbsuiteError where dialling is not
    allowed. changed(address, up): called on each change; the first call for an address is always `up`, save where
    dialling is not allowed.
    """

    def __init__(self, targets: Targets, changed: Changed) -> None:
        self._targets = targets
        self._changed = changed
        self._kept: dict[str, _Connection] = {}
        self._ending: set[asyncio.Task[None]] = set()

    def watch(self, address: str) -> None:
        """Begins to keep a connection; where one is kept and down, tries again at once."""
        if kept := self._kept.get(address):
            kept.again.set()
        else:
            self._kept[address] = _Connection(address, self._targets, self._changed)

    def forget(self, address: str) -> None:
        if kept := self._kept.pop(address, None):
            kept.task.cancel()
            self._ending.add(kept.task)
            kept.task.add_done_callback(self._ending.discard)

    def up(self, address: str) -> bool:
        kept = self._kept.get(address)
        return kept is not None and kept.up

    async def close(self) -> None:
        for address in list(self._kept):
            self.forget(address)
        await asyncio.gather(*self._ending, return_exceptions=True)


class _Connection:
    def __init__(self, address: str, targets: Targets, changed: Changed) -> None:
        self.up = False
        self.again = asyncio.Event()
        self._address = address
        self._targets = targets
        self._changed = changed
        self.task = background.start(self._keep(), f"connection to {address}")

    async def _keep(self) -> None:
        tries, backoff = 0, Backoff(*BACKOFF_S)
        while True:
            self.again.clear()
            try:
                targets = await self._targets(self._address)
            except LbsuiteError as error:
                _log.warning("no connection to %s: %s", self._address, error)
                self._changed(self._address, False)
            else:
                if await self._follow(targets[tries % len(targets)]):
                    tries = 0
                    backoff.reset()
            tries += 1
            await self._pause(backoff.next_s())

    async def _follow(self, target: str) -> bool:
        """Holds one channel until it breaks and refuses; True if it was ever up."""
        reached = False
        async with grpc.aio.insecure_channel(target, options=OPTIONS) as channel:
            try:
                while (state := channel.get_state(try_to_connect=True)) not in _BROKEN:
                    if state is grpc.ChannelConnectivity.READY:
                        reached = True
                        self._become(True)
                    patience_s = None if state is grpc.ChannelConnectivity.READY else CONNECT_S
                    async with asyncio.timeout(patience_s):
                        await channel.wait_for_state_change(state)
            except TimeoutError:
                pass
            finally:
                self.up, was_up = False, self.up
        if was_up:
            self._changed(self._address, False)
        return reached

    def _become(self, up: bool) -> None:
        if up != self.up:
            self.up = up
            self._changed(self._address, up)

    async def _pause(self, pause_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause_s):
                await self.again.wait()
