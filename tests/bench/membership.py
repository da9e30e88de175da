"""With 1,000 endpoints: what does a change of membership cost while a thread picks, and a pick while they change?

The peer of a pick is nothing at all, timed the same way in turns with it: what interrupts a thread interrupts both.
"""

import argparse
import statistics
from collections import defaultdict

import native
import ratios

# Microseconds at most; and of 10,000 picks, those beyond 2 us that the same count of empty pairs does not have.
CHANGE_US = 100.0
OWN_BEYOND = 1.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--changes-a-second", type=float, nargs="+", default=[100.0, 5000.0])
    parser.add_argument("--policies", nargs="+", default=["round_robin", "two_choices", "least_load:choices=all"])
    args = parser.parse_args()
    program = native.build("membership")
    rows = [(policy, rate) for rate in args.changes_a_second for policy in args.policies]
    found: dict[tuple[str, float], dict[str, list[float]]] = {row: defaultdict(list) for row in rows}
    for _ in range(args.rounds):
        for policy, rate in rows:
            for what, us in native.figures(program, policy, str(rate)).items():
                found[policy, rate][what].append(us)
    for (policy, rate), figures in found.items():
        print(f"{policy}, {rate:g} changes a second, us:")
        for what, values in figures.items():
            print(f"  {what:28} {ratios.spread(values, 3)}")
        print(f"  a change: {ratios.verdict(statistics.median(figures['change_median']), CHANGE_US)}")
        pairs = zip(figures["pick_beyond_2us_of_10000"], figures["nothing_beyond_2us_of_10000"], strict=True)
        own = [with_pick - without for with_pick, without in pairs]
        stands = ratios.verdict(statistics.median(own), OWN_BEYOND)
        print(f"  picks beyond 2 us of their own, of 10000: {ratios.spread(own)}, {stands}", flush=True)


if __name__ == "__main__":
    main()
