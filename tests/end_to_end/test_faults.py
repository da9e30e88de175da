"""A fleet under load while its parts are killed: no task is lost, and what is gone is not named for long."""

import asyncio
import os
import re
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import grpc.aio
import pytest

from lbsuite.fleet import Fleet
from lbsuite.registry.etcd_client import EtcdClient
from lbsuite.registry.etcd_settings import EtcdSettings
from lbsuite.registry.member import prefix
from lbsuite.results import RunResult
from lbsuite.wire import messages, services
from lbsuite.wire.client import ClientSettings, run
from lbsuite.wire.hosting import hosted_policies
from waiting import eventually

BACKENDS = 4
TTL_S = 2


@asynccontextmanager
async def fleet_of(*backend_flags: str, lb_flags: tuple[str, ...] = ()) -> AsyncIterator[Fleet]:
    async with Fleet() as fleet:
        await fleet.start_etcd()
        await fleet.start_lb(f"--ttl-s={TTL_S}", *lb_flags)
        await fleet.start_backends(BACKENDS, f"--ttl-s={TTL_S}", *backend_flags)
        yield fleet


def load(fleet: Fleet, duration_s: float, **settings: object) -> asyncio.Task[RunResult]:
    chosen = {"clients": 8, "task": "fib:22", "strategy": "least_load"} | settings
    balancers = (fleet.balancers[0].address,)
    return asyncio.create_task(run(ClientSettings(balancers=balancers, duration_s=duration_s, **chosen)))


@asynccontextmanager
async def balancer_of(fleet: Fleet) -> AsyncIterator:
    async with grpc.aio.insecure_channel(fleet.balancers[0].address) as channel:
        yield services.stub(channel, "LoadBalancer")


async def busy(fleet: Fleet) -> None:
    """Waits until the load has reached everybody."""

    async def all_have_finished_some() -> bool:
        async with balancer_of(fleet) as balancer:
            status = await balancer.Status(messages.StatusRequest(), timeout=5)
        return all(endpoint.last_report.finished >= 5 for endpoint in status.endpoints)

    await eventually(all_have_finished_some)


async def alive(fleet: Fleet) -> set[str]:
    """Who may be picked, now or when a slot is free again."""
    async with balancer_of(fleet) as balancer:
        status = await balancer.Status(messages.StatusRequest(), timeout=5)
    return {endpoint.info.address for endpoint in status.endpoints if endpoint.state in (messages.READY, messages.FULL)}


async def test_a_backend_killed_under_load_loses_no_task_and_is_not_named_for_long() -> None:
    async with fleet_of("--max-concurrent=100") as fleet:
        running = load(fleet, 3.0)
        await busy(fleet)
        victim = fleet.backends[0]
        killed_at = time.monotonic()
        await victim.kill()
        async with balancer_of(fleet) as balancer:
            named_at = killed_at
            for _ in range(200):  # far fewer than there are slots: these picks reach nobody
                pick = await balancer.GetBestServer(messages.BalanceRequest(policy="random"), timeout=5)
                if pick.address == victim.address:
                    named_at = time.monotonic()
        result = await running
        assert (result.lost, result.wrong) == (0, 0)
        assert named_at - killed_at < 0.9  # the connection tells, long before reports or the lease do
        await victim.start()
        await eventually(lambda: _is_alive(fleet, victim.address))


async def _is_alive(fleet: Fleet, address: str) -> bool:
    return address in await alive(fleet)


async def test_a_backend_told_to_stop_under_load_finishes_what_it_has() -> None:
    async with fleet_of() as fleet:
        running = load(fleet, 2.5, task="sleep:0.1", clients=20)
        await busy(fleet)
        assert await fleet.backends[0].stop() == 0
        result = await running
        assert (result.lost, result.wrong) == (0, 0)
        assert fleet.backends[0].address not in await alive(fleet)


async def test_a_balancer_killed_and_started_again_answers_at_once_and_no_task_is_lost() -> None:
    async with fleet_of() as fleet:
        everyone = {backend.address for backend in fleet.backends}
        running = load(fleet, 4.0)
        await busy(fleet)
        await fleet.balancers[0].restart()
        assert await alive(fleet) == everyone
        result = await running
        assert (result.lost, result.wrong) == (0, 0)
        assert set(result.requests_per_endpoint) == everyone


@pytest.mark.parametrize("wiped", [False, True])
async def test_etcd_away_is_not_backends_away(wiped: bool) -> None:
    async with fleet_of() as fleet:
        assert fleet.etcd is not None
        everyone = {backend.address for backend in fleet.backends}
        await fleet.etcd.kill()
        result = await load(fleet, 2 * TTL_S)
        assert (result.lost, result.wrong, result.errors) == (0, 0, {})
        assert await alive(fleet) == everyone
        running = load(fleet, 2 * TTL_S)
        await fleet.etcd.restart(wipe=wiped)
        result = await running
        assert (result.lost, result.wrong, result.errors) == (0, 0, {})
        await eventually(lambda: _registered(fleet, everyone))
        assert await alive(fleet) == everyone


async def _registered(fleet: Fleet, everyone: set[str]) -> bool:
    async with EtcdClient(EtcdSettings(fleet.etcd_endpoints)) as client:
        found = await client.range(prefix("default", "endpoints"), prefix=True)
    return {pair.key.decode().rpartition("/")[2] for pair in found.kvs} == everyone


async def test_a_frozen_backend_is_not_picked_once_its_reports_stop_and_is_again_when_it_thaws() -> None:
    async with fleet_of("--report-ms=100") as fleet:
        frozen = fleet.backends[0]
        await eventually(lambda: _is_alive(fleet, frozen.address))
        frozen.pause()
        await eventually(lambda: _is_not_alive(fleet, frozen.address))
        frozen.resume()
        await eventually(lambda: _is_alive(fleet, frozen.address))


async def _is_not_alive(fleet: Fleet, address: str) -> bool:
    return not await _is_alive(fleet, address)


async def test_no_backend_is_ever_given_more_than_its_limit_whatever_the_policy() -> None:
    async with fleet_of("--max-concurrent=3") as fleet:
        for strategy in hosted_policies():
            result = await load(fleet, 0.7, clients=30, task="sleep:0.05", strategy=strategy)
            assert (strategy, result.lost, result.wrong) == (strategy, 0, 0)
        for backend in fleet.backends:
            await backend.stop()
            most = re.search(r"at most (\d+) at once", backend.stderr_tail)
            assert most
            assert int(most[1]) <= 3


async def test_a_backend_that_holds_memory_gets_the_least_by_memory() -> None:
    async with fleet_of(lb_flags=("--load=memory",)) as fleet:
        holder = fleet.backends[0].address
        async with grpc.aio.insecure_channel(holder) as channel:
            holding = services.stub(channel, "BackendService").Compute(
                messages.TaskRequest(task="memory:256MiB:30"), timeout=30
            )
            await eventually(lambda: _holds(fleet, holder))
            result = await load(fleet, 2.0, clients=6, task="sleep:0.05")
            holding.cancel()
        assert result.lost == 0
        shares = result.requests_per_endpoint
        assert shares.get(holder, 0) == min(shares.get(backend.address, 0) for backend in fleet.backends)
        assert shares.get(holder, 0) < 0.05 * result.requests


async def _holds(fleet: Fleet, address: str) -> bool:
    async with balancer_of(fleet) as balancer:
        status = await balancer.Status(messages.StatusRequest(), timeout=5)
    memory = {endpoint.info.address: endpoint.last_report.memory_bytes for endpoint in status.endpoints}
    return memory[address] > 250 << 20


async def test_a_fleet_leaves_no_process_and_no_key_behind(etcd: str, service: str) -> None:
    async with Fleet(service, etcd=[etcd]) as fleet:
        await fleet.start_lb()
        await fleet.start_backends(2)
        pids = [process.pid for process in (*fleet.balancers, *fleet.backends)]
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, signal.SIG_DFL)
    async with EtcdClient(EtcdSettings((etcd,))) as client:
        assert not (await client.range(prefix(service), prefix=True)).kvs
