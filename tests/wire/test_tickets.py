"""Callers of a balancer wait for a slot where it lets them, and always hear what became of that."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import pytest
from door_contract import A, B

from lbsuite.fleet import Fleet
from lbsuite.wire import messages
from lbsuite.wire.balancer import Balancer, BalancerSettings
from lookaside import DEADLINE_S, Caller, refusal, serving
from waiting import eventually


@asynccontextmanager
async def full(queue_s: float = 60.0, slots: int = 1) -> AsyncIterator[tuple[Balancer, Caller]]:
    """A balancer where callers may wait, and one endpoint, A, whose slots are taken."""
    async with serving(BalancerSettings(queue_s=queue_s)) as (balancer, caller):
        await fill(caller, slots)
        yield balancer, caller


async def fill(caller: Caller, slots: int = 1) -> None:
    await caller.register(A, limit=slots)
    await caller.report(A, slots, limit=slots, available=False, interval_ms=60_000)


async def free(caller: Caller, limit: int = 1) -> None:
    await caller.report(A, limit=limit, interval_ms=60_000)


async def waiting(balancer: Balancer, callers: int) -> None:
    await eventually(lambda: len(balancer.membership.alarm.tickets) == callers)


async def test_a_report_that_frees_a_slot_wakes_who_came_first() -> None:
    async with full() as (balancer, caller):
        picks = []
        for place in range(3):
            picks.append(asyncio.ensure_future(caller.pick()))
            await waiting(balancer, place + 1)
        await free(caller)
        assert (await picks[0]).address == A
        assert not picks[1].done()
        await free(caller, limit=4)
        tokens = {(await pick).token for pick in picks}
        assert len(tokens) == 3


async def test_a_caller_that_goes_away_takes_no_slot() -> None:
    async with full() as (balancer, caller):
        gone = asyncio.ensure_future(caller.pick())
        await waiting(balancer, 1)
        stays = asyncio.ensure_future(caller.pick())
        await waiting(balancer, 2)
        gone.cancel()
        await waiting(balancer, 1)
        await free(caller)
        assert (await stays).address == A


async def test_who_waits_in_vain_is_told_how_long_and_how_full_it_is() -> None:
    async with full(queue_s=0.05) as (balancer, caller):
        code, words = await refusal(caller.pick())
        assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert words.startswith("no slot was free within 0.05")
        assert words.endswith(": 1 unavailable")
        assert balancer.membership.refusals["waited"] == 1
        assert not balancer.membership.alarm.tickets


async def test_the_callers_deadline_ends_the_wait_and_it_hears_why() -> None:
    async with full(queue_s=3600) as (_, caller):
        code, words = await refusal(caller.v1.GetBestServer(messages.BalanceRequest(), timeout=1.0))
        assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert words.startswith("no slot was free within 0.")


async def test_where_waiting_is_off_a_full_fleet_is_told_at_once() -> None:
    async with full(queue_s=0) as (_, caller):
        code, words = await refusal(caller.pick())
        assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert words == "all endpoints that are alive are full: 1 unavailable"


async def test_nobody_waits_for_a_fleet_that_is_not_there() -> None:
    async with serving(BalancerSettings(queue_s=60)) as (_, caller):
        assert await refusal(caller.pick()) == (grpc.StatusCode.UNAVAILABLE, "nobody is registered")


async def test_beyond_the_queues_bound_callers_are_refused_with_its_length() -> None:
    async with full() as (balancer, caller):
        engine, now = balancer.membership.engine, time.monotonic()
        picks = [asyncio.ensure_future(caller.pick())]
        await waiting(balancer, 1)
        while engine.pick(now) is not None:
            pass
        code, words = await refusal(caller.pick())
        assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert words == "all endpoints that are alive are full: 1 unavailable; callers that wait: 1"
        picks[0].cancel()


@pytest.mark.parametrize("how", ["joins", "comes back"])
async def test_whoever_can_serve_again_wakes_them(how: str) -> None:
    async with full() as (balancer, caller):
        if how == "comes back":
            await caller.register(B)
            await caller.drain(B)
        pick = asyncio.ensure_future(caller.pick())
        await waiting(balancer, 1)
        await (caller.drain(B, undo=True) if how == "comes back" else caller.register(B))
        assert (await pick).address == B


async def test_a_balancer_that_stops_lets_nobody_wait() -> None:
    async with full() as (balancer, caller):
        picks = [asyncio.ensure_future(caller.pick()) for _ in range(3)]
        await waiting(balancer, 3)
        began = time.monotonic()
        balancer.stop_waiting()
        for pick in picks:
            assert await refusal(pick) == (grpc.StatusCode.UNAVAILABLE, "the balancer stops")
        assert await refusal(caller.pick()) == (grpc.StatusCode.UNAVAILABLE, "the balancer stops")
        assert time.monotonic() - began < DEADLINE_S


async def test_a_balancer_process_lets_callers_wait_and_stops_in_spite_of_them() -> None:
    async with Fleet() as fleet:
        process = await fleet.start_lb("--queue-s=3600")
        async with Caller(process.address) as caller:
            await fill(caller)
            picks = [asyncio.ensure_future(caller.pick()) for _ in range(3)]
            # Its turn comes after theirs, as they came first on the same connection.
            await caller.status()
            await free(caller)
            done, still = await asyncio.wait(picks, return_when=asyncio.FIRST_COMPLETED)
            assert [pick.result().address for pick in done] == [A]
            assert await process.stop() == 0
            for pick in still:
                assert (await refusal(pick))[0] is grpc.StatusCode.UNAVAILABLE
            assert "Traceback" not in process.stderr_tail
