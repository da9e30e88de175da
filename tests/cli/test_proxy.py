"""`lbsuite proxy` and `lbsuite dummy` as their users see them."""

import asyncio
import contextlib
import json
import signal
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from lbsuite.fleet import Lbsuite
from lbsuite.proxy import native
from lbsuite.proxy.dummy import Dummy, DummySettings
from lbsuite.registry.etcd_client import EtcdClient
from lbsuite.registry.etcd_settings import EtcdSettings
from lbsuite.registry.member import Member
from lbsuite.registry.registration import Registration
from waiting import eventually

DOORS = ("native", "aio") if native.AVAILABLE else ("aio",)


@contextlib.asynccontextmanager
async def running(command: str, *flags: str, admin: str | None = None) -> AsyncIterator[Lbsuite]:
    process = Lbsuite(command, flags, admin=admin)
    await process.start()
    try:
        yield process
    finally:
        await process.kill()


@contextlib.asynccontextmanager
async def dummies(count: int, settings: DummySettings | None = None) -> AsyncIterator[list[Dummy]]:
    backends = [Dummy(settings) for _ in range(count)]
    for backend in backends:
        await backend.open("127.0.0.1", 0)
    try:
        yield backends
    finally:
        for backend in backends:
            await backend.close()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:
        yield session


async def who(session: aiohttp.ClientSession, address: str, count: int) -> Counter[str]:
    """Who answers so many requests."""
    names: Counter[str] = Counter()
    for _ in range(count):
        async with session.get(f"http://{address}/") as answer:
            assert answer.status == 200
            names[answer.headers["X-Backend"]] += 1
    return names


def addresses(backends: list[Dummy]) -> list[str]:
    return [backend.address for backend in backends]


@pytest.mark.parametrize("door", DOORS)
async def test_a_proxy_serves_in_turn_and_ends_in_order(door: str, session: aiohttp.ClientSession) -> None:
    async with dummies(3) as backends:
        told = ("--backends", ",".join(addresses(backends)), "--door", door)
        async with running("proxy", *told) as proxy:
            assert await who(session, proxy.address, 9) == dict.fromkeys(addresses(backends), 3)
            assert await proxy.stop() == 0
        assert "all requests were answered" in proxy.stderr_tail


@pytest.mark.parametrize("roster", ["locked", "atomic", "split", "snapshot"])
async def test_every_roster_serves(roster: str, session: aiohttp.ClientSession) -> None:
    async with dummies(2) as (one, two):
        listed = f"{one.address},{two.address}"
        async with running("proxy", "--backends", listed, "--roster", roster) as proxy:
            assert await who(session, proxy.address, 8) == {one.address: 4, two.address: 4}


async def test_sighup_reads_the_list_again(tmp_path: Path, session: aiohttp.ClientSession) -> None:
    listed = tmp_path / "backends.txt"
    async with dummies(2) as (one, two):
        listed.write_text(f"{one.address}  # the first\n\n")
        async with running("proxy", "--backends-file", str(listed)) as proxy:
            assert set(await who(session, proxy.address, 3)) == {one.address}
            listed.write_text(f"{two.address}\n")
            proxy._signal(signal.SIGHUP)
            await eventually(lambda: "backends read anew" in proxy.stderr_tail)
            assert set(await who(session, proxy.address, 3)) == {two.address}
            listed.write_text("nonsense\n")
            proxy._signal(signal.SIGHUP)
            await eventually(lambda: "stays as it is" in proxy.stderr_tail)
            assert set(await who(session, proxy.address, 3)) == {two.address}


async def test_sigterm_lets_a_request_finish(session: aiohttp.ClientSession) -> None:
    async with dummies(1, DummySettings(delay_s=1.0)) as (backend,):
        told = ("--backends", backend.address)
        async with running("proxy", *told) as proxy:
            asking = asyncio.create_task(who(session, proxy.address, 1))
            await eventually(lambda: backend.requests == 1)
            assert await proxy.stop() == 0
            assert await asking == {backend.address: 1}


async def asked(session: aiohttp.ClientSession, method: str, url: str, body: Any = None) -> tuple[int, Any]:
    async with session.request(method, url, json=body) as answer:
        return answer.status, await answer.json()


async def test_the_admin_door_replaces_the_list_and_tells_all(session: aiohttp.ClientSession) -> None:
    async with dummies(2) as (one, two), running("proxy", "--backends", one.address, admin="127.0.0.1:0") as proxy:
        backends = f"http://{proxy.admin}/backends"
        assert await asked(session, "PUT", backends, [two.address]) == (200, [two.address])
        assert set(await who(session, proxy.address, 3)) == {two.address}
        status, told = await asked(session, "PUT", backends, ["nonsense"])
        assert (status, "nonsense" in told["error"]) == (400, True)
        assert await asked(session, "GET", backends) == (200, [two.address])
        state = f"http://{proxy.admin}/api/state"
        _, told = await asked(session, "GET", state)
        assert told["totals"]["answered"] == 3
        assert [(each["address"], each["picks"]) for each in told["endpoints"]] == [(two.address, 3)]
        _, told = await asked(session, "POST", f"http://{proxy.admin}/api/drain", {"address": two.address})
        assert told["endpoints"][0]["state"] == "draining"
        async with session.get(f"http://{proxy.address}/") as answer:
            assert answer.status == 503
        async with session.get(f"http://{proxy.admin}/metrics") as answer:
            assert "lbsuite_proxy_requests_total 4.0" in await answer.text()
        async with session.get(f"http://{proxy.admin}/server_stats.csv") as answer:
            assert (await answer.text()).splitlines()[1].startswith(f"{two.address},draining,3,1.000000")


async def test_members_come_from_etcd(etcd: str, service: str, session: aiohttp.ClientSession) -> None:
    async with dummies(2) as (one, two), EtcdClient(EtcdSettings((etcd,))) as client:
        first = Registration(client, Member(one.address), service=service, ttl_s=5)
        try:
            async with running("proxy", "--etcd", etcd, "--service", service) as proxy:
                await eventually(lambda: f"{one.address} joins" in proxy.stderr_tail)
                assert set(await who(session, proxy.address, 3)) == {one.address}
                second = Registration(client, Member(two.address), service=service, ttl_s=5)
                await eventually(lambda: f"{two.address} joins" in proxy.stderr_tail)
                assert set(await who(session, proxy.address, 4)) == {one.address, two.address}
                await second.close()
        finally:
            await first.close()


async def test_dummies_say_who_they_are_and_count(session: aiohttp.ClientSession) -> None:
    async with running("dummy", "-n", "2", "--body-bytes", "100") as dummy:
        async with session.post(f"http://{dummy.address}/x", data=b"x" * 100_000) as answer:
            body = await answer.text()
            assert answer.headers["X-Backend"] == dummy.address
            assert body.startswith(dummy.address)
            assert len(body) == 100
        async with session.get(f"http://{dummy.address}/health") as answer:
            assert answer.status == 200
        async with session.get(f"http://{dummy.address}/requests") as answer:
            assert json.loads(await answer.text()) == 1
        assert await dummy.stop() == 0
