"""Watch, through the door: the whole list, then what changes, for as many as care to watch."""

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import grpc
import grpc.aio
import pytest
from door_contract import INVALID, UNAVAILABLE, A, B, C

from lbsuite.wire import door, messages, watching
from lbsuite.wire.balancer import BalancerSettings
from lbsuite.wire.door import AioDoor
from lookaside import Caller, refusal, serving
from waiting import eventually

DEADLINE_S = 10.0
WATCH = """
import sys, grpc
for _ in grpc.insecure_channel(sys.argv[1]).unary_stream("/lbsuite.v1.LoadBalancer/Watch")(b""):
    pass
"""


class Watcher:
    """One stream of updates, and the list that they add up to."""

    def __init__(self, caller: Caller, since: int = 0) -> None:
        request = messages.WatchRequest(service=caller.service, revision=since)
        self._call = caller.v1.Watch(request)
        self.updates: list[messages.RosterUpdate] = []
        self.endpoints: dict[str, messages.Endpoint] = {}

    @property
    def revision(self) -> int:
        return self.updates[-1].revision

    async def next(self) -> messages.RosterUpdate:
        update = await asyncio.wait_for(self._call.read(), DEADLINE_S)
        assert update is not grpc.aio.EOF
        self.updates.append(update)
        if update.whole:
            self.endpoints.clear()
        self.endpoints.update((endpoint.info.address, endpoint) for endpoint in update.changed)
        for address in update.left:
            self.endpoints.pop(address, None)
        return update

    async def until(self, true: Callable[["Watcher"], bool]) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while not true(self):
                await self.next()

    async def end(self) -> tuple[grpc.StatusCode, str]:
        return await asyncio.wait_for(refusal(self._read_on()), DEADLINE_S)

    async def _read_on(self) -> None:
        while await self._call.read() is not grpc.aio.EOF:
            pass


@asynccontextmanager
async def watched(*addresses: str, service: str = "") -> AsyncIterator[tuple[Caller, Watcher]]:
    """A balancer with these endpoints and a watcher that has the first list."""
    async with serving() as (_, caller):
        caller.service = service
        await caller.register(*addresses)
        watcher = Watcher(caller)
        await watcher.next()
        yield caller, watcher


async def test_the_whole_list_comes_first_in_its_order_and_then_what_changes() -> None:
    async with watched(B, A) as (caller, watcher):
        assert watcher.updates[0].whole
        assert list(watcher.endpoints) == [B, A]
        await caller.register(C, weight=3, limit=7, zone="z", tier=2)
        await watcher.until(lambda heard: C in heard.endpoints)
        assert not watcher.updates[-1].whole
        info = watcher.endpoints[C].info
        assert (info.weight, info.limit, info.zone, info.tier) == (3, 7, "z", 2)
        await caller.drain(A)
        await watcher.until(lambda heard: heard.endpoints[A].state == messages.DRAINING)
        await caller.deregister(B)
        await watcher.until(lambda heard: B not in heard.endpoints)
        revisions = [update.revision for update in watcher.updates]
        assert revisions == sorted(set(revisions))


async def test_reports_are_told_and_only_of_those_who_report() -> None:
    async with watched(A, B) as (caller, watcher):
        await caller.report(A, load=4, memory_bytes=5, cpu=0.5, limit=9, finished=3, busy_us=7)
        await watcher.until(lambda heard: heard.endpoints[A].last_report.load == 4)
        report = watcher.endpoints[A].last_report
        assert (report.memory_bytes, report.cpu, report.limit, report.finished, report.busy_us) == (5, 0.5, 9, 3, 7)
        assert [endpoint.info.address for endpoint in watcher.updates[-1].changed] == [A]


async def test_many_reports_are_told_together_and_the_newest_counts() -> None:
    async with watched(A) as (caller, watcher):
        began = time.monotonic()
        for load in range(200):
            await caller.report(A, load=load, limit=1000)
        await watcher.until(lambda heard: heard.endpoints[A].last_report.load == 199)
        assert len(watcher.updates) <= 3 + (time.monotonic() - began) / watching.COALESCE_S


async def test_a_service_that_nobody_has_registered_for_is_an_empty_list_that_fills_later() -> None:
    async with watched(service="later") as (caller, watcher):
        assert watcher.updates[0].whole
        assert not watcher.endpoints
        await caller.register(A)
        await watcher.until(lambda heard: list(heard.endpoints) == [A])


async def test_watching_opens_no_service_and_what_is_no_name_is_refused() -> None:
    async with serving() as (balancer, caller):
        caller.service = "unheard"
        await Watcher(caller).next()
        assert "unheard" not in balancer.services
        caller.service = "a/b"
        code, words = await Watcher(caller).end()
        assert code is INVALID
        assert "a/b" in words


async def test_who_knows_a_revision_is_told_what_came_after_it_and_a_stranger_the_whole_list() -> None:
    async with watched(A, B) as (caller, watcher):
        missed = Watcher(caller, since=watcher.revision)
        assert not (await missed.next()).whole
        await caller.deregister(A)
        await caller.register(C)
        await watcher.until(lambda heard: list(heard.endpoints) == [B, C])
        late = Watcher(caller, since=missed.revision)
        update = await late.next()
        assert (update.whole, list(update.left)) == (False, [A])
        assert [endpoint.info.address for endpoint in update.changed if endpoint.info.address != B] == [C]
        stranger = Watcher(caller, since=5)
        assert (await stranger.next()).whole
        assert list(stranger.endpoints) == [B, C]


async def test_who_has_missed_more_than_is_remembered_is_told_the_whole_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "MAX_LEFT", 1)
    async with watched(A, B, C) as (caller, watcher):
        missed = watcher.revision
        for address in (A, B):
            await caller.deregister(address)
            await watcher.until(lambda heard, gone=address: gone not in heard.endpoints)
        late = Watcher(caller, since=missed)
        assert (await late.next()).whole
        assert list(late.endpoints) == [C]


async def test_a_slow_reader_skips_to_the_newest_and_holds_nobody_up() -> None:
    async with serving() as (balancer, caller):
        names = [f"127.0.0.1:{port}" for port in range(20_000, 20_100)]
        await caller.register(*names)
        slow, quick = balancer._watching.follow("default"), Watcher(caller)
        await anext(slow)
        await quick.next()
        for load in range(1, 6):
            await caller.report(names[0], load=load)
            await quick.until(lambda heard, load=load: heard.endpoints[names[0]].last_report.load == load)
        update = messages.RosterUpdate.FromString(await anext(slow))
        assert update.revision == quick.revision
        assert update.changed[0].last_report.load == 5
        await slow.aclose()


async def test_one_frame_serves_all_who_are_in_step() -> None:
    async with serving() as (balancer, caller):
        await caller.register(A, B)
        stories = [balancer._watching.follow("default") for _ in range(3)]
        first, *others = [await anext(story) for story in stories]
        assert all(frame is first for frame in others)
        await caller.report(A, load=1)
        first, *others = [await anext(story) for story in stories]
        assert all(frame is first for frame in others)
        for story in stories:
            await story.aclose()


async def test_a_quiet_service_is_heard_of_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "BEAT_S", 0.05)
    async with serving() as (_, caller):
        watcher = Watcher(caller)
        await watcher.next()
        beat = await watcher.next()
        assert (beat.whole, len(beat.changed), len(beat.left)) == (False, 0, 0)


async def test_a_balancer_says_so_while_it_may_not_know_everybody_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "BEAT_S", 0.05)
    async with serving(BalancerSettings(ttl_s=0.3)) as (balancer, caller):
        watcher = Watcher(caller)
        assert (await watcher.next()).partial
        await watcher.until(lambda heard: not heard.updates[-1].partial)
        balancer.listed = False  # as while etcd has told nothing
        await watcher.until(lambda heard: heard.updates[-1].partial)
        balancer.listed, balancer.peers = True, frozenset({B, A})
        await watcher.until(lambda heard: not heard.updates[-1].partial)
        assert list(watcher.updates[-1].balancers) == [A, B]


async def test_every_watcher_is_told_when_the_balancer_stops() -> None:
    async with serving() as (balancer, caller):
        opened = AioDoor(balancer)
        async with Caller(await opened.open("127.0.0.1:0")) as other:
            watchers = [Watcher(caller), Watcher(other)]
            for watcher in watchers:
                await watcher.next()
            began = time.monotonic()
            await opened.close(grace_s=30)
            assert time.monotonic() - began < 10
            for watcher in watchers:
                assert await watcher.end() == (UNAVAILABLE, "the balancer stops")


async def test_who_is_gone_without_a_word_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    hurried = [(name, value // 20 if name.endswith("_ms") else value) for name, value in door._OPTIONS]
    monkeypatch.setattr(door, "_OPTIONS", hurried)
    async with serving() as (balancer, caller):
        watcher = await asyncio.create_subprocess_exec(sys.executable, "-c", WATCH, caller.address)
        try:
            await eventually(lambda: bool(balancer._watching._rolls))
            watcher.send_signal(signal.SIGSTOP)
            await eventually(lambda: not balancer._watching._rolls)
        finally:
            watcher.kill()
            await watcher.wait()


async def test_who_goes_away_is_forgotten() -> None:
    async with serving() as (balancer, caller):
        await caller.register(A)
        async with Caller(caller.address) as other:
            watcher = Watcher(other)
            await watcher.next()
        await eventually(lambda: not balancer._watching._rolls)
