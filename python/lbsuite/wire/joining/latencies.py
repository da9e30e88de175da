"""How long tasks took of late, by how many were in flight: what a server answers to a probe (Wydrowski et al.,
NSDI'24)."""

import itertools
import statistics
from collections import OrderedDict, deque

KEPT = 16
"""Latencies for each number of tasks in flight."""
ENOUGH = 8
MAX_LEVELS = 256
"""Numbers of tasks in flight that are kept; the one not seen for longest gives way."""


class Latencies:
    """The newest latencies of each number of tasks in flight. Belongs to whoever holds the limiter's lock."""

    def __init__(self) -> None:
        self._levels: OrderedDict[int, deque[float]] = OrderedDict()

    def add(self, tasks: int, latency_s: float) -> None:
        """A task that began as one of so many has given its result."""
        level = self._levels.get(tasks)
        if level is None:
            if len(self._levels) >= MAX_LEVELS:
                self._levels.popitem(last=False)
            level = self._levels[tasks] = deque(maxlen=KEPT)
        else:
            self._levels.move_to_end(tasks)
        level.append(latency_s)

    def near(self, tasks: int) -> float:
        """The median of those nearest to so many in flight, ENOUGH or a few more; 0 where there is none."""
        found: list[float] = []
        by_distance = sorted(self._levels, key=lambda level: abs(level - tasks))
        for _, levels in itertools.groupby(by_distance, key=lambda level: abs(level - tasks)):
            for level in levels:
                found.extend(self._levels[level])
            if len(found) >= ENOUGH:
                break
        return statistics.median(found) if found else 0.0
