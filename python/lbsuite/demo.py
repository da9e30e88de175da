"""The demonstration: `python -m lbsuite.demo`, or `make demo`. Real etcd, a balancer, 25 backends, two tables.

The first asks what each strategy makes of callers who each wait for their task; the second what a caller who does not
wait sees when one backend is ten times slower. Exit status 1 if a task was lost.
"""

import argparse
import asyncio
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lbsuite.errors import LbsuiteError
from lbsuite.fleet import Fleet, etcd_binary
from lbsuite.results import RunResult
from lbsuite.wire.client import ClientSettings, run

STRATEGIES = ("pick_first", "round_robin", "least_load")
SLOTS = 10
SLOWDOWN = 10


@dataclass(frozen=True, slots=True)
class Scene:
    """How large the demonstration is."""

    backends: int = 25
    clients: int = 100
    seconds: float = 10.0
    fibonacci_n: int = 32
    sleep_s: float = 0.5
    share_of_capacity: float = 0.7

    @property
    def rate(self) -> float:
        """Tasks a second that take the share of what all backends can do, one of them slow."""
        return self.share_of_capacity * (self.backends - 1 + 1 / SLOWDOWN) * SLOTS / self.sleep_s


async def play(scene: Scene) -> bool:
    """Shows both tables; True if no task was lost. Raises EtcdMissing or StartFailed."""
    async with Fleet() as fleet:
        _say(f"starting {etcd_binary()}, a balancer and {scene.backends} backends")
        await fleet.start_etcd()
        balancer = await fleet.start_lb()
        await fleet.start_backends(scene.backends)
        _say(f"{scene.clients} callers, each waits for its task (fib:{scene.fibonacci_n}); {scene.seconds:g} s each")
        load = {"clients": scene.clients, "task": f"fib:{scene.fibonacci_n}"}
        closed = await _each_strategy(balancer.address, scene, **load)
        print(_table(_CLOSED, (_closed_row(strategy, result) for strategy, result in closed)))
    async with Fleet() as fleet:
        await fleet.start_etcd()
        balancer = await fleet.start_lb()
        slow = await fleet.start_backend(f"--slowdown={SLOWDOWN}")
        await fleet.start_backends(scene.backends - 1)
        _say(
            f"{scene.rate:.0f} tasks/s (sleep:{scene.sleep_s:g}), {scene.share_of_capacity:.0%} of capacity, whoever "
            f"is busy; {slow.address} is {SLOWDOWN} times slower, its fair share {1 / scene.backends:.1%}"
        )
        opened = await _each_strategy(balancer.address, scene, rate=scene.rate, task=f"sleep:{scene.sleep_s}")
        print(_table(_OPEN, (_open_row(strategy, result, slow.address) for strategy, result in opened)))
    return not any(result.lost or result.wrong for _, result in closed + opened)


async def _each_strategy(balancer: str, scene: Scene, **load: Any) -> list[tuple[str, RunResult]]:
    settings = ClientSettings(balancers=(balancer,), duration_s=scene.seconds, **load)
    return [(strategy, await run(replace(settings, strategy=strategy))) for strategy in STRATEGIES]


_CLOSED = ("strategy", "tasks", "tasks/s", "mean ms", "p50 ms", "p99 ms", "busiest", "idlest", "Jain", "lost")
_OPEN = ("strategy", "tasks", "p50 ms", "p99 ms", "max ms", "slow one's share", "lost")


def _closed_row(strategy: str, result: RunResult) -> Sequence[object]:
    latency, counts = result.latency_ms(), result.requests_per_endpoint.values()
    times = (f"{latency[name]:.0f}" for name in ("mean", "p50", "p99"))
    shares = (f"{share / result.requests:.1%}" if result.requests else "-" for share in (max(counts), min(counts)))
    return strategy, result.requests, f"{result.throughput_rps:.1f}", *times, *shares, f"{result.jain:.3f}", result.lost


def _open_row(strategy: str, result: RunResult, slow: str) -> Sequence[object]:
    times = (f"{result.latency_ms()[name]:.0f}" for name in ("p50", "p99", "max"))
    share = result.requests_per_endpoint.get(slow, 0) / result.requests if result.requests else 0.0
    return strategy, result.requests, *times, f"{share:.2%}", result.lost


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    cells = [list(head), *([str(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in cells)


def _say(words: str) -> None:
    print(f"\n{words}", flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the demonstration and returns its exit status."""
    parser = argparse.ArgumentParser(prog="lbsuite.demo", description=__doc__)
    parser.add_argument("--backends", type=int, default=25, help="(%(default)s)")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each strategy (%(default)s)")
    args = parser.parse_args(argv)
    try:
        return 0 if asyncio.run(play(Scene(backends=args.backends, seconds=args.seconds))) else 1
    except LbsuiteError as error:
        print(f"lbsuite.demo: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
