"""One service as its caller's process knows it: who is listed, who is up, and what it takes to pick among them."""

import asyncio
import time
from collections.abc import Callable

import grpc

from lbsuite import background
from lbsuite.channels import status as statuses
from lbsuite.channels.dispatch import Dispatch
from lbsuite.channels.follower import Connect, Follower
from lbsuite.channels.settings import ServiceSettings
from lbsuite.wire.alarm import Alarm

PICKERS = 16
"""So many channels are taken to pick for a service at once; how many there are, nobody knows. It matters where reports
are old: a crowd that goes by the same old news must not choose the same endpoint, so 1 would be a bad guess."""

Probe = Callable[[str], None]


class Service:
    """Belongs to the running event loop; what `dispatch` and `lack` do may be asked of it from any thread.

    connect: makes the connections. woken(now): called in the loop when calls that found nobody may find somebody.
    probe(address): sends a probe, for policies that ask for them. settle(now), soon(now): stand in for those of the
    alarm where picks and ends come from other threads.
    """

    def __init__(
        self,
        settings: ServiceSettings,
        connect: Connect,
        woken: Callable[[float], None],
        probe: Probe | None = None,
        settle: Callable[[float], None] | None = None,
        soon: Callable[[float], None] | None = None,
    ) -> None:
        self.target, self.engine = settings.target, settings.engine
        self.alarm = Alarm(self.engine, lambda address: None, probe)
        settle, soon = settle or self.alarm.settle, soon or self.alarm.soon
        self.dispatch = Dispatch(self.engine, settings.retry, settle, settle if settings.eager else soon)
        self.changed = asyncio.Event()
        """Set at each change; whoever waits for one clears it first."""
        self._source = settings.source
        self._woken = woken
        self._follower = Follower(self.engine, self.dispatch.loads, connect, self._wake)
        self.endpoints = self._follower.endpoints
        self.engine.pickers(PICKERS, time.monotonic())
        self._following = background.start(self._follower.run(self._source), f"members of {self.target}")

    @property
    def listed(self) -> bool:
        """Whether the first list has come."""
        return self._follower.listed

    def state(self) -> grpc.ChannelConnectivity:
        """READY while some endpoint's connection stands."""
        states = {endpoint.state for endpoint in self.endpoints.copy().values()}
        if "ready" in states:
            return grpc.ChannelConnectivity.READY
        if "connecting" in states or not self.listed:
            return grpc.ChannelConnectivity.CONNECTING
        return grpc.ChannelConnectivity.TRANSIENT_FAILURE

    def lack(self, now: float) -> statuses.Lack | None:
        """Why a call finds nobody; None: it is worth to wait."""
        return statuses.lack(self.engine, self._follower, self.target, now)

    def status(self, waiting: int) -> statuses.ChannelStatus:
        """Who serves, whether the list is told, and how the calls have fared. waiting: calls that found nobody."""
        return statuses.channel_status(self.target, self.engine, self._follower, self.dispatch.counts, waiting)

    async def close(self, grace_s: float | None) -> None:
        """Ends the list and all connections; calls under way have grace_s."""
        self._following.cancel()
        await self._follower.close(grace_s)
        await asyncio.gather(self._following, self._source.close(), return_exceptions=True)
        self.alarm.cancel()
        self.changed.set()

    def _wake(self, now: float) -> None:
        self.alarm.settle(now)
        self.changed.set()
        self._woken(now)
