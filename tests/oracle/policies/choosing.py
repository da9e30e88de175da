"""What several policies choose by."""

from collections.abc import Callable, Iterable

from oracle.numbers import Rng
from oracle.view import View


def least_loaded(view: View, indices: Iterable[int], rng: Rng) -> int | None:
    return least(view, indices, view.score, rng)


def least(view: View, indices: Iterable[int], score_of: Callable[[int], float], rng: Rng) -> int | None:
    """The ready one of least score, ties broken uniformly."""
    best, ties = None, 0
    for i in filter(view.ready, indices):
        score = score_of(i)
        if best is None or score < best[0] - 1e-9:
            best, ties = (score, i), 1
        elif score <= best[0] + 1e-9:
            ties += 1
            if rng.below(ties) == 0:
                best = (best[0], i)
    return None if best is None else best[1]


def sample(view: View, wanted: int, rng: Rng) -> list[int]:
    """At most so many distinct ready ones."""
    return sample_of(len(view), wanted, view.ready, rng)


def sample_of(size: int, wanted: int, ready: Callable[[int], bool], rng: Rng) -> list[int]:
    wanted, drawn = min(wanted, size), []
    for _ in range(4 * wanted):
        if len(drawn) < wanted:
            i = rng.below(size)
            drawn += [i] if ready(i) and i not in drawn else []
    if len(drawn) == wanted:
        return drawn
    drawn = []
    for seen, i in enumerate(filter(ready, range(size)), start=1):
        if len(drawn) < wanted:
            drawn.append(i)
        elif (place := rng.below(seen)) < wanted:
            drawn[place] = i
    return drawn
