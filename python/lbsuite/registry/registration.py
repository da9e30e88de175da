"""One member's keys in etcd, kept alive under a lease, whatever happens to etcd."""

import asyncio
import contextlib
import logging
import math
import time
from dataclasses import replace

from lbsuite import background
from lbsuite.backoff import Backoff
from lbsuite.errors import Unreachable
from lbsuite.registry import layouts
from lbsuite.registry.etcd_client import EtcdClient, LeaseGone
from lbsuite.registry.etcd_settings import Layout
from lbsuite.registry.member import Member, Role

_log = logging.getLogger(__name__)

MOST_UPDATE_S = 5.0
FLEET_UPDATES = 5
"""So many loads a second do the endpoints of a service write together, each at most one in MOST_UPDATE_S: on a busy
fleet of 25 backends of one machine, a write a second by each took 6 % of its CPU."""
_BEATS = 2.5
"""Keep-alives in the time to live of a lease."""
_LOOK_BEATS = 6
"""After the first and every so many keep-alives it is also looked whether the key is still there, and who else is."""


class Registration:
    """Registers `member` from its making until `close`; must be made on a running event loop.

    Etcd being away is never an error here: it is tried again for ever, and the key is written again when etcd is back,
    empty or not. `registered` is set when the key has been written, and cleared when its lease is found gone.
    ttl_s: how long the key outlives its process, rounded up to whole seconds; etcd has a floor of its own, mostly 2.
    layout: the keys that an endpoint is written under; a balancer has lbsuite's.
    update_s: least time between two writes of a changed load; it grows with the endpoints of the service, to 5 s.
    Raises ValueError for a service name that cannot be part of a key and a ttl_s that is not above 0.
    """

    def __init__(
        self,
        client: EtcdClient,
        member: Member,
        *,
        service: str = "default",
        role: Role = "endpoints",
        ttl_s: float = 5.0,
        layout: Layout = "lbsuite",
        update_s: float = 1.0,
    ) -> None:
        if not 0 < ttl_s < math.inf:
            raise ValueError(f"ttl_s is not above 0: {ttl_s}")
        self.registered = asyncio.Event()
        self._client, self._member = client, member
        self._ttl_s, self._least_update_s = math.ceil(ttl_s), update_s
        self.update_s = update_s
        self._place = layout, service, role
        self._siblings = layouts.siblings(*self._place)
        self._stored: dict[bytes, bytes] = {}
        self._lease = self._beats = 0
        self._beat_s = self._beat_at = self._written_at = 0.0
        self._written: Member | None = None
        self._changed = asyncio.Event()
        self._away = False
        self._task = background.start(self._keep(), f"registration of {member.address}")

    def update(self, member: Member) -> None:
        """Has this written next: at once if more than its load has changed, else when update_s allows.

        Raises ValueError for another address.
        """
        if member.address != self._member.address:
            raise ValueError(f"the registration of {self._member.address!r} cannot become {member.address!r}")
        self._member = member
        self._changed.set()

    async def close(self, deadline_s: float = 2.0) -> None:
        """Takes the key out of etcd, or leaves it to its lease if etcd does not answer within the deadline."""
        self._task.cancel()
        await asyncio.wait({self._task})
        self.registered.clear()
        lease, self._lease = self._lease, 0
        if lease:
            with contextlib.suppress(Unreachable, LeaseGone, TimeoutError):
                async with asyncio.timeout(deadline_s):
                    await self._client.revoke(lease)
        if not self._task.cancelled():
            self._task.result()

    async def _keep(self) -> None:
        backoff = Backoff()
        while True:
            try:
                await self._advance()
            except LeaseGone:
                self._lease = 0
                self.registered.clear()
                _log.info("the lease of %s is gone: registering again", self._member.address)
            except Unreachable as error:
                if not self._away:
                    self._away = True
                    _log.warning("registration of %s: %s; trying again", self._member.address, error)
            else:
                self.registered.set()
                backoff.reset()
                if self._away:
                    self._away = False
                    _log.warning("registration of %s: etcd answers again", self._member.address)
                await self._rest()
                continue
            await asyncio.sleep(backoff.next_s())

    async def _advance(self) -> None:
        """Does what is due now: a new lease, a keep-alive, a write."""
        now = time.monotonic()
        if not self._lease:
            self._lease, granted_s = await self._client.grant(self._ttl_s)
            self._beat_s = granted_s / _BEATS
            self._beat_at = now + self._beat_s
            self._stored.clear()
            self._written = None
        elif now >= self._beat_at:
            await self._client.keep_alive(self._lease)
            if self._beats % _LOOK_BEATS == 0:
                await self._look()
            self._beats += 1
            self._beat_at = now + self._beat_s
        if now >= self._write_at():
            member = self._member
            await self._store(layouts.records(*self._place, member))
            self._written, self._written_at = member, now

    async def _store(self, records: dict[bytes, bytes]) -> None:
        for key, value in records.items():
            if self._stored.get(key) != value:
                await self._client.put(key, value, self._lease)
                self._stored[key] = value
        for key in self._stored.keys() - records.keys():
            await self._client.delete(key)
            del self._stored[key]

    async def _look(self) -> None:
        """Has a key written again if it was deleted or changed, unless a later process at this address took it."""
        for key, value in list(self._stored.items()):
            found = (await self._client.range(key)).kvs
            if not found or (found[0].lease == self._lease and found[0].value != value):
                del self._stored[key]
                self._written = None
        siblings = (await self._client.range(self._siblings, prefix=True, count_only=True)).count
        self.update_s = max(self._least_update_s, min(siblings / FLEET_UPDATES, MOST_UPDATE_S))

    def _write_at(self) -> float:
        """When the record may be written next: infinity if etcd has it as it is."""
        if self._written == self._member:
            return math.inf
        load, available = self._member.load, self._member.available
        if self._written is None or replace(self._written, load=load, available=available) != self._member:
            return -math.inf
        return self._written_at + self.update_s

    async def _rest(self) -> None:
        """Waits for the next thing that is due, or a change."""
        due = min(self._beat_at, self._write_at())
        self._changed.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, due - time.monotonic())):
                await self._changed.wait()
