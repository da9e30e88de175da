"""What does a death cost? A backend, the balancer and etcd are killed (-9) in turn, under load; a backend holds 1 GiB.

The peer is the lease: a balancer that waits for it names a dead backend for 2 to 3 s at the least that etcd allows.
"""

import argparse
import asyncio
import statistics
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import grpc
import grpc.aio

from lbsuite.fleet import Fleet
from lbsuite.results import RunResult
from lbsuite.wire import messages, services
from lbsuite.wire.client import ClientSettings, run

BACKENDS = 25
SLOTS = 50
"""So many that the picks made here to see who is named, which reach nobody, take none away."""
DOWN_S = 0.5
AWAY_S = 10.0


class Watcher:
    """Asks a balancer again and again, and keeps what it said and when."""

    def __init__(self, address: str) -> None:
        self._channel = grpc.aio.insecure_channel(address, [("grpc.max_reconnect_backoff_ms", 200)])
        self._pick = services.stub(self._channel, "LoadBalancer").GetBestServer
        self.named: list[tuple[float, str]] = []
        self.failed: Counter[str] = Counter()

    async def watch(self, until: Callable[[], bool]) -> None:
        while not until():
            try:
                picked = await self._pick(messages.BalanceRequest(policy="random"), timeout=1.0)
                self.named.append((time.monotonic(), picked.address))
            except grpc.aio.AioRpcError as error:
                self.failed[error.code().name] += 1
            await asyncio.sleep(0.01)

    async def close(self) -> None:
        await self._channel.close()


@asynccontextmanager
async def fleet_of(*lb_flags: str) -> AsyncIterator[Fleet]:
    async with Fleet() as fleet:
        await fleet.start_etcd()
        await fleet.start_lb(*lb_flags)
        await fleet.start_backends(BACKENDS, f"--max-concurrent={SLOTS}")
        yield fleet


async def nothing() -> None:
    pass


async def under_load(fleet: Fleet, duration_s: float, happen: Callable[[], Awaitable[None]] = nothing) -> RunResult:
    address = fleet.balancers[0].address
    settings = ClientSettings(balancers=(address,), clients=50, duration_s=duration_s, task="sleep:0.1")
    running = asyncio.create_task(run(settings))
    await asyncio.sleep(1.0)
    await happen()
    return await running


async def backends(kills: int) -> None:
    named_s: list[float] = []
    async with fleet_of() as fleet:

        async def kill_them() -> None:
            watcher = Watcher(fleet.balancers[0].address)
            for victim in fleet.backends[:kills]:
                killed_at = time.monotonic()
                await victim.kill()
                await watcher.watch(lambda at=killed_at: time.monotonic() > at + 1.5)
                last = [at for at, address in watcher.named if address == victim.address and at > killed_at]
                named_s.append(max(last, default=killed_at) - killed_at)
                await victim.start()
            await watcher.close()

        result = await under_load(fleet, 3.0 * kills, kill_them)
    _say(
        "backend killed",
        f"still named for {statistics.median(named_s):.3f} s (median), {max(named_s):.3f} s at most",
        result,
    )


async def balancer() -> None:
    back_s = 0.0
    async with fleet_of() as fleet:

        async def kill_it() -> None:
            nonlocal back_s
            everyone = {backend.address for backend in fleet.backends}
            await fleet.balancers[0].kill()
            killed_at = time.monotonic()
            await asyncio.sleep(DOWN_S)
            await fleet.balancers[0].start()
            watcher = Watcher(fleet.balancers[0].address)
            await watcher.watch(lambda: bool(watcher.named))
            back_s = watcher.named[0][0] - killed_at
            assert watcher.named[0][1] in everyone
            await watcher.close()

        result = await under_load(fleet, 8.0, kill_it)
    _say(
        "balancer killed", f"good answers again {back_s:.2f} s after the kill, {DOWN_S} s of it down on purpose", result
    )


async def etcd() -> None:
    async with fleet_of() as fleet:
        watcher = Watcher(fleet.balancers[0].address)

        async def kill_it() -> None:
            assert fleet.etcd is not None
            await fleet.etcd.kill()
            killed_at = time.monotonic()
            await watcher.watch(lambda: time.monotonic() > killed_at + AWAY_S)
            await fleet.etcd.start()
            await watcher.watch(lambda: time.monotonic() > killed_at + AWAY_S + 5)
            await watcher.close()

        result = await under_load(fleet, AWAY_S + 7, kill_it)
    _say(
        "etcd killed",
        f"away for {AWAY_S:g} s: {len(watcher.named)} picks answered, {watcher.failed.total()} not",
        result,
    )


async def memory() -> None:
    async with fleet_of("--load=memory") as fleet:
        holder = fleet.backends[0].address

        async with grpc.aio.insecure_channel(holder) as channel:
            compute = services.stub(channel, "BackendService").Compute
            holding = compute(messages.TaskRequest(task="memory:1GiB:30"), timeout=40)
            await asyncio.sleep(2.0)
            result = await under_load(fleet, 8.0)
            holding.cancel()
    shares = result.requests_per_endpoint
    others = [shares.get(backend.address, 0) for backend in fleet.backends[1:]]
    words = f"got {shares.get(holder, 0)} tasks, the others {min(others)} to {max(others)}"
    _say("a backend that holds 1 GiB, --load memory", words, result)


def _say(what: str, words: str, result: RunResult) -> None:
    lost = (
        f"{result.lost} lost, {result.wrong} wrong of {result.requests}, {result.attempts_per_task:.3f} attempts each"
    )
    print(f"{what}: {words}; {lost}, slowest {result.latency_ms()['max']:.0f} ms", flush=True)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=10, help="of backends (%(default)s)")
    args = parser.parse_args()
    await backends(args.kills)
    await balancer()
    await etcd()
    await memory()


if __name__ == "__main__":
    asyncio.run(main())
