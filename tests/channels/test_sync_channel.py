"""What a channel whose calls block is beside what channels of both kinds are."""

import asyncio
import gc
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from servers import DEADLINE_S, SERVICE, all_ready, serving, static

import lbsuite
from lbsuite.channels.sync_channel import SyncChannel
from waiting import eventually

ECHO, COUNT = f"/{SERVICE}/Echo", f"/{SERVICE}/Count"


async def closed(channel: SyncChannel) -> None:
    await asyncio.to_thread(channel.close)


async def test_many_threads_share_a_channel_and_its_endpoints_evenly() -> None:
    async with serving(3) as servers:
        balanced = lbsuite.sync_channel(static(servers), policy="round_robin")
        await all_ready(balanced, 3)
        echo = balanced.unary_unary(ECHO)

        def calls(_: int) -> list[bytes]:
            return [echo(b"", timeout=DEADLINE_S) for _ in range(30)]

        def crowd() -> list[list[bytes]]:
            with ThreadPoolExecutor(8) as threads:
                return list(threads.map(calls, range(8)))

        assert sum(map(len, await asyncio.to_thread(crowd))) == 240
        assert [server.calls for server in servers] == [80, 80, 80]
        assert [each.tasks for each in balanced.status().endpoints] == [0, 0, 0]
        await closed(balanced)


async def test_with_call_gives_the_answer_and_the_call() -> None:
    async with serving(1) as servers:
        servers[0].trailers = (("told", "last"),)
        balanced = lbsuite.sync_channel(static(servers))
        answer, call = await asyncio.to_thread(balanced.unary_unary(ECHO).with_call, b"", DEADLINE_S)
        assert (answer, call.code()) == (servers[0].address.encode(), grpc.StatusCode.OK)
        assert ("told", "last") in call.trailing_metadata()
        await closed(balanced)


async def test_a_future_calls_back_once_it_is_done_and_at_once_where_it_is() -> None:
    async with serving(1) as servers:
        balanced = lbsuite.sync_channel(static(servers))
        servers[0].gate.clear()
        future = balanced.unary_unary(ECHO).future(b"", timeout=DEADLINE_S)
        told: list[Any] = []
        future.add_done_callback(told.append)
        await eventually(lambda: servers[0].running == 1)
        assert (future.done(), future.running(), told) == (False, True, [])
        with pytest.raises(grpc.FutureTimeoutError):
            future.result(timeout=0.01)
        servers[0].gate.set()
        await eventually(lambda: told == [future])
        future.add_done_callback(told.append)
        assert told == [future, future]
        assert (future.result(), future.exception(), future.code()) == (
            servers[0].address.encode(),
            None,
            grpc.StatusCode.OK,
        )
        await closed(balanced)


async def test_a_future_that_is_cancelled_ends_at_its_endpoint() -> None:
    async with serving(1) as servers:
        balanced = lbsuite.sync_channel(static(servers))
        servers[0].gate.clear()
        future = balanced.unary_unary(ECHO).future(b"")
        await eventually(lambda: servers[0].running == 1)
        assert future.cancel()
        await eventually(lambda: future.done() and servers[0].running == 0)
        assert future.cancelled()
        with pytest.raises(grpc.FutureCancelledError):
            future.result()
        assert [each.tasks for each in balanced.status().endpoints] == [0]
        await closed(balanced)


@pytest.mark.parametrize(
    "begin",
    [
        lambda balanced: balanced.unary_unary(ECHO).future(b""),
        lambda balanced: balanced.unary_stream(COUNT)(b"1"),
    ],
)
async def test_a_call_that_nobody_holds_any_more_ends(begin: Callable[[SyncChannel], Any]) -> None:
    async with serving(1) as servers:
        balanced = lbsuite.sync_channel(static(servers))
        servers[0].gate.clear()
        call = begin(balanced)
        await eventually(lambda: servers[0].running == 1)
        del call
        gc.collect()
        await eventually(lambda: servers[0].running == 0)
        await closed(balanced)


async def test_a_message_that_its_own_process_cannot_write_speaks_against_no_endpoint() -> None:
    def unwritable(message: object) -> bytes:
        raise ValueError("not to be written")

    async with serving(2) as servers:
        balanced = lbsuite.sync_channel(static(servers))
        await all_ready(balanced, 2)
        method = balanced.unary_unary(ECHO, request_serializer=unwritable)
        for _ in range(12):
            with pytest.raises(grpc.RpcError):
                await asyncio.to_thread(method, b"")
        assert [endpoint.state for endpoint in balanced.status().endpoints] == ["ready", "ready"]
        assert sum(server.calls for server in servers) == 0
        await closed(balanced)


async def test_a_callback_of_a_future_may_call_and_wait() -> None:
    async with serving(1) as servers:
        balanced = lbsuite.sync_channel(static(servers))
        echo = balanced.unary_unary(ECHO)
        told: list[bytes] = []
        echo.future(b"").add_done_callback(lambda _: told.append(echo(b"", timeout=DEADLINE_S)))
        await eventually(lambda: told == [servers[0].address.encode()])
        await closed(balanced)


async def test_a_channel_tells_its_state_to_those_who_subscribe() -> None:
    async with serving(1) as servers:
        balanced = lbsuite.sync_channel(static(servers))
        states: list[grpc.ChannelConnectivity] = []
        balanced.subscribe(states.append, try_to_connect=True)
        await asyncio.to_thread(grpc.channel_ready_future(balanced).result, DEADLINE_S)
        await eventually(lambda: states[-1:] == [grpc.ChannelConnectivity.READY])
        await servers[0].stop()
        await eventually(lambda: states[-1] is not grpc.ChannelConnectivity.READY)
        await closed(balanced)


async def test_closing_with_grace_lets_calls_end() -> None:
    async with serving(1) as servers:
        balanced = lbsuite.sync_channel(static(servers))
        servers[0].gate.clear()
        call = asyncio.create_task(asyncio.to_thread(balanced.unary_unary(ECHO), b""))
        await eventually(lambda: servers[0].running == 1)
        closing = asyncio.create_task(asyncio.to_thread(balanced.close, DEADLINE_S))
        servers[0].gate.set()
        await closing
        assert await call == servers[0].address.encode()


async def test_a_channel_starts_its_thread_when_it_is_used_and_ends_it_when_it_is_closed() -> None:
    before = threading.active_count()
    with lbsuite.sync_channel("static://127.0.0.1:1"):
        assert threading.active_count() == before
    async with serving(1) as servers:
        balanced = lbsuite.sync_channel(static(servers))
        await all_ready(balanced, 1)
        await closed(balanced)
        await closed(balanced)
    assert not [each for each in threading.enumerate() if each.name.startswith("members of")]


async def test_a_program_that_exits_without_closing_ends() -> None:
    async with serving(1) as servers:
        program = (
            f"import lbsuite; print(lbsuite.sync_channel({static(servers)!r}).unary_unary({ECHO!r})(b'').decode())"
        )
        command = [sys.executable, "-c", program]
        ended = await asyncio.to_thread(subprocess.run, command, timeout=60, check=True, capture_output=True, text=True)
        assert (ended.stdout.strip(), ended.stderr) == (servers[0].address, "")


def test_nonsense_is_refused_before_anything_begins() -> None:
    with pytest.raises(ValueError, match="not a target of"):
        lbsuite.sync_channel("http://127.0.0.1:1")
    with pytest.raises(TypeError, match=r"retry is no lbsuite\.Retry: True"):
        lbsuite.sync_channel("static://127.0.0.1:1", retry=True)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no method is named idempotent"):
        lbsuite.sync_channel("static://127.0.0.1:1", hedge=lbsuite.Hedge())
