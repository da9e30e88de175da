"""A backend in this process: what callers of Compute get, and what its balancer is told of it."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
import pytest
from fake_balancer import DEADLINE_S, FakeBalancer

from lbsuite import _core
from lbsuite.wire import messages, services
from lbsuite.wire.backend import BackendSettings, serve
from lbsuite.wire.joining.enrolment import EnrolmentSettings

REPORT_S = 0.1
LIMIT = 4


@asynccontextmanager
async def backend(*balancers: str, drain_s: float = 10.0) -> AsyncIterator[Any]:
    """A running backend's Compute, to be called with the text of a task; `package` chooses the name it is called by."""
    enrolment = EnrolmentSettings(limit=LIMIT, balancers=balancers, report_s=REPORT_S)
    stop, address = asyncio.Event(), asyncio.get_running_loop().create_future()
    settings = BackendSettings(drain_s=drain_s, enrolment=enrolment)
    serving = asyncio.create_task(serve(settings, address.set_result, stop))
    async with grpc.aio.insecure_channel(await asyncio.wait_for(address, DEADLINE_S)) as channel:

        def compute(text: str, package: str = services.PACKAGE, timeout_s: float = DEADLINE_S, token: int = 0) -> Any:
            metadata = ((services.PICK_METADATA, str(token)),) if token else ()
            call = services.stub(channel, "BackendService", package).Compute
            return call(messages.TaskRequest(task=text), timeout=timeout_s, metadata=metadata)

        compute.stop = stop  # type: ignore[attr-defined]
        try:
            yield compute
        finally:
            stop.set()
            await asyncio.wait_for(serving, DEADLINE_S)


async def code_of(call: Any) -> grpc.StatusCode:
    with contextlib.suppress(grpc.aio.AioRpcError):
        await call
    assert await call.code() is grpc.StatusCode.OK or await call.details()
    return await call.code()


@pytest.mark.parametrize("package", [services.PACKAGE, ""])
async def test_a_task_is_computed_under_both_names(package: str) -> None:
    async with backend() as compute:
        assert (await compute("25", package)).result == "75025"
        assert (await compute("sleep:0.001", package)).result == "done"
        assert (await compute("mix:exp:0.001:cpu=0.5:memory=64KiB", package)).result == "done"


@pytest.mark.skipif(_core.gmp_release() is None, reason="built without GMP")
async def test_the_largest_number_in_decimal_arrives() -> None:
    async with backend() as compute:
        digits, _ = _core.fibonacci_digest(10_000_000, _core.Cancel())
        assert (await compute("fib_big:10000000")).result.startswith(f"digits={digits} xxh64=")
        assert len((await compute("fib_big:10000000:text")).result) == digits


async def test_bad_tasks_are_refused_and_leave_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeBalancer() as balancer, backend(balancer.address) as compute:
        bad = ["46", "-1", "text", "1" * 100_000, "1000000000", "dance:1", "memory:9999GiB:1"]
        bad += ["fib_big:10000001", "fib_big:10000001:text", f"fib_big:{'9' * 100}", "mix:exp:61", "mix:normal:1"]
        begun_at = time.monotonic()
        codes = await asyncio.gather(*(code_of(compute(task, token=5 << 32)) for task in bad))
        assert time.monotonic() - begun_at < DEADLINE_S
        assert set(codes) == {grpc.StatusCode.INVALID_ARGUMENT}
        monkeypatch.setattr(_core, "gmp_release", lambda: None)
        assert await code_of(compute("fib_big:10")) is grpc.StatusCode.UNIMPLEMENTED
        await balancer.until(lambda: balancer.last.begun == len(bad) + 1)
        assert (balancer.last.load, balancer.last.finished) == (0, 0)
        (counts,) = balancer.last.by_balancer
        assert counts.begun == counts.finished == counts.failed == len(bad)


async def test_the_limit_holds_under_fifty_calls_at_once() -> None:
    async with FakeBalancer() as balancer, backend(balancer.address) as compute:
        codes = Counter(await asyncio.gather(*(code_of(compute("sleep:0.5", token=5 << 32)) for _ in range(50))))
        assert codes == {grpc.StatusCode.OK: LIMIT, grpc.StatusCode.RESOURCE_EXHAUSTED: 50 - LIMIT}
        await balancer.until(lambda: balancer.last.finished == LIMIT)
        [counts] = balancer.last.by_balancer
        assert (counts.failed, counts.refused) == (50 - LIMIT, 50 - LIMIT)
        assert max(report.peak for report in balancer.reports) == LIMIT
        assert max(report.load for report in balancer.reports) == LIMIT
        assert all(report.available == (report.load < LIMIT) for report in balancer.reports)


async def test_who_turns_a_call_away_says_so_beside_the_status() -> None:
    async with FakeBalancer() as balancer, backend(balancer.address) as compute:
        running = [compute("sleep:60") for _ in range(LIMIT)]
        await balancer.until(lambda: balancer.last.load == LIMIT)
        assert dict(await compute("1").trailing_metadata())[services.REFUSED_METADATA] == "full"
        for call in running:
            call.cancel()
        await balancer.until(lambda: balancer.last.load == 0)
        trailing = await compute("-1").trailing_metadata()
        assert services.REFUSED_METADATA not in dict(trailing)


async def test_counts_of_every_balancer_add_up() -> None:
    async with FakeBalancer() as balancer, backend(balancer.address) as compute:
        for token in (5 << 32 | 1, 6 << 32 | 2, 5 << 32 | 3, 0):
            await compute("fib:15", token=token)
        await code_of(compute("sleep:60", timeout_s=0.05, token=6 << 32 | 4))
        await balancer.until(lambda: balancer.last.finished == 5)
        last = balancer.last
        told = {counts.balancer: (counts.begun, counts.finished, counts.failed) for counts in last.by_balancer}
        assert told == {5: (2, 2, 0), 6: (2, 2, 1)}
        assert last.begun == 5
        assert 0 < last.by_balancer[0].latency_us <= last.task_us
        assert last.busy_us <= last.task_us


@pytest.mark.parametrize("token", ["", "-1", "x", "9" * 30])
async def test_a_token_that_is_none_is_no_ones(token: str) -> None:
    async with FakeBalancer() as balancer, backend(balancer.address) as compute:
        await compute("5", token=token)
        await balancer.until(lambda: balancer.last.finished == 1)
        assert not balancer.last.by_balancer


@pytest.mark.parametrize("how", ["cancelled", "expired"])
async def test_a_task_nobody_waits_for_gives_its_slot_back(how: str) -> None:
    async with FakeBalancer() as balancer, backend(balancer.address) as compute:
        timeout_s = 0.5 if how == "expired" else 600.0
        calls = [compute("sleep:60", timeout_s=timeout_s, token=5 << 32) for _ in range(LIMIT)]
        await balancer.until(lambda: balancer.last.load == LIMIT)
        if how == "cancelled":
            for call in calls:
                call.cancel()
        await balancer.until(lambda: balancer.last.finished == LIMIT)
        assert balancer.last.load == 0
        [counts] = balancer.last.by_balancer
        assert (counts.finished, counts.failed, counts.refused) == (LIMIT, LIMIT, 0)
        assert (await compute("10")).result == "55"
        await asyncio.gather(*calls, return_exceptions=True)


async def test_running_tasks_finish_when_told_to_stop_and_new_ones_are_refused() -> None:
    async with FakeBalancer() as balancer, backend(balancer.address) as compute:
        running = asyncio.ensure_future(compute("sleep:1"))
        await balancer.until(lambda: balancer.last.load == 1)
        compute.stop.set()
        await balancer.until(lambda: balancer.deregistered)
        while await code_of(compute("1")) is grpc.StatusCode.OK:
            pass
        assert await code_of(compute("1")) is grpc.StatusCode.UNAVAILABLE
        assert (await running).result == "done"


async def test_a_task_that_outlasts_the_drain_is_stopped() -> None:
    async with FakeBalancer() as balancer, backend(balancer.address, drain_s=0.1) as compute:
        running = compute("fib:45")
        await balancer.until(lambda: balancer.last.load == 1)
        compute.stop.set()
        assert await code_of(running) is not grpc.StatusCode.OK
