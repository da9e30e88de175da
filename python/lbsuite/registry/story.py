"""What one listener of a source is told, from whoever finds it out: one task and one queue a listener."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any

from lbsuite.events import Contact, Event

_log = logging.getLogger(__name__)


class Story:
    """The events for one listener."""

    def __init__(self, told_by: "Stories") -> None:
        self.queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self._told_by = told_by
        self._lost = False

    def tell(self, event: Event) -> None:
        """The next event."""
        self.queue.put_nowait(event)

    async def taken(self) -> None:
        """Returns when the listener has taken all that was told: nothing piles up then for a slow one."""
        await self.queue.join()

    def lost(self, why: str) -> None:
        """Nothing can be learnt now; told once until `heard`."""
        if not self._lost:
            self._lost = True
            self.tell(Contact(False, why))
        self._told_by.log(up=False, why=why)

    def heard(self) -> None:
        """What was told is all there is now."""
        if self._lost:
            self._lost = False
            self.tell(Contact(True))
        self._told_by.log(up=True)


class Stories:
    """The events of a source, for any number of listeners; `follow` tells them to one, until it is cancelled."""

    def __init__(self, what: str, follow: Callable[[Story], Coroutine[Any, Any, None]]) -> None:
        self._what, self._follow = what, follow
        self._followers: set[asyncio.Task[None]] = set()
        self._up = True
        self._closed = False

    async def events(self) -> AsyncGenerator[Event, None]:
        """See Source."""
        if self._closed:
            return
        story = Story(self)
        follower = asyncio.create_task(self._follow(story))
        follower.add_done_callback(lambda _: story.queue.put_nowait(None))
        self._followers.add(follower)
        try:
            while (event := await story.queue.get()) is not None:
                yield event
                story.queue.task_done()
            if not follower.cancelled():
                follower.result()
        finally:
            self._followers.discard(follower)
            follower.cancel()

    async def close(self) -> None:
        """See Source."""
        self._closed = True
        followers = list(self._followers)
        for follower in followers:
            follower.cancel()
        await asyncio.gather(*followers, return_exceptions=True)

    def log(self, *, up: bool, why: str = "") -> None:
        """Logs a loss and the return once each, however many listen."""
        if up != self._up:
            self._up = up
            _log.warning("%s: %s", self._what, "answers again" if up else f"{why}; what is known stays, trying again")
