"""One member of the list, as a channel keeps it: its connection, and what is counted of it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import grpc
import grpc.aio

from lbsuite import background
from lbsuite.events import Reported

CONNECT_S = 2.0
"""A connection that is not up by then is as good as refused; it is still waited for."""

State = Literal["connecting", "ready", "lost"]
Told = Callable[[State, str], None]


class Connection(Protocol):
    """What carries the calls to one endpoint; it connects by itself, again and again, and tells how it stands."""

    def connected(self) -> bool:
        """Whether it stands, as known at this very moment."""
        ...

    async def close(self, grace_s: float | None) -> None:
        """Lets calls under way end within grace_s, and ends the others."""
        ...


@dataclass(slots=True, eq=False)
class Endpoint:
    """in_flight, finished, failed: of this channel's own attempts; finished and failed, where the endpoint's own rates
    are known, of everybody's. others: tasks of others, by the last report. listed: what the list said last. stubs: its
    callables, by whose they are. load_due_s: when its trailers are worth reading again.
    """

    address: str
    connection: Any = None
    state: State = "connecting"
    why: str = ""
    in_flight: int = 0
    others: int = 0
    listed: Reported | None = None
    available: bool = True
    finished: float = 0.0
    failed: float = 0.0
    load_due_s: float = 0.0
    stubs: dict[object, Any] = field(default_factory=dict)
    _measured_s: float | None = None

    def ended(self, *, failed: bool) -> None:
        """One of this channel's attempts has ended."""
        self.in_flight -= 1
        if self._measured_s is None:
            self.finished += 1
            self.failed += failed

    def measure(self, calls_per_s: float, failures_per_s: float, now: float) -> None:
        """The endpoint tells how many calls of anybody it ends a second; 0: it does not."""
        if calls_per_s > 0:
            if self._measured_s is not None:
                self.finished += calls_per_s * (now - self._measured_s)
                self.failed += failures_per_s * (now - self._measured_s)
            self._measured_s = now


class AioConnection:
    """A Connection over a channel of grpc.aio, in the running event loop; told(state, why) is called on each change."""

    def __init__(self, channel: grpc.aio.Channel, address: str, told: Told) -> None:
        self.channel = channel
        self._told = told
        self._watching = background.start(self._watch(), f"connection to {address}")

    def connected(self) -> bool:
        """See Connection."""
        return self.channel.get_state() is grpc.ChannelConnectivity.READY

    async def close(self, grace_s: float | None) -> None:
        """See Connection."""
        self._watching.cancel()
        await self.channel.close(grace_s)

    async def _watch(self) -> None:
        while (state := self.channel.get_state(try_to_connect=True)) is not grpc.ChannelConnectivity.SHUTDOWN:
            if state is grpc.ChannelConnectivity.READY:
                self._told("ready", "")
                await self.channel.wait_for_state_change(state)
                self._told("connecting", "")
            else:
                await self._connect(state)

    async def _connect(self, state: grpc.ChannelConnectivity) -> None:
        if state is grpc.ChannelConnectivity.TRANSIENT_FAILURE:
            self._told("lost", "no connection can be made")
            await self.channel.wait_for_state_change(state)
            return
        try:
            async with asyncio.timeout(CONNECT_S):
                await self.channel.wait_for_state_change(state)
        except TimeoutError:
            self._told("lost", f"no connection within {CONNECT_S:g} s")
            await self.channel.wait_for_state_change(state)
