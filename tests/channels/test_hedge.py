"""Calls that take longer than most go to a second endpoint, too."""

import asyncio
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from servers import DEADLINE_S, GONE, SERVICE, Server, all_ready, echo, serving, static

from lbsuite.channels.channel import Channel, channel
from lbsuite.channels.hedge import LEAST, WINDOW, Hedge, Hedging, Latencies
from lbsuite.channels.retry import Retry
from waiting import eventually

LONG_S = 10 * DEADLINE_S
"""A call that is not cancelled outlives each test's patience."""
ECHO = f"/{SERVICE}/Echo"
HEDGE = Hedge(methods=(ECHO,))
WRONG = (grpc.StatusCode.INVALID_ARGUMENT, "no such thing", ())


@asynccontextmanager
async def hedging(
    count: int, *, hedge: Hedge = HEDGE, known: bool = True, **settings: Any
) -> AsyncIterator[tuple[list[Server], Channel]]:
    """So many servers, the first of which answers all calls while it is quick; known: it has done so often enough."""
    async with (
        serving(count) as servers,
        channel(static(servers), policy="pick_first", hedge=hedge, **settings) as balanced,
    ):
        await all_ready(balanced, count)
        for _ in range(LEAST if known else 0):
            await echo(balanced)(b"", timeout=LONG_S)
        yield servers, balanced


async def both_asked(servers: list[Server]) -> None:
    await eventually(lambda: [server.running for server in servers[:2]] == [1, 1])


def no_traces(balanced: Channel) -> bool:
    status = balanced.status()
    return status.failed_first == 0 and [each.tasks for each in status.endpoints] == [0] * len(status.endpoints)


async def test_a_call_that_takes_longer_than_most_is_answered_by_another_endpoint_and_ends_at_the_first() -> None:
    async with hedging(3) as (servers, balanced):
        servers[0].gate.clear()
        assert await echo(balanced)(b"", timeout=LONG_S) == servers[1].address.encode()
        await eventually(lambda: servers[0].running == 0)
        await eventually(lambda: no_traces(balanced))
        assert (balanced.status().hedges, balanced.status().retries, servers[2].calls) == (1, 0, 0)
        assert {each.state for each in balanced.status().endpoints} == {"ready"}


async def test_the_first_may_still_win_and_ends_the_second() -> None:
    async with hedging(2) as (servers, balanced):
        for server in servers:
            server.gate.clear()
        call = echo(balanced)(b"", timeout=LONG_S)
        await both_asked(servers)
        servers[0].gate.set()
        assert await call == servers[0].address.encode()
        assert await call.code() is grpc.StatusCode.OK
        await eventually(lambda: servers[1].running == 0)
        assert no_traces(balanced)


async def test_nothing_is_sent_twice_before_it_is_known_what_is_usual() -> None:
    async with hedging(2, known=False) as (servers, balanced):
        servers[0].gate.clear()
        calls = [echo(balanced)(b"", timeout=LONG_S) for _ in range(LEAST)]
        await eventually(lambda: servers[0].running == LEAST)
        servers[0].gate.set()
        assert await asyncio.gather(*calls) == [servers[0].address.encode()] * LEAST
        assert balanced.status().hedges == 0


async def test_a_method_that_nobody_names_idempotent_is_sent_once() -> None:
    async with hedging(2, hedge=Hedge(methods=("/another.Service/Method",))) as (servers, balanced):
        servers[0].gate.clear()
        with pytest.raises(grpc.aio.AioRpcError, match="DEADLINE_EXCEEDED"):
            await echo(balanced)(b"", timeout=0.2)
        assert servers[1].calls == 0


async def test_a_status_that_no_other_endpoint_would_better_ends_the_call() -> None:
    async with hedging(2) as (servers, balanced):
        servers[0].gate.clear()
        servers[1].refusal = WRONG
        with pytest.raises(grpc.aio.AioRpcError, match="no such thing"):
            await echo(balanced)(b"", timeout=LONG_S)
        await eventually(lambda: servers[0].running == 0)


async def test_a_second_endpoint_that_fails_leaves_the_call_to_the_first() -> None:
    async with hedging(2) as (servers, balanced):
        servers[0].gate.clear()
        servers[1].refusal = GONE
        call = echo(balanced)(b"", timeout=LONG_S)
        await eventually(lambda: servers[1].calls == 1)
        servers[0].gate.set()
        assert await call == servers[0].address.encode()


async def test_where_the_first_fails_the_second_answers() -> None:
    async with hedging(3) as (servers, balanced):
        for server in servers[:2]:
            server.gate.clear()
        call = echo(balanced)(b"", timeout=LONG_S)
        await both_asked(servers)
        await servers[0].stop()
        servers[1].gate.set()
        assert await call == servers[1].address.encode()
        assert servers[2].calls == 0


async def test_a_third_is_asked_at_once_when_the_second_fails_if_so_many_are_allowed() -> None:
    async with hedging(3, hedge=Hedge(methods=(ECHO,), attempts=3)) as (servers, balanced):
        servers[0].gate.clear()
        servers[1].refusal = GONE
        assert await echo(balanced)(b"", timeout=LONG_S) == servers[2].address.encode()
        assert balanced.status().hedges == 2


async def test_all_that_are_asked_failing_is_the_last_ones_end_or_is_tried_again() -> None:
    async with hedging(3, retry=Retry(idempotent=(ECHO,))) as (servers, balanced):
        servers[0].gate.clear()
        servers[1].refusal = GONE
        call = echo(balanced)(b"", timeout=LONG_S)
        await eventually(lambda: servers[1].calls == 1)
        await servers[0].stop()
        assert await call == servers[2].address.encode()


async def test_who_cancels_the_call_ends_it_everywhere() -> None:
    async with hedging(2) as (servers, balanced):
        for server in servers:
            server.gate.clear()
        call = echo(balanced)(b"", timeout=LONG_S)
        await both_asked(servers)
        assert call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await eventually(lambda: not any(server.running for server in servers))
        assert call.cancelled()
        assert no_traces(balanced)


async def test_a_task_that_is_cancelled_ends_the_call_that_it_awaits_everywhere() -> None:
    async with hedging(2) as (servers, balanced):
        for server in servers:
            server.gate.clear()

        async def ask() -> None:
            await echo(balanced)(b"", timeout=LONG_S)

        asks = asyncio.create_task(ask())
        await both_asked(servers)
        asks.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asks
        await eventually(lambda: not any(server.running for server in servers))


async def test_where_there_is_nobody_else_the_call_is_waited_for() -> None:
    async with hedging(1) as (servers, balanced):
        servers[0].gate.clear()
        call = echo(balanced)(b"", timeout=0.3)
        with pytest.raises(grpc.aio.AioRpcError, match="DEADLINE_EXCEEDED"):
            await call
        assert (balanced.status().hedges, servers[0].calls) == (0, LEAST + 1)


async def test_when_everything_is_slow_hedges_stay_within_the_budget_of_retries() -> None:
    begun = time.monotonic()
    async with hedging(2) as (servers, balanced):
        for server in servers:
            server.gate.clear()
        calls = [echo(balanced)(b"", timeout=LONG_S) for _ in range(200)]
        await eventually(lambda: sum(server.running for server in servers) > 200)
        for server in servers:
            server.gate.set()
        await asyncio.gather(*calls)
        assert 0 < balanced.status().hedges <= 0.1 * (200 + LEAST) + 10 * (time.monotonic() - begun + 1)


@given(st.lists(st.floats(0, 10), min_size=1, max_size=3 * WINDOW), st.floats(1, 99))
def test_what_is_usual_is_the_percentile_of_the_newest(latencies: list[float], percentile: float) -> None:
    known = Latencies(percentile)
    for latency_s in latencies:
        known.add(latency_s)
    newest = sorted(latencies[-WINDOW:])
    usual_s = newest[math.ceil(percentile / 100 * len(newest)) - 1] if len(newest) >= LEAST else None
    assert known.usual_s == usual_s


def test_all_methods_that_a_retry_names_idempotent_are_hedged_unless_the_hedge_names_some() -> None:
    assert Hedging(Hedge(), Retry(idempotent=True)).covers(ECHO)
    assert Hedging(Hedge(), Retry(idempotent=(ECHO,))).covers(ECHO)
    assert not Hedging(Hedge(methods=(ECHO,)), Retry(idempotent=True)).covers("/a.B/C")
    assert not Hedging(None, Retry(idempotent=True)).covers(ECHO)


def test_nonsense_is_refused() -> None:
    for bad, make in {
        "100": lambda: Hedge(percentile=100),
        "nan": lambda: Hedge(percentile=math.nan),
        "below 2: 1": lambda: Hedge(attempts=1),
        "'/a/b'": lambda: Hedge(methods="/a/b"),
        "'Echo'": lambda: Hedge(methods=("Echo",)),
        "no method is named idempotent": lambda: Hedging(Hedge(), Retry()),
    }.items():
        with pytest.raises(ValueError, match=bad):
            make()
