import itertools
import random

import pytest

from lbsuite import arrivals


def gaps(kind: str, rate: float, count: int) -> list[float]:
    times = [0.0, *itertools.islice(arrivals.KINDS[kind](rate, random.Random(1)), count)]
    return [late - early for early, late in itertools.pairwise(times)]


@pytest.mark.parametrize("kind", arrivals.KINDS)
def test_arrivals_come_in_order_at_their_rate(kind: str) -> None:
    found = gaps(kind, 50.0, 20_000)
    assert min(found) >= 0
    assert sum(found) / len(found) == pytest.approx(1 / 50, rel=0.03)


def test_poisson_gaps_spread_like_exponential_ones() -> None:
    found = gaps("poisson", 1.0, 20_000)
    assert sum(gap > 1 for gap in found) / len(found) == pytest.approx(0.368, abs=0.02)
    assert sum(gap > 3 for gap in found) / len(found) == pytest.approx(0.050, abs=0.01)


def test_the_same_seed_gives_the_same_arrivals() -> None:
    assert gaps("poisson", 7.0, 100) == gaps("poisson", 7.0, 100)
