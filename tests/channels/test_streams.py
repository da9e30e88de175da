"""Calls of many messages over real servers."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import grpc.aio
import pytest
from servers import DEADLINE_S, GONE, REFUSED, SERVICE, all_ready, failure, serving, static

from lbsuite.channels.channel import Channel, channel
from lbsuite.channels.retry import Retry
from lbsuite.registry.memory import Memory
from waiting import eventually

AGE = ("max_age:age_s=0.2,jitter=0",)


def count(balanced: Channel) -> Any:
    return balanced.unary_stream(f"/{SERVICE}/Count")


def join(balanced: Channel) -> Any:
    return balanced.stream_unary(f"/{SERVICE}/Join")


def chat(balanced: Channel) -> Any:
    return balanced.stream_stream(f"/{SERVICE}/Chat")


async def messages(*those: bytes) -> AsyncIterator[bytes]:
    for each in those:
        yield each


async def everything(call: AsyncIterator[bytes]) -> list[bytes]:
    return [message async for message in call]


async def endless() -> AsyncIterator[bytes]:
    yield b"first"
    await asyncio.Event().wait()


async def test_all_kinds_of_calls_answer_as_plain_ones_do() -> None:
    async with serving(1) as servers, channel(static(servers)) as balanced:
        name = servers[0].address.encode()
        assert await everything(count(balanced)(b"3", timeout=DEADLINE_S)) == [name + b" %d" % i for i in range(3)]
        assert await join(balanced)(messages(b"a", b"b"), timeout=DEADLINE_S) == name + b" a b"
        assert await join(balanced)(iter([b"a", b"b"]), timeout=DEADLINE_S) == name + b" a b"
        told = await everything(chat(balanced)(messages(b"a", b"b"), timeout=DEADLINE_S))
        assert told == [name + b" a", name + b" b"]
        assert sum(each.tasks for each in balanced.status().endpoints) == 0


async def test_messages_may_be_written_and_read_one_by_one() -> None:
    async with serving(1) as servers, channel(static(servers)) as balanced:
        name = servers[0].address.encode()
        call = chat(balanced)(timeout=DEADLINE_S)
        await call.write(b"a")
        assert await call.read() == name + b" a"
        await call.done_writing()
        assert await call.read() is grpc.aio.EOF
        assert await call.code() is grpc.StatusCode.OK
        gathered = join(balanced)(timeout=DEADLINE_S)
        await gathered.write(b"x")
        await gathered.done_writing()
        assert await gathered == name + b" x"


async def test_no_messages_at_all_are_a_stream_too() -> None:
    async with serving(1) as servers, channel(static(servers)) as balanced:
        assert await join(balanced)(messages(), timeout=DEADLINE_S) == servers[0].address.encode()


async def test_a_stream_that_was_turned_away_before_any_answer_is_tried_elsewhere() -> None:
    async with serving(2) as servers, channel(static(servers), policy="pick_first") as balanced:
        await all_ready(balanced, 2)
        servers[0].refusal = REFUSED
        name = servers[1].address.encode()
        assert await everything(count(balanced)(b"1", timeout=DEADLINE_S)) == [name + b" 0"]
        call = count(balanced)(b"1", timeout=DEADLINE_S)
        assert [await call.read(), await call.read()] == [name + b" 0", grpc.aio.EOF]


async def test_streams_go_elsewhere_with_all_their_messages_where_no_connection_comes_up() -> None:
    async with serving(2) as servers, channel(static(servers), policy="pick_first") as balanced:
        await all_ready(balanced, 2)
        await servers[0].stop()
        name = servers[1].address.encode()
        assert await join(balanced)(messages(b"a", b"b"), timeout=DEADLINE_S) == name + b" a b"
        assert await everything(chat(balanced)(messages(b"a"), timeout=DEADLINE_S)) == [name + b" a"]


async def test_a_stream_whose_messages_are_gone_is_not_tried_again() -> None:
    async with serving(2) as servers, channel(static(servers), policy="pick_first") as balanced:
        await all_ready(balanced, 2)
        servers[0].gate.clear()
        call = chat(balanced)(endless(), timeout=DEADLINE_S)
        await eventually(lambda: servers[0].running == 1)
        await servers[0].stop()
        assert (await failure(call.read())).code() is grpc.StatusCode.UNAVAILABLE
        assert servers[1].calls == 0


async def test_a_stream_that_was_turned_away_while_its_messages_went_out_is_not_tried_again() -> None:
    asked_again = asyncio.Event()

    async def messages_without_end() -> AsyncIterator[bytes]:
        yield b"first"
        asked_again.set()
        await asyncio.Event().wait()

    async with serving(2) as servers, channel(static(servers), policy="pick_first") as balanced:
        await all_ready(balanced, 2)
        servers[0].refusal = REFUSED
        servers[0].gate.clear()
        call = chat(balanced)(messages_without_end(), timeout=DEADLINE_S)
        await asked_again.wait()
        servers[0].gate.set()
        assert (await failure(call.read())).code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert servers[1].calls == 0


async def test_a_stream_that_has_answered_is_not_tried_again_though_its_method_is_idempotent() -> None:
    retry = Retry(idempotent=True)
    async with serving(2) as servers, channel(static(servers), policy="pick_first", retry=retry) as balanced:
        await all_ready(balanced, 2)
        call = count(balanced)(b"1000000", timeout=DEADLINE_S)
        await call.read()
        await servers[0].stop()

        async def drain() -> None:
            while await call.read() is not grpc.aio.EOF:
                pass

        assert (await failure(drain())).code() is grpc.StatusCode.UNAVAILABLE
        assert servers[1].calls == 0


async def test_an_idempotent_stream_that_has_not_answered_is_tried_again() -> None:
    retry = Retry(idempotent=True)
    async with serving(2) as servers, channel(static(servers), policy="pick_first", retry=retry) as balanced:
        await all_ready(balanced, 2)
        servers[0].refusal = GONE
        assert await everything(count(balanced)(b"1", timeout=DEADLINE_S)) == [servers[1].address.encode() + b" 0"]


async def test_a_cancelled_stream_ends_at_its_endpoint() -> None:
    async with serving(1) as servers, channel(static(servers)) as balanced:
        servers[0].gate.clear()
        call = count(balanced)(b"1", timeout=DEADLINE_S)
        await eventually(lambda: servers[0].running == 1)
        reading = asyncio.create_task(call.read())
        await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await eventually(lambda: servers[0].running == 0)
        assert balanced.status().endpoints[0].tasks == 0


@pytest.mark.parametrize("read", [lambda call: call.read(), lambda call: anext(aiter(call))])
async def test_a_reader_that_is_cancelled_while_its_call_waits_for_somebody_ends_that_call(read: Any) -> None:
    async with channel(Memory()) as balanced:
        call = count(balanced)(b"1", wait_for_ready=True)
        reading = asyncio.ensure_future(read(call))
        await eventually(lambda: balanced.status().waiting == 1)
        await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert call.cancelled()
        assert balanced.status().waiting == 0


async def test_a_stream_that_has_grown_old_ends_and_says_why() -> None:
    async with serving(1) as servers, channel(static(servers), stages=AGE) as balanced:
        servers[0].gate.clear()
        calls = {
            "count": count(balanced)(b"1", timeout=DEADLINE_S).read(),
            "each": everything(count(balanced)(b"1", timeout=DEADLINE_S)),
            "join": join(balanced)(endless(), timeout=DEADLINE_S),
            "chat": chat(balanced)(endless(), timeout=DEADLINE_S).read(),
        }
        for kind, call in calls.items():
            error = await failure(call)
            assert error.code() is grpc.StatusCode.UNAVAILABLE, kind
            assert "begun anew" in str(error.details()), kind
        await eventually(lambda: servers[0].running == 0)


async def test_a_unary_call_may_grow_as_old_as_it_likes() -> None:
    async with serving(1) as servers, channel(static(servers), stages=AGE) as balanced:
        servers[0].gate.clear()
        call = balanced.unary_unary(f"/{SERVICE}/Echo")(b"", timeout=DEADLINE_S)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await asyncio.shield(call.code())
        servers[0].gate.set()
        assert await call == servers[0].address.encode()
