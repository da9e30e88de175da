"""Unmodified clients of gRPC on `xds:///SERVICE`, each in a process of its own: what all of them do alike."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from xds_fleet import Caller, Serving, backends, caller

from outside import go_program
from waiting import eventually

Client = Callable[[str], Caller]


def grpc_go(ads: str) -> Caller:
    return caller(ads, command=[go_program(Path(__file__).with_name("go_caller"))])


@pytest.fixture(params=[pytest.param(caller, id="grpcio"), pytest.param(grpc_go, id="grpc-go", marks=pytest.mark.slow)])
def client(request: pytest.FixtureRequest) -> Client:
    """Makes a client that follows the ADS server at an address."""
    made: Client = request.param
    return made


async def test_round_robin_gives_each_backend_the_same(client: Client) -> None:
    async with backends(None, None) as fleet, Serving() as serving:
        await serving.register(*fleet)
        async with client(serving.door.address) as calling:
            await calling.becomes(lambda counts: len(counts) == 2)
            assert await calling.call(200) == {backend.address: 100 for backend in fleet}


async def test_the_client_weighs_by_the_load_in_trailers(client: Client) -> None:
    policy = "client_side_weighted_round_robin:blackout_s=0,update_s=0.1"
    async with backends(0.2, 0.8) as fleet, Serving(policy) as serving:
        await serving.register(*fleet)
        async with client(serving.door.address) as calling:
            await calling.becomes(lambda counts: counts[fleet[0].address] > 12)
            counts = await calling.call(200)
            assert 150 <= counts[fleet[0].address] <= 170


async def test_an_added_endpoint_is_used_at_once(client: Client) -> None:
    async with backends(None, None, None) as fleet, Serving() as serving:
        await serving.register(*fleet[:2])
        async with client(serving.door.address) as calling:
            await calling.call(10)
            await serving.register(fleet[2])
            calls, ms = await calling.until(fleet[2].address)
            print(f"an added endpoint is used after {ms:.1f} ms, {calls} calls")


async def test_a_drained_endpoint_is_not_used(client: Client) -> None:
    async with backends(None, None) as fleet, Serving() as serving:
        await serving.register(*fleet)
        async with client(serving.door.address) as calling:
            await calling.call(10)
            await serving.drain(fleet[0].address)
            await calling.becomes(lambda counts: not counts[fleet[0].address])
            assert await calling.call(20) == {fleet[1].address: 20}


async def test_calls_go_on_when_the_ads_server_is_gone(client: Client) -> None:
    async with backends(None, None) as fleet, AsyncExitStack() as going:
        async with Serving() as serving:
            await serving.register(*fleet)
            calling = await going.enter_async_context(client(serving.door.address))
            await calling.becomes(lambda counts: len(counts) == 2)
        assert await calling.call(20) == {backend.address: 10 for backend in fleet}


async def test_a_balancer_that_begins_again_takes_no_endpoint_from_those_who_have_a_list(client: Client) -> None:
    async with backends(None, None) as fleet, AsyncExitStack() as going:
        async with Serving() as serving:
            await serving.register(*fleet)
            address = serving.door.address
            calling = await going.enter_async_context(client(address))
            await calling.becomes(lambda counts: len(counts) == 2)
        async with Serving(listen=address, ttl_s=0.01, listed=False) as again:
            await eventually(lambda: len(again.door.clients) == 1)
            await again.register(fleet[0])
            assert (await calling.call(20)).keys() == {backend.address for backend in fleet}
            await again.register(fleet[1])
            assert not await again.taken()
            again.balancer.listed = True
            await eventually(again.taken)
            assert await calling.call(20) == {backend.address: 10 for backend in fleet}


@pytest.mark.parametrize("policy", ["least_request", "ring_hash", "round_robin"])
async def test_the_client_takes_every_policy_or_the_next_that_it_knows(policy: str, client: Client) -> None:
    async with backends(None, None) as fleet, Serving(policy) as serving:
        await serving.register(*fleet)
        async with client(serving.door.address) as calling:
            await calling.becomes(lambda counts: len(counts) == 2)
            assert {each.error for each in serving.door.clients.told("default")} == {""}
