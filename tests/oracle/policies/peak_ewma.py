import math
from collections import defaultdict

from oracle.endpoint import Endpoint
from oracle.numbers import Rng
from oracle.policies.choosing import sample
from oracle.policies.failing import Failing, counted
from oracle.view import Request, View


class Peak:
    def __init__(self, decay_s: float) -> None:
        self.decay_s, self.latency_s, self.at = decay_s, 0.0, 0.0

    def kept(self, now: float) -> float:
        return math.exp(-max(0.0, now - self.at) / self.decay_s)

    def observe(self, latency_s: float, now: float) -> None:
        kept = self.kept(now)
        self.latency_s = max(latency_s, kept * self.latency_s + (1 - kept) * latency_s)
        self.at = now


class PeakEwma:
    def __init__(self, decay_s: str, penalty_s: str) -> None:
        self.penalty_s = float(penalty_s)
        self.peaks: dict[Endpoint, Peak] = defaultdict(lambda: Peak(float(decay_s)))
        self.failing: dict[Endpoint, Failing] = defaultdict(Failing)
        self.all = Peak(float(decay_s))

    def pick(self, view: View, request: Request, rng: Rng) -> int | None:
        drawn = sample(view, 2, rng)
        costs = [self.cost(view[i], view.estimate(i), view.now) for i in drawn]
        if len(drawn) == 2 and costs[1] < costs[0] * (1 - 1e-9):
            return drawn[1]
        return drawn[0] if drawn else None

    def ended(self, endpoint: Endpoint, count: int, failed: int, latency_s: float, now: float) -> None:
        peak = self.peaks[endpoint]
        latency_s = counted(count, failed, latency_s, peak.latency_s or self.all.latency_s)
        peak.observe(latency_s, now)
        self.failing[endpoint].ended(count, failed, now)
        if failed < count:
            self.all.observe(latency_s, now)

    def cost(self, endpoint: Endpoint, tasks: float, now: float) -> float:
        peak = self.peaks[endpoint]
        if peak.latency_s == 0:
            return self.penalty_s + tasks if tasks > 0 else 0.0
        return self.failing[endpoint].charged(peak.kept(now) * peak.latency_s, now) * (tasks + 1)
