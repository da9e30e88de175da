"""Listens to a source as a balancer would, and says what it has heard."""

import asyncio
from collections.abc import Callable

from lbsuite.events import Balancers, Event, Joined, Left
from lbsuite.registry.source import Source


class Listener:
    """Folds events into who is there. `heard` holds every event in order."""

    def __init__(self, source: Source) -> None:
        self.heard: list[Event] = []
        self.members: dict[str, Joined] = {}
        self.balancers: frozenset[str] | None = None
        self._news = asyncio.Event()
        self._task = asyncio.create_task(self._listen(source))

    async def until(self, true: Callable[["Listener"], bool], deadline_s: float = 60.0) -> None:
        """Waits until something is true of what was heard."""
        async with asyncio.timeout(deadline_s):
            while not true(self):
                self._news.clear()
                await self._news.wait()

    async def ended(self, deadline_s: float = 5.0) -> None:
        """Waits until the source ends the story."""
        await asyncio.wait_for(self._task, deadline_s)

    async def stop(self) -> None:
        """Listens no longer."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _listen(self, source: Source) -> None:
        async for event in source.events():
            self.heard.append(event)
            match event:
                case Joined():
                    self.members[event.address] = event
                case Left():
                    del self.members[event.address]
                case Balancers():
                    self.balancers = event.addresses
            self._news.set()
