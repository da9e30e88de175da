"""Weights that endpoints earn by what they report, for clients that go by weights and hear of no load themselves.

As gRPC's client-side weighted round robin (A58) has it, an endpoint weighs what it finishes by how much of it is in
use: here, what it would finish in a second if all its slots were taken.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from lbsuite.wire.membership import Standing

MEAN = 1000
"""What an endpoint weighs that is as good as all are on average, or that is not known yet."""
MOST = 100 * MEAN
KNOWN_TASKS = 5.0
"""So many of its tasks must have been seen to end."""
FADES = 0.9
"""What remains of the past at each look."""
TOLD_APART = 0.1
"""Weights are told anew once one has moved by this share of itself: each time costs every client a table."""


@dataclass(slots=True)
class _Past:
    """What a report told last in all, and the faded sums of what became more."""

    finished: int
    task_us: int
    recent_finished: float = 0.0
    recent_task_us: float = 0.0

    def take(self, finished: int, task_us: int) -> None:
        more, more_us = finished - self.finished, task_us - self.task_us
        self.finished, self.task_us = finished, task_us
        if more >= 0 and more_us >= 0:
            self.recent_finished = self.recent_finished * FADES + more
            self.recent_task_us = self.recent_task_us * FADES + more_us


class Weights:
    """Of one service's endpoints; `take` is called once a second or so."""

    def __init__(self) -> None:
        self._pasts: dict[str, _Past] = {}
        self._told: dict[str, int] = {}

    def of(self, address: str) -> int:
        return self._told.get(address, MEAN)

    def take(self, standings: Mapping[str, Standing]) -> None:
        """Takes in what they reported last."""
        self._pasts = {address: past for address, past in self._pasts.items() if address in standings}
        for address, standing in standings.items():
            if (report := standing.report) is None:
                continue
            past = self._pasts.setdefault(address, _Past(report.finished, report.task_us))
            past.take(report.finished, report.task_us)
        rates = {
            address: max(1, standings[address].limit) * past.recent_finished / past.recent_task_us
            for address, past in self._pasts.items()
            if past.recent_finished >= KNOWN_TASKS and past.recent_task_us > 0
        }
        self._settle(rates)

    def _settle(self, rates: Mapping[str, float]) -> None:
        mean = sum(rates.values()) / len(rates) if rates else 1.0
        weights = {address: min(MOST, max(1, round(MEAN * rate / mean))) for address, rate in rates.items()}
        if any(abs(weight - self.of(address)) > TOLD_APART * self.of(address) for address, weight in weights.items()):
            self._told = weights
