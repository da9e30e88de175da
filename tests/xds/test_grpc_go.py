"""An unmodified client of grpc-go on `xds:///SERVICE`."""

from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from xds_fleet import Caller, Serving, backends, caller

from outside import go_program

pytestmark = pytest.mark.slow


def client(serving: Serving) -> Caller:
    return caller(serving.door.address, command=[go_program(Path(__file__).with_name("go_caller"))])


async def test_round_robin_gives_each_backend_the_same_and_an_added_one_its_share_at_once() -> None:
    async with backends(None, None, None) as fleet, Serving() as serving:
        await serving.register(*fleet[:2])
        async with client(serving) as going:
            await going.becomes(lambda counts: len(counts) == 2)
            assert await going.call(200) == {backend.address: 100 for backend in fleet[:2]}
            await serving.register(fleet[2])
            calls, ms = await going.until(fleet[2].address)
            print(f"grpc-go uses an added endpoint after {ms:.1f} ms, {calls} calls")
            await serving.drain(fleet[0].address)
            await going.becomes(lambda counts: not counts[fleet[0].address])


async def test_the_client_weighs_by_the_load_in_trailers() -> None:
    policy = "client_side_weighted_round_robin:blackout_s=0,update_s=0.1"
    async with backends(0.2, 0.8) as fleet, Serving(policy) as serving:
        await serving.register(*fleet)
        async with client(serving) as going:
            await going.becomes(lambda counts: counts[fleet[0].address] > 12)
            counts = await going.call(200)
            assert 150 <= counts[fleet[0].address] <= 170


@pytest.mark.parametrize("policy", ["least_request", "ring_hash"])
async def test_the_client_takes_every_policy(policy: str) -> None:
    async with backends(None, None) as fleet, Serving(policy) as serving:
        await serving.register(*fleet)
        async with client(serving) as going:
            await going.becomes(lambda counts: len(counts) == 2)
            assert {each.error for each in serving.door.clients.told("default")} == {""}


async def test_calls_go_on_when_the_ads_server_is_gone() -> None:
    async with backends(None, None) as fleet, AsyncExitStack() as going:
        async with Serving() as serving:
            await serving.register(*fleet)
            followed = await going.enter_async_context(client(serving))
            await followed.becomes(lambda counts: len(counts) == 2)
        assert await followed.call(20) == {backend.address: 10 for backend in fleet}
