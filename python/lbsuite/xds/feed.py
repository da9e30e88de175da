"""Rosters become resources: at once where membership changes, once a second for what else there is."""

import asyncio
import time
from collections.abc import Collection

from lbsuite.wire.balancer import Balancer
from lbsuite.wire.membership import Membership
from lbsuite.xds import catalog, services
from lbsuite.xds.catalog import Catalog
from lbsuite.xds.endpoints import Told, assignment
from lbsuite.xds.hosts import Hosts
from lbsuite.xds.settings import XdsSettings
from lbsuite.xds.weights import Weights

COALESCE_S = 0.002
"""Changes within this time of a look are told together by the next."""
SHARE = 4
"""After a look that took its time, so many times as long is left to others."""
REST_S = 1.0


class Feed:
    """Keeps a catalog in step with a balancer's services, from now on. Belongs to the running event loop."""

    def __init__(self, balancer: Balancer, told: Catalog, settings: XdsSettings) -> None:
        self._balancer = balancer
        self._catalog = told
        self._settings = settings
        self._hosts = Hosts(balancer.allowed.targets, self._moved)
        self._marks: dict[str, tuple[int, int]] = {}
        self._told: dict[str, list[Told]] = {}
        self._weights: dict[str, Weights] = {}
        self._loop = asyncio.get_running_loop()
        self._soon: asyncio.TimerHandle | None = None
        self._rested_s = 0.0
        self._look_at_all()
        balancer.changed.append(self._changed)

    def close(self) -> None:
        self._balancer.changed.remove(self._changed)
        for timer in (self._soon, self._later):
            if timer is not None:
                timer.cancel()
        self._hosts.close()

    def _changed(self, service: str, address: str) -> None:
        self._look_soon()

    def _moved(self) -> None:
        self._marks.clear()
        self._look_soon()

    def _look_soon(self) -> None:
        if self._soon is None:
            self._soon = self._loop.call_at(max(self._loop.time(), self._rested_s), self._look)

    def _look_at_all(self) -> None:
        # Set first: a look that fails is told by the loop, and is not the last.
        self._later = self._loop.call_later(REST_S, self._look_at_all)
        if self._soon is not None:
            self._soon.cancel()
        self._marks.clear()
        found = self._balancer.services
        self._hosts.keep(address for membership in found.values() for address in membership.standings)
        for name, weights in self._weights.items():
            weights.take(found[name].standings if name in found else {})
        self._look()

    def _look(self) -> None:
        """Takes in what has changed. Reports are no change: there are too many of them."""
        self._soon, began_s = None, self._loop.time()
        found = self._balancer.services
        if found.keys() != self._told.keys():
            self._open_and_close(found.keys())
        for name, membership in found.items():
            mark = (membership.revision, membership.alarm.happened.total())
            if self._marks.get(name) != mark:
                self._marks[name] = mark
                self._tell(name, membership, time.monotonic())
        self._catalog.tell(partial=self._balancer.partial(self._balancer.settings.service))
        ended_s = self._loop.time()
        self._rested_s = ended_s + max(COALESCE_S, SHARE * (ended_s - began_s))

    def _open_and_close(self, found: Collection[str]) -> None:
        for name in self._told.keys() - found:
            del self._told[name]
            for kept in (self._marks, self._weights):
                kept.pop(name, None)
            self._catalog.drop(name)
        for name in found - self._told.keys():
            self._told[name] = []
            if self._settings.weights == "reports":
                self._weights[name] = Weights()
            self._catalog.put(catalog.ENDPOINTS, name, assignment(name, ()))
            self._catalog.put(catalog.CLUSTER, name, services.cluster(name, self._settings.policy))
            self._catalog.put(catalog.LISTENER, name, services.listener(name))
            self._catalog.put(catalog.ROUTE, name, services.route(name))
        every = services.proxy_route(found, self._balancer.settings.service)
        self._catalog.put(catalog.ROUTE, services.ALL, every)

    def _tell(self, name: str, membership: Membership, now: float) -> None:
        weights = self._weights.get(name)
        told = [
            Told(*place, seen.state, weights.of(seen.address) if weights else seen.weight, seen.zone, seen.tier)
            for seen in membership.engine.endpoints(now)
            if (place := self._hosts.place(seen.address)) is not None
        ]
        if told != self._told[name]:
            self._told[name] = told
            self._catalog.put(catalog.ENDPOINTS, name, assignment(name, told))
