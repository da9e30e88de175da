from collections import defaultdict

from oracle.endpoint import Endpoint, Report
from oracle.numbers import Rng
from oracle.policies.choosing import least
from oracle.policies.failing import Failing, counted
from oracle.view import Request, View


class Average:
    def __init__(self) -> None:
        self.value: float | None = None

    def learn(self, sample: float, weight: float) -> None:
        self.value = sample if self.value is None else self.value + weight * (sample - self.value)


class Seen:
    def __init__(self) -> None:
        self.response_s, self.service_s, self.queue = Average(), Average(), Average()
        self.failing = Failing()
        self.tells_queue = self.tells_service = False
        self.told = (0, 0.0)  # finished and busy seconds by the last report


class C3:
    def __init__(self, alpha: str, exponent: str) -> None:
        self.alpha, self.exponent = float(alpha), float(exponent)
        self.seen: dict[Endpoint, Seen] = defaultdict(Seen)
        self.all_s = Average()

    def pick(self, view: View, request: Request, rng: Rng) -> int | None:
        def score(i: int) -> float:
            own, seen = view.own(i), self.seen[view[i]]
            if seen.response_s.value is None:
                return 1e6 + own if own > 0 else 0.0
            queue = 1 + own * view.pickers + (seen.queue.value or 0.0)
            service_s = seen.service_s.value or 0.0
            cost = seen.response_s.value - service_s + queue**self.exponent * service_s
            return seen.failing.charged(cost, view.now)

        return least(view, range(len(view)), score, rng)

    def ended(self, endpoint: Endpoint, count: int, failed: int, latency_s: float, now: float) -> None:
        seen, weight = self.seen[endpoint], 1 - (1 - self.alpha) ** count
        known_s = seen.response_s.value if seen.response_s.value is not None else self.all_s.value or 0.0
        latency_s = counted(count, failed, latency_s, known_s)
        seen.response_s.learn(latency_s, weight)
        seen.failing.ended(count, failed, now)
        if not seen.tells_queue:
            seen.queue.learn(endpoint.tasks, weight)
        if not seen.tells_service:
            seen.service_s.learn(latency_s / (1 + endpoint.tasks), weight)
        if failed < count:
            self.all_s.learn(latency_s, weight)

    def reported(self, endpoint: Endpoint, report: Report, now: float) -> None:
        seen = self.seen[endpoint]
        if not seen.tells_queue:
            seen.tells_queue, seen.queue = True, Average()
        seen.queue.learn(report.tasks, self.alpha)
        if report.finished is None:
            return
        finished, busy_s = seen.told
        if report.finished < finished or report.busy_s < busy_s:
            seen.told = finished, busy_s = 0, 0.0
        if report.finished > finished and report.busy_s > busy_s:
            if not seen.tells_service:
                seen.tells_service, seen.service_s = True, Average()
            seen.service_s.learn((report.busy_s - busy_s) / (report.finished - finished), self.alpha)
            seen.told = report.finished, report.busy_s
