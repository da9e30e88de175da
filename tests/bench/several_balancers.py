"""How much worse do callers fare, and how uneven is the load, with balancers that do not see each other's picks?

25 backends that take 10 tasks each, and 100 callers, with 1, 3 and 10 balancers. The peer of each policy is itself with
one balancer. In virtual time, over the engines that balancers run, so the machine does not matter; `--real` runs the
same fleet as processes, with tasks that sleep, in turns.

The spread is the standard deviation of the tasks per backend over their mean, in runs of 1,000 tasks: 30 s of 60 ms
tasks on two cores, 40 a backend.
"""

import argparse
import asyncio
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import ratios
from several_fleet import Fleet, Outcome, Scene

import lbsuite.fleet
from lbsuite.results import RunResult
from lbsuite.wire.client import ClientSettings, run

POLICIES = ("least_load:choices=all", "least_load:choices=auto", "two_choices", "lsq", "round_robin")
BALANCERS = (1, 3, 10)
DEFAULT = "least_load:choices=auto"
REFUSED, SPREAD = 2.0, 15.0
"""Percent, at most, with 3 balancers and the default."""
BATCH = 1000
SCENES = {
    "tasks that sleep 60 ms, all 10 of a backend at once": {"slots": 10, "steady": True},
    "tasks that compute 60 ms, one at a time, others wait there": {"slots": 1, "steady": True},
    "tasks of 60 ms in the mean (exponential), one at a time, arriving at 80 % of capacity": {
        "slots": 1,
        "steady": False,
        "load": 0.8,
    },
}
COLUMNS = ("refused %", "spread %", "p50 ms", "p99 ms", "p999 ms")
DIGITS = (2, 2, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Figures:
    refused: float
    spread: float
    times_ms: tuple[float, ...]

    @property
    def row(self) -> tuple[float, ...]:
        return (self.refused, self.spread, *self.times_ms)


def spread(counts: Sequence[int]) -> float:
    """In percent of the mean."""
    return 100 * statistics.pstdev(counts) / statistics.fmean(counts)


def virtual(scene: Scene) -> Figures:
    outcome = Fleet(scene).run()
    times = sorted(outcome.times_s[scene.tasks // 10 :])
    quantiles = (1000 * times[int(share * len(times))] for share in (0.5, 0.99, 0.999))
    return Figures(100 * outcome.refused / outcome.picks, _batch_spread(outcome, scene), tuple(quantiles))


def _batch_spread(outcome: Outcome, scene: Scene) -> float:
    batches = [outcome.served[at : at + BATCH] for at in range(BATCH, scene.tasks - BATCH + 1, BATCH)]
    return statistics.fmean(spread([batch.count(each) for each in range(scene.endpoints)]) for batch in batches)


async def real(policy: str, balancers: int, seconds: float, sleep_s: float) -> Figures:
    """One run of processes: each balancer is asked first by its share of the callers."""
    async with lbsuite.fleet.Fleet() as fleet:
        await fleet.start_etcd()
        await asyncio.gather(*(fleet.start_lb() for _ in range(balancers)))
        await fleet.start_backends(25)
        addresses = tuple(balancer.address for balancer in fleet.balancers)
        runs = [
            ClientSettings(
                balancers=(*addresses[at:], *addresses[:at]),
                strategy=policy,
                task=f"sleep:{sleep_s}",
                clients=100 // balancers + (at < 100 % balancers),
                duration_s=seconds,
            )
            for at in range(balancers)
        ]
        result = RunResult()
        for part in await asyncio.gather(*map(run, runs)):
            result.merge(part)
    times = result.latency_ms()
    refused = 100 * (result.refused + result.waits) / (result.attempts + result.waits)
    return Figures(
        refused, spread(list(result.requests_per_endpoint.values())), (times["p50"], times["p99"], times["p999"])
    )


def show(policy: str, balancers: int, rounds: Sequence[Figures]) -> None:
    columns = zip(*(each.row for each in rounds), strict=True)
    told = [ratios.spread(column, digits) for column, digits in zip(columns, DIGITS, strict=True)]
    bars = ""
    if (policy, balancers) == (DEFAULT, 3):
        worst = [max(each.refused for each in rounds), max(each.spread for each in rounds)]
        bars = f"  refused {ratios.verdict(worst[0], REFUSED)}, spread {ratios.verdict(worst[1], SPREAD)}"
    print(f"{policy:24} {balancers:9}  " + " ".join(f"{column:>23}" for column in told) + bars, flush=True)


def head(title: str) -> None:
    print(f"\n{title}\n{'policy':24} balancers  " + " ".join(f"{column:>23}" for column in COLUMNS), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--policies", nargs="+", default=POLICIES)
    parser.add_argument("--balancers", nargs="+", type=int, default=BALANCERS)
    parser.add_argument("--tasks", type=int, default=10_000, help="a run in virtual time (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--real", action="store_true", help="processes instead of virtual time")
    parser.add_argument("--seconds", type=float, default=5.0, help="a run of processes (%(default)s)")
    parser.add_argument("--sleep-s", type=float, default=0.5, help="what their tasks take (%(default)s)")
    args = parser.parse_args()
    cells = [(policy, balancers) for policy in args.policies for balancers in args.balancers]
    seeds = range(1, args.rounds + 1)
    if args.real:
        head(f"processes, tasks that sleep {args.sleep_s:g} s, {args.seconds:g} s a run")
        for cell in cells:
            show(*cell, [asyncio.run(real(*cell, args.seconds, args.sleep_s)) for _ in seeds])
        return
    for title, kind in SCENES.items():
        head(f"{title}: median (least to most) of {args.rounds} runs of {args.tasks} tasks")
        for cell in cells:
            show(*cell, [virtual(Scene(*cell, tasks=args.tasks, seed=seed, **kind)) for seed in seeds])


if __name__ == "__main__":
    main()
