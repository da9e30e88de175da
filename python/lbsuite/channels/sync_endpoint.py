"""The connection to one endpoint, of a channel whose calls block."""

import asyncio
import functools
import time
from collections.abc import Awaitable, Callable
from typing import Any

import grpc

from lbsuite.channels.endpoint import AioConnection

LOOK_S = 0.02
"""Whether calls have ended is looked at so often: to be told by each, in other threads, would cost every call."""
POLL_S = 0.25
"""The thread in which gRPC polls a plain channel's state looks 5 times a second whether that, and a wish to connect, is
still wanted; a channel that is closed beneath it ends it with a traceback."""
LAST_S = 1.0
"""Calls that were ended are given so long to say so."""


class WatchedChannel:
    """A plain channel with the face of one of grpc.aio, as far as AioConnection looks. Belongs to the running loop.

    idle(): whether no call runs over it.
    """

    def __init__(self, plain: grpc.Channel, idle: Callable[[], bool]) -> None:
        self.unary_unary: Any = plain.unary_unary
        self.unary_stream: Any = plain.unary_stream
        self.stream_unary: Any = plain.stream_unary
        self.stream_stream: Any = plain.stream_stream
        self._plain = plain
        self._idle = idle
        self._state = grpc.ChannelConnectivity.CONNECTING
        self._asked_s = 0.0
        self._changed = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._plain.subscribe(self._heard, try_to_connect=True)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        """As heard last; from any thread, unless it is to connect."""
        if try_to_connect and self._state is grpc.ChannelConnectivity.IDLE:
            self._asked_s = time.monotonic()
            self._plain.subscribe(self._heard, try_to_connect=True)
            self._plain.unsubscribe(self._heard)
        return self._state

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """See grpc.aio."""
        while self._state is last_observed_state:
            self._changed.clear()
            await self._changed.wait()

    async def close(self, grace: float | None) -> None:
        """See grpc.aio."""
        self._plain.unsubscribe(self._heard)
        wanted_s = max(0.0, self._asked_s + POLL_S - time.monotonic())
        await asyncio.gather(asyncio.sleep(wanted_s + POLL_S), self._rest(grace or 0.0))
        self._plain.close()
        await self._rest(LAST_S)

    async def _rest(self, most_s: float) -> None:
        end_s = time.monotonic() + most_s
        while not self._idle() and time.monotonic() < end_s:  # noqa: ASYNC110
            await asyncio.sleep(LOOK_S)

    def _heard(self, state: grpc.ChannelConnectivity) -> None:
        self._state = state
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._changed.set)


class SyncConnection(AioConnection):
    """A Connection over a WatchedChannel."""

    def connected(self) -> bool:
        """See Connection: gRPC tells how a plain channel stands up to 0.2 s late."""
        return False


class Awaited:
    """A plain channel whose calls are awaited; for those that a channel makes itself."""

    def __init__(self, plain: WatchedChannel) -> None:
        self._plain = plain
        self.unary_stream = plain.unary_stream

    def unary_unary(self, *method: Any) -> Callable[..., Awaitable[Any]]:
        """See grpc.aio."""
        return functools.partial(asyncio.to_thread, self._plain.unary_unary(*method))
