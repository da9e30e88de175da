"""One member of the list, as a channel keeps it: its connection, and what is counted of it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol
from weakref import WeakKeyDictionary

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
        """Whether it stands, as known at this very moment; False where that is not known."""
        ...

    async def close(self, grace_s: float | None) -> None:
        """Lets calls under way end within grace_s, and ends the others."""
        ...


@dataclass(slots=True, eq=False)
class Endpoint:
    """in_flight, finished, failed: of this channel's own attempts. others: tasks of others, by the last report. listed:
    what the list said last. load_due_s: when its trailers are worth reading again. mute: it knows no probes.
    stubs: its callables, by whose they are.
    """

    address: str
    connection: Any = None
    state: State = "connecting"
    why: str = ""
    in_flight: int = 0
    others: int = 0
    listed: Reported | None = None
    available: bool = True
    mute: bool = False
    finished: int = 0
    failed: int = 0
    load_due_s: float = 0.0
    stubs: WeakKeyDictionary[object, Any] = field(default_factory=WeakKeyDictionary)
    _measured: tuple[float, float, float] | None = None

    def measure(self, calls_per_s: float, failures_per_s: float, now: float) -> tuple[int, int]:
        """The calls that the endpoint has ended for anybody, and those that failed, going by the rates it tells; where
        it tells none (0), this channel's own."""
        if calls_per_s <= 0:
            return self.finished, self.failed
        calls, failures, since_s = self._measured or (float(self.finished), float(self.failed), now)
        passed_s = now - since_s
        self._measured = (calls + calls_per_s * passed_s, failures + failures_per_s * passed_s, now)
        return int(self._measured[0]), int(self._measured[1])


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
