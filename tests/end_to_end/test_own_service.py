"""A user's service of five replicas, each a process: what a plain channel makes of them, and what lbsuite.channel."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import grpc
import grpc.aio
from own_service import SERVICE

import lbsuite
from lbsuite.fleet import Fleet
from scripts import Script
from waiting import eventually

REPLICAS = 5
CALLERS = 30
CALLS = 3000
DEADLINE_S = 60.0
TURNS = "round_robin"
PROGRAM = Path(__file__).with_name("own_service.py")


@asynccontextmanager
async def replicas(*balancers: str) -> AsyncIterator[list[Script]]:
    """Who is appended and started ends with the others."""
    scripts = [Script(PROGRAM, *balancers) for _ in range(REPLICAS)]
    try:
        await asyncio.gather(*(script.start() for script in scripts))
        yield scripts
    finally:
        await asyncio.gather(*(script.kill() for script in scripts))


@asynccontextmanager
async def joined() -> AsyncIterator[tuple[str, list[Script]]]:
    """A balancer's address, and the replicas that have joined it."""
    async with Fleet() as fleet:
        balancer = (await fleet.start_lb()).address
        async with replicas(balancer) as scripts:
            yield balancer, scripts


class Load:
    """Callers of which each calls again when it is answered. answers: whose, in their order."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.answers: list[str] = []
        self.failures: list[str] = []
        self._work: Any = channel.unary_unary(f"/{SERVICE}/Work")
        self._ending = False

    async def more(self, count: int) -> list[str]:
        """The next so many answers."""
        begun = len(self.answers)
        await eventually(lambda: len(self.answers) >= begun + count, DEADLINE_S)
        return self.answers[begun : begun + count]

    async def _call_on(self) -> None:
        while not self._ending:
            try:
                self.answers.append((await self._work(b"", timeout=DEADLINE_S)).decode())
            except grpc.aio.AioRpcError as error:
                self.failures.append(f"{error.code().name}: {error.details()}")
                await asyncio.sleep(0.01)

    async def __aenter__(self) -> Self:
        self._callers = [asyncio.create_task(self._call_on()) for _ in range(CALLERS)]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending = True
        await asyncio.gather(*self._callers)


async def all_ready(channel: Any, count: int) -> None:
    await eventually(lambda: [each.state for each in channel.status().endpoints] == ["ready"] * count)


def each_has_its_share(answers: list[str], scripts: list[Script]) -> None:
    """Within 5 %."""
    fair = len(answers) / len(scripts)
    shares = {script.address: Counter(answers)[script.address] / fair for script in scripts}
    print(", ".join(f"{share:.3f}" for share in shares.values()), "of a fair share")
    assert not {address: share for address, share in shares.items() if not 0.95 <= share <= 1.05}


async def test_a_plain_channel_puts_every_call_on_one_and_ours_gives_each_its_share() -> None:
    async with replicas() as scripts:
        addresses = ",".join(script.address for script in scripts)
        async with grpc.aio.insecure_channel(f"ipv4:{addresses}") as plain, Load(plain) as load:
            assert len(set(await load.more(CALLS // 10))) == 1
        for policy in (TURNS, "least_load:choices=auto"):
            async with lbsuite.channel(f"static://{addresses}", policy=policy) as channel:
                await all_ready(channel, REPLICAS)
                async with Load(channel) as load:
                    each_has_its_share(await load.more(CALLS), scripts)


async def test_each_replica_that_has_joined_gets_its_share_and_so_does_one_that_joins_under_load() -> None:
    # By turns, since the cores of a busy machine give processes different speeds, which least_load takes into account.
    async with joined() as (balancer, scripts), lbsuite.channel(f"lb://{balancer}/own", policy=TURNS) as channel:
        await all_ready(channel, REPLICAS)
        async with Load(channel) as load:
            each_has_its_share(await load.more(CALLS), scripts)
            scripts.append(Script(PROGRAM, balancer))
            await scripts[-1].start()
            begun_s = time.monotonic()
            while scripts[-1].address not in await load.more(1):
                pass
            print(f"a replica that has joined is called after {time.monotonic() - begun_s:.3f} s")
            each_has_its_share(await load.more(CALLS), scripts)
        assert load.failures == []


async def test_a_replica_that_is_killed_under_load_costs_no_call() -> None:
    retry = lbsuite.Retry(idempotent=True)
    async with joined() as (balancer, scripts), lbsuite.channel(f"lb://{balancer}/own", retry=retry) as channel:
        await all_ready(channel, REPLICAS)
        async with Load(channel) as load:
            await load.more(CALLS // 2)
            await scripts[0].kill()
            assert set((await load.more(CALLS))[-CALLS // 2 :]) == {script.address for script in scripts[1:]}
        status = channel.status()
        print(f"{status.failed_first} of {status.calls} first attempts failed")
        assert load.failures == []
        assert status.failed_first <= 0.005 * status.calls
