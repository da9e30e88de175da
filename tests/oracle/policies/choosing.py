"""What several policies choose by."""

from collections.abc import Callable, Iterable

from oracle.numbers import Rng
from oracle.view import View


def least_loaded(view: View, indices: Iterable[int], rng: Rng) -> int | None:
    return least(view, indices, view.score, rng)


def least(view: View, indices: Iterable[int], score_of: Callable[[int], float], rng: Rng) -> int | None:
    """The ready one of least score, ties broken uniformly."""
    scores = {i: score_of(i) for i in indices if view.ready(i)}
    lowest = min(scores.values(), default=0.0)
    tied = [i for i, score in scores.items() if score <= lowest + 1e-9]
    return tied[rng.below(len(tied)) if len(tied) > 1 else 0] if tied else None


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
