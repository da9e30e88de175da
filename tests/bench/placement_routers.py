"""What does the member of a key cost: in C++, one by one from Python, and for an array of keys?

Beside an empty METH_FASTCALL call, numpy's hash and take, and the C extension jump-consistent-hash, where that is
installed (pip install jump-consistent-hash). All sides run in turns; the C++ program runs once a round.
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

NUMBERS = np.random.default_rng(1).integers(0, 2**63, 10_000, dtype=np.uint64)
SOME = NUMBERS[:1000].tolist()
EMPTY, TAKE, EXTENSION = "an empty METH_FASTCALL call", "numpy, hash and take", "jump-consistent-hash"
SIZES = (5, 100, 1000)
# Of what, over what: at most so many times as dear; for many keys, that much the dearer of the two is the peer.
BARS = {("route, slots/100", EMPTY): 3.0, **{(f"route, jump/{n}", f"{EXTENSION}/{n}"): 1.1 for n in SIZES}}
TIMES_OF_TAKE = {"route_many, slots/100": 4.0}
NS = {"C++ slots/100": 0.7}


def each(call: Callable[[int], object]) -> Callable[[], None]:
    def run() -> None:
        for key in SOME:
            call(key)

    return run


def hash_and_take() -> Callable[[], object]:
    table = (np.arange(1 << 16) % 100).astype(np.uint16)
    factor, shift = np.uint64(0x9E3779B97F4A7C15), np.uint64(48)
    return lambda: table[(NUMBERS * factor) >> shift]


def extension(members: int) -> Callable[[], None] | None:
    try:
        import jump
    except ImportError:
        return None
    return each(lambda key, members=members: jump.hash(key, members))


def sides() -> dict[str, tuple[Callable[[], object], int]]:
    """Each side's call, and how many keys it routes."""
    table: dict[str, tuple[Callable[[], object], int]] = {
        EMPTY: (each(native.extension("empty_call").empty), len(SOME)),
        TAKE: (hash_and_take(), len(NUMBERS)),
    }
    for members in SIZES:
        names = [f"10.0.0.{i}" for i in range(members)]
        for kind in lbsuite.router_kinds():
            router = lbsuite.KeyRouter(kind, names)
            table[f"route, {kind}/{members}"] = each(router.route), len(SOME)
            table[f"route_many, {kind}/{members}"] = lambda router=router: router.route_many(NUMBERS), len(NUMBERS)
        if (peer := extension(members)) is not None:
            table[f"{EXTENSION}/{members}"] = peer, len(SOME)
    return table


def round_of(table: dict[str, tuple[Callable[[], object], int]], found: dict[str, list[float]]) -> None:
    for name, (call, keys) in table.items():
        seconds = min(timeit.repeat(call, number=1, repeat=9))
        found[name].append(1e9 * seconds / keys)
    for name, ns in native.figures(native.build("placement_routers")).items():
        found[f"C++ {name}"].append(ns)


def tell_bars(found: dict[str, list[float]]) -> None:
    for (ours, theirs), bar in BARS.items():
        if theirs in found:
            times = ratios.over(found[ours], found[theirs])
            print(f"{ours} over {theirs}: {ratios.spread(times)}, {ratios.verdict(statistics.median(times), bar)}")
    for ours, bar in TIMES_OF_TAKE.items():
        times = ratios.over(found[TAKE], found[ours])
        verdict = ratios.verdict(statistics.median(times), bar, at_least=True)
        print(f"{TAKE} over {ours}: {ratios.spread(times)}, {verdict}")
    for ours, bar in NS.items():
        print(f"{ours}: {ratios.spread(found[ours])} ns, {ratios.verdict(statistics.median(found[ours]), bar)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    table, found = sides(), defaultdict(list)
    for _ in range(args.rounds):
        round_of(table, found)
    print("ns a key, by kind/members")
    for name, values in found.items():
        print(f"{name:32} {ratios.spread(values)}")
    tell_bars(found)


if __name__ == "__main__":
    main()
