"""Members held in this process: for tests, and for a fleet that lives on one loop."""

import asyncio
from collections.abc import AsyncGenerator, Iterable

from lbsuite.events import Balancers, Event, Joined, Left


class Memory:
    """A source whose members come and go by method. All calls belong on one event loop."""

    def __init__(self) -> None:
        self._members: dict[str, Joined] = {}
        self._balancers = Balancers(frozenset())
        self._watchers: set[asyncio.Queue[Event | None]] = set()
        self._closed = False

    def join(self, member: Joined) -> None:
        """Adds an endpoint, or replaces what is known of it."""
        if self._members.get(member.address) != member:
            self._members[member.address] = member
            self._tell(member)

    def leave(self, address: str) -> None:
        """Removes an endpoint; one that is not there stays not there."""
        if self._members.pop(address, None) is not None:
            self._tell(Left(address))

    def set_balancers(self, balancers: Iterable[str]) -> None:
        """Says which balancers there are."""
        told = Balancers(frozenset(balancers))
        if told != self._balancers:
            self._balancers = told
            self._tell(told)

    async def events(self) -> AsyncGenerator[Event, None]:
        """See Source."""
        if self._closed:
            return
        queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self._watchers.add(queue)
        try:
            for member in self._members.values():
                queue.put_nowait(member)
            queue.put_nowait(self._balancers)
            while (told := await queue.get()) is not None:
                yield told
        finally:
            self._watchers.discard(queue)

    async def close(self) -> None:
        """See Source."""
        self._closed = True
        self._tell(None)

    def _tell(self, event: Event | None) -> None:
        for queue in self._watchers:
            queue.put_nowait(event)
