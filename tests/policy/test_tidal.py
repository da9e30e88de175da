from collections import Counter
from collections.abc import Sequence

import pytest

from contracts import ADDRESSES
from lbsuite import _core


def loaded(loads: Sequence[int], pickers: int, weights: Sequence[int] | None = None, policy: str = "tidal"):
    engine = _core.Engine(policy, seed=11)
    for address, tasks, weight in zip(ADDRESSES, loads, weights or [1] * len(loads), strict=False):
        engine.join(address, 0.0, weight=weight)
        engine.report(address, 0.0, tasks=tasks)
    engine.pickers(pickers, 0.0)
    return engine


def shares(engine: _core.Engine, picks: int = 20_000) -> list[float]:
    counts = Counter(engine.pick_address(1.0) for _ in range(picks))
    return [counts[e.address] / picks for e in engine.endpoints(1.0)]


# By hand: the water level L for a = pickers, then (L - q - 1/k) / (a - 1) for the k below it.
@pytest.mark.parametrize(
    ("loads", "pickers", "expected"),
    [
        ([0, 0, 0, 0], 8, [0.25, 0.25, 0.25, 0.25]),
        ([0, 9], 3, [1, 0]),  # L = 3
        ([0, 1, 4], 5, [3 / 4 - 1 / 8, 2 / 4 - 1 / 8, 0]),  # L = 3: (3 - 1/2) / 4, (2 - 1/2) / 4
        ([0, 2, 2], 5, [(3 - 1 / 3) / 4, (1 - 1 / 3) / 4, (1 - 1 / 3) / 4]),  # L = 3
        ([5, 3, 4], 1, [0, 1, 0]),  # one picker: the least loaded
    ],
)
def test_the_water_is_filled_as_in_the_paper(loads: list[int], pickers: int, expected: list[float]) -> None:
    assert shares(loaded(loads, pickers)) == pytest.approx(expected, abs=0.012)


def test_the_water_stands_by_weight() -> None:
    # L = 2: weights 1 and 3 take 2 and 6 of 8; 1/k is 1/2 + w (2 - 2) / 8 = 1/2.
    assert shares(loaded([0, 0], 8, [1, 3])) == pytest.approx([1.5 / 7, 5.5 / 7], abs=0.012)


def excess(policy: str, pickers: int) -> int:
    """By how much loads are less even than could be, by the sums of their squares, after some rounds in which pickers
    see the same loads and not each other's picks."""
    total = 0
    for round_ in range(60):
        loads = [4 * ((7 * i + round_) % 5) for i in range(10)]
        best = list(loads)
        engine = loaded(loads, pickers, policy=policy)
        for _ in range(round_):
            engine.pick_address(1.0)  # another place in the stream of random numbers
        for _ in range(pickers):
            loads[ADDRESSES.index(engine.pick_address(1.0))] += 1
            best[best.index(min(best))] += 1
        total += sum(load**2 for load in loads) - sum(load**2 for load in best)
    return total


def test_many_pickers_that_see_the_same_do_not_herd() -> None:
    tidal = excess("tidal", 40)
    assert tidal < 0.5 * excess("two_choices", 40)
    assert tidal < 0.2 * excess("least_load:choices=all", 40)
