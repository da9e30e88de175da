"""A backend's key in etcd, and what etcd tells it of balancers."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import replace

from lbsuite import background
from lbsuite.events import Balancers
from lbsuite.registry.etcd import EtcdSource
from lbsuite.registry.etcd_client import EtcdClient
from lbsuite.registry.etcd_settings import EtcdSettings
from lbsuite.registry.member import Member, State
from lbsuite.registry.registration import Registration

Found = Callable[[frozenset[str]], Awaitable[None]]


class Presence:
    """Registers `member` and tells `found` of every change of the balancers, from `start` until `leave`."""

    def __init__(self, settings: EtcdSettings, member: Member, service: str, ttl_s: float, found: Found) -> None:
        self._client = EtcdClient(settings)
        self._member, self._found = member, found
        self._registration = Registration(self._client, member, service=service, ttl_s=ttl_s, layout=settings.layout)
        self._source = EtcdSource(self._client, service, role="balancers")
        self._watching: asyncio.Task[None] | None = None

    async def start(self, patience_s: float) -> None:
        """Returns when the key is written, or after `patience_s`; it is tried on for ever."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                await self._registration.registered.wait()
        self._watching = background.start(self._watch(), "watch of the balancers in etcd")

    def tell(self, load: int, *, draining: bool) -> None:
        """Has the key say so: the state at once, the load within a second or so."""
        state: State = "draining" if draining else "ready"
        if (load, state) != (self._member.load, self._member.state):
            self._member = replace(self._member, load=load, state=state)
            self._registration.update(self._member)

    async def leave(self) -> None:
        """Takes the key out of etcd and lets go."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait({self._watching})
        await self._registration.close()
        await self._source.close()
        await self._client.close()

    async def _watch(self) -> None:
        async with contextlib.aclosing(self._source.events()) as events:
            async for event in events:
                if isinstance(event, Balancers):
                    await self._found(event.addresses)
