"""What do callers feel of a fleet of which four are sick, where nothing is tried a second time?

One fails at once, one is ten times slower, one never answers, and one is killed and returns, again and again. An open
loop of `sleep` tasks. The peer is the same balancer without its stages (`--stage none`): each policy is run with and
without, in turns on one fleet, by a balancer that has just begun and knows nothing. Told are the shares of tasks that
failed of those sent after the first seconds, and at which of the sick.
"""

import argparse
import asyncio
import contextlib
import random
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import grpc.aio
import ratios

from lbsuite import arrivals
from lbsuite.fleet import Fleet, Lbsuite
from lbsuite.wire import messages, services
from lbsuite.wire.client import ClientSettings
from lbsuite.wire.compute_calls import Kept
from lbsuite.wire.pick_source import PickSource

POLICIES = ("least_load", "two_choices", "peak_ewma")
UP_S = 30.0
"""How long a balancer that has just begun may take until it knows every backend."""
ALIVE_S, AWAY_S = 2.0, 1.0
"""The backend that flaps serves so long, and is away so long beyond its own start."""
BAR = 0.5
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Scene:
    """backends: how many there are, the four sick ones among them. after_s: what is sent earlier is not counted."""

    backends: int = 25
    rate: float = 200.0
    sleep_s: float = 0.1
    slowdown: int = 10
    timeout_s: float = 3.0
    seconds: float = 30.0
    after_s: float = 2.0
    hole: str = "black_hole"


@dataclass(slots=True)
class Failures:
    """sent: tasks sent after the first seconds. at: how many of them failed at whom, and how, by the second."""

    sent: int = 0
    at: Counter[tuple[str, str]] = field(default_factory=Counter)
    seconds: dict[str, list[float]] = field(default_factory=dict)

    @property
    def percent(self) -> float:
        return 100 * self.at.total() / max(self.sent, 1)


class Sick(Lbsuite):
    """A process of `sick_backend.py`."""

    def __init__(self, fault: str, balancer: str) -> None:
        super().__init__("backend", ("--fault", fault, "--lb", balancer))

    def _argv(self) -> Sequence[str]:
        return (sys.executable, str(Path(__file__).with_name("sick_backend.py")), "--listen", self.address, *self.flags)


class Callers:
    """An open loop in which nothing is tried again."""

    def __init__(self, scene: Scene, balancer: str, policy: str, names: dict[str, str]) -> None:
        self._scene, self._names = scene, names
        self._task = f"sleep:{scene.sleep_s}"
        self._request = ClientSettings(balancers=(balancer,), strategy=policy).request(self._task)
        self._source = PickSource((balancer,))
        self._calls = Kept()
        self.failures = Failures()

    async def run(self) -> Failures:
        await self._source.reach(UP_S)
        began_s = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            for at_s in arrivals.KINDS["poisson"](self._scene.rate, random.Random(1)):
                if at_s >= self._scene.seconds:
                    break
                await asyncio.sleep(max(began_s + at_s - time.monotonic(), 0))
                tasks.create_task(self._call(at_s))
        await self._calls.close()
        await self._source.close()
        return self.failures

    async def _call(self, at_s: float) -> None:
        who, how = "balancer", ""
        try:
            pick = await self._source.ask(self._request, self._scene.timeout_s)
            who = self._names.get(pick.address, "well")
            await self._compute(pick)
        except grpc.aio.AioRpcError as error:
            how = error.code().name
        if at_s < self._scene.after_s:
            return
        self.failures.sent += 1
        if how:
            self.failures.at[who, how] += 1
            self.failures.seconds.setdefault(who, []).append(at_s)

    async def _compute(self, pick: messages.ServerInfo) -> None:
        task = messages.TaskRequest(task=self._task)
        metadata = ((services.PICK_METADATA, str(pick.token)),)
        async with self._calls.to(pick.address) as compute:
            await compute(task, timeout=self._scene.timeout_s, metadata=metadata)


@contextlib.asynccontextmanager
async def sick_fleet(scene: Scene) -> AsyncIterator[tuple[Fleet, dict[str, str]]]:
    """A fleet and the names of its sick ones, by address; the last of its backends is the one to kill."""
    async with Fleet() as fleet:
        balancer = await fleet.start_lb()
        names = {}
        for fault in ("failing", scene.hole):
            fleet.backends.append(sick := Sick(fault, balancer.address))
            await sick.start()
            names[sick.address] = fault
        names[(await fleet.start_backend(f"--slowdown={scene.slowdown}")).address] = "slow"
        await fleet.start_backends(scene.backends - len(names))
        names[fleet.backends[-1].address] = "flapping"
        yield fleet, names


async def flap(backend: Lbsuite) -> None:
    while True:
        await asyncio.sleep(ALIVE_S)
        await backend.kill()
        await asyncio.sleep(AWAY_S)
        await backend.start()


async def turn(scene: Scene, fleet: Fleet, names: dict[str, str], policy: str, stages: Sequence[str]) -> Failures:
    """One run, by a balancer that begins with it."""
    balancer, flapping = fleet.balancers[0], fleet.backends[-1]
    balancer.flags = ("--service", fleet.service, "--no-etcd", *(f"--stage={stage}" for stage in stages))
    if not flapping.running:
        await flapping.start()
    await balancer.restart()
    await _all_known(balancer.address, scene.backends)
    flaps = asyncio.create_task(flap(flapping))
    try:
        return await Callers(scene, balancer.address, policy, names).run()
    finally:
        flaps.cancel()
        await asyncio.gather(flaps, return_exceptions=True)


async def _all_known(balancer: str, count: int) -> None:
    source = PickSource((balancer,))
    async with asyncio.timeout(UP_S):
        await source.reach(UP_S)
        while len(await source.endpoints("", UP_S)) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    await source.close()


async def measure(scene: Scene, policies: Sequence[str], stages: Sequence[str], rounds: int, *, seconds: bool) -> None:
    sides = {"with the stages": stages, "without": ("none",)}
    found: dict[tuple[str, str], list[float]] = {(policy, side): [] for policy in policies for side in sides}
    print(scene)
    async with sick_fleet(scene) as (fleet, names):
        for _ in range(rounds):
            for policy, side in found:
                failures = await turn(scene, fleet, names, policy, sides[side])
                found[policy, side].append(failures.percent)
                _show(policy, side, failures, seconds=seconds)
    print(f"\nfailed, of 100 tasks sent after {scene.after_s:g} s")
    for (policy, side), percents in found.items():
        bar = f" {ratios.verdict(max(percents), BAR)}" if side != "without" else ""
        print(f"{policy:12} {side:16} {ratios.spread(percents, 3)}{bar}", flush=True)


def _show(policy: str, side: str, failures: Failures, *, seconds: bool) -> None:
    at = ", ".join(f"{count} {how} at {who}" for (who, how), count in failures.at.most_common())
    print(f"{policy:12} {side:16} {failures.percent:7.3f} % of {failures.sent}: {at or 'none'}", flush=True)
    for who, times in failures.seconds.items() if seconds else ():
        shown = " ".join(f"{at_s:.1f}" for at_s in times[:SHOWN])
        print(f"    {who} at second {shown}{' ...' if len(times) > SHOWN else ''}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backends", type=int, default=25)
    parser.add_argument("--rate", type=float, default=200.0, help="tasks a second (%(default)s)")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--policies", nargs="+", default=POLICIES)
    parser.add_argument("--stages", nargs="+", default=(), help="instead of the balancer's default ones")
    parser.add_argument("--hole", choices=("black_hole", "silent"), default="black_hole")
    parser.add_argument("--show-seconds", action="store_true", help="when each task that failed was sent")
    args = parser.parse_args()
    scene = Scene(backends=args.backends, rate=args.rate, seconds=args.seconds, hole=args.hole)
    asyncio.run(measure(scene, args.policies, args.stages, args.rounds, seconds=args.show_seconds))


if __name__ == "__main__":
    main()
