import math

from oracle.endpoint import Endpoint, Report
from oracle.numbers import Rng
from oracle.policies.stride import Stride, Window
from oracle.view import Request, View


class Learnt:
    def __init__(self, report: Report, now: float) -> None:
        self.window = Window(report, now)
        self.weight = 0.0
        self.updated = -math.inf
        self.since = math.inf


class WeightedRoundRobin:
    def __init__(self, weights: str, blackout_s: str, expiry_s: str, update_s: str, penalty: str) -> None:
        self.given = weights == "given"
        self.blackout_s, self.expiry_s = float(blackout_s), float(expiry_s)
        self.update_s, self.penalty = float(update_s), float(penalty)
        self.learnt: dict[Endpoint, Learnt] = {}
        self.seen: set[Endpoint] = set()
        self.before: set[Endpoint] = set()
        self.stride = Stride()
        self.version, self.due = 0, -math.inf

    def reported(self, endpoint: Endpoint, report: Report, now: float) -> None:
        learnt = self.learnt.setdefault(endpoint, Learnt(report, now))
        if not learnt.window.follows(report):
            learnt.window = Window(report, now)
        if now - learnt.window.since < self.update_s:
            return
        qps, eps, utilization = learnt.window.measure(report, now)
        if qps and utilization:
            learnt.weight = qps / (utilization + eps / qps * self.penalty)
            learnt.updated, learnt.since = now, min(learnt.since, now)
            learnt.window = Window(report, now)

    def pick(self, view: View, request: Request, rng: Rng) -> int | None:
        if view.version != self.version or view.now >= self.due:
            self.version, self.due = view.version, math.inf if self.given else view.now + self.update_s
            self.stride.set([e.weight if self.given else self.weight(e, view.now) for e in view.up])
            self.seen |= set(view.up)
            self.before = set(view.up)
        return self.stride.pick(view, rng)

    def weight(self, endpoint: Endpoint, now: float) -> float:
        learnt = self.learnt.get(endpoint)
        if learnt is None:
            return 0
        expired = now - learnt.updated >= self.expiry_s
        if expired or (endpoint in self.seen and endpoint not in self.before):
            learnt.since = math.inf
        blacked_out = self.blackout_s > 0 and now - learnt.since < self.blackout_s
        return 0 if expired or blacked_out else learnt.weight
