import math


class Failing:
    """The share of tasks that failed lately."""

    def __init__(self) -> None:
        self.value, self.at = 0.0, 0.0

    def ended(self, count: int, failed: int, now: float) -> None:
        kept = 0.9**count
        self.value = self.share(now) * kept + (1 - kept) * failed / count
        self.at = now

    def share(self, now: float) -> float:
        return self.value * math.exp(-max(0.0, now - self.at) / 10)

    def charged(self, cost: float, now: float) -> float:
        return cost / (1 - 0.999 * self.share(now))


def counted(count: int, failed: int, latency_s: float, known_s: float) -> float:
    """The latency that tasks count for which ended."""
    return max(latency_s, known_s) if failed == count else latency_s * count / (count - failed)
