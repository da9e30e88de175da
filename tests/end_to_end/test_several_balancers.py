"""Several balancers: neither the loss of all but one nor that of etcd costs a caller a call, whoever picks for it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc.aio
import pytest

import lbsuite
from lbsuite.fleet import Fleet, Lbsuite
from lbsuite.results import RunResult
from lbsuite.wire import messages, services
from lbsuite.wire.client import ClientSettings, run
from waiting import eventually

BALANCERS = 3
BACKENDS = 4
CALLERS = 8
TTL_S = 2
TASK = "sleep:0.02"
DEADLINE_S = 10.0


@dataclass
class Load:
    """What became of the calls of some callers. failed: those that failed, and how."""

    done: int = 0
    failed: list[str] = field(default_factory=list)

    async def more(self, calls: int = 20 * CALLERS) -> None:
        """Waits for so many more good ones."""
        wanted = self.done + calls
        await eventually(lambda: self.done >= wanted)


@asynccontextmanager
async def fleet_of_several() -> AsyncIterator[Fleet]:
    async with Fleet() as fleet:
        await fleet.start_etcd()
        await asyncio.gather(*(fleet.start_lb(f"--ttl-s={TTL_S}") for _ in range(BALANCERS)))
        await fleet.start_backends(BACKENDS, f"--ttl-s={TTL_S}")
        for balancer in fleet.balancers:
            await eventually(lambda balancer=balancer: knows_all(balancer))
        yield fleet


async def status(balancer: Lbsuite) -> messages.StatusReply:
    async with grpc.aio.insecure_channel(balancer.address) as channel:
        reply: messages.StatusReply = await services.stub(channel, "LoadBalancer").Status(
            messages.StatusRequest(), timeout=DEADLINE_S
        )
    return reply


async def knows_all(balancer: Lbsuite) -> bool:
    told = await status(balancer)
    ready = [endpoint for endpoint in told.endpoints if endpoint.state == messages.READY]
    return len(ready) >= BACKENDS and len(told.balancers) == BALANCERS


async def all_report(balancer: Lbsuite) -> bool:
    endpoints = (await status(balancer)).endpoints
    return sum(each.last_report.finished > 0 for each in endpoints) == BACKENDS


async def serves(balancer: Lbsuite, backend: Lbsuite) -> bool:
    endpoints = (await status(balancer)).endpoints
    return any(each.info.address == backend.address and each.last_report.finished for each in endpoints)


@asynccontextmanager
async def look_aside(fleet: Fleet) -> AsyncIterator[Load]:
    """Callers who ask a balancer before each call; they were told of one, and learn of the others from it."""
    load, stop = Load(), asyncio.Event()
    settings = ClientSettings(
        balancers=(fleet.balancers[0].address,), task=TASK, clients=CALLERS, duration_s=600, timeout_s=30
    )

    def progress(result: RunResult) -> None:
        load.done = result.requests - result.lost
        load.failed = [*result.errors]

    running = asyncio.create_task(run(settings, progress=progress, stop=stop))
    try:
        yield load
    finally:
        stop.set()
        progress(await running)


@asynccontextmanager
async def channel(fleet: Fleet) -> AsyncIterator[Load]:
    """Callers through a channel that follows the balancers."""
    load, stop = Load(), asyncio.Event()
    target = ",".join(balancer.address for balancer in fleet.balancers)
    async with lbsuite.channel(f"lb://{target}/default") as channel, asyncio.TaskGroup() as callers:
        compute = services.stub(channel, "BackendService").Compute
        for _ in range(CALLERS):
            callers.create_task(_call_on(compute, load, stop))
        try:
            yield load
        finally:
            stop.set()


async def _call_on(compute: Any, load: Load, stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            await compute(messages.TaskRequest(task=TASK), timeout=DEADLINE_S)
        except grpc.aio.AioRpcError as error:
            load.failed.append(f"{error.code().name}: {error.details()}")
            await asyncio.sleep(0.1)
        else:
            load.done += 1


callers = pytest.mark.parametrize("begin", [look_aside, channel])
Begin = Callable[[Fleet], Any]


@callers
async def test_two_of_three_balancers_killed_under_load_cost_no_call(begin: Begin) -> None:
    async with fleet_of_several() as fleet, begin(fleet) as load:
        await load.more()
        for victim in fleet.balancers[:2]:
            await victim.kill()
            await load.more()
        late = await fleet.start_backend(lb=[fleet.balancers[2].address])
        await eventually(lambda: serves(fleet.balancers[2], late))
        for victim in fleet.balancers[:2]:
            await victim.start()
        await fleet.balancers[2].kill()
        await load.more()
    assert not load.failed


@pytest.mark.parametrize("begin", [pytest.param(look_aside, marks=pytest.mark.slow), channel])
async def test_a_balancer_that_hangs_costs_no_call(begin: Begin) -> None:
    async with fleet_of_several() as fleet, begin(fleet) as load:
        await load.more()
        for balancer in fleet.balancers[:2]:
            balancer.pause()
        await load.more()
        for balancer in fleet.balancers[:2]:
            balancer.resume()
        await load.more()
    assert not load.failed


async def test_with_every_balancer_gone_a_channel_goes_on_by_its_last_list() -> None:
    async with fleet_of_several() as fleet, channel(fleet) as load:
        await load.more()
        await asyncio.gather(*(balancer.kill() for balancer in fleet.balancers))
        await load.more()
        await fleet.balancers[0].start()
        await load.more()
    assert not load.failed


@callers
async def test_an_only_balancer_without_etcd_may_be_killed_and_begin_anew(begin: Begin) -> None:
    async with Fleet() as fleet:
        balancer = await fleet.start_lb(f"--ttl-s={TTL_S}")
        await fleet.start_backends(BACKENDS)
        async with begin(fleet) as load:
            await load.more()
            await balancer.restart()
            await load.more()
            await eventually(lambda: all_report(balancer))
            await load.more()
    assert not load.failed


@callers
@pytest.mark.parametrize("away_s", [2 * TTL_S, pytest.param(30, marks=pytest.mark.slow)])
async def test_etcd_gone_under_load_costs_no_call_and_nor_does_its_return(begin: Begin, away_s: float) -> None:
    async with fleet_of_several() as fleet, begin(fleet) as load:
        assert fleet.etcd is not None
        await load.more()
        await fleet.etcd.kill()
        await asyncio.sleep(away_s)  # longer than every lease
        await load.more()
        await fleet.etcd.restart()
        await load.more()
        for balancer in fleet.balancers:
            await eventually(lambda balancer=balancer: knows_all(balancer))
        await load.more()
    assert not load.failed
