"""Sizes of mean 1, as seeds give them."""

import math
import statistics
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbsuite import _core
from oracle.numbers import Rng

COUNT = 100_000


def normal(share: float) -> float:
    return statistics.NormalDist().inv_cdf(share)


# What share of sizes is below which, by the textbook.
QUANTILES: dict[tuple[str, float], Callable[[float], float]] = {
    ("exp", 0.0): lambda share: -math.log(1 - share),
    ("lognormal", 0.5): lambda share: math.exp(0.5 * normal(share) - 0.125),
    ("lognormal", 1.0): lambda share: math.exp(normal(share) - 0.5),
    ("pareto", 1.5): lambda share: (1 - share) ** (-1 / 1.5) / 3,
    ("pareto", 3.0): lambda share: (1 - share) ** (-1 / 3) * 2 / 3,
}


@pytest.mark.parametrize(("name", "shape"), QUANTILES)
def test_sizes_are_spread_as_the_formula_says(name: str, shape: float) -> None:
    sizes = sorted(_core.draw(name, shape, 1, COUNT))
    for share in (0.01, 0.1, 0.5, 0.9, 0.99):
        below = sum(size < QUANTILES[name, shape](share) for size in sizes) / COUNT
        assert abs(below - share) < 5 * math.sqrt(share * (1 - share) / COUNT)


@pytest.mark.parametrize(("name", "shape"), [("exp", 0.0), ("lognormal", 1.0), ("pareto", 3.0)])
def test_the_mean_is_1(name: str, shape: float) -> None:
    assert statistics.fmean(_core.draw(name, shape, 1, COUNT)) == pytest.approx(1, abs=0.02)


@given(st.integers(0, 2**64 - 1))
def test_a_seed_gives_what_the_generator_of_its_specification_gives(seed: int) -> None:
    rng = Rng(seed)
    uniform = [(rng.next() >> 11) * 2.0**-53 for _ in range(3)]
    assert _core.draw("exp", 0, seed, 3) == pytest.approx([-math.log1p(-u) for u in uniform])
    assert _core.draw("pareto", 2, seed, 3) == pytest.approx([(1 - u) ** -0.5 / 2 for u in uniform])
    radius, angle = math.sqrt(-2 * math.log1p(-uniform[0])), 2 * math.pi * uniform[1]
    assert _core.draw("lognormal", 2, seed, 1) == pytest.approx([math.exp(2 * radius * math.cos(angle) - 2)])


@given(st.integers(0, 2**64 - 1), st.sampled_from([("exp", 0.0), ("lognormal", 4.0), ("pareto", 1.01)]))
def test_every_size_is_a_number_of_at_least_0(seed: int, kind: tuple[str, float]) -> None:
    assert all(0 <= size < math.inf for size in _core.draw(*kind, seed, 10))


@pytest.mark.parametrize(
    ("name", "shape"),
    [("lognormal", -1), ("lognormal", 4.1), ("lognormal", math.nan), ("pareto", 1), ("pareto", 101), ("normal", 1)],
)
def test_a_distribution_that_is_none_is_refused(name: str, shape: float) -> None:
    with pytest.raises(ValueError, match=r"sigma|alpha|no distribution 'normal'"):
        _core.draw(name, shape, 1, 1)
