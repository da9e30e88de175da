"""What several policies choose by."""

from collections.abc import Iterable

from oracle.numbers import Rng
from oracle.view import View


def least_loaded(view: View, indices: Iterable[int], rng: Rng) -> int | None:
    best, ties = None, 0
    for i in filter(view.ready, indices):
        score = view.score(i)
        if best is None or score < best[0] - 1e-9:
            best, ties = (score, i), 1
        elif score <= best[0] + 1e-9:
            ties += 1
            if rng.below(ties) == 0:
                best = (best[0], i)
    return None if best is None else best[1]


def sample(view: View, wanted: int, rng: Rng) -> list[int]:
    """At most so many distinct ready ones."""
    wanted, drawn = min(wanted, len(view)), []
    for _ in range(4 * wanted):
        if len(drawn) < wanted:
            i = rng.below(len(view))
            drawn += [i] if view.ready(i) and i not in drawn else []
    if len(drawn) == wanted:
        return drawn
    drawn = []
    for seen, i in enumerate(view.all_ready(), start=1):
        if len(drawn) < wanted:
            drawn.append(i)
        elif (place := rng.below(seen)) < wanted:
            drawn[place] = i
    return drawn
