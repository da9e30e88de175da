"""What lies in examples/ runs as it is told to, as processes of its own."""

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from lbsuite.fleet import Fleet
from lbsuite.fleet.process import Lbsuite
from lbsuite.xds import bootstrap
from scripts import Script

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
PROGRAMS = sorted(EXAMPLES.glob("*.py"))
DEADLINE_S = 60.0
PRIMES = "25997 primes below 300000"


@asynccontextmanager
async def services(count: int) -> AsyncIterator[tuple[Lbsuite, list[Script]]]:
    """A balancer that tells xDS clients too, and so many of the user's services, which have joined."""
    started = []
    async with Fleet() as fleet:
        balancer = await fleet.start_lb(xds="127.0.0.1:0")
        started = [Script(EXAMPLES / "primes_service.py", balancer.address) for _ in range(count)]
        try:
            await asyncio.gather(*(service.start() for service in started))
            yield balancer, started
        finally:
            await asyncio.gather(*(service.kill() for service in started))


async def said(program: str, *words: str, **environment: str) -> str:
    """What an example prints; it has to end well."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        str(EXAMPLES / program),
        *words,
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(DEADLINE_S):
            told, _ = await child.communicate()
    finally:
        if child.returncode is None:
            child.kill()
    assert child.returncode == 0, told.decode()
    return told.decode()


def each_counted(told: str, count: int) -> None:
    calls = [int(number) for number in re.findall(r"^process \d+ took (\d+) of 200 calls$", told, re.MULTILINE)]
    assert told.startswith(PRIMES), told
    assert (len(calls), sum(calls)) == (count, 200), told


async def test_calls_of_a_channel_spread_over_the_services() -> None:
    async with services(2) as (balancer, _):
        each_counted(await said("primes_client.py", f"lb://{balancer.address}/primes"), 2)


async def test_calls_of_plain_grpc_spread_over_the_services_by_xds() -> None:
    async with services(2) as (balancer, _):
        told = json.dumps(bootstrap.for_grpc([str(balancer.xds)]))
        each_counted(await said("primes_xds_client.py", "xds:///primes", **{bootstrap.VARIABLE: told}), 2)


async def test_a_service_leaves_in_good_order() -> None:
    async with services(1) as (_, (service,)):
        assert await service.stop() == 0


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.name)
def test_an_example_is_read_at_a_glance(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 40


def test_there_are_a_service_its_client_and_one_of_xds() -> None:
    assert [path.stem for path in PROGRAMS] == ["primes_client", "primes_service", "primes_xds_client"]


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.name)
def test_an_example_says_how_it_is_run(path: Path) -> None:
    assert f"python examples/{path.name} " in path.read_text()
