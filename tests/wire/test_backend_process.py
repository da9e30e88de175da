"""A backend as a process: its first and last words, its signals, its manners under load."""

import asyncio
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

import grpc
import grpc.aio
import psutil
import pytest
from fake_balancer import DEADLINE_S, FakeBalancer

from lbsuite.errors import StartFailed
from lbsuite.fleet.process import Lbsuite
from lbsuite.wire import messages, services

CORES = os.cpu_count() or 1


@asynccontextmanager
async def process(*flags: str) -> AsyncIterator[Lbsuite]:
    backend = Lbsuite("backend", flags)
    await backend.start()
    try:
        yield backend
    finally:
        await backend.kill()


def compute(
    channel: grpc.aio.Channel, task: str
) -> "grpc.aio.UnaryUnaryCall[messages.TaskRequest, messages.TaskResponse]":
    call = services.stub(channel, "BackendService").Compute
    return call(messages.TaskRequest(task=task), timeout=DEADLINE_S)


async def test_a_running_task_finishes_after_sigterm_and_the_account_is_given() -> None:
    async with FakeBalancer() as balancer, process("--lb", balancer.address) as backend:
        assert [info.address for info in balancer.registered] == [backend.address]
        async with grpc.aio.insecure_channel(backend.address) as channel:
            assert (await compute(channel, "30")).result == "832040"
            running = compute(channel, "sleep:1")
            await balancer.until(lambda: balancer.last.load == 1)
            stopping = asyncio.create_task(backend.stop())
            assert (await running).result == "done"
        assert await stopping == 0
        assert balancer.deregistered == [backend.address]
        last = backend.stderr_tail.splitlines()[-1]
        assert re.search(r"served 2 tasks, at most 1 at once, \d+\.\d ms of CPU each, 0 refused$", last)


async def test_a_second_sigterm_kills() -> None:
    async with (
        FakeBalancer() as balancer,
        process("--lb", balancer.address) as backend,
        grpc.aio.insecure_channel(backend.address) as channel,
    ):
        running = compute(channel, "sleep:60")
        await balancer.until(lambda: balancer.last.load == 1)
        os.kill(backend.pid, signal.SIGTERM)
        await balancer.until(lambda: balancer.deregistered)
        assert await backend.stop() == -signal.SIGTERM
        running.cancel()


async def test_health_is_serving() -> None:
    async with process() as backend, grpc.aio.insecure_channel(backend.address) as channel:
        check = channel.unary_unary("/grpc.health.v1.Health/Check")
        assert await check(b"", timeout=DEADLINE_S) == b"\x08\x01"


async def test_a_taken_port_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        backend = Lbsuite("backend", listen=address)
        with pytest.raises(StartFailed):
            await backend.start()
        assert backend.exit_status == 1
        assert len(backend.stderr_tail.splitlines()) == 1
        assert address in backend.stderr_tail


@pytest.mark.parametrize(
    "flags",
    [
        ["--max-concurrent", "0"],
        ["--max-n", "94"],
        ["--drain-s", "-1"],
        ["--max-memory", "4GB"],
        ["--lb", "nowhere"],
        ["--listen", "0.0.0.0:0"],
        ["--advertise", "0.0.0.0:1"],
        ["--etcd", "http://127.0.0.1:2379"],
    ],
)
async def test_a_bad_flag_is_one_line_with_its_value(flags: list[str]) -> None:
    backend = Lbsuite("backend", flags)
    with pytest.raises(StartFailed):
        await backend.start()
    assert backend.exit_status == 2
    assert len(backend.stderr_tail.splitlines()) == 1
    assert flags[1] in backend.stderr_tail


async def test_reports_stay_within_two_intervals_while_every_core_burns() -> None:
    flags = ("--max-concurrent", str(3 * CORES), "--report-ms", "500")
    async with FakeBalancer() as balancer, process("--lb", balancer.address, *flags) as backend:
        async with grpc.aio.insecure_channel(backend.address) as channel:
            burning = [compute(channel, "45") for _ in range(3 * CORES)]
            await balancer.until(lambda: balancer.last.load == 3 * CORES)
            first = len(balancer.report_times)
            await balancer.reported(5)
            for call in burning:
                call.cancel()
            await asyncio.gather(*burning, return_exceptions=True)
        times = balancer.report_times[first - 1 : first + 5]
        assert max(after - before for before, after in pairwise(times)) <= 2 * 0.5
        assert balancer.reports[first + 4].cpu > 0.3


async def test_a_backend_starts_lean() -> None:
    """A fleet of 25 starts on two cores in seconds: what is not needed to compute a task is not imported."""
    code = "import sys, lbsuite.cli.backend; print(*sys.modules)"
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    out, _ = await asyncio.wait_for(child.communicate(), DEADLINE_S)
    heavy = {"numpy", "rich", "typer", "aiohttp", "pandas", "psutil", "lbsuite.registry.etcd", "lbsuite.wire.balancer"}
    assert not heavy & set(out.decode().split())


async def test_memory_before_the_first_task_is_what_an_idle_backend_holds() -> None:
    async with process("--max-concurrent", "4") as backend, grpc.aio.insecure_channel(backend.address) as channel:
        resident = psutil.Process(backend.pid).memory_info
        before = resident().rss
        await asyncio.gather(*(compute(channel, "20") for _ in range(4)))
        assert resident().rss - before < 4 << 20
