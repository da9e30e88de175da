"""Members, keys and twins for the tests of key routers."""

import random
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from lbsuite import KeyRouter, router_kinds
from oracle import routers as oracle

NAMES = [f"cache-{i}.example:11211" for i in range(40)]
KEYS = [f"user:{i}" for i in range(4000)]
NUMBERS = np.random.default_rng(5).integers(0, 2**64, 60_000, dtype=np.uint64)
KINDS = router_kinds()
OF_THE_SET = ["slots", "rendezvous", "ring", "maglev"]  # functions of members and weights alone
WEIGHTED = OF_THE_SET
THRIFTY = [kind for kind in KINDS if kind != "maglev"]  # no key moves between two that stay


def routes(router: KeyRouter, keys: Iterable[str] = KEYS) -> dict[str, str]:
    return {key: router.route(key) for key in keys}


def twin_of(kind: str, weights: Mapping[str, int], known: list[str]) -> oracle.Kind:
    if kind == "dx":
        return oracle.Dx(weights, known)
    if kind == "anchor":
        return oracle.Anchor(known, 2 * len(known))
    return getattr(oracle, kind.title())(weights)


def some_keys(rng: random.Random, count: int) -> Iterator[oracle.Key]:
    for i in range(count):
        yield rng.randrange(-(2**63), 2**64)
        yield rng.randbytes(rng.randrange(70))
        yield f"schlüssel-{i}"
        yield i
