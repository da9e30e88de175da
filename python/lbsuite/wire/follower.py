"""Follows a source of membership for the balancer's own service."""

import asyncio
import contextlib
import logging
import time

import grpc

from lbsuite import background
from lbsuite.backoff import Backoff
from lbsuite.events import Balancers, Event, Joined, Left
from lbsuite.registry.source import Source
from lbsuite.wire.balancer import Balancer
from lbsuite.wire.refusal import Refused

RETRY_S = (1.0, 30.0)

_log = logging.getLogger(__name__)


class Follower:
    """Feeds a balancer with a source's events. Endpoints outside the allow list are left out, and logged once; names
    are resolved on the side, so that a slow resolver holds up nobody else."""

    def __init__(self, balancer: Balancer, source: Source) -> None:
        self.listed = asyncio.Event()
        """Set when the source has told its first list."""
        self._balancer = balancer
        balancer.listed = False
        self._membership = balancer.membership
        self._source = source
        self._asking: dict[str, asyncio.Task[None]] = {}
        self._denied: set[str] = set()

    async def run(self) -> None:
        """Until the source is closed."""
        try:
            async with contextlib.aclosing(self._source.events()) as events:
                async for event in events:
                    self._take(event)
        finally:
            for task in self._asking.values():
                task.cancel()

    def _take(self, event: Event) -> None:
        now = time.monotonic()
        match event:
            case Joined(address):
                self._stop_asking(address)
                if address in self._membership.standings:
                    self._join(event)
                else:
                    self._asking[address] = background.start(self._ask(event), f"question for {address}")
            case Left(address):
                self._stop_asking(address)
                self._denied.discard(address)
                self._membership.key_gone(address, now)
            case Balancers(addresses):
                self._balancer.peers = addresses
                self._membership.engine.pickers(max(1, len(addresses)), now)
                self._balancer.listed = True
                self.listed.set()

    def _stop_asking(self, address: str) -> None:
        if task := self._asking.pop(address, None):
            task.cancel()

    async def _ask(self, event: Joined) -> None:
        backoff = Backoff(*RETRY_S)
        while True:
            if await self._admitted(event):
                return
            await asyncio.sleep(backoff.next_s())

    async def _admitted(self, event: Joined) -> bool:
        """False: ask again later."""
        try:
            await self._balancer.allowed.targets(event.address)
        except Refused as refusal:
            self._deny(event.address, refusal)
            return refusal.code is not grpc.StatusCode.UNAVAILABLE
        self._join(event)
        return True

    def _join(self, event: Joined) -> None:
        try:
            self._membership.join(event, time.monotonic())
        except (Refused, ValueError) as error:
            self._deny(event.address, error)
        else:
            self._denied.discard(event.address)

    def _deny(self, address: str, error: Exception) -> None:
        if address not in self._denied:
            self._denied.add(address)
            _log.warning("%s is left out as the registry tells of it: %s", address, error)
