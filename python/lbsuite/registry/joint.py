"""Several sources of membership as one."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from lbsuite.events import Balancers, Contact, Event, Joined, Left
from lbsuite.registry.source import Source
from lbsuite.registry.story import Stories, Story


class Union:
    """What the sources have said, by their places, and what of it was told to `tell`."""

    def __init__(self, tell: Callable[[Event], None], sources: int) -> None:
        self._tell_event = tell
        self._members: list[dict[str, Joined]] = [{} for _ in range(sources)]
        self._balancers: list[frozenset[str] | None] = [None] * sources
        self._lost: dict[int, str] = {}
        self._told: dict[str, Joined] = {}
        self._told_balancers: frozenset[str] | None = None

    def take(self, place: int, event: Event) -> None:
        """One event of the source at this place."""
        match event:
            case Joined(address):
                self._members[place][address] = event
                self._tell(address)
            case Left(address):
                self._members[place].pop(address, None)
                self._tell(address)
            case Balancers(addresses):
                self._balancers[place] = addresses
                self._tell_balancers()
            case Contact():
                self._contact(place, event)
            case _:
                self._tell_event(event)

    def _tell(self, address: str) -> None:
        member = next((members[address] for members in self._members if address in members), None)
        if member is None and address in self._told:
            del self._told[address]
            self._tell_event(Left(address))
        elif member is not None and self._told.get(address) != member:
            self._told[address] = member
            self._tell_event(member)

    def _tell_balancers(self) -> None:
        told = [each for each in self._balancers if each is not None]
        union = frozenset[str]().union(*told)
        if len(told) == len(self._balancers) and union != self._told_balancers:
            self._told_balancers = union
            self._tell_event(Balancers(union))

    def _contact(self, place: int, event: Contact) -> None:
        was_up = not self._lost
        if event.up:
            self._lost.pop(place, None)
        else:
            self._lost[place] = event.why
        if was_up != (not self._lost):
            self._tell_event(event)


class Joint:
    """Whoever any of the sources tells of, as the first of them that knows it does; closing it closes them all.

    The first list is complete when every source has told its own; contact is lost with the first source that loses it.
    """

    def __init__(self, *sources: Source) -> None:
        self._sources = sources
        self._stories = Stories("several sources", self._follow)

    def events(self) -> AsyncGenerator[Event, None]:
        """See Source."""
        return self._stories.events()

    async def close(self) -> None:
        """See Source."""
        await self._stories.close()
        await asyncio.gather(*(source.close() for source in self._sources))

    async def _follow(self, story: Story) -> None:
        union = Union(story.tell, len(self._sources))
        async with asyncio.TaskGroup() as group:
            for place, source in enumerate(self._sources):
                group.create_task(_hear(source, union, place))


async def _hear(source: Source, union: Union, place: int) -> None:
    async with aclosing(source.events()) as events:
        async for event in events:
            union.take(place, event)
