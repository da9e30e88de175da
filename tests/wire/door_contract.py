"""What every door of a balancer does, whatever it is made of.

A class that inherits DoorContract and ReportContract (in `report_contract`) gives the fixture `door`: the address of
a running door with default settings. The tests know nothing else of it, and each uses a service of its own.
"""

import itertools
from collections import Counter
from collections.abc import AsyncIterator

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from lbsuite.wire import messages
from lookaside import DEADLINE_S, Caller, refusal

A, B, C = "127.0.0.1:1", "127.0.0.2:1", "127.0.0.3:1"
UNAVAILABLE = grpc.StatusCode.UNAVAILABLE
INVALID = grpc.StatusCode.INVALID_ARGUMENT
NOT_FOUND = grpc.StatusCode.NOT_FOUND
FULL = grpc.StatusCode.RESOURCE_EXHAUSTED
_services = itertools.count(1)


class AtADoor:
    """Gives each test a caller with a service of its own, at the fixture `door`."""

    @pytest.fixture
    async def caller(self, door: str) -> AsyncIterator[Caller]:
        async with Caller(door, service=f"contract-{next(_services)}") as caller:
            yield caller


class DoorContract(AtADoor):
    """Who is there, which policy picks, and what a door refuses."""

    async def test_nobody_registered_is_unavailable_and_says_so(self, caller: Caller) -> None:
        code, words = await refusal(caller.pick())
        assert code is UNAVAILABLE
        assert "nobody is registered" in words

    async def test_what_is_registered_under_one_name_is_picked_under_the_other(self, caller: Caller) -> None:
        info = messages.ServerInfo(address=A, service=caller.service)
        await caller.bare.RegisterServer(info, timeout=DEADLINE_S)
        assert (await caller.pick()).address == A
        request = messages.BalanceRequest(service=caller.service)
        assert (await caller.bare.GetBestServer(request, timeout=DEADLINE_S)).address == A

    async def test_registering_twice_is_one_endpoint(self, caller: Caller) -> None:
        await caller.register(A, B, A, A)
        assert Counter(await caller.picks(10, strategy="ROUND_ROBIN")) == {A: 5, B: 5}

    async def test_services_do_not_see_each_other(self, caller: Caller, door: str) -> None:
        await caller.register(A)
        async with Caller(door, service=f"{caller.service}-b") as other:
            await other.register(B)
            assert set(await caller.picks(3) + await other.picks(3)) == {A, B}
            assert set(await caller.picks(3)) == {A}

    @pytest.mark.parametrize(
        "address",
        ["", "nohost", ":1", "127.0.0.1:0", "127.0.0.1:65536", "http://127.0.0.1:1", "127.0.0.1:1\n", "0.0.0.0:1",
         "127.0.0.1:01", "a..:1", "[::ffff:169.254.169.254]:80",
         "224.0.0.1:1", "169.254.169.254:80", "[fe80::1]:1", "unix:/tmp/x:1", "::1:1", "a b:1", "x" * 260 + ":1"],
    )  # fmt: skip
    async def test_what_is_no_address_cannot_register(self, caller: Caller, address: str) -> None:
        code, _ = await refusal(caller.register(address))
        assert code is INVALID

    @pytest.mark.parametrize("text", ["x" * 20_000, "\U0001f600" * 20_000])
    async def test_an_answer_to_a_long_text_is_still_the_answer(self, caller: Caller, door: str, text: str) -> None:
        assert (await refusal(caller.register(text)))[0] is INVALID
        async with Caller(door, service=text) as stranger:
            assert (await refusal(stranger.register(A)))[0] is INVALID
            assert (await refusal(stranger.pick()))[0] is UNAVAILABLE

    @pytest.mark.parametrize("address", ["10.0.0.1:80", "[2001:db8::1]:80"])
    async def test_who_is_outside_the_allowed_networks_cannot_register(self, caller: Caller, address: str) -> None:
        code, words = await refusal(caller.register(address))
        assert code is grpc.StatusCode.PERMISSION_DENIED
        assert address in words

    async def test_a_name_is_an_address_where_all_it_resolves_to_is_allowed(self, caller: Caller) -> None:
        await caller.register("localhost:1")
        assert (await caller.pick()).address == "localhost:1"

    @pytest.mark.parametrize("service", ["a/b", "../x", "x" * 65, "é"])
    async def test_a_service_has_a_name_that_fits_a_key(self, door: str, service: str) -> None:
        async with Caller(door, service) as caller:
            assert (await refusal(caller.register(A)))[0] is INVALID

    async def test_an_absurd_registration_is_invalid_and_changes_nothing(self, caller: Caller) -> None:
        await caller.register(A, weight=3)
        too_much = ({"weight": 2**32 - 1}, {"limit": 2**32 - 1}, {"tier": 1001})
        for fields in (*too_much, {"zone": "a\nb"}, {"zone": "z" * 300}):
            assert (await refusal(caller.register(A, **fields)))[0] is INVALID
            assert (await refusal(caller.register(B, **fields)))[0] is INVALID
        (endpoint,) = (await caller.status()).endpoints
        assert (endpoint.info.address, endpoint.info.weight, endpoint.info.zone) == (A, 3, "")

    async def test_who_deregisters_is_gone_and_may_say_it_twice(self, caller: Caller) -> None:
        await caller.register(A, B)
        await caller.deregister(A)
        await caller.deregister(A)
        assert set(await caller.picks(4, strategy="ROUND_ROBIN")) == {B}

    # Which policy

    async def test_pick_first_takes_the_one_that_came_first(self, caller: Caller) -> None:
        await caller.register(B, A, C)
        assert await caller.picks(5, strategy="PICK_FIRST") == [B] * 5
        await caller.deregister(B)
        assert await caller.picks(5, strategy="PICK_FIRST") == [A] * 5

    async def test_round_robin_takes_turns(self, caller: Caller) -> None:
        await caller.register(A, B, C)
        picks = await caller.picks(9, strategy="ROUND_ROBIN")
        assert picks == picks[:3] * 3
        assert set(picks) == {A, B, C}

    async def test_least_load_takes_the_least_and_counts_its_own_picks(self, caller: Caller) -> None:
        await caller.register(A, B, C)
        for address, load in ((A, 6), (B, 3), (C, 0)):
            await caller.report(address, load, interval_ms=60_000)
        assert Counter(await caller.picks(6, strategy="LEAST_LOAD")) in ({C: 5, B: 1}, {C: 4, B: 2}, {C: 3, B: 3})

    async def test_nothing_said_is_the_operators_policy(self, caller: Caller) -> None:
        await caller.register(A, B, C)
        assert set(await caller.picks(3)) == {A, B, C}

    async def test_nothing_said_under_the_bare_name_is_pick_first(self, caller: Caller) -> None:
        await caller.register(A, B, C)
        request = messages.BalanceRequest(service=caller.service)
        picks = [await caller.bare.GetBestServer(request, timeout=DEADLINE_S) for _ in range(5)]
        assert {picked.address for picked in picks} == {A}

    async def test_a_policy_may_be_wished_by_name(self, caller: Caller) -> None:
        await caller.register(A, B)
        assert await caller.picks(3, policy="pick_first") == [A] * 3
        assert await caller.picks(3, policy="pick_first", strategy="ROUND_ROBIN") == [A] * 3
        assert await caller.picks(2, policy="least_load:choices=2") == [B] * 2

    @pytest.mark.parametrize("strategy", [3, 99, -1])
    @pytest.mark.parametrize("name", ["v1", "bare"])
    async def test_a_strategy_outside_the_enum_is_invalid(self, caller: Caller, name: str, strategy: int) -> None:
        await caller.register(A)
        request = messages.BalanceRequest(service=caller.service, strategy=strategy)  # type: ignore[arg-type]
        code, words = await refusal(getattr(caller, name).GetBestServer(request, timeout=DEADLINE_S))
        assert code is INVALID
        assert str(strategy) in words

    @pytest.mark.parametrize(
        ("policy", "named"),
        [("bogus", "'bogus'"), ("least_load:choices=none", "none"), ("least_load:bogus=1", "bogus"),
         ("a\nb", r"'a\nb'"), ("p" * 4000, "ppp")],
    )  # fmt: skip
    async def test_an_unknown_policy_is_invalid_and_named(self, caller: Caller, policy: str, named: str) -> None:
        await caller.register(A)
        code, words = await refusal(caller.pick(policy=policy))
        assert code is INVALID
        assert "\n" not in words
        assert named in words

    async def test_whom_the_request_excludes_is_not_picked(self, caller: Caller) -> None:
        await caller.register(A, B)
        assert set(await caller.picks(4, strategy="ROUND_ROBIN", exclude=[A])) == {B}
        assert (await refusal(caller.pick(exclude=["x"] * 1000)))[0] is INVALID

    # What a door serves

    async def test_health_is_serving_under_every_name(self, caller: Caller) -> None:
        for name in ("", "LoadBalancer", "lbsuite.v1.LoadBalancer"):
            request = health_pb2.HealthCheckRequest(service=name)
            answer = await health_pb2_grpc.HealthStub(caller.channel).Check(request, timeout=DEADLINE_S)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING

    @pytest.mark.parametrize("package", ["", "lbsuite.v1."])
    @pytest.mark.parametrize("method", ["GetServers", "PickStream", "Nonsense"])
    async def test_a_method_that_is_not_served_is_unimplemented(
        self, caller: Caller, package: str, method: str
    ) -> None:
        call = caller.channel.unary_unary(f"/{package}LoadBalancer/{method}")
        code, _ = await refusal(call(b"", timeout=DEADLINE_S))
        assert code is grpc.StatusCode.UNIMPLEMENTED

    @pytest.mark.parametrize("method", ["Deregister", "Status", "Drain"])
    async def test_the_bare_name_has_the_three_methods_of_the_look_aside_api_alone(
        self, caller: Caller, method: str
    ) -> None:
        call = caller.channel.unary_unary(f"/LoadBalancer/{method}")
        code, _ = await refusal(call(b"", timeout=DEADLINE_S))
        assert code is grpc.StatusCode.UNIMPLEMENTED

    async def test_bytes_that_are_no_message_end_one_call_only(
        self, caller: Caller, caplog: pytest.LogCaptureFixture
    ) -> None:
        await caller.register(A)
        for junk in (b"\xff\xff\xff", b"\x0a\xff"):
            junk_call = caller.channel.unary_unary("/LoadBalancer/GetBestServer")(junk, timeout=DEADLINE_S)
            assert (await refusal(junk_call))[0] is INVALID
        assert not caplog.records
        code, _ = await refusal(
            caller.channel.unary_unary("/LoadBalancer/GetBestServer")(bytes(5 << 20), timeout=DEADLINE_S)
        )
        assert code is FULL
        assert (await caller.pick()).address == A
