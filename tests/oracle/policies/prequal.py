import math
from dataclasses import dataclass

from oracle.endpoint import Endpoint
from oracle.numbers import Rng
from oracle.policies.choosing import sample, sample_of
from oracle.view import Request, View


@dataclass(eq=False)
class Probe:
    endpoint: Endpoint
    tasks: int
    latency_s: float
    at: float
    uses: int = 0


class Prequal:
    def __init__(self, probes: str, age_s: str, q_rif: str, delta: str, removes: str, pool: str, reuses: str) -> None:
        self.rate, self.age_s, self.q_rif, self.delta = float(probes), float(age_s), float(q_rif), float(delta)
        self.removes, self.most, self.reuses = float(removes), int(pool), int(reuses)
        self.pool: list[Probe] = []
        self.heard: list[int] = []
        self.owed = {"probes": 0.0, "removals": 0.0}
        self.oldest_next = True
        self.wanted: list[int] = []

    def pick(self, view: View, request: Request, rng: Rng) -> int | None:
        self.pool = [probe for probe in self.pool if probe.at >= view.now - self.age_s]
        place = {id(view[i]): i for i in view.all_ready()}
        usable = [probe for probe in self.pool if id(probe.endpoint) in place]
        if len(usable) >= 2:
            best = min(usable, key=self.badness)
            chosen = place[id(best.endpoint)]
            self.use(best, len(view), rng)
        else:
            chosen = next(iter(sample(view, 1, rng)), None)
        for _ in range(self.whole("removals", self.removes)):
            if len(self.pool) > 2:
                self.pool.remove(self.pool[0] if self.oldest_next else max(self.pool, key=self.badness))
                self.oldest_next = not self.oldest_next
        wanted = min(self.whole("probes", self.rate), 32)
        self.wanted = sample_of(len(view), wanted, lambda _: True, rng)
        return chosen

    def probes(self) -> list[int]:
        return self.wanted

    def probed(self, endpoint: Endpoint, tasks: int, latency_s: float, now: float) -> None:
        self.drop(endpoint)
        self.pool = [*self.pool, Probe(endpoint, tasks, latency_s, now)][-self.most :]
        self.heard = [*self.heard, tasks][-64:]

    def ended(self, endpoint: Endpoint, count: int, failed: int, latency_s: float, now: float) -> None:
        if failed:
            self.drop(endpoint)

    def drop(self, endpoint: Endpoint) -> None:
        self.pool = [probe for probe in self.pool if probe.endpoint is not endpoint]

    def badness(self, probe: Probe) -> tuple[bool, float, float]:
        hot_above = sorted(self.heard)[int(self.q_rif * (len(self.heard) - 1))]
        hot = self.q_rif < 1 and probe.tasks > hot_above
        return (True, probe.tasks, probe.latency_s) if hot else (False, probe.latency_s, probe.tasks)

    def use(self, probe: Probe, endpoints: int, rng: Rng) -> None:
        probe.tasks += 1
        probe.uses += 1
        gain = (1 - self.most / endpoints) * self.rate - self.removes
        budget = min(max((1 + self.delta) / gain, 1), self.reuses) if gain > 0 else self.reuses
        left = budget - probe.uses
        if left <= 0 or (left < 1 and rng.below(2**30) >= left * 2**30):
            self.pool.remove(probe)

    def whole(self, what: str, rate: float) -> int:
        due = math.floor(self.owed[what] + rate)
        self.owed[what] += rate - due
        return due
