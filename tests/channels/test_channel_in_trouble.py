"""What breaks on the way to an attempt fails that call, with words, and nothing else."""

import asyncio
from collections.abc import AsyncGenerator

import grpc
import grpc.aio
import pytest
from servers import DEADLINE_S, GONE, SERVICE, all_ready, echo, failure, serving, static

from lbsuite import Policy, Request, Rng, View
from lbsuite.channels.channel import channel
from lbsuite.channels.retry import Retry
from lbsuite.events import Event


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
        with pytest.raises(TypeError):
            echo(balanced)(b"", timeout="soon")
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
