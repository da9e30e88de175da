"""Weights from what servers tell of themselves: by what is spare of the scarcer, and steady while loads tremble."""

import math
import random

import pytest

from lbsuite import Placer
from lbsuite.placement import weights_from


def test_a_weight_is_what_is_spare_of_the_scarcer() -> None:
    cpu = {"idle": 0.0, "half": 0.5, "full": 1.0, "starved": 0.1}
    memory = {"half": 0.25, "starved": 0.75, "silent": 0.0}
    assert weights_from(cpu, memory) == {"idle": 64, "half": 32, "full": 1, "starved": 16, "silent": 64}
    assert weights_from({}, {}) == {}


@pytest.mark.parametrize(
    ("before", "cpu", "after"), [(32, 0.4, 32), (32, 0.3, 45), (40, 0.5, 40), (2, 0.95, 2), (3, 0.9, 6)]
)
def test_a_weight_stays_within_its_band(before: int, cpu: float, after: int) -> None:
    assert weights_from({"a": cpu}, {}, {"a": before}) == {"a": after}
    assert weights_from({"a": cpu}, {}, {"a": before}, band=0.0)["a"] in (before, round(64 * (1 - cpu)))


def test_a_load_that_trembles_moves_no_objects() -> None:
    rng = random.Random(1)
    weights = weights_from({f"10.0.0.{i}": 0.5 for i in range(1, 9)}, {})
    placer = Placer()
    placer.apply(1, weights)
    for revision in range(2, 100):
        weights = weights_from({server: rng.uniform(0.42, 0.58) for server in weights}, {}, weights)
        assert placer.apply(revision, weights).moves == []


@pytest.mark.parametrize("seed", range(20))
def test_every_weight_is_one_that_a_placer_takes(seed: int) -> None:
    rng = random.Random(seed)
    weights: dict[str, int] = {}
    for _ in range(50):
        cpu, memory = ({s: rng.choice([0, 1, rng.random()]) for s in "abcd"} for _ in range(2))
        weights = weights_from(cpu, memory, weights, rng.random())
        assert set(weights) == set("abcd")
        assert all(isinstance(weight, int) and 1 <= weight <= 64 for weight in weights.values())


@pytest.mark.parametrize("bad", [-0.1, 1.1, math.nan, math.inf])
def test_a_share_out_of_range_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match=f"cpu of a out of 0..1: {bad}"):
        weights_from({"a": bad}, {})
    with pytest.raises(ValueError, match=f"memory of a out of 0..1: {bad}"):
        weights_from({}, {"a": bad})


def test_a_bad_band_or_weight_before_is_refused() -> None:
    for band in (-1.0, math.nan):
        with pytest.raises(ValueError, match=f"band below 0: {band}"):
            weights_from({"a": 0.5}, {}, band=band)
    for weight in (-1, 70):
        with pytest.raises(ValueError, match=f"weight of a out of 0..64: {weight}"):
            weights_from({"a": 0.0}, {}, {"a": weight})
