"""What reports tell of tasks ejects endpoints behind the wire, and operators read why."""

import logging
import re

import pytest

from lbsuite.wire import messages
from lbsuite.wire.balancer import BalancerSettings
from lookaside import Caller, serving

A, B = "127.0.0.1:4001", "127.0.0.1:4002"


async def tell(caller: Caller, balancer: int, address: str, failed: int, refused: int = 0) -> None:
    """So many of the balancer's picks have failed at an endpoint, since it began."""
    counts = messages.BalancerCounts(
        balancer=balancer, begun=failed, finished=failed, failed=failed, latency_us=0, refused=refused
    )
    await caller.report(address, interval_ms=60_000, begun=failed, finished=failed, by_balancer=[counts])


async def test_who_fails_five_times_in_a_row_is_ejected_and_operators_read_why(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    async with serving() as (balancer, caller):
        await caller.register(A, B)
        await tell(caller, balancer.id, A, 4)
        assert (await caller.states())[A] == "READY"
        await tell(caller, balancer.id, A, 5)
        assert (await caller.states())[A] == "EJECTED"
        assert set(await caller.picks(4, strategy="ROUND_ROBIN")) == {B}
    assert f"{A} is ejected by outlier_ejection (failures in a row) for 30 s" in caplog.messages
    assert next(record for record in caplog.records if "ejected" in record.message).levelno == logging.WARNING


async def test_refusals_and_the_failures_of_others_picks_eject_nobody() -> None:
    async with serving() as (balancer, caller):
        await caller.register(A, B)
        await tell(caller, balancer.id, A, 50, refused=46)
        await tell(caller, balancer.id ^ 1, B, 50)
        assert await caller.states() == {A: "READY", B: "READY"}


async def test_without_stages_who_fails_is_picked_on() -> None:
    async with serving(BalancerSettings(stages=())) as (balancer, caller):
        await caller.register(A, B)
        await tell(caller, balancer.id, A, 50)
        assert (await caller.states())[A] == "READY"


async def test_returns_and_panic_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    stages = ("outlier_ejection:base_s=0.1,max_share=1", "panic")
    async with serving(BalancerSettings(stages=stages)) as (balancer, caller):
        await caller.register(A, B)
        for address in (A, B):
            await tell(caller, balancer.id, address, 5)
        assert (await caller.states()) == {A: "READY", B: "READY"}
        await caller.state_becomes(A, "READY")
        await tell(caller, balancer.id, B, 6)
        await tell(caller, balancer.id, A, 6)
    told = "\n".join(caplog.messages)
    assert "too few endpoints are well: those believed sick serve too" in told
    assert re.search(rf"{B} is ejected by outlier_ejection \(.*\) for 0\.[12] s", told)
