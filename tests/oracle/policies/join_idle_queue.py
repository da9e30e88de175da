from oracle.endpoint import Endpoint, Report
from oracle.numbers import Rng
from oracle.policies.choosing import least_loaded, sample
from oracle.view import Request, View


class JoinIdleQueue:
    """One lane: one queue."""

    def __init__(self, queues: str) -> None:
        self.idle: list[Endpoint] = []

    def pick(self, view: View, request: Request, rng: Rng) -> int | None:
        for endpoint in list(self.idle):
            i = next((i for i in range(len(view)) if view[i] is endpoint), None)
            if i is None or endpoint.tasks > 0:
                self.idle.remove(endpoint)
            elif view.ready(i):
                self.idle.remove(endpoint)
                return i
        return least_loaded(view, sample(view, 2, rng), rng)

    def ended(self, endpoint: Endpoint, count: int, failed: int, latency_s: float, now: float) -> None:
        if failed:
            self.idle = [waiting for waiting in self.idle if waiting is not endpoint]
        elif endpoint.tasks == 0:
            self.join(endpoint)

    def reported(self, endpoint: Endpoint, report: Report, now: float) -> None:
        if report.tasks == 0:
            self.join(endpoint)

    def join(self, endpoint: Endpoint) -> None:
        if endpoint not in self.idle:
            self.idle.append(endpoint)
