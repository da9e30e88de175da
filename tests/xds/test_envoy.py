"""The real Envoy as a proxy in front of gRPC backends, configured by the ADS server alone."""

import asyncio
import contextlib
import json
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from xds_fleet import DEADLINE_S, METHOD, Serving, backends

from lbsuite.xds import bootstrap
from outside import envoy
from waiting import eventually

pytestmark = pytest.mark.slow


class Proxied:
    """A plain client whose calls go through Envoy."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._method: Any = channel.unary_unary(METHOD)

    async def ask(self) -> str:
        answer: bytes = await self._method(b"", timeout=DEADLINE_S, wait_for_ready=True)
        return answer.decode()

    async def call(self, times: int) -> Counter[str]:
        return Counter([await self.ask() for _ in range(times)])

    async def becomes_of(self, *addresses: str) -> None:
        """Calls until these backends answer, and no others."""
        async with asyncio.timeout(DEADLINE_S):
            while (await self.call(20)).keys() != set(addresses):
                pass


@asynccontextmanager
async def proxied(serving: Serving, log: Path, authority: str = "default") -> AsyncIterator[Proxied]:
    binary = envoy()
    with socket.create_server(("127.0.0.1", 0)) as free:
        listen = f"127.0.0.1:{free.getsockname()[1]}"
    told = json.dumps(bootstrap.for_envoy([serving.door.address], listen))
    with log.open("w") as stderr:
        process = await asyncio.create_subprocess_exec(
            binary, "--config-yaml", told, "--use-dynamic-base-id", "--concurrency", "1", stderr=stderr
        )
    try:
        await eventually(lambda: reaches(listen), DEADLINE_S)
        async with grpc.aio.insecure_channel(listen, options=[("grpc.default_authority", authority)]) as channel:
            yield Proxied(channel)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def reaches(address: str) -> bool:
    host, _, port = address.partition(":")
    try:
        _, writer = await asyncio.open_connection(host, int(port))
    except OSError:
        return False
    writer.close()
    return True


async def test_envoy_balances_adds_and_drains(tmp_path: Path) -> None:
    async with backends(None, None, None) as fleet, Serving() as serving:
        await serving.register(*fleet[:2])
        async with proxied(serving, tmp_path / "envoy.log") as client:
            await client.becomes_of(*(backend.address for backend in fleet[:2]))
            assert await client.call(200) == {backend.address: 100 for backend in fleet[:2]}
            began = time.monotonic()
            await serving.register(fleet[2])
            while await client.ask() != fleet[2].address:
                pass
            print(f"Envoy uses an added endpoint after {(time.monotonic() - began) * 1e3:.1f} ms")
            await serving.drain(fleet[0].address)
            await client.becomes_of(fleet[1].address, fleet[2].address)
            assert {each.error for each in serving.door.clients.told("default")} == {""}


async def test_envoy_routes_by_authority(tmp_path: Path) -> None:
    async with backends(None, None) as fleet, Serving() as serving:
        await serving.register(fleet[0])
        await serving.register(fleet[1], service="other")
        async with proxied(serving, tmp_path / "envoy.log", authority="other") as client:
            await client.becomes_of(fleet[1].address)


async def test_envoy_weighs_by_the_load_in_trailers(tmp_path: Path) -> None:
    policy = "client_side_weighted_round_robin:blackout_s=0,update_s=0.1"
    async with backends(0.2, 0.8) as fleet, Serving(policy) as serving:
        await serving.register(*fleet)
        async with proxied(serving, tmp_path / "envoy.log") as client:
            async with asyncio.timeout(DEADLINE_S):
                while (await client.call(20))[fleet[0].address] < 13:
                    pass
            counts = await client.call(200)
            assert 150 <= counts[fleet[0].address] <= 170


@pytest.mark.parametrize("policy", ["least_request", "ring_hash"])
async def test_envoy_takes_every_policy(tmp_path: Path, policy: str) -> None:
    async with backends(None, None) as fleet, Serving(policy) as serving:
        await serving.register(*fleet)
        async with proxied(serving, tmp_path / "envoy.log") as client:
            await client.becomes_of(*(backend.address for backend in fleet))
            assert {each.error for each in serving.door.clients.told("default")} == {""}


async def test_envoy_goes_on_when_the_ads_server_is_gone(tmp_path: Path) -> None:
    async with backends(None, None) as fleet, contextlib.AsyncExitStack() as going:
        async with Serving() as serving:
            await serving.register(*fleet)
            client = await going.enter_async_context(proxied(serving, tmp_path / "envoy.log"))
            await client.becomes_of(*(backend.address for backend in fleet))
        assert await client.call(20) == {backend.address: 10 for backend in fleet}
