"""The static stride scheduler, and what reports tell of an endpoint between two of them."""

from oracle.endpoint import Report
from oracle.numbers import Rng
from oracle.view import View

MOST = 65535


class Stride:
    def __init__(self) -> None:
        self.weights: list[int] = []
        self.turn: int | None = None

    def set(self, weights: list[float]) -> None:
        known = [weight for weight in weights if weight > 0]
        if len(known) < 2:
            self.weights = [MOST for _ in weights]
            return
        mean, scale = sum(known) / len(known), MOST / max(known)
        self.weights = [max(1, int((weight or mean) * scale + 0.5)) for weight in weights]

    def pick(self, view: View, rng: Rng) -> int | None:
        if self.turn is None:
            self.turn = (rng.next() >> 32) + 1
        size = len(self.weights)
        for _ in range(2 * size):
            turns, i = divmod(self.turn, size)
            self.turn += 1
            passes = (self.weights[i] * turns + i * (MOST // 2)) % MOST < MOST - self.weights[i]
            if not passes and view.ready(i):
                return i
        chosen, total = None, 0
        for i in view.all_ready():
            total += self.weights[i]
            if rng.below(total) < self.weights[i]:
                chosen = i
        return chosen


class Window:
    """Since one report, at `since`."""

    def __init__(self, report: Report, since: float) -> None:
        self.report, self.since = report, since

    def follows(self, report: Report) -> bool:
        """False if the report comes from another process."""
        before = self.report
        counts = [(each.finished or 0, each.busy_s, each.task_s) for each in (before, report)]
        return all(earlier <= later for earlier, later in zip(*counts, strict=True))

    def measure(self, report: Report, now: float) -> tuple[float, float, float]:
        """qps, eps, utilization."""
        seconds, before = now - self.since, self.report
        qps = ((report.finished or 0) - (before.finished or 0)) / seconds
        eps = max(0, report.failed - before.failed) / seconds
        if report.utilization > 0:
            return qps, eps, report.utilization
        if report.limit:
            slots = report.tasks if report.finished is None else (report.task_s - before.task_s) / seconds
            return qps, eps, slots / report.limit
        return qps, eps, report.cpu or (report.busy_s - before.busy_s) / seconds
