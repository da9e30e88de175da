"""The balancer on its aio door: the contract of every door, and what its settings change."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from door_contract import INVALID, UNAVAILABLE, A, B, C, DoorContract
from report_contract import ReportContract

from lbsuite import _core, addresses
from lbsuite.errors import StartFailed
from lbsuite.wire import allow, balancer, hosting, membership, messages, pick_log, wishes
from lbsuite.wire.balancer import Balancer, BalancerSettings
from lbsuite.wire.door import AioDoor
from lookaside import DEADLINE_S, backends, refusal, serving


class TestAioDoor(DoorContract, ReportContract):
    @pytest.fixture
    async def door(self) -> AsyncIterator[str]:
        door = AioDoor(served := Balancer())
        try:
            yield await door.open("127.0.0.1:0")
        finally:
            await door.close(grace_s=0)
            await served.close()


async def test_the_operators_policy_is_what_a_request_gets_that_says_nothing() -> None:
    async with serving(BalancerSettings(policy="pick_first")) as (_, caller):
        await caller.register(A, B)
        assert await caller.picks(3) == [A] * 3
        assert set(await caller.picks(2, strategy="ROUND_ROBIN")) == {A, B}


async def test_a_fixed_policy_ignores_every_wish_under_both_names() -> None:
    async with serving(BalancerSettings(policy="round_robin", fixed=True)) as (_, caller):
        await caller.register(A, B)
        assert set(await caller.picks(2, strategy="PICK_FIRST")) == {A, B}
        assert set(await caller.picks(2, policy="pick_first")) == {A, B}
        bare = [await caller.bare.GetBestServer(messages.BalanceRequest(), timeout=DEADLINE_S) for _ in range(2)]
        assert {picked.address for picked in bare} == {A, B}
        assert (await refusal(caller.pick(strategy=7)))[0] is INVALID


@pytest.mark.parametrize("settings", [{"policy": "bogus"}, {"load": "bogus"}, {"service": "a/b"}])
async def test_settings_that_make_no_sense_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"bogus|a/b"):
        Balancer(BalancerSettings(**settings))


async def test_least_load_ranks_by_memory_where_the_operator_says_so() -> None:
    async with serving(BalancerSettings(load="memory")) as (_, caller):
        await caller.register(A, B)
        for address, held in ((A, 1 << 30), (B, 0)):
            await caller.report(address, memory_bytes=1 << 25, interval_ms=60_000)
            await caller.report(address, load=1, memory_bytes=(1 << 25) + held, interval_ms=60_000)
        assert (await caller.pick(strategy="LEAST_LOAD")).address == B


async def test_the_own_service_goes_by_its_name_too() -> None:
    async with serving(BalancerSettings(service="mine")) as (_, caller):
        await caller.register(A)
        caller.service = "mine"
        assert (await caller.pick()).address == A


async def test_services_are_bounded_and_an_empty_one_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(balancer, "MAX_SERVICES", 3)
    async with serving() as (_, caller):
        for caller.service in ("a", "b"):
            await caller.register(A)
        caller.service = "c"
        assert (await refusal(caller.register(A)))[0] is grpc.StatusCode.RESOURCE_EXHAUSTED
        caller.service = "a"
        await caller.deregister(A)
        caller.service = "c"
        await caller.register(A)
        assert (await caller.pick()).address == A


async def test_endpoints_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(membership, "MAX_ENDPOINTS", 2)
    async with serving() as (_, caller):
        await caller.register(A, B, A)
        assert (await refusal(caller.register(C)))[0] is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_wished_policies_are_bounded_and_what_has_a_name_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wishes, "MAX_POLICIES", 2)
    async with serving() as (_, caller):
        await caller.register(A)
        await caller.picks(2, policy="least_load:choices=2")
        await caller.picks(2, policy="least_load:choices=3")
        assert (await refusal(caller.pick(policy="least_load:choices=4")))[0] is INVALID
        assert await caller.picks(1, policy="least_load:choices=02") == [A]
        assert await caller.picks(1, strategy="ROUND_ROBIN") == [A]
        for name in hosting.hosted_policies():
            assert await caller.picks(1, policy=name) == [A]


async def test_a_policy_that_needs_probes_is_refused_by_name() -> None:
    assert "prequal" in _core.policies()
    with pytest.raises(ValueError, match="prequal needs probes"):
        Balancer(BalancerSettings(policy="prequal"))
    async with serving() as (_, caller):
        await caller.register(A)
        code, words = await refusal(caller.pick(policy="prequal"))
        assert code is INVALID
        assert words == "policy prequal needs probes, which this host does not send"
        assert await caller.picks(1) == [A]


@pytest.mark.parametrize("policy", ["peak_ewma", "c3"])
async def test_a_backend_that_reports_slow_tasks_is_shunned(policy: str) -> None:
    async with serving(BalancerSettings(policy=policy)) as (balancer, caller):
        await caller.register(A, B)
        await caller.pick()  # a policy hears of nothing before its first pick
        for address, latency_us in ((A, 20_000_000), (B, 10_000)):
            ended = messages.BalancerCounts(balancer=balancer.id, begun=2, finished=2, failed=1, latency_us=latency_us)
            others = messages.BalancerCounts(balancer=balancer.id + 1, begun=9, finished=9, latency_us=9)
            await caller.report(address, interval_ms=60_000, begun=11, finished=11, by_balancer=[others, ended])
        assert await caller.picks(10) == [B] * 10


# The allow list


async def test_the_allow_list_widens_and_narrows() -> None:
    allowed = (addresses.network("10.0.0.0/8"), addresses.network("2001:db8::/32"))
    async with serving(BalancerSettings(allow=allowed)) as (_, caller):
        await caller.register("10.1.2.3:80", "[2001:db8::1]:80")
        code, _ = await refusal(caller.register("127.0.0.1:80"))
        assert code is grpc.StatusCode.PERMISSION_DENIED


class Resolver:
    """Stands in for the system's resolver, which no test can make lie."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *ips: str) -> None:
        self.ips: tuple[str, ...] = ips
        self.silent = False
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", self._answer)

    async def _answer(self, host: str, port: None, **_: object) -> list[tuple[Any, ...]]:
        if self.silent:
            await asyncio.Event().wait()
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 0)) for ip in self.ips]


async def test_a_name_with_one_address_outside_is_denied(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving() as (_, caller):
        resolver = Resolver(monkeypatch, "127.0.0.1", "10.0.0.1")
        code, words = await refusal(caller.register("backend.test:80"))
        assert code is grpc.StatusCode.PERMISSION_DENIED
        assert "backend.test:80" in words
        resolver.ips = ("127.0.0.1",)
        await caller.register("backend.test:80")


async def test_a_resolver_that_does_not_answer_costs_the_caller_its_deadline_and_nobody_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(allow, "RESOLVE_S", 0.5)
    async with serving() as (_, caller):
        await caller.register(A)
        Resolver(monkeypatch).silent = True
        asking = asyncio.create_task(refusal(caller.register("backend.test:80")))
        assert await caller.picks(3) == [A] * 3
        assert not asking.done()
        assert await asking == (UNAVAILABLE, "cannot resolve 'backend.test': no answer")


async def test_a_name_that_moves_outside_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving() as (_, caller), backends(1) as (backend,):
        resolver = Resolver(monkeypatch, "127.0.0.1")
        name = f"backend.test:{backend.address.rpartition(':')[2]}"
        await caller.register(name)
        await caller.reaches(backend)
        resolver.ips = ("10.0.0.1",)
        backend.kill()
        await caller.state_becomes(name, "EJECTED")
        await backend.start()
        await caller.register(A)
        assert await caller.picks(3) == [A] * 3
        resolver.ips = ("127.0.0.1",)
        await caller.state_becomes(name, "READY")


# Logs and the door


async def test_picks_are_logged_with_strategy_address_and_load_as_far_as_a_reader_follows(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pick_log, "LINES_PER_S", 2)
    log = pick_log.PickLog()
    caplog.set_level(logging.INFO, logger=pick_log.__name__)
    async with serving() as (served, caller):
        await caller.register(A)
        await caller.report(A, load=3)
        for now in (10.0, 10.1, 10.2, 10.3, 11.0):
            log.note(served.membership.engine, "round_robin", A, now)
    assert [record.getMessage() for record in caplog.records if record.name == pick_log.__name__] == [
        f"pick round_robin -> {A}, load 3",
        f"pick round_robin -> {A}, load 3",
        "2 more picks not shown",
        f"pick round_robin -> {A}, load 3",
    ]


async def test_picks_are_not_logged_unless_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for log_picks in (False, True):
        async with serving(BalancerSettings(log_picks=log_picks)) as (_, caller):
            await caller.register(A)
            await caller.pick()
        assert any("pick " in record.getMessage() for record in caplog.records) is log_picks


async def test_a_taken_port_is_an_error_with_the_address() -> None:
    async with serving() as (_, caller):
        taken = caller.address
        second = AioDoor(Balancer())
        with pytest.raises(StartFailed, match=taken):
            await second.open(taken)


async def test_many_registrations_at_once_do_not_hold_up_picks() -> None:
    async with serving() as (_, caller):
        await caller.register(A)
        crowd = [f"127.0.{n // 250}.{n % 250 + 1}:2" for n in range(500)]
        registering = asyncio.gather(*(caller.register(address) for address in crowd))
        while not registering.done():
            await caller.pick()
        assert len(await caller.states()) == 501
