"""What does a Fibonacci number cost: by the plain recursion, beside Go, and of any size, beside GMP's own mpz_fib_ui?

CPU time. The recursion is that of the installed core, and runs in turns with the Go program, where Go is present; the
numbers of any size are the C++ program's, where GMP is present.
"""

import argparse
import statistics
from collections import defaultdict
from pathlib import Path

import native
import ratios

from lbsuite import _core

RECURSIVE = (35, 38)
BIG = (100_000, 1_000_000, 10_000_000)
# Go's CPU time over ours, at least; ours over that of mpz_fib_ui, at most.
FASTER, SLOWER = 1.7, 1.1


def recursive_s(n: int) -> float:
    began_s = _core.thread_cpu_s()
    _core.fibonacci_recursive(n, _core.Cancel())
    return _core.thread_cpu_s() - began_s


def recursion(go: Path | None, rounds: int) -> None:
    for n in RECURSIVE:
        ours, theirs = [], []
        for _ in range(rounds):
            ours.append(1e3 * recursive_s(n))
            if go is not None:
                theirs.extend(1e3 * s for s in native.figures(go, str(n)).values())
        print(f"recursive F({n})  lbsuite {ratios.spread(ours, 1):28} ms", flush=True)
        if theirs:
            times = ratios.over(theirs, ours)
            stands = ratios.verdict(statistics.median(times), FASTER, at_least=True)
            print(f"recursive F({n})  Go      {ratios.spread(theirs, 1):28} ms")
            print(f"recursive F({n})  Go over lbsuite: {ratios.spread(times)}, {stands}", flush=True)


def any_size(rounds: int) -> None:
    program = native.build("fibonacci")
    found = defaultdict(list)
    for _ in range(rounds):
        for name, s in native.figures(program).items():
            found[name].append(1e3 * s)
    for n in BIG:
        ours, theirs = found[f"lbsuite/{n}"], found[f"mpz_fib_ui/{n}"]
        times = ratios.over(ours, theirs)
        print(f"F({n})  lbsuite {ratios.spread(ours, 3)} ms, mpz_fib_ui {ratios.spread(theirs, 3)} ms")
        stands = ratios.verdict(statistics.median(times), SLOWER)
        print(f"F({n})  lbsuite over mpz_fib_ui: {ratios.spread(times)}, {stands}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    recursion(native.build_go("go_fibonacci"), args.rounds)
    if _core.gmp_release() is not None:
        any_size(args.rounds)


if __name__ == "__main__":
    main()
