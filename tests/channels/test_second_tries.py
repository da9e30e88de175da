"""Which calls are tried again, and where they go then."""

import asyncio

import grpc
import grpc.aio
import pytest
from servers import DEADLINE_S, GONE, all_ready, echo, failure, serving, static

from lbsuite.channels.channel import channel
from lbsuite.channels.endpoint import AioConnection
from lbsuite.channels.outcome import outcome
from lbsuite.channels.retry import Retry
from lbsuite.wire import dial, services
from waiting import eventually


async def test_an_endpoint_that_says_that_it_leaves_is_asked_no_more_until_it_is_back() -> None:
    draining = ((services.REFUSED_METADATA, "draining"),)
    async with serving(2) as servers, channel(static(servers), policy="pick_first") as balanced:
        await all_ready(balanced, 2)
        servers[0].refusal = (grpc.StatusCode.UNAVAILABLE, "draining", draining)
        for _ in range(100):
            await echo(balanced)(b"", timeout=DEADLINE_S)
        assert [server.calls for server in servers] == [1, 100]
        servers[0].refusal = None
        await servers[0].stop()
        await eventually(lambda: balanced.status().endpoints[0].state == "lost")
        await servers[0].start()
        await all_ready(balanced, 2)
        assert await echo(balanced)(b"", timeout=DEADLINE_S) == servers[0].address.encode()


async def test_a_handler_that_passes_on_its_own_want_of_a_connection_has_begun_though_its_server_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(AioConnection, "connected", lambda connection: False)
    async with serving(2) as servers, channel(static(servers), policy="pick_first") as balanced:
        await all_ready(balanced, 2)
        words = "failed to connect to all addresses; last error: UNKNOWN: ipv4:10.0.0.1:50051: Connection refused"
        servers[0].refusal = (grpc.StatusCode.UNAVAILABLE, words, ())
        await failure(echo(balanced)(b"", timeout=DEADLINE_S))
        assert servers[1].calls == 0


@pytest.mark.parametrize("address", ["127.0.0.1:1", "[::1]:1", "localhost:1"])
async def test_what_grpc_says_of_an_endpoint_without_a_connection_is_known_as_such(address: str) -> None:
    async with grpc.aio.insecure_channel(dial.target(address)) as plain:
        error = await failure(echo(plain)(b"", timeout=DEADLINE_S))
    assert not outcome(error.code(), error.details(), (), address=address, connected=False).begun


async def test_metadata_that_can_be_read_once_goes_out_with_each_attempt() -> None:
    async with (
        serving(2) as servers,
        channel(static(servers), policy="pick_first", retry=Retry(idempotent=True)) as balanced,
    ):
        await all_ready(balanced, 2)
        servers[0].refusal = GONE
        await echo(balanced)(b"", metadata=iter([("user", "me")]), timeout=DEADLINE_S)
        assert [server.users for server in servers] == [["me"], ["me"]]


async def test_a_task_that_cleans_up_after_it_was_cancelled_has_its_calls_tried_again() -> None:
    async with (
        serving(2) as servers,
        channel(static(servers), policy="pick_first", retry=Retry(idempotent=True)) as balanced,
    ):
        await all_ready(balanced, 2)
        servers[0].refusal = GONE

        async def works() -> bytes:
            try:
                await asyncio.Event().wait()
            finally:
                return await echo(balanced)(b"", timeout=DEADLINE_S)  # noqa: B012

        work = asyncio.create_task(works())
        await asyncio.sleep(0)
        work.cancel()
        assert await work == servers[1].address.encode()
