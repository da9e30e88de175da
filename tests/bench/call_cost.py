"""What does a pick cost a Python caller, beside an empty call and beside the same policy in plain Python?

All sides run in turns in this process; the ratios are what counts, as the cores change their speed.
"""

import itertools
import statistics
import timeit
from collections.abc import Callable

import native
import ratios

import lbsuite

ENDPOINTS = [f"127.0.0.1:{4000 + i}" for i in range(25)]
CALLS = 100_000
ROUNDS = 9
EMPTY = "an empty METH_FASTCALL call"
# At most so many times an empty call, and at most so many ns a pick.
TIMES = {"pick_address, round_robin": 3.0}
NS = {"pick_many(10000), round_robin": 6.0}


class PlainRoundRobin:
    """Round robin in plain Python, with a lock's worth of nothing: the least that a peer can do."""

    def __init__(self) -> None:
        self._turns = itertools.cycle(ENDPOINTS)

    def pick_address(self, now: float) -> str:
        return next(self._turns)


def engine(policy: str) -> lbsuite.Engine:
    made = lbsuite.Engine(policy)
    for address in ENDPOINTS:
        made.join(address, 0.0)
    return made


def pick_and_done(subject: lbsuite.Engine) -> Callable[[float], None]:
    def call(now: float) -> None:
        subject.done(subject.pick(now), now)

    return call


def sides() -> dict[str, tuple[Callable[[float], object], int]]:
    """Each side's call and how many picks it makes."""
    robin = engine("round_robin")
    return {
        EMPTY: (native.extension("empty_call").empty, 1),
        "plain Python, round_robin": (PlainRoundRobin().pick_address, 1),
        "pick_address, round_robin": (robin.pick_address, 1),
        "pick_address, two_choices": (engine("two_choices").pick_address, 1),
        "pick_address, least_load of 25": (engine("least_load:choices=all").pick_address, 1),
        "pick + done, round_robin": (pick_and_done(engine("round_robin")), 1),
        "pick_many(10000), round_robin": (lambda now: robin.pick_many(10_000, now), 10_000),
    }


def main() -> None:
    table = sides()
    costs: dict[str, list[float]] = {name: [] for name in table}
    for call, _ in table.values():
        call(0.1)  # the first makes what the others find
    for _ in range(ROUNDS):
        for name, (call, picks) in table.items():
            calls = max(1, CALLS // picks)
            seconds = timeit.timeit("call(0.1)", globals={"call": call}, number=calls)
            costs[name].append(1e9 * seconds / (calls * picks))
    print(f"{'':32} {'ns a pick':28} times an empty call")
    for name, found in costs.items():
        times = ratios.over(found, costs[EMPTY])
        print(f"{name:32} {ratios.spread(found, 1):28} {ratios.spread(times)}")
    for name, bar in TIMES.items():
        ratio = statistics.median(ratios.over(costs[name], costs[EMPTY]))
        print(f"{name}: {ratio:.2f} times an empty call, {ratios.verdict(ratio, bar)}")
    for name, bar in NS.items():
        ns = statistics.median(costs[name])
        print(f"{name}: {ns:.2f} ns a pick, {ratios.verdict(ns, bar)}")


if __name__ == "__main__":
    main()
