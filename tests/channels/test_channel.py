"""What channels for asyncio promise beyond those of both kinds: calls of one request and one answer."""

import asyncio
import gc
import socket
import subprocess
import sys
import time
from collections import Counter
from typing import Any

import grpc
import grpc.aio
import pytest
from servers import DEADLINE_S, GONE, REFUSED, all_ready, echo, failure, serving, static

from lbsuite.channels.channel import channel
from lbsuite.channels.retry import Retry
from lbsuite.channels.status import ChannelStatus
from lbsuite.events import Contact, Joined
from lbsuite.registry.memory import Memory
from waiting import eventually


async def test_calls_begin_before_the_list_and_wait_for_it() -> None:
    source = Memory()
    async with serving(1) as servers, channel(source) as balanced:
        call = echo(balanced)(b"", timeout=DEADLINE_S)
        assert balanced.status().waiting == 1
        source.join(Joined(servers[0].address))
        assert await call == servers[0].address.encode()


async def test_calls_that_begin_before_any_connection_spread_over_all_endpoints() -> None:
    async with serving(5) as servers, channel(static(servers), policy="least_load:choices=all") as balanced:
        calls = [echo(balanced)(b"", timeout=DEADLINE_S) for _ in range(30)]
        answers = Counter(await asyncio.gather(*calls))
        assert (len(answers), max(answers.values())) == (5, 6)


async def test_an_endpoint_that_never_answers_holds_up_the_others_for_a_moment_only() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        async with serving(1) as servers:
            target = f"{static(servers)},127.0.0.1:{silent.getsockname()[1]}"
            async with channel(target) as balanced:
                assert await echo(balanced)(b"", timeout=DEADLINE_S) == servers[0].address.encode()
                assert balanced.status().endpoints[1].state == "connecting"


async def test_a_stub_that_is_made_for_one_call_leaves_nothing_behind() -> None:
    async with serving(2) as servers, channel(static(servers), policy="round_robin") as balanced:
        await all_ready(balanced, 2)
        for _ in range(20):
            await echo(balanced)(b"", timeout=DEADLINE_S)
        gc.collect()
        assert sum(len(endpoint.stubs) for endpoint in balanced.service.endpoints.values()) <= 1


async def test_an_endpoint_that_speaks_as_gRPC_does_of_connections_has_begun_all_the_same() -> None:
    async with serving(2) as servers, channel(static(servers), policy="pick_first") as balanced:
        await all_ready(balanced, 2)
        servers[0].refusal = (grpc.StatusCode.UNAVAILABLE, "failed to connect to all addresses; last error: mine", ())
        await failure(echo(balanced)(b"", timeout=DEADLINE_S))
        assert servers[1].calls == 0


async def test_when_everything_fails_retries_stay_within_their_budget() -> None:
    retry, begun = Retry(idempotent=True, attempts=10), time.monotonic()
    async with serving(2) as servers, channel(static(servers), retry=retry, stages=()) as balanced:
        await all_ready(balanced, 2)
        for server in servers:
            server.refusal = GONE
        await asyncio.gather(*(failure(echo(balanced)(b"", timeout=DEADLINE_S)) for _ in range(200)))
        allowed = 0.1 * 200 + 10 * (time.monotonic() - begun + 1)
        assert 200 < sum(server.calls for server in servers) <= 200 + allowed


async def test_a_call_that_nobody_awaits_ends_its_pick_and_is_tried_again() -> None:
    async with serving(2) as servers, channel(static(servers), policy="pick_first") as balanced:
        await all_ready(balanced, 2)
        servers[0].refusal = REFUSED
        ended: asyncio.Future[grpc.StatusCode] = asyncio.get_running_loop().create_future()
        call = echo(balanced)(b"")
        call.add_done_callback(ended.set_result)
        del call
        async with asyncio.timeout(DEADLINE_S):
            assert await (await ended).code() is grpc.StatusCode.OK
        assert sum(each.tasks for each in balanced.status().endpoints) == 0


async def test_a_cancelled_call_ends_at_its_endpoint_and_is_not_tried_again() -> None:
    async with serving(2) as servers, channel(static(servers), retry=Retry(idempotent=True)) as balanced:
        await all_ready(balanced, 2)
        for server in servers:
            server.gate.clear()
        call = echo(balanced)(b"")
        await eventually(lambda: sum(server.running for server in servers) == 1)
        assert call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert (call.cancelled(), call.done(), await call.code()) == (True, True, grpc.StatusCode.CANCELLED)
        await eventually(lambda: not any(server.running for server in servers))
        assert sum(each.tasks for each in balanced.status().endpoints) == 0


async def test_a_task_that_is_cancelled_cancels_the_call_that_it_awaits() -> None:
    async with channel(Memory()) as balanced:

        async def ask() -> None:
            await echo(balanced)(b"", wait_for_ready=True)

        waits = asyncio.create_task(ask())
        await eventually(lambda: balanced.status().waiting == 1)
        waits.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waits
        assert balanced.status().waiting == 0


async def test_the_lost_contact_of_the_list_is_told_and_costs_no_call() -> None:
    source = Memory()
    async with serving(1) as servers, channel(source) as balanced:
        source.join(Joined(servers[0].address))
        await balanced.channel_ready()
        source._tell(Contact(up=False, why="nobody answers"))
        await eventually(lambda: not balanced.status().heard)
        assert balanced.status().why_not == "nobody answers"
        await eventually(lambda: (balanced.status().list_age_s or 0) > 0)
        assert await echo(balanced)(b"", timeout=DEADLINE_S) == servers[0].address.encode()


async def test_a_channel_tells_its_state_as_grpc_aio_does() -> None:
    async with serving(1) as servers:
        balanced = channel(static(servers))
        assert balanced.get_state() is grpc.ChannelConnectivity.CONNECTING
        async with asyncio.timeout(DEADLINE_S):
            await balanced.channel_ready()
            assert balanced.get_state() is grpc.ChannelConnectivity.READY
            await servers[0].stop()
            await balanced.wait_for_state_change(grpc.ChannelConnectivity.READY)
        await balanced.close()
        assert balanced.get_state() is grpc.ChannelConnectivity.SHUTDOWN


async def test_closing_with_grace_lets_calls_end() -> None:
    async with serving(1) as servers:
        balanced = channel(static(servers))
        servers[0].gate.clear()
        call = echo(balanced)(b"", timeout=DEADLINE_S)
        await eventually(lambda: servers[0].running == 1)
        closing = asyncio.create_task(balanced.close(grace=DEADLINE_S))
        servers[0].gate.set()
        await closing
        assert await call == servers[0].address.encode()


def test_nonsense_is_refused() -> None:
    for bad, make in {
        "0": lambda: Retry(attempts=0),
        "'/a/b'": lambda: Retry(idempotent="/a/b"),
        "'Echo'": lambda: Retry(idempotent=("Echo",)),
    }.items():
        with pytest.raises(ValueError, match=bad):
            make()


@pytest.mark.parametrize(
    ("argument", "value", "why"),
    [("target", None, "neither a target nor a source of membership: None"), ("retry", True, "no lbsuite.Retry: True"),
     ("hedge", True, "no lbsuite.Hedge: True"), ("stages", "panic", "stages is a list of them: 'panic'"),
     ("credentials", "tls", "no grpc.ChannelCredentials: 'tls'"), ("options", {"a": 1}, "pairs.*: {'a': 1}")],
)  # fmt: skip
async def test_what_is_of_another_kind_is_refused_at_once(argument: str, value: Any, why: str) -> None:
    with pytest.raises(TypeError, match=why):
        channel(**{"target": "static://127.0.0.1:1", argument: value})


def test_a_channel_wants_an_event_loop_and_says_what_does_without() -> None:
    with pytest.raises(RuntimeError, match=r"event loop.*sync_channel"):
        channel("static://127.0.0.1:1")


async def test_a_status_reads_as_a_line_for_the_whole_and_one_for_each_endpoint() -> None:
    async with serving(1) as servers, channel(static(servers) + ",127.0.0.1:1", policy="round_robin") as balanced:
        assert "no list yet; calls 0" in str(balanced.status())
        assert await echo(balanced)(b"", timeout=DEADLINE_S)
        await eventually(lambda: "lost" in str(balanced.status()))
        whole, *each = str(balanced.status()).splitlines()
        assert whole.startswith(f"{static(servers)},127.0.0.1:1 by round_robin: 1 of 2 endpoints ready; calls 1, ")
        assert each[0] == f"  {servers[0].address} ready: tasks 0, picks 1"
        assert each[1].startswith("  127.0.0.1:1 lost (no connection can be made): tasks 0")
        assert static(servers) in repr(balanced)
    silent = ChannelStatus("lb://a:1/b", "random", (), True, False, "gone", 1.25, 0, 0, 0, 0, 0)
    assert "0 of 0 endpoints ready, last heard 1.2 s ago (gone); calls 0" in str(silent)


def test_lbsuite_alone_imports_no_grpc() -> None:
    program = "import sys, lbsuite; assert 'grpc' not in sys.modules; lbsuite.channel; assert 'grpc' in sys.modules"
    subprocess.run([sys.executable, "-c", program], timeout=60, check=True)
