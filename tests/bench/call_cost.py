"""What does a pick cost a Python caller, beside an empty call and beside the same policy in plain Python?

All sides run in turns in this process; the ratios are what counts, as the cores change their speed.
"""

import itertools
import statistics
import timeit
from collections.abc import Callable

import lbsuite

ENDPOINTS = [f"127.0.0.1:{4000 + i}" for i in range(25)]
CALLS = 100_000
ROUNDS = 9


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
        "an empty built-in call": (abs, 1),
        "plain Python, round_robin": (PlainRoundRobin().pick_address, 1),
        "pick_address, round_robin": (robin.pick_address, 1),
        "pick_address, two_choices": (engine("two_choices").pick_address, 1),
        "pick_address, least_load of 25": (engine("least_load:choices=all").pick_address, 1),
        "pick + done, round_robin": (pick_and_done(engine("round_robin")), 1),
        "pick_many(1000), round_robin": (lambda now: robin.pick_many(1000, now), 1000),
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
    empty = costs["an empty built-in call"]
    print(f"{'':32} {'ns a pick':>10} {'times an empty call (range)':>30}")
    for name, found in costs.items():
        ratios = [cost / base for cost, base in zip(found, empty, strict=True)]
        times = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        print(f"{name:32} {statistics.median(found):10.1f} {times:>30}")


if __name__ == "__main__":
    main()
