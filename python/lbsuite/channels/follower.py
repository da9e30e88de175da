"""A source of membership becomes the endpoints of a channel's engine: each that is listed has a connection, and may be
picked while that stands."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable

from lbsuite import _core, background
from lbsuite.channels.endpoint import Connection, Endpoint, State, Told
from lbsuite.channels.loads import Loads
from lbsuite.events import Balancers, Contact, Event, Joined, Left, Reported
from lbsuite.registry.source import GRACE_S, Source

GATHER_S = 0.05
"""At the start nobody is picked until all connections stand or have failed, or the first has stood for so long: those
who wait would all be sent to whoever is there first."""
DRAIN_S = 600.0
"""How long calls may still run at an endpoint that has left."""
OLD_S = 3.0
"""Loads that are told of no more are forgotten then."""

# What a timer is for that is no endpoint's.
_GATHERING = "gathering"
_OLD = "old loads"

_log = logging.getLogger(__name__)

Connect = Callable[[str, Told], Connection]


class Follower:
    """Belongs to the running event loop.

    connect(address, told): makes a connection, which tells its states in this loop. changed(now): called after each
    change of who may be picked, or of why nobody is.
    """

    def __init__(self, engine: _core.Engine, loads: Loads, connect: Connect, changed: Callable[[float], None]) -> None:
        self.endpoints: dict[str, Endpoint] = {}
        self.members: dict[str, Joined] = {}
        self.listed = False
        """Whether the source has told its first list."""
        self.contact = Contact(up=True)
        self.lost_s: float | None = None
        """Since when the source is not heard; None: it is."""
        self._engine = engine
        self._loads = loads
        self._connect = connect
        self._changed = changed
        self._doubt: Callable[[], None] = _nothing
        self._gathering = True
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._closing: dict[asyncio.Task[None], Connection] = {}

    async def run(self, source: Source) -> None:
        """Until the source is closed. A source that can `look_again` does so when an endpoint is lost."""
        self._doubt = getattr(source, "look_again", _nothing)
        try:
            async with contextlib.aclosing(source.events()) as events:
                async for event in events:
                    self._hear(event, time.monotonic())
        except Exception as error:
            self._hear(Contact(up=False, why=repr(error)), time.monotonic())
            raise

    async def close(self, grace_s: float | None) -> None:
        """Ends every connection; calls under way have grace_s."""
        for timer in self._timers.values():
            timer.cancel()
        closing = [*self._closing.values(), *(endpoint.connection for endpoint in self.endpoints.values())]
        self.endpoints.clear()
        for task in self._closing:
            task.cancel()
        await asyncio.gather(*(connection.close(grace_s) for connection in closing), return_exceptions=True)

    def _hear(self, event: Event, now: float) -> None:
        try:
            self._take(event, now)
        except ValueError as error:
            _log.warning("the list tells what makes no sense, which is left out: %s", error)
        self._changed(now)

    def _take(self, event: Event, now: float) -> None:
        match event:
            case Joined(address):
                self._join(event, address, now)
            case Left(address, meant):
                self._leave(address, now, meant=meant)
            case Balancers():
                self.listed = True
            case Reported(address):
                if endpoint := self.endpoints.get(address):
                    self._loads.listed(endpoint, event, now)
            case Contact():
                self._hear_of(event, now)

    def _join(self, event: Joined, address: str, now: float) -> None:
        self._end_timer(address)
        self.members[address] = event
        endpoint = self.endpoints.get(address)
        if endpoint is None:
            endpoint = self.endpoints[address] = Endpoint(address)
            endpoint.connection = self._connect(address, lambda state, why: self._told(endpoint, state, why))
        elif endpoint.state == "ready" and not self._gathering:
            self._admit(endpoint, event, now)
        if event.load is not None:
            told = Reported(address, tasks=event.load, available=event.available)
            self._loads.listed(endpoint, told, now)

    def _leave(self, address: str, now: float, *, meant: bool) -> None:
        member, endpoint = self.members.pop(address, None), self.endpoints.get(address)
        if member is None or endpoint is None:
            return
        if meant or member.draining or endpoint.state != "ready":
            self._forget(address, now)
        else:
            self._timers[address] = asyncio.get_running_loop().call_later(GRACE_S, self._grace_over, address)

    def _grace_over(self, address: str) -> None:
        now = time.monotonic()
        self._forget(address, now)
        self._changed(now)

    def _forget(self, address: str, now: float) -> None:
        self._end_timer(address)
        self._engine.leave(address, now)
        connection = self.endpoints.pop(address).connection
        closing = background.start(connection.close(DRAIN_S), f"end of {address}")
        self._closing[closing] = connection
        closing.add_done_callback(self._closing.pop)

    def _told(self, endpoint: Endpoint, state: State, why: str) -> None:
        """How an endpoint's connection stands. Who was never reached is not yet the engine's."""
        now = time.monotonic()
        if self.endpoints.get(endpoint.address) is not endpoint:
            return
        endpoint.state, endpoint.why = state, why
        member = self.members.get(endpoint.address)
        if state != "ready":
            self._engine.lost(endpoint.address, now)
            if member is None:
                self._forget(endpoint.address, now)
            self._doubt()
        elif member is not None and not self._gathering:
            self._reach(endpoint, member, now)
        if self._gathering:
            self._gather(now)
        self._changed(now)

    def _gather(self, now: float) -> None:
        states = {endpoint.state for endpoint in self.endpoints.values()}
        if "ready" not in states:
            return
        if "connecting" not in states:
            self._open(now)
        elif _GATHERING not in self._timers:
            self._timers[_GATHERING] = asyncio.get_running_loop().call_later(GATHER_S, self._gathered)

    def _gathered(self) -> None:
        now = time.monotonic()
        self._open(now)
        self._changed(now)

    def _open(self, now: float) -> None:
        self._end_timer(_GATHERING)
        self._gathering = False
        for address, member in self.members.items():
            if (endpoint := self.endpoints[address]).state == "ready":
                self._reach(endpoint, member, now)

    def _reach(self, endpoint: Endpoint, member: Joined, now: float) -> None:
        self._admit(endpoint, member, now)
        self._engine.reached(endpoint.address, now)

    def _admit(self, endpoint: Endpoint, member: Joined, now: float) -> None:
        new = self._engine.join(
            member.address,
            now,
            weight=member.weight,
            limit=member.limit,
            zone=member.zone,
            order=member.order,
            tier=member.tier,
        )
        self._engine.drain(member.address, now, undo=not member.draining)
        if new and endpoint.listed is not None:
            self._loads.listed(endpoint, endpoint.listed, now)

    def _hear_of(self, contact: Contact, now: float) -> None:
        self.contact = contact
        self.lost_s = None if contact.up else self.lost_s or now
        self._end_timer(_OLD)
        if not contact.up:
            self._timers[_OLD] = asyncio.get_running_loop().call_later(OLD_S, self._forget_loads)

    def _forget_loads(self) -> None:
        now = time.monotonic()
        self._loads.forget(self.endpoints.values(), now)
        self._changed(now)

    def _end_timer(self, address: str) -> None:
        if timer := self._timers.pop(address, None):
            timer.cancel()


def _nothing() -> None:
    pass
