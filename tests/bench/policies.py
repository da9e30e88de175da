"""What does a pick and its end cost under every policy, beside an uncontended atomic add and back?

One thread. A round measures everything once, in one process.
"""

import argparse
import statistics
from collections import defaultdict

import native
import ratios

PEER = "atomic_add_and_back"
# Of what, over what: at most so many times as dear.
BARS = {("two_choices/25", PEER): 4.0, ("least_load:choices=all/1000", "two_choices/1000"): 6.0}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    program = native.build("policies")
    found: dict[str, list[float]] = defaultdict(list)
    for _ in range(args.rounds):
        for what, ns in native.figures(program).items():
            found[what].append(ns)
    print("a pick and its end, ns, by policy/endpoints; and over an uncontended atomic add and back")
    for what, values in found.items():
        print(f"{what:32} {ratios.spread(values, 1):28} {ratios.spread(ratios.over(values, found[PEER]), 1)}")
    for (what, peer), bar in BARS.items():
        times = ratios.over(found[what], found[peer])
        print(f"{what} over {peer}: {ratios.spread(times)}, {ratios.verdict(statistics.median(times), bar)}")


if __name__ == "__main__":
    main()
