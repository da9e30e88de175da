"""A fixed list of endpoints, in the order given."""

import asyncio
from collections.abc import AsyncGenerator, Iterable

from lbsuite.events import Balancers, Event, Joined


class Static:
    """A source that never changes. The same address twice is one endpoint; raises ValueError for a bad address."""

    def __init__(self, addresses: Iterable[str]) -> None:
        self._members = tuple(Joined(address, order=place) for place, address in enumerate(dict.fromkeys(addresses)))
        self._closed = asyncio.Event()

    async def events(self) -> AsyncGenerator[Event, None]:
        """See Source."""
        if self._closed.is_set():
            return
        for member in self._members:
            yield member
        yield Balancers(frozenset())
        await self._closed.wait()

    async def close(self) -> None:
        """See Source."""
        self._closed.set()
