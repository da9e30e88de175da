"""One balancer is watched, and the next one when it is lost."""

import asyncio
import contextlib
import itertools
import math
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

from lbsuite.channels import watched
from lbsuite.channels.watched import Watched
from lbsuite.events import Contact, Joined, Left, Reported
from lbsuite.wire import messages
from lbsuite.wire.balancer import Balancer, BalancerSettings
from lbsuite.wire.door import AioDoor
from listener import Listener
from lookaside import Caller, serving
from scripted import Server
from waiting import eventually

A, B, C = (f"127.0.0.1:{port}" for port in (1, 2, 3))


class Door:
    """A balancer that comes and goes, at one address; each life is another."""

    def __init__(self) -> None:
        self.address = "127.0.0.1:0"
        self._door: AioDoor | None = None

    async def open(self, *endpoints: str, settled: bool = True) -> None:
        """settled: as one that has been there for long, and knows everybody."""
        self.balancer = Balancer(BalancerSettings(ttl_s=1.0))
        if settled:
            self.balancer._began_s = -math.inf
        self._door = AioDoor(self.balancer)
        self.address = await self._door.open(self.address)
        await self.register(*endpoints)

    async def register(self, *endpoints: str) -> None:
        async with Caller(self.address) as caller:
            await caller.register(*endpoints)

    async def close(self) -> None:
        if self._door is not None:
            await self._door.close(grace_s=0)
            await self.balancer.close()
            self._door = None


@pytest.fixture
async def doors() -> AsyncIterator[list[Door]]:
    doors = [Door() for _ in range(3)]
    yield doors
    for door in doors:
        await door.close()


@contextlib.asynccontextmanager
async def listening(source: Watched) -> AsyncIterator[Listener]:
    listener = Listener(source)
    try:
        yield listener
    finally:
        await listener.stop()
        await source.close()


async def test_loads_are_told() -> None:
    async with serving() as (_, caller), listening(Watched([caller.address])) as listener:
        await caller.register(A)
        await caller.report(A, load=3)
        await listener.until(lambda heard: Reported(A, tasks=3) in heard.heard)


async def test_a_lost_balancer_costs_nothing_while_another_is_there(doors: list[Door]) -> None:
    for door in doors:
        await door.open(A, B)
    source = Watched([door.address for door in doors])
    async with listening(source) as listener:
        await listener.until(lambda heard: heard.balancers is not None)
        first_list = list(listener.heard)
        lost = [door for door in doors if door.address == source.following]
        assert len(lost) == 1
        await lost[0].close()
        for door in doors:
            if door not in lost:
                await door.register(C)
        await listener.until(lambda heard: C in heard.members)
        assert listener.heard == [*first_list, Joined(C)]


async def test_with_no_balancer_left_the_list_stays_and_that_is_told_once(doors: list[Door]) -> None:
    (door, *_) = doors
    await door.open(A, B)
    async with listening(Watched([door.address])) as listener:
        await listener.until(lambda heard: heard.balancers is not None)
        await door.close()
        await listener.until(lambda heard: any(isinstance(event, Contact) for event in heard.heard))
        await door.open(A, B)
        await listener.until(lambda heard: Contact(up=True) in heard.heard)
        first, second = [event for event in listener.heard if isinstance(event, Contact)]
        assert (first.up, second) == (False, Contact(up=True))
        assert "UNAVAILABLE" in first.why
        assert set(listener.members) == {A, B}
        assert not [event for event in listener.heard if isinstance(event, Left)]


async def test_a_balancer_that_has_just_begun_empties_no_list(doors: list[Door]) -> None:
    (door, *_) = doors
    await door.open(A, B)
    async with listening(Watched([door.address])) as listener:
        await listener.until(lambda heard: heard.balancers is not None)
        await door.close()
        await door.open(A, C, settled=False)
        await listener.until(lambda heard: C in heard.members)
        assert set(listener.members) == {A, B, C}
        await listener.until(lambda heard: set(heard.members) == {A, C})


async def test_a_caller_learns_of_other_balancers_from_the_one_it_knows(doors: list[Door]) -> None:
    known, other, _ = doors
    await other.open(A, B)
    await known.open(A)
    known.balancer.peers = frozenset({known.address, other.address, "no address"})
    async with listening(Watched([known.address])) as listener:
        await listener.until(lambda heard: heard.balancers is not None)
        await known.close()
        await listener.until(lambda heard: set(heard.members) == {A, B})
        assert not [event for event in listener.heard if isinstance(event, Contact)]


class Mute(Server):
    """Takes every watcher and tells nothing, or the list and then nothing."""

    def __init__(self, *updates: messages.RosterUpdate) -> None:
        super().__init__("LoadBalancer")
        self.asked = 0
        self._updates = updates

    async def Watch(self, request: messages.WatchRequest, context: Any) -> None:
        self.asked += 1
        for update in self._updates:
            await context.write(update)
        await asyncio.Event().wait()


@pytest.mark.parametrize("updates", [(), (messages.RosterUpdate(whole=True),)])
async def test_a_balancer_that_says_nothing_is_lost(
    updates: tuple[messages.RosterUpdate, ...], doors: list[Door], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched, "ANSWER_S", 0.2)
    monkeypatch.setattr(watched, "SILENCE_S", 0.2)
    (door, *_) = doors
    async with Mute(*updates) as mute, listening(source := Watched([mute.address])) as listener:
        await eventually(lambda: mute.asked > 1)
        await door.open(A)
        source._given.append(door.address)
        await listener.until(lambda heard: A in heard.members)


async def test_a_server_that_serves_no_watch_is_no_balancer_and_the_story_goes_on() -> None:
    class Nothing(Server):
        pass

    async with Nothing("LoadBalancer") as server, listening(Watched([server.address])) as listener:
        await listener.until(lambda heard: any(isinstance(event, Contact) for event in heard.heard))
        (contact,) = listener.heard
        assert isinstance(contact, Contact)
        assert "UNIMPLEMENTED" in contact.why


class Flood(Server):
    """Tells as much as its watcher takes."""

    def __init__(self) -> None:
        super().__init__("LoadBalancer")
        self.stuck = asyncio.Event()

    async def Watch(self, request: messages.WatchRequest, context: Any) -> None:
        many = [f"127.0.0.1:{port}" for port in range(20_000, 22_000)]
        for weight in itertools.count(1):
            infos = (messages.ServerInfo(address=each, weight=weight) for each in many)
            update = messages.RosterUpdate(changed=[messages.Endpoint(info=info) for info in infos])
            writing = asyncio.ensure_future(context.write(update))
            if not (await asyncio.wait({writing}, timeout=0.5))[0]:
                self.stuck.set()
            await writing


async def test_nothing_piles_up_for_a_slow_listener() -> None:
    async with Flood() as flood:
        source = Watched([flood.address])
        async with contextlib.aclosing(source.events()) as events:
            await anext(events)
            await asyncio.wait_for(flood.stuck.wait(), 30)
        await source.close()


async def test_what_makes_no_sense_is_refused() -> None:
    for balancers, service in ([["nonsense"], "a"], [[A], "a/b"], [[], "a"]):
        with pytest.raises(ValueError, match=r"nonsense|a/b|no balancer"):
            Watched(balancers, service)


async def test_tls_is_dialled_where_credentials_say_so(doors: list[Door]) -> None:
    (door, *_) = doors
    await door.open(A)  # which speaks no TLS
    source = Watched([door.address], credentials=grpc.ssl_channel_credentials())
    async with listening(source) as listener:
        await listener.until(lambda heard: bool(heard.heard))
        assert isinstance(listener.heard[0], Contact)
