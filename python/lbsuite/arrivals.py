"""When tasks are meant to start in an open loop, whatever becomes of the tasks before them."""

import random
from collections.abc import Callable, Iterator

Arrivals = Callable[[float, random.Random], Iterator[float]]


def uniform(rate: float, _: random.Random) -> Iterator[float]:
    """Every 1 / rate seconds, from 0 on."""
    number = 0
    while True:
        yield number / rate
        number += 1


def poisson(rate: float, rng: random.Random) -> Iterator[float]:
    """With exponential gaps of mean 1 / rate seconds: many callers who know nothing of each other."""
    at_s = 0.0
    while True:
        at_s += rng.expovariate(rate)
        yield at_s


KINDS: dict[str, Arrivals] = {"poisson": poisson, "uniform": uniform}
"""THE LIST."""
