"""How figures of several rounds are told, by every program here: the median, and the range they were found in."""

import statistics
from collections.abc import Sequence


def spread(values: Sequence[float], digits: int = 2) -> str:
    """`median (least to most)`."""
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def over(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Ours over theirs, round by round: the cores change their speed between rounds, and a pair shares it."""
    return [one / other for one, other in zip(ours, theirs, strict=True)]


def verdict(ratio: float, bar: float, *, at_least: bool = False) -> str:
    """How a ratio stands to what was asked for; a word in a table and never a gate."""
    reached = ratio >= bar if at_least else ratio <= bar
    return f"{'>=' if at_least else '<='} {bar:g}{'' if reached else ': missed'}"
