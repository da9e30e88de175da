"""What breaks on the way to an attempt fails that call, with words, and nothing else."""

import asyncio
import socket
import time
from collections.abc import AsyncGenerator

import grpc
import grpc.aio
import pytest
from servers import DEADLINE_S, GONE, REFUSED, SERVICE, all_ready, echo, failure, serving, static

from lbsuite import Policy, Request, Rng, View
from lbsuite.channels.channel import channel
from lbsuite.channels.endpoint import CONNECT_S
from lbsuite.channels.retry import Retry
from lbsuite.events import Event
from waiting import eventually


class Broken:
    """A source that breaks, as none should."""

    async def events(self) -> AsyncGenerator[Event, None]:
        raise RuntimeError("no such luck")
        yield

    async def close(self) -> None:
        """Nothing is held."""


async def test_a_source_that_breaks_is_told_of_in_the_words_of_failing_calls() -> None:
    async with channel(Broken()) as balanced:
        error = await failure(echo(balanced)(b"", timeout=DEADLINE_S))
        assert error.code() is grpc.StatusCode.UNAVAILABLE
        assert "no such luck" in str(error.details())


async def test_a_call_that_cannot_be_made_ends_its_pick() -> None:
    async with serving(1) as servers, channel(static(servers)) as balanced:
        await balanced.channel_ready()
        for nonsense in ({"timeout": "soon"}, {"metadata": 7}, {"credentials": "mine"}):
            with pytest.raises((TypeError, grpc.aio.UsageError)):
                echo(balanced)(b"", **nonsense)
        assert [each.tasks for each in balanced.status().endpoints] == [0]


async def test_a_request_that_cannot_be_written_ends_its_pick() -> None:
    async with serving(1) as servers, channel(static(servers)) as balanced:
        await balanced.channel_ready()
        with pytest.raises(TypeError):
            await balanced.unary_unary(f"/{SERVICE}/Echo")("no bytes", timeout=DEADLINE_S)
        assert [each.tasks for each in balanced.status().endpoints] == [0]


async def test_a_policy_that_raises_fails_the_call_that_asked_it() -> None:
    class Raises(Policy):
        def pick(self, view: View, request: Request, rng: Rng) -> int:
            if request.exclude:
                raise RuntimeError("no second choice")
            return 0

    async with (
        serving(2) as servers,
        channel(static(servers), policy=Raises(), retry=Retry(idempotent=True)) as balanced,
    ):
        await all_ready(balanced, 2)
        servers[0].refusal = GONE
        assert (await failure(echo(balanced)(b"", timeout=DEADLINE_S))).details() == "the handler had begun"


async def test_a_closed_channel_takes_no_calls() -> None:
    async with serving(1) as servers:
        balanced = channel(static(servers))
        await balanced.channel_ready()
        waiting = echo(balanced)(b"")
        await balanced.close()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        with pytest.raises(grpc.aio.UsageError):
            echo(balanced)(b"")


async def test_while_an_endpoint_is_silent_calls_wait_for_it_but_not_for_ever() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        async with channel(f"static://{address}") as balanced:
            hasty = await failure(echo(balanced)(b"", timeout=0.1))
            assert hasty.code() is grpc.StatusCode.DEADLINE_EXCEEDED
            patient = await failure(echo(balanced)(b"", timeout=DEADLINE_S))
            assert patient.code() is grpc.StatusCode.UNAVAILABLE
            assert f"{address} is lost (no connection within {CONNECT_S:g} s)" in str(patient.details())


async def test_a_deadline_is_kept_over_attempts() -> None:
    async with serving(2) as servers, channel(static(servers), policy="pick_first") as balanced:
        await all_ready(balanced, 2)
        servers[0].refusal = REFUSED
        servers[0].gate.clear()
        call = echo(balanced)(b"", timeout=4.0)
        await eventually(lambda: servers[0].running == 1)
        begun = time.monotonic()
        await eventually(lambda: time.monotonic() - begun > 0.1)
        servers[0].gate.set()
        await call
        assert servers[1].left_s <= servers[0].left_s - 0.05
