"""A source of membership becomes the endpoints of an engine, by IP:PORT: names are resolved, and asked for anew."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Collection

from lbsuite import _core, addresses, background
from lbsuite.events import Balancers, Event, Joined, Left
from lbsuite.proxy.health import Health
from lbsuite.registry.dns import resolve
from lbsuite.registry.source import GRACE_S, Source

RESOLVE_EVERY_S = 30.0
RESOLVE_AGAIN_S = 2.0
"""After a name that did not resolve."""

_log = logging.getLogger(__name__)


class Follower:
    """Feeds one engine, and tells `health` whom to check. grace_s: see GRACE_S; 0 for a source that is never wiped."""

    def __init__(self, engine: _core.Engine, health: Health, source: Source, grace_s: float = GRACE_S) -> None:
        self.listed = asyncio.Event()
        """Set when the first list is there, each name of it resolved or tried once."""
        self._engine = engine
        self._health = health
        self._source = source
        self._grace_s = grace_s
        self._members: dict[str, Joined] = {}
        self._found: dict[str, tuple[str, ...]] = {}
        self._serving: dict[str, Joined] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._changed = asyncio.Event()
        self._told_all = False
        self._untried: set[str] = set()

    async def until(self, members: Collection[str]) -> None:
        """Returns when the source has told of these members, as it names them, and of no others."""
        while self._members.keys() != set(members):
            self._changed.clear()
            await self._changed.wait()

    async def run(self) -> None:
        """Until the source is closed."""
        try:
            async with contextlib.aclosing(self._source.events()) as events:
                async for event in events:
                    self._take(event)
                    self._changed.set()
        finally:
            for task in self._tasks.values():
                task.cancel()

    def _take(self, event: Event) -> None:
        match event:
            case Joined(address):
                self._join(event, address)
            case Left(address):
                self._leave(address)
            case Balancers(others):
                self._engine.pickers(max(1, len(others)), time.monotonic())
                self._told_all = True
                self._tell_listed()

    def _join(self, event: Joined, name: str) -> None:
        self._members[name] = event
        known = name in self._found
        if addresses.ip_of(addresses.parse(name)[0].strip("[]")) is not None:
            self._found[name] = (name,)
            self._end_task(name)
        elif not known or name not in self._tasks:
            self._end_task(name)
            if not known:
                self._untried.add(name)
            self._tasks[name] = background.start(self._resolve(name), f"addresses of {name}")
        self._apply()

    def _leave(self, name: str) -> None:
        member = self._members.get(name)
        if member is None:
            return
        well = any(self._health.up(address) for address in self._found.get(name, ()))
        self._end_task(name)
        if self._grace_s and well and not member.draining:
            self._tasks[name] = background.start(self._forget_later(name), f"grace of {name}")
        else:
            self._forget(name)

    async def _forget_later(self, name: str) -> None:
        await asyncio.sleep(self._grace_s)
        self._tasks.pop(name)
        self._forget(name)

    def _forget(self, name: str) -> None:
        self._members.pop(name, None)
        self._found.pop(name, None)
        self._untried.discard(name)
        self._apply()
        self._tell_listed()

    def _end_task(self, name: str) -> None:
        if task := self._tasks.pop(name, None):
            task.cancel()

    async def _resolve(self, name: str) -> None:
        while True:
            try:
                self._found[name] = await resolve(name)
                pause_s = RESOLVE_EVERY_S
            except ValueError as error:
                _log.warning("%s; what is known of it stays", error)
                pause_s = RESOLVE_AGAIN_S
            self._untried.discard(name)
            self._apply()
            self._tell_listed()
            await asyncio.sleep(pause_s)

    def _tell_listed(self) -> None:
        if self._told_all and not self._untried:
            self.listed.set()

    def _apply(self) -> None:
        now = time.monotonic()
        wanted = {address: self._members[name] for name, found in self._found.items() for address in found}
        for address in self._serving.keys() - wanted.keys():
            _log.info("%s leaves", address)
            self._engine.leave(address, now)
            self._health.forget(address)
        for address, member in wanted.items():
            if self._serving.get(address) != member:
                self._tell(address, member, now)
        self._serving = wanted

    def _tell(self, address: str, member: Joined, now: float) -> None:
        new = self._engine.join(
            address, now, weight=member.weight, limit=member.limit, zone=member.zone, order=member.order
        )
        _log.info("%s %s", address, "joins" if new else "is changed")
        self._engine.drain(address, now, undo=not member.draining)
        self._health.watch(address)
