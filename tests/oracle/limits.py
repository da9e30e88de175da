"""Limits that are learnt, as Netflix's concurrency-limits have them. Their fields are the settings of the stages."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass
class Aimd:
    """AIMDLimit.java, a task at a time."""

    kind: ClassVar = "aimd"
    limit: float = 20
    least: int = 20
    most: int = 200
    timeout_s: float = 5
    backoff: float = 0.9

    def ended(self, tasks: int, latency_s: float, failed: bool, now: float) -> None:
        if failed or latency_s > self.timeout_s:
            self.limit = int(self.limit * self.backoff)
        elif tasks * 2 >= self.limit:
            self.limit += 1
        self.limit = min(self.most, max(self.least, self.limit))


@dataclass
class Gradient2:
    """Gradient2Limit.java over WindowedLimit.java's windows, of tasks that do not fail."""

    kind: ClassVar = "gradient2"
    limit: float = 20
    least: int = 20
    most: int = 200
    queue: int = 4
    tolerance: float = 1.5
    smoothing: float = 0.2
    long_windows: int = 600
    window_s: float = 1.0

    def __post_init__(self) -> None:
        self._windows = 0
        self._long_s = 0.0
        self._ends_at = float("-inf")
        self._window: list[tuple[int, float]] = []

    def ended(self, tasks: int, latency_s: float, failed: bool, now: float) -> None:
        self._window.append((tasks, latency_s))
        if now < self._ends_at or len(self._window) < 10:
            return
        short_s = sum(latency for _, latency in self._window) / len(self._window)
        busy = max(tasks for tasks, _ in self._window) >= self.limit / 2
        self._window, self._ends_at = [], now + self.window_s
        self._windows += 1
        self._long_s += (short_s - self._long_s) * self._weight()
        ratio = self._long_s / short_s
        if ratio > 2:
            self._long_s *= 0.95
        if busy:
            gradient = max(0.5, min(1.0, self.tolerance * ratio))
            self.limit += (self.limit * (gradient - 1) + self.queue) * self.smoothing
            self.limit = max(self.least, min(self.most, self.limit))

    def _weight(self) -> float:
        """Of one window in the long latency: the first 10 have their mean."""
        return 1 / self._windows if self._windows <= 10 else 2 / (self.long_windows + 1)
