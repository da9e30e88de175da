from collections import defaultdict

from oracle.endpoint import Endpoint
from oracle.numbers import Rng
from oracle.policies.choosing import least, sample_of
from oracle.view import Request, View


class Lsq:
    def __init__(self, samples: str) -> None:
        self.samples = int(samples)
        self.queues: dict[Endpoint, float] = defaultdict(float)

    def pick(self, view: View, request: Request, rng: Rng) -> int | None:
        chosen = least(view, range(len(view)), lambda i: self.queues[view[i]], rng)
        if chosen is None:
            return None
        self.queues[view[chosen]] += 1
        for i in sample_of(len(view), self.samples, lambda _: True, rng):
            self.queues[view[i]] = view.estimate(i) + (i == chosen)
        return chosen
