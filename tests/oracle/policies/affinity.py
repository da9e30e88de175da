"""Rendezvous hashing with weights, by its definition: the least -ln(u) / weight, u hashed from key and endpoint."""

import math
from collections.abc import Callable

from oracle.numbers import Rng, splitmix64, xxh64
from oracle.view import Request, View


def key_of(request: Request, rng: Rng) -> int:
    return xxh64(request.key, 0) if request.key else rng.next()


def nearest(view: View, key: int, weigh: Callable[[int], float]) -> int | None:
    def distance(i: int) -> float:
        return -math.log(((splitmix64(key ^ view.hash(i)) >> 11) + 0.5) * 2.0**-53) / weigh(i)

    return min((i for i in range(len(view)) if weigh(i) > 0), key=distance, default=None)
