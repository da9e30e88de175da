"""By what right an endpoint is in the balancer: a key in the registry, its reports, or both."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import pytest
from door_contract import FULL, UNAVAILABLE, A, B, C

from lbsuite.events import Joined
from lbsuite.registry.memory import Memory
from lbsuite.wire.balancer import Balancer, BalancerSettings
from lbsuite.wire.follower import Follower
from lookaside import DEADLINE_S, Caller, backends, refusal, serving
from waiting import eventually


@asynccontextmanager
async def following(ttl_s: float = 60.0) -> AsyncIterator[tuple[Memory, Caller, Balancer]]:
    """A balancer that follows a registry, whose keys the test writes."""
    async with serving(BalancerSettings(ttl_s=ttl_s, stages=())) as (balancer, caller):
        registry = Memory()
        follower = Follower(balancer, registry)
        running = asyncio.create_task(follower.run())
        await asyncio.wait_for(follower.listed.wait(), DEADLINE_S)
        try:
            yield registry, caller, balancer
        finally:
            await registry.close()
            await asyncio.wait_for(running, DEADLINE_S)


async def knows(caller: Caller, *addresses: str) -> None:
    """Waits until these are all the balancer knows, in this order."""

    async def same() -> bool:
        return list(await caller.states()) == list(addresses)

    await eventually(same)


async def test_the_registry_decides_the_order_and_rpc_comes_after() -> None:
    async with following() as (registry, caller, _):
        await caller.register(C)
        registry.join(Joined(B, order=7))
        registry.join(Joined(A, order=5))
        await knows(caller, A, B, C)
        registry.join(Joined(C, order=1))
        registry.join(Joined(A, order=5, weight=2))
        await eventually(lambda: weighs(caller, A, 2))
        await knows(caller, A, B, C)


async def weighs(caller: Caller, address: str, weight: int) -> bool:
    return {each.info.address: each.info.weight for each in (await caller.status()).endpoints}.get(address) == weight


async def test_the_load_in_a_key_serves_until_the_endpoint_reports_itself() -> None:
    async with following() as (registry, caller, _):
        registry.join(Joined(A, limit=4, load=4))
        registry.join(Joined(B, limit=4, load=0))
        await knows(caller, A, B)
        assert await caller.picks(3, strategy="ROUND_ROBIN") == [B] * 3
        await caller.report(A, load=0, limit=4, interval_ms=60_000)
        registry.join(Joined(A, limit=4, load=4, weight=3))
        await eventually(lambda: weighs(caller, A, 3))
        assert (await caller.states())[A] == "READY"


async def test_a_key_that_says_unavailable_is_not_picked() -> None:
    async with following() as (registry, caller, _):
        registry.join(Joined(A, load=4, available=False))
        await caller.state_becomes(A, "FULL")
        assert (await refusal(caller.pick()))[0] is FULL


async def test_a_draining_key_is_not_picked_and_the_operators_drain_is_its_own() -> None:
    async with following() as (registry, caller, _):
        registry.join(Joined(A, draining=True))
        await caller.state_becomes(A, "DRAINING")
        registry.join(Joined(A))
        await caller.state_becomes(A, "READY")
        await caller.drain(A)
        registry.join(Joined(A, weight=2))
        await eventually(lambda: weighs(caller, A, 2))
        assert (await caller.states())[A] == "DRAINING"


async def test_who_is_not_connected_leaves_with_its_key() -> None:
    async with following() as (registry, caller, _):
        registry.join(Joined(A))
        await knows(caller, A)
        registry.leave(A)
        await knows(caller)


async def test_who_is_connected_stays_a_lease_time_after_its_key() -> None:
    async with following(ttl_s=0.5) as (registry, caller, _), backends(1) as (backend,):
        registry.join(Joined(backend.address))
        await caller.reaches(backend)
        registry.leave(backend.address)
        registry.join(Joined(B))
        await knows(caller, backend.address, B)
        await knows(caller, B)


@pytest.mark.parametrize("way", ["key", "rpc"])
async def test_who_registers_again_in_that_time_stays(way: str) -> None:
    async with following(ttl_s=0.5) as (registry, caller, _), backends(2) as (kept, other):
        for backend in (kept, other):
            registry.join(Joined(backend.address))
        await caller.reaches(kept, other)
        for backend in (kept, other):
            registry.leave(backend.address)
        if way == "key":
            registry.join(Joined(kept.address, weight=2))
            await eventually(lambda: weighs(caller, kept.address, 2))
        else:
            await caller.register(kept.address)
        await knows(caller, kept.address)


async def test_who_breaks_its_connection_in_that_time_leaves_at_once() -> None:
    async with following() as (registry, caller, _), backends(1) as (backend,):
        registry.join(Joined(backend.address))
        await caller.reaches(backend)
        registry.leave(backend.address)
        registry.join(Joined(B))
        await knows(caller, backend.address, B)
        backend.kill()
        await knows(caller, B)


async def test_who_is_draining_leaves_with_its_key_though_connected() -> None:
    async with following() as (registry, caller, _), backends(1) as (backend,):
        registry.join(Joined(backend.address))
        await caller.reaches(backend)
        registry.join(Joined(backend.address, draining=True))
        registry.leave(backend.address)
        await knows(caller)


async def test_with_a_key_and_reports_both_must_hold() -> None:
    async with following() as (registry, caller, _):
        registry.join(Joined(A))
        await knows(caller, A)
        await caller.register(A)
        await caller.report(A, interval_ms=50)
        await caller.state_becomes(A, "STALE")
        await caller.report(A, interval_ms=60_000)
        assert (await caller.states())[A] == "READY"
        registry.leave(A)
        await knows(caller)


async def test_keys_outside_the_allowed_networks_are_left_out() -> None:
    async with following() as (registry, caller, _):
        registry.join(Joined("10.0.0.1:80"))
        registry.join(Joined(A))
        await knows(caller, A)


async def test_an_absurd_key_changes_nothing_and_stops_nothing() -> None:
    async with following() as (registry, caller, _):
        registry.join(Joined(A, weight=3))
        await knows(caller, A)
        registry.join(Joined(A, weight=2**31 - 1))
        registry.join(Joined(B, weight=2**31 - 1))
        registry.join(Joined(C))
        await knows(caller, A, C)
        assert await weighs(caller, A, 3)


async def test_a_name_in_a_key_waits_for_its_resolver_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = asyncio.Event()
    real = asyncio.get_running_loop().getaddrinfo

    async def slow(host: str, *args: object, **kinds: object) -> object:
        if host == "backend.test":
            await answer.wait()
            host = "127.0.0.1"
        return await real(host, *args, **kinds)  # type: ignore[arg-type]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", slow)
    async with following() as (registry, caller, _):
        registry.join(Joined("backend.test:80", order=1))
        registry.join(Joined(A, order=2))
        await knows(caller, A)
        answer.set()
        await knows(caller, "backend.test:80", A)


async def test_the_other_balancers_are_told_in_status() -> None:
    async with following() as (registry, caller, _):
        registry.join(Joined(A))
        registry.set_balancers(["127.0.0.1:50051", "127.0.0.1:50050"])

        async def told() -> bool:
            return list((await caller.status()).balancers) == ["127.0.0.1:50050", "127.0.0.1:50051"]

        await eventually(told)


async def test_a_registry_that_falls_silent_takes_nobody_with_it() -> None:
    async with following() as (registry, caller, _):
        registry.join(Joined(A))
        await knows(caller, A)
        await registry.close()
        assert await caller.picks(3) == [A] * 3


async def test_who_is_deregistered_by_rpc_is_gone_though_its_key_is_there() -> None:
    async with following() as (registry, caller, _):
        registry.join(Joined(A))
        await knows(caller, A)
        await caller.deregister(A)
        code, _ = await refusal(caller.pick())
        assert code is UNAVAILABLE
        registry.join(Joined(A, weight=2))
        await knows(caller, A)


async def test_who_never_reports_stays_while_it_is_connected() -> None:
    async with serving(BalancerSettings(ttl_s=0.05)) as (_, caller), backends(1) as (backend,):
        await caller.register(A, backend.address)
        await caller.reaches(backend)
        await knows(caller, backend.address)
        backend.kill()
        await knows(caller)


async def test_a_report_with_no_interval_is_good_for_the_lease_time() -> None:
    async with serving(BalancerSettings(ttl_s=0.1, stages=())) as (_, caller):
        await caller.register(A)
        await caller.report(A)
        await caller.state_becomes(A, "STALE")
        await caller.state_becomes(A, None)
        assert (await refusal(caller.report(A)))[0] is grpc.StatusCode.NOT_FOUND
