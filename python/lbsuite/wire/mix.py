"""Tasks of random sizes: what `mix:` says, and what one task of it comes to.

mix:exp:0.05                                0.05 s in the mean, spread exponentially
mix:lognormal:0.05:shape=1.5:cpu=0.3        30 % of each task's time is CPU time, the rest sleep
mix:pareto:0.05:memory=16MiB:seed=7         holds memory meanwhile, 16 MiB in the mean; always the same task
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from lbsuite import _core
from lbsuite.wire import quantities

SEEDS = 1 << 64


@dataclass(frozen=True, slots=True)
class Shape:
    """What `shape=` is of a distribution: the words for it, its bounds, and what it is when nothing is said."""

    what: str
    least: float
    most: float
    usual: float


DISTRIBUTIONS: Mapping[str, Shape | None] = {
    "exp": None,
    "lognormal": Shape("a standard deviation of the logarithm", 0, 4, 1),
    "pareto": Shape("an exponent of the tail", 1.05, 100, 2.1),
}


@dataclass(frozen=True, slots=True)
class Work:
    """One task. It uses cpu_s of CPU, then sleeps, and holds memory all along; 0 bytes: none."""

    cpu_s: float
    sleep_s: float
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class Mix:
    """mean_s: of the CPU time and the sleep of a task together. cpu: the CPU time's part of them, 0..1. memory_bytes:
    in the mean; 0: none. seed: of the two draws, of time and of memory; None: another for each task."""

    distribution: str
    mean_s: float
    shape: float = 0.0
    cpu: float = 0.0
    memory_bytes: int = 0
    seed: int | None = None

    @classmethod
    def parse(cls, text: str, longest_s: float, most_bytes: int) -> Self:
        """What follows `mix:`; raises ValueError, with the value, for nonsense and for means out of bounds."""
        distribution, _, rest = text.partition(":")
        mean, *settings = rest.split(":")
        if distribution not in DISTRIBUTIONS:
            raise ValueError(f"no distribution {distribution!r}; there are {', '.join(DISTRIBUTIONS)}")
        mean_s, shape = quantities.seconds(mean, longest_s), DISTRIBUTIONS[distribution]
        given = _given(settings, ["shape"] * (shape is not None) + ["cpu", "memory", "seed"])
        return cls(
            distribution,
            mean_s,
            shape=_shape(shape, given.get("shape")),
            cpu=quantities.number(given.get("cpu", "0"), "a share of CPU time", 0, 1),
            memory_bytes=quantities.size_up_to(given["memory"], most_bytes) if "memory" in given else 0,
            seed=quantities.whole(given["seed"], SEEDS - 1) if "seed" in given else None,
        )

    def draw(self, longest_s: float, most_bytes: int) -> Work:
        """One task of the mix. What is drawn beyond the bounds is as large as they allow."""
        seed = random.getrandbits(64) if self.seed is None else self.seed
        time, memory = _core.draw(self.distribution, self.shape, seed, 2)
        took_s = min(self.mean_s * time, longest_s)
        held = max(1, round(min(self.memory_bytes * memory, most_bytes))) if self.memory_bytes else 0
        return Work(self.cpu * took_s, (1 - self.cpu) * took_s, held)


def _shape(shape: Shape | None, text: str | None) -> float:
    if shape is None or text is None:
        return shape.usual if shape else 0.0
    return quantities.number(text, shape.what, shape.least, shape.most)


def _given(settings: Sequence[str], keys: Sequence[str]) -> Mapping[str, str]:
    given: dict[str, str] = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if key not in keys or not equals or key in given:
            raise ValueError(f"not one of {', '.join(f'{key}=' for key in keys)}, each once at most: {setting!r}")
        given[key] = value
    return given
