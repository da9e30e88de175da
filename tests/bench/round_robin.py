"""What does a round_robin pick of 25 endpoints cost, on each kind of roster, beside three pickers in Go?

Wall time over all threads. For each number of threads, the Go program and ours run in turns; without Go, ours only.
"""

import argparse
import statistics
from collections import defaultdict
from pathlib import Path

import native
import ratios

OURS = ("snapshot", "snapshot,many")
# At least so many times as fast as the best of Go's, by the number of threads.
BARS = {1: 4.0, 2: 10.0, 64: 15.0}
Rows = dict[str, list[float]]


def measure(ours: Path, go: Path | None, threads: int, rounds: int) -> tuple[Rows, Rows]:
    """Nanoseconds a pick, of ours and of Go's, a value a round."""
    found: Rows = defaultdict(list)
    peers: Rows = defaultdict(list)
    for _ in range(rounds):
        for program, rows in ((go, peers), (ours, found)):
            if program is not None:
                for name, ns in native.figures(program, str(threads)).items():
                    rows[name].append(ns)
    return found, peers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    ours, go = native.build("round_robin"), native.build_go("go_round_robin")
    print("round_robin of 25 endpoints: ns a pick, wall time over all threads")
    for threads, bar in BARS.items():
        found, peers = measure(ours, go, threads, args.rounds)
        for who, rows in (("Go", peers), ("lbsuite", found)):
            for name, values in rows.items():
                print(f"{threads:3} threads  {who:8} {name:16} {ratios.spread(values)}")
        if peers:
            best = [min(each) for each in zip(*peers.values(), strict=True)]
            for name in OURS:
                times = ratios.over(best, found[name])
                stands = ratios.verdict(statistics.median(times), bar, at_least=True)
                print(f"{threads:3} threads  best of Go over {name}: {ratios.spread(times)}, {stands}", flush=True)


if __name__ == "__main__":
    main()
