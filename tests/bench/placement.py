"""What does a placement cost: a look-up, a failure, a replay?

Beside numpy's take on the same table and an empty METH_FASTCALL call. All sides run in turns; the C++ program once a
round.
"""

import argparse
import statistics
import timeit
from collections import defaultdict
from collections.abc import Callable

import native
import numpy as np
import ratios

import lbsuite

OBJECTS = np.random.default_rng(1).integers(0, 4096, 10_000)
SOME = OBJECTS[:1000].tolist()
EMPTY, TAKE = "an empty METH_FASTCALL call", "numpy take"
# At most so many ns, in C++; "replay/100": of one event, so that 1.5 million fit into a second.
NS = {"owner": 0.5, "failure/5": 4000, "failure/100": 2000, "failure/1000": 3000}
NS |= {"weighted_failure/1000": 40_000, "replay/100": 667}


def sides() -> dict[str, tuple[Callable[[], object], int]]:
    """Each side's call, and how many objects it looks up."""
    placer = lbsuite.Placer()
    placer.apply(1, {f"10.1.0.{i}": 1 for i in range(1, 101)})
    table, empty = placer.table.copy(), native.extension("empty_call").empty
    return {
        EMPTY: (lambda: [empty(o) for o in SOME], len(SOME)),
        "owner(object)": (lambda: [placer.owner(o) for o in SOME], len(SOME)),
        TAKE: (lambda: table.take(OBJECTS), len(OBJECTS)),
        "owners(ndarray)": (lambda: placer.owners(OBJECTS), len(OBJECTS)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    args = parser.parse_args()
    program, table = native.build("placement"), sides()
    found: dict[str, list[float]] = defaultdict(list)
    for _ in range(args.rounds):
        for what, ns in native.figures(program).items():
            found[what].append(ns)
        for what, (call, objects) in table.items():
            found[what].append(1e9 * min(timeit.repeat(call, number=1, repeat=30)) / objects)
    print(f"{'ns':32} {'median (range)':34}")
    for what, values in found.items():
        bar = f"  {ratios.verdict(statistics.median(values), NS[what])}" if what in NS else ""
        print(f"{what:32} {ratios.spread(values):34}{bar}")
    once = ratios.over(found["owner(object)"], found[EMPTY])
    many = ratios.over(found[TAKE], found["owners(ndarray)"])
    print(f"owner(object) over {EMPTY}: {ratios.spread(once)}, {ratios.verdict(statistics.median(once), 3)}")
    fast = ratios.verdict(statistics.median(many), 1, at_least=True)
    print(f"{TAKE} over owners(ndarray): {ratios.spread(many)}, {fast}")


if __name__ == "__main__":
    main()
