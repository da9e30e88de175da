import math
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Report:
    """What an endpoint says of itself; the engine's `report` takes the same fields."""

    tasks: int = 0
    limit: int | None = None
    cpu: float = 0.0
    available: bool = True
    draining: bool = False
    interval_s: float = 0.0
    prompt_s: float = 0.0
    begun: int | None = None
    finished: int | None = None
    busy_s: float = 0.0
    task_s: float = 0.0
    failed: int = 0
    own_finished: int = 0
    own_failed: int = 0
    own_latency_s: float = 0.0
    utilization: float = 0.0


@dataclass
class Finished:
    """Tasks finished in some busy time, fading by the tasks that should have finished."""

    memory: float
    tasks: float = 0.0
    busy_s: float = 0.0

    @property
    def rate(self) -> float:
        return min(self.tasks / self.busy_s, 1e6) if self.busy_s > 0 else 0.0

    def add(self, tasks: int, busy_s: float) -> None:
        kept = self.memory / (self.memory + max(tasks, self.rate * busy_s))
        self.tasks, self.busy_s = kept * self.tasks + tasks, kept * self.busy_s + busy_s


@dataclass
class Costs:
    """The mean cost of picks, fading by picks, followed in strides of a fifth."""

    picks: float = 0.0
    surplus: float = 0.0
    mean: float = 1.0

    def add(self, costs: list[int]) -> None:
        if not costs:
            return
        kept = 1024 / (1024 + len(costs))
        self.picks, self.surplus = kept * self.picks + len(costs), kept * self.surplus + sum(costs) - len(costs)
        mean = 1 + self.surplus / self.picks
        if mean > self.mean * 1.2 or mean < self.mean / 1.2:
            self.mean = mean


@dataclass(eq=False)
class Endpoint:
    """One stay of an address in the roster: one that leaves and joins again is another."""

    address: str
    order: tuple[float, int, str]
    weight: int = 1
    limit: int = 0
    lease_s: float = 0.0
    lease_until: float = math.inf
    drained: bool = False
    lost: bool = False
    stale: bool = False
    stale_at: float = math.inf
    last: Report = Report()
    reported_at: float = -math.inf
    in_flight: int = 0  # accounting "done"
    reported: int = 0  # tasks that the last report told of, our own in flight not counted
    costs: list[int] = field(default_factory=list)  # of those in flight
    on_the_way: list[tuple[float, int]] = field(default_factory=list)  # "reported": when each was picked, and its cost
    unlearnt: list[int] = field(default_factory=list)  # costs of picks since the last report
    begun: int = 0
    load: float = 0.0
    load_work: float = 0.0
    since: float = 0.0
    rate: float = 1e-6
    work_rate: float = 1e-6
    still_at: float = math.inf  # nothing drains from then on
    speed: float = 1.0  # over the fleet's, as it was at the last report
    finished: Finished = field(default_factory=lambda: Finished(memory=64))
    seen: tuple[int, float] = (0, 0.0)  # finished and busy seconds, as last told

    @property
    def up(self) -> bool:
        return self.last.available and not (self.drained or self.last.draining or self.lost or self.stale)

    @property
    def serves(self) -> bool:
        return self.up or not (self.last.available or self.lost or self.stale)

    @property
    def tasks(self) -> int:
        return self.in_flight + self.reported + len(self.on_the_way)

    @property
    def full(self) -> bool:
        return self.limit > 0 and self.tasks >= self.limit

    def work(self, mean_cost: float) -> float:
        """What the tasks cost; of those that reports tell of, nobody says it."""
        return self.reported * mean_cost + sum(self.costs) + sum(cost for _, cost in self.on_the_way)

    def estimate(self, now: float) -> float:
        return max(0.0, self.load - self.rate * self.drained_s(now))

    def estimated_work(self, now: float) -> float:
        return max(0.0, self.load_work - self.work_rate * self.drained_s(now))

    def drained_s(self, now: float) -> float:
        return max(0.0, min(now, self.still_at) - self.since)

    def add(self, now: float, cost: int) -> None:
        """A pick where reports free the slots."""
        self.load, self.load_work = self.estimate(now) + 1, self.estimated_work(now) + cost
        self.since = now
        self.on_the_way.append((now, cost))

    def learn(self, finished: int, busy_s: float, fleet: Finished) -> None:
        before, busy_before = self.seen
        if finished < before or busy_s < busy_before:
            before, busy_before = 0, 0.0
        self.seen = (finished, busy_s)
        fleet.add(finished - before, busy_s - busy_before)
        self.finished.add(finished - before, busy_s - busy_before)
        if typical := fleet.rate:
            rate = (self.finished.tasks + 2) / (self.finished.busy_s + 2 / typical)
            self.rate = max(1e-6, min(rate, 1e6))

    @property
    def capacity(self) -> float:
        return self.weight * self.speed**0.5

    def take(self, report: Report, now: float, fleet: Finished, mean_cost: float) -> None:
        """A report where reports free the slots."""
        self.reported = report.tasks
        if report.begun is None:
            self.on_the_way = [pick for pick in self.on_the_way if pick[0] > now - 0.1]
        else:
            arrived = report.begun if report.begun < self.begun else report.begun - self.begun
            self.begun, self.on_the_way = report.begun, self.on_the_way[arrived:]
        if report.finished is not None:
            self.learn(report.finished, report.busy_s, fleet)
        self.speed = self.rate / fleet.rate if fleet.rate and self.rate > 1e-6 else 1.0
        self.load, self.load_work, self.since = float(self.tasks), self.work(mean_cost), now
        self.work_rate = max(1e-6, (self.rate if self.rate > 1e-6 else 0) * mean_cost)
        self.still_at = now + report.prompt_s if report.prompt_s else math.inf

    def forget(self, now: float) -> None:
        kept = [pick for pick in self.on_the_way if pick[0] > now - max(1.0, 2 * self.last.interval_s)]
        if lost := self.on_the_way[: len(self.on_the_way) - len(kept)]:
            self.load = max(0.0, self.estimate(now) - len(lost))
            self.load_work = max(0.0, self.estimated_work(now) - sum(cost for _, cost in lost))
            self.on_the_way, self.since = kept, now
