"""How much of the CPU that a run takes goes into its tasks, and how much into asking, connecting and reporting?

Ours: etcd, a balancer, 25 backends and 100 closed-loop callers as processes, with a connection per task and with kept
ones. The peer, by `--peer PATH`: a Go program of the same flow in one process, without etcd. They run in turns.
"""

import argparse
import asyncio
import re
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import metering
import ratios

from lbsuite.fleet import Fleet
from lbsuite.results import RunResult

COLUMNS = ("tasks", "req/s", "task ms", "useful", "at equal CPU", "idle", "spread", "most at once", "refused")


@dataclass(frozen=True, slots=True)
class Load:
    """backends, clients: how many. task_ms: CPU of one task, about."""

    backends: int
    clients: int
    seconds: float
    strategy: str
    task_ms: float


@dataclass(frozen=True, slots=True)
class Figures:
    """at_equal_cpu: throughput as a share of what the cores could do if tasks were all there is to do.

    spread: standard deviation of the requests per endpoint over their mean. most_at_once: as the backends count.
    """

    tasks: int
    throughput_rps: float
    task_ms: float
    useful: float
    idle: float
    spread: float
    most_at_once: int
    refused: float

    @property
    def at_equal_cpu(self) -> float:
        return self.throughput_rps * self.task_ms / 1e3 / metering.CORES

    def row(self) -> Sequence[str]:
        """The figures in the order of COLUMNS."""
        shares = (self.useful, self.at_equal_cpu)
        percents = (self.idle, self.spread)
        return (
            f"{self.tasks}",
            f"{self.throughput_rps:.2f}",
            f"{self.task_ms:.2f}",
            *(f"{share:.4f}" for share in shares),
            *(f"{percent:.2%}" for percent in percents),
            f"{self.most_at_once}",
            f"{self.refused:.2%}",
        )


async def ours(load: Load, connections: str) -> Figures:
    """One run on a fleet of its own. Raises ValueError if a task was lost."""
    task = f"fib:{metering.fibonacci_near(load.task_ms)}"
    async with Fleet() as fleet:
        etcd = await fleet.start_etcd()
        await fleet.start_lb()
        await fleet.start_backends(load.backends)
        processes = [etcd, *fleet.balancers, *fleet.backends]
        fleet_cpu_s, client_cpu_s = metering.cpu_s(processes), metering.children_cpu_s()
        middle = asyncio.create_task(metering.idle_share(load.seconds / 6, load.seconds * 2 / 3))
        result = await _client(load, fleet.balancers[0].address, task, connections)
        cpu_s = metering.cpu_s(processes) - fleet_cpu_s + metering.children_cpu_s() - client_cpu_s
        idle = await middle
    if result.lost:
        raise ValueError(f"{result.lost} tasks lost: {dict(result.errors)}")
    account = metering.Account.of(fleet.backends)
    counts = list(result.requests_per_endpoint.values())
    return Figures(
        tasks=account.served,
        throughput_rps=result.throughput_rps,
        task_ms=1e3 * account.task_cpu_s / account.served,
        useful=account.task_cpu_s / cpu_s,
        idle=idle,
        spread=statistics.pstdev(counts) / statistics.fmean(counts),
        most_at_once=account.most_at_once,
        refused=account.refused / result.attempts,
    )


async def _client(load: Load, balancer: str, task: str, connections: str) -> RunResult:
    flags = {
        "--lb": balancer,
        "--task": task,
        "--clients": str(load.clients),
        "--duration": str(load.seconds),
        "--strategy": load.strategy,
        "--connections": connections,
    }
    words = [sys.executable, "-m", "lbsuite", "client", "--json", *(word for flag in flags.items() for word in flag)]
    client = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
    out, _ = await client.communicate()
    return RunResult.from_json(out.decode())


async def _said_by(path: str, load: Load, n: int, seconds: float) -> str:
    flags = {"clients": load.clients, "servers": load.backends, "duration": int(seconds), "strategy": load.strategy}
    words = [f"-{flag}={value}" for flag, value in {**flags, "fibn": n}.items()]
    program = await asyncio.create_subprocess_exec(path, *words, stdout=asyncio.subprocess.PIPE)
    out, _ = await program.communicate()
    return out.decode()


async def peer(path: str, load: Load) -> Figures:
    """One run of the peer, with the n whose task takes about as long in its own language."""
    n = metering.fibonacci_near(load.task_ms)
    trial = await _said_by(path, load, n, 2)
    while _number(r"task cpu ms +([\d.]+)", trial) > load.task_ms * 1.27:
        n -= 1
        trial = await _said_by(path, load, n, 2)
    middle = asyncio.create_task(metering.idle_share(load.seconds / 6, load.seconds * 2 / 3))
    said = await _said_by(path, load, n, load.seconds)
    counts = [int(word) for word in _found(r"per server +\[([\d ]+)\]", said).split()]
    return Figures(
        tasks=sum(counts),
        throughput_rps=_number(r"([\d.]+) \(total / wall\)", said),
        task_ms=_number(r"task cpu ms +([\d.]+)", said),
        useful=_number(r"of the cpu it got +([\d.]+)", said),
        idle=await middle,
        spread=statistics.pstdev(counts) / statistics.fmean(counts),
        most_at_once=max(int(word) for word in _found(r"peak tasks per server +\[([\d ]+)\]", said).split()),
        refused=0.0,
    )


def _found(pattern: str, said: str) -> str:
    if (match := re.search(pattern, said)) is None:
        raise ValueError(f"the peer did not say {pattern!r}: {said!r}")
    return match[1]


def _number(pattern: str, said: str) -> float:
    return float(_found(pattern, said))


async def measure(load: Load, rounds: int, kinds: Sequence[str], peer_path: str | None) -> None:
    """Runs everyone once a round and prints each run, then the medians and the ratios to the peer with their ranges."""
    found: dict[str, list[Figures]] = {kind: [] for kind in (*kinds, *(["peer"] if peer_path else []))}
    print(f"{load}, {metering.CORES} cores")
    _show("who", COLUMNS)
    for _ in range(rounds):
        for kind, figures in found.items():
            figures.append(await (peer(peer_path, load) if peer_path and kind == "peer" else ours(load, kind)))
            _show(kind, figures[-1].row())
    for kind, figures in found.items():
        for name in ("useful", "at_equal_cpu"):
            values = [getattr(one, name) for one in figures]
            print(f"{kind}: {name} {ratios.spread(values, 4)}")
            if peer_path and kind != "peer":
                times = ratios.over(values, [getattr(one, name) for one in found["peer"]])
                print(f"{kind}: {name} over the peer's {ratios.spread(times, 4)}")


def _show(who: str, cells: Sequence[str]) -> None:
    print(f"{who:9}", *(f"{cell:>12}" for cell in cells), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backends", type=int, default=25)
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--strategy", default="least_load")
    parser.add_argument("--task-ms", type=float, default=60.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", nargs="+", default=["per-task", "keep"])
    parser.add_argument("--peer", metavar="PATH", help="the Go program")
    args = parser.parse_args()
    load = Load(args.backends, args.clients, args.seconds, args.strategy, args.task_ms)
    asyncio.run(measure(load, args.rounds, args.connections, args.peer))


if __name__ == "__main__":
    main()
