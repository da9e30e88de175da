"""A run's result while it is still being made."""

from collections import Counter

import grpc

from lbsuite.results import RunResult

WRONG = "WRONG_ANSWER"
"""What stands among the errors, beside gRPC's codes, for a task whose answer was wrong."""


class Tally:
    """Writes down what happens to tasks; every task ends in `done`, `lost` or, unfinished, nowhere.

    Times are seconds of one monotonic clock.
    """

    def __init__(self, now: float) -> None:
        self.result = RunResult()
        self._began = now
        self._running: Counter[str] = Counter()

    def attempt(self, address: str) -> None:
        """A task was sent to an endpoint."""
        self.result.attempts += 1
        self._running[address] += 1
        if self._running[address] > self.result.peak_tasks[address]:
            self.result.peak_tasks[address] = self._running[address]

    def answered(self, address: str, task_s: float) -> None:
        """The endpoint has answered, whatever it said, or will not."""
        self._running[address] -= 1
        self.result.task_s[address] = self.result.task_s.get(address, 0.0) + task_s

    def failed(self, code: grpc.StatusCode, *, first: bool) -> None:
        """An attempt failed; `first`: it was its task's first one."""
        self.result.first_attempts_failed += first
        self.result.refused += code is grpc.StatusCode.RESOURCE_EXHAUSTED

    def done(self, address: str, latency_s: float) -> None:
        self.result.requests += 1
        self.result.requests_per_endpoint[address] += 1
        self.result.latency.record(latency_s)

    def lost(self, code: str) -> None:
        self.result.requests += 1
        self.result.lost += 1
        self.result.wrong += code == WRONG
        self.result.errors[code] += 1

    def up(self, address: str) -> None:
        """An endpoint is up: it stands in the result even if it gets no task."""
        self.result.requests_per_endpoint[address] += 0

    def over(self, now: float) -> RunResult:
        """The result at the end of the run, or so far."""
        self.result.duration_s = now - self._began
        return self.result
