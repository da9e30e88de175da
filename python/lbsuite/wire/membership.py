"""Who may be picked for one service, and by what right each endpoint is here.

An endpoint with a key in the registry lives by that key, one registered by RPC by its reports, one with both by both.
What is decided here reaches the policies through the engine's roster alone.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

import grpc

from lbsuite import _core
from lbsuite.events import Joined
from lbsuite.wire import messages
from lbsuite.wire.alarm import Alarm
from lbsuite.wire.allow import AllowList
from lbsuite.wire.connections import Connections
from lbsuite.wire.refusal import Refused

LEASE_INTERVALS = 12
"""Reports may be missing for so many intervals before an endpoint registered by RPC leaves; it is stale after 3."""
MAX_ENDPOINTS = 4096
PROMPT_S = 0.1
"""An endpoint that counts what it has begun also tells of each end at once: changes of 50 ms together, and the way."""


@dataclass(slots=True)
class Standing:
    """By what right an endpoint is here, and what it last said of itself."""

    registered: bool = False
    key: Joined | None = None
    drained: bool = False
    told_draining: bool = False
    weight: int = 1
    limit: int = 0
    zone: str = ""
    tier: int = 0
    report: messages.ServerLoad | None = None
    interval_s: float = 0.0
    grace: asyncio.TimerHandle | None = None

    @property
    def draining(self) -> bool:
        return self.drained or (self.key is not None and self.key.draining)


class Membership:
    """The endpoints of one service, kept in step with its engine; each has a watched connection.

    ttl_s: the lease time of the registry; it stands for the interval of reports that do not tell one, and for the
    grace of an endpoint whose key vanished while its connection was up. changed: called with the address of whom
    there is news, before or after the engine has it.
    """

    def __init__(self, engine: _core.Engine, allowed: AllowList, ttl_s: float, changed: Callable[[str], None]) -> None:
        self.engine = engine
        self.alarm = Alarm(engine, self._forget)
        self.revision = 0
        """Counts the changes of who is here and who drains."""
        self.refusals = Counter(none=0, all_full=0, excluded=0, waited=0)
        """Picks that found nobody, by reason."""
        self.standings: dict[str, Standing] = {}
        self._ttl_s, self._changed = ttl_s, changed
        self._connections = Connections(allowed.targets, self._connected)

    def register(self, info: messages.ServerInfo, now: float) -> bool:
        """Takes a registration by RPC; True if the endpoint is new. The address has passed the allow list.

        Raises ValueError for what the engine finds absurd, and Refused if there are MAX_ENDPOINTS; nothing changes.
        """
        known = self.standings.get(info.address, Standing())
        told = replace(
            known,
            registered=True,
            weight=info.weight or known.weight,
            limit=info.limit or known.limit,
            zone=info.zone or known.zone,
            tier=info.tier or known.tier,
        )
        return self._admit(info.address, told, now)

    def join(self, event: Joined, now: float) -> None:
        """Takes a key of the registry, new or changed; as `register`. Its load counts until the endpoint reports."""
        known = self.standings.get(event.address, Standing())
        limit = event.limit or known.limit
        told = replace(known, key=event, weight=event.weight, limit=limit, zone=event.zone, tier=event.tier)
        self._admit(event.address, told, now)
        if event.load is not None and known.report is None:
            self.engine.report(event.address, now, tasks=event.load, available=event.available)
            self.alarm.settle(now)

    def key_gone(self, address: str, now: float) -> None:
        """The registry's key vanished. Where the connection is up, the endpoint has a lease time to register again:
        a registry that was wiped takes nobody with it."""
        standing = self.standings.get(address)
        if standing is None or standing.key is None:
            return
        leaving = standing.draining or not self._connections.up(address)
        standing.key, standing.registered = None, False
        if leaving:
            self.leave(address, now)
        else:
            self._end_grace(standing)
            standing.grace = asyncio.get_running_loop().call_later(self._ttl_s, self._grace_over, address)

    def leave(self, address: str, now: float) -> bool:
        """Drops an endpoint, whatever right it had; False if it is not here."""
        known = self.engine.leave(address, now)
        self._forget(address)
        self.alarm.settle(now)
        return known

    def drain(self, address: str, now: float, *, undo: bool) -> bool:
        """The operator's wish that nobody picks it, or may again; False if it is not here."""
        if standing := self.standings.get(address):
            standing.drained = not undo
            self._tell_draining(address, standing, now)
        return standing is not None

    def report(self, load: messages.ServerLoad, begun: int | None, own: messages.BalancerCounts, now: float) -> bool:
        """Takes an endpoint's own report, and what it says became of this balancer's own picks; False if it is not
        here, ValueError if the engine finds it absurd."""
        standing = self.standings.get(load.address)
        interval_s = load.interval_ms / 1000 or self._ttl_s
        told = begun is not None
        taken = standing is not None and self.engine.report(
            load.address,
            now,
            tasks=load.load,
            limit=load.limit or None,
            memory=load.memory_bytes,
            cpu=load.cpu,
            available=load.available,
            draining=load.draining,
            interval_s=interval_s,
            prompt_s=PROMPT_S if told else 0.0,
            begun=begun,
            finished=load.finished if told else None,
            busy_s=load.busy_us / 1e6,
            task_s=load.task_us / 1e6,
            own_finished=own.finished,
            own_failed=own.failed,
            own_refused=own.refused,
            own_latency_s=own.latency_us / 1e6,
        )
        if standing is not None and taken:
            self._keep_report(load, standing, interval_s, now)
            self._changed(load.address)
        self.alarm.settle(now)
        return taken

    async def close(self) -> None:
        self.alarm.cancel()
        for standing in self.standings.values():
            self._end_grace(standing)
        await self._connections.close()

    def _keep_report(self, load: messages.ServerLoad, standing: Standing, interval_s: float, now: float) -> None:
        standing.report = load
        standing.limit = load.limit or standing.limit
        if interval_s != standing.interval_s:
            standing.interval_s = interval_s
            self._tell(load.address, standing, now)

    def _admit(self, address: str, standing: Standing, now: float) -> bool:
        new = address not in self.standings
        if new and len(self.standings) >= MAX_ENDPOINTS:
            raise Refused(grpc.StatusCode.RESOURCE_EXHAUSTED, f"{MAX_ENDPOINTS} endpoints are registered already")
        self._tell(address, standing, now)
        self.standings[address] = standing
        self.revision += new
        self._end_grace(standing)
        self._tell_draining(address, standing, now)
        self._connections.watch(address)
        return new

    def _tell(self, address: str, standing: Standing, now: float) -> None:
        self.engine.join(
            address,
            now,
            weight=standing.weight,
            limit=standing.limit,
            zone=standing.zone,
            tier=standing.tier,
            order=standing.key.order if standing.key else None,
            lease_s=self._lease_s(address, standing),
        )
        self._changed(address)
        self.alarm.settle(now)

    def _lease_s(self, address: str, standing: Standing) -> float:
        """A key is its own lease, and so is the connection of one that never reported; 0: stays."""
        if not standing.registered or standing.key is not None:
            return 0.0
        if standing.report is None and self._connections.up(address):
            return 0.0
        return LEASE_INTERVALS * (standing.interval_s or self._ttl_s)

    def _tell_draining(self, address: str, standing: Standing, now: float) -> None:
        if standing.draining != standing.told_draining:
            standing.told_draining = standing.draining
            self.engine.drain(address, now, undo=not standing.draining)
            self.revision += 1
            self._changed(address)

    def _connected(self, address: str, up: bool) -> None:
        now = time.monotonic()
        standing = self.standings[address]
        if not up and standing.grace is not None:
            self.leave(address, now)
            return
        (self.engine.reached if up else self.engine.lost)(address, now)
        self._changed(address)
        if standing.registered and standing.report is None:
            self._tell(address, standing, now)
        self.alarm.settle(now)

    def _grace_over(self, address: str) -> None:
        self.leave(address, time.monotonic())

    def _forget(self, address: str) -> None:
        if standing := self.standings.pop(address, None):
            self._end_grace(standing)
            self._connections.forget(address)
            self.revision += 1
            self._changed(address)

    def _end_grace(self, standing: Standing) -> None:
        if standing.grace is not None:
            standing.grace.cancel()
            standing.grace = None
