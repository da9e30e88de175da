"""What every door of a balancer does with what it learns of endpoints; see `door_contract`."""

from typing import Any

import pytest
from door_contract import FULL, INVALID, NOT_FOUND, UNAVAILABLE, A, AtADoor, B

from lbsuite.wire import messages
from lookaside import DEADLINE_S, Caller, backends, refusal


class ReportContract(AtADoor):
    """Reports, the slots that they free, what status tells, and connections."""

    async def test_a_report_of_who_never_registered_is_not_found(self, caller: Caller) -> None:
        assert (await refusal(caller.report(A)))[0] is NOT_FOUND
        await caller.register(A)
        assert (await refusal(caller.report(B)))[0] is NOT_FOUND

    @pytest.mark.parametrize(
        "fields",
        [{"load": -1}, {"load": -(2**31)}, {"cpu": -1.0}, {"cpu": float("nan")}, {"cpu": float("inf")},
         {"interval_ms": 2**32 - 1}, {"by_balancer": [messages.BalancerCounts(begun=2**63)] * 1000}],
    )  # fmt: skip
    async def test_an_absurd_report_is_invalid_and_changes_nothing(
        self, caller: Caller, fields: dict[str, Any]
    ) -> None:
        await caller.register(A)
        await caller.report(A, 3)
        assert (await refusal(caller.report(A, **fields)))[0] is INVALID
        assert (await caller.status()).endpoints[0].last_report.load == 3

    async def test_who_says_unavailable_is_not_picked(self, caller: Caller) -> None:
        await caller.register(A, B)
        await caller.report(A, available=False)
        assert set(await caller.picks(4, strategy="ROUND_ROBIN")) == {B}
        await caller.report(A)
        assert set(await caller.picks(4, strategy="ROUND_ROBIN")) == {A, B}

    async def test_all_full_is_resource_exhausted_until_a_report_frees_a_slot(self, caller: Caller) -> None:
        await caller.register(A, B)
        for address in (A, B):
            await caller.report(address, load=2, limit=2, interval_ms=60_000)
        code, words = await refusal(caller.pick())
        assert code is FULL
        assert "full" in words
        await caller.report(B, load=1, limit=2, interval_ms=60_000)
        assert (await caller.pick()).address == B
        assert (await refusal(caller.pick()))[0] is FULL

    async def test_all_draining_is_unavailable_and_says_that_nobody_is_alive(self, caller: Caller) -> None:
        await caller.register(A)
        await caller.report(A, draining=True)
        code, words = await refusal(caller.pick())
        assert code is UNAVAILABLE
        assert "nobody is alive" in words
        assert "draining" in words

    async def test_reports_that_stop_make_stale_and_end_what_was_registered_by_rpc(self, caller: Caller) -> None:
        await caller.register(A, B)
        await caller.report(A, interval_ms=50)
        await caller.state_becomes(A, "STALE")
        assert set(await caller.picks(4, strategy="ROUND_ROBIN")) == {B}
        await caller.report(A, interval_ms=60_000)
        assert (await caller.states())[A] == "READY"
        await caller.report(A, interval_ms=50)
        await caller.state_becomes(A, None)
        assert (await refusal(caller.report(A)))[0] is NOT_FOUND

    # Picks and tokens

    async def test_tokens_number_the_picks_of_one_balancer(self, caller: Caller) -> None:
        await caller.register(A)
        tokens = [(await caller.pick()).token for _ in range(5)]
        assert len({token >> 32 for token in tokens}) == 1
        assert len(set(tokens)) == 5
        assert tokens[0] >> 32 > 0

    @pytest.mark.parametrize(
        ("begun", "ours", "others", "arrived"),
        [(0, 0, 0, False), (1, 1, 0, True), (1, 0, 0, True), (1, 0, 1, False), (2, 1, 1, True)],
        ids=["nothing", "by our token", "without token", "by another's token", "ours and another's"],
    )
    async def test_a_pick_holds_its_slot_until_a_report_shows_that_it_arrived(
        self, caller: Caller, begun: int, ours: int, others: int, arrived: bool
    ) -> None:
        await caller.register(A)
        await caller.report(A, limit=1, interval_ms=60_000)
        balancer = (await caller.pick()).token >> 32
        assert (await refusal(caller.pick()))[0] is FULL
        counts = [
            messages.BalancerCounts(balancer=balancer, begun=ours),
            messages.BalancerCounts(balancer=balancer ^ 1, begun=others),
        ]
        await caller.report(A, limit=1, interval_ms=60_000, begun=begun, by_balancer=counts)
        assert (await caller.states())[A] == ("READY" if arrived else "FULL")

    # Status and drain

    async def test_status_tells_what_was_reported(self, caller: Caller) -> None:
        await caller.register(A, B, zone="z1", weight=2, tier=3)
        await caller.report(A, load=3, limit=7, memory_bytes=5, interval_ms=60_000)
        first, second = (await caller.status()).endpoints
        assert (first.info.address, first.info.zone, first.info.weight, first.info.limit) == (A, "z1", 2, 7)
        assert first.info.tier == 3
        assert (first.state, first.last_report.load, first.last_report.memory_bytes) == (messages.READY, 3, 5)
        assert first.report_age_ms < DEADLINE_S * 1000
        assert not second.HasField("last_report")

    async def test_status_and_drain_of_who_is_not_there_are_not_found(self, caller: Caller) -> None:
        assert (await refusal(caller.status()))[0] is NOT_FOUND
        assert (await refusal(caller.drain(A)))[0] is NOT_FOUND
        await caller.register(A)
        assert (await refusal(caller.drain(B)))[0] is NOT_FOUND

    async def test_who_is_drained_is_not_picked_until_undone(self, caller: Caller) -> None:
        await caller.register(A, B)
        reply = await caller.drain(A)
        assert [endpoint.state for endpoint in reply.endpoints] == [messages.DRAINING, messages.READY]
        await caller.register(A)
        await caller.report(A)
        assert set(await caller.picks(4, strategy="ROUND_ROBIN")) == {B}
        await caller.drain(A, undo=True)
        assert set(await caller.picks(4, strategy="ROUND_ROBIN")) == {A, B}

    # Connections

    async def test_who_was_never_reached_is_picked(self, caller: Caller) -> None:
        await caller.register(A)
        assert await caller.picks(3) == [A] * 3

    async def test_who_breaks_its_connection_and_refuses_is_ejected_until_it_answers_again(
        self, caller: Caller
    ) -> None:
        async with backends(2) as (first, second):
            await caller.register(first.address, second.address)
            await caller.reaches(first, second)
            first.kill()
            await caller.state_becomes(first.address, "EJECTED")
            assert set(await caller.picks(4, strategy="ROUND_ROBIN")) == {second.address}
            await first.start()
            await caller.state_becomes(first.address, "READY")
            first.kill()
            second.kill()
            await caller.state_becomes(first.address, "EJECTED")
            await caller.state_becomes(second.address, "EJECTED")
            code, words = await refusal(caller.pick())
            assert code is UNAVAILABLE
            assert "nobody is alive: 2 ejected" in words
