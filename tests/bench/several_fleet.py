"""A fleet in virtual time with several balancers, over the engines that balancers run: who asks which, what each hears
of the endpoints, and when. Nothing waits for a clock, and a seed gives the same run again. Times are in seconds."""

import heapq
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from lbsuite import _core
from lbsuite.wire.balancer import DEFAULT_STAGES
from lbsuite.wire.joining.reporter import COALESCE_S
from lbsuite.wire.membership import PROMPT_S

AGAIN_S = 0.1
"""A caller who found no slot asks again after this, give or take 20 %."""
REPORT_S = 0.5


@dataclass(frozen=True, slots=True)
class Scene:
    """slots: tasks that an endpoint works on at once; others wait there, up to `limit` in all. steady: every task takes
    service_s; else that is their mean, and they are exponential. load: None: callers each send a task when theirs is
    over; else tasks arrive at random, at this share of what all can serve. way_s: of a task, an answer and a report."""

    policy: str
    balancers: int
    slots: int = 10
    steady: bool = True
    load: float | None = None
    endpoints: int = 25
    callers: int = 100
    limit: int = 10
    service_s: float = 0.06
    way_s: float = 0.0005
    tasks: int = 10_000
    seed: int = 1


@dataclass(slots=True)
class Outcome:
    """picks: asked for. refused: those that found no slot, at the balancer or at the endpoint. times_s: of tasks, from
    first asking to the end. served: which endpoint ended each, in their order."""

    picks: int = 0
    refused: int = 0
    times_s: list[float] = field(default_factory=list)
    served: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Task:
    balancer: int
    called_s: float
    size_s: float
    exclude: tuple[str, ...] = ()


class Endpoint:
    """What one endpoint counts: begun, finished and refused by balancer."""

    def __init__(self, address: str, balancers: int) -> None:
        self.address = address
        self.serving = 0
        self.waiting: list[Task] = []
        self.begun, self.finished, self.refused = [0] * balancers, [0] * balancers, [0] * balancers
        self.latency_s = [0.0] * balancers
        self.busy_s = self.task_s = self.counted_s = self.reported_s = 0.0
        self.next_report_s = 0.0
        self.news = False

    @property
    def tasks(self) -> int:
        return self.serving + len(self.waiting)

    def count(self, now: float) -> None:
        self.busy_s += (now - self.counted_s) * (self.tasks > 0)
        self.task_s += (now - self.counted_s) * self.tasks
        self.counted_s = now


class Fleet:
    """One run."""

    def __init__(self, scene: Scene) -> None:
        self.outcome = Outcome()
        self._scene, self._random, self._now = scene, random.Random(scene.seed), 0.0
        self._events: list[tuple[float, int, Callable[..., None], tuple[object, ...]]] = []
        self._numbers = itertools.count()
        self._endpoints = [Endpoint(f"127.0.0.1:{4000 + i}", scene.balancers) for i in range(scene.endpoints)]
        self._index = {endpoint.address: endpoint for endpoint in self._endpoints}
        self._engines = [self._engine(seed) for seed in range(scene.balancers)]
        self._due_s = [0.0] * scene.balancers
        for endpoint in self._endpoints:
            self._plan_report(endpoint, self._random.random() * REPORT_S)

    def run(self) -> Outcome:
        scene = self._scene
        if scene.load is None:
            for caller in range(scene.callers):
                self._plan(self._random.random() * scene.service_s, self._call, caller % scene.balancers)
        else:
            self._plan(0.0, self._arrive)
        while len(self.outcome.served) < scene.tasks:
            self._now, _, what, words = heapq.heappop(self._events)
            what(*words)
        return self.outcome

    def _engine(self, seed: int) -> _core.Engine:
        scene = self._scene
        engine = _core.Engine(
            scene.policy, seed=scene.seed * 100 + seed, accounting="reported", probes=False, stages=DEFAULT_STAGES
        )
        engine.pickers(scene.balancers, 0.0)
        for endpoint in self._endpoints:
            engine.join(endpoint.address, 0.0, limit=scene.limit)
        return engine

    def _plan(self, at_s: float, what: Callable[..., None], *words: object) -> None:
        heapq.heappush(self._events, (at_s, next(self._numbers), what, words))

    def _arrive(self) -> None:
        scene = self._scene
        assert scene.load is not None
        rate = scene.load * scene.endpoints * scene.slots / scene.service_s
        self._plan(self._now + self._random.expovariate(rate), self._arrive)
        self._call(self._random.randrange(scene.balancers))

    def _call(self, balancer: int) -> None:
        mean_s = self._scene.service_s
        size_s = mean_s if self._scene.steady else self._random.expovariate(1 / mean_s)
        self._ask(Task(balancer, self._now, size_s))

    def _ask(self, task: Task) -> None:
        engine = self._engines[task.balancer]
        if self._now >= self._due_s[task.balancer]:
            engine.expire(self._now)
            engine.effects()
            self._due_s[task.balancer] = engine.next_deadline()
        self.outcome.picks += 1
        pick = engine.pick(self._now, exclude=task.exclude)
        if not isinstance(pick, _core.Pick):
            return self._refuse(task)
        self._plan(self._now + self._scene.way_s, self._begin, self._index[pick.endpoint], task)

    def _refuse(self, task: Task, *exclude: str) -> None:
        self.outcome.refused += 1
        task.exclude = exclude
        self._plan(self._now + AGAIN_S * self._random.uniform(0.8, 1.2), self._ask, task)

    def _begin(self, endpoint: Endpoint, task: Task) -> None:
        endpoint.count(self._now)
        endpoint.begun[task.balancer] += 1
        if endpoint.tasks >= self._scene.limit:
            endpoint.finished[task.balancer] += 1
            endpoint.refused[task.balancer] += 1
            self._refuse(task, endpoint.address)
        else:
            endpoint.waiting.append(task)
            self._serve(endpoint)
        if self._scene.balancers > 1:
            self._changed(endpoint)

    def _serve(self, endpoint: Endpoint) -> None:
        if endpoint.serving < self._scene.slots and endpoint.waiting:
            endpoint.serving += 1
            task = endpoint.waiting.pop(0)
            self._plan(self._now + task.size_s, self._end, endpoint, task)

    def _end(self, endpoint: Endpoint, task: Task) -> None:
        endpoint.count(self._now)
        endpoint.serving -= 1
        endpoint.finished[task.balancer] += 1
        endpoint.latency_s[task.balancer] += self._now - task.called_s
        self.outcome.times_s.append(self._now - task.called_s)
        self.outcome.served.append(self._endpoints.index(endpoint))
        self._serve(endpoint)
        self._changed(endpoint)
        if self._scene.load is None:
            self._plan(self._now + self._scene.way_s, self._call, task.balancer)

    def _changed(self, endpoint: Endpoint) -> None:
        if not endpoint.news:
            endpoint.news = True
            self._plan_report(endpoint, max(self._now, endpoint.reported_s + COALESCE_S))

    def _plan_report(self, endpoint: Endpoint, at_s: float) -> None:
        endpoint.next_report_s = at_s
        self._plan(at_s, self._report, endpoint, at_s)

    def _report(self, endpoint: Endpoint, planned_s: float) -> None:
        if planned_s != endpoint.next_report_s:
            return
        endpoint.count(self._now)
        endpoint.reported_s, endpoint.news = self._now, False
        said = {
            "tasks": endpoint.tasks,
            "limit": self._scene.limit,
            "available": endpoint.tasks < self._scene.limit,
            "interval_s": REPORT_S,
            "prompt_s": PROMPT_S,
            "finished": sum(endpoint.finished) - sum(endpoint.refused),
            "busy_s": endpoint.busy_s,
            "task_s": endpoint.task_s,
        }
        figures = (endpoint.begun, endpoint.finished, endpoint.refused, endpoint.latency_s)
        own = tuple(zip(*map(tuple, figures), strict=True))
        self._plan(self._now + self._scene.way_s, self._tell, endpoint.address, said, own)
        self._plan_report(endpoint, self._now + REPORT_S * self._random.uniform(0.8, 1.0))

    def _tell(self, address: str, said: dict[str, float], own: tuple[tuple[float, ...], ...]) -> None:
        for engine, (begun, finished, refused, latency_s) in zip(self._engines, own, strict=True):
            engine.report(
                address,
                self._now,
                begun=begun,
                own_finished=finished,
                own_failed=refused,
                own_refused=refused,
                own_latency_s=latency_s,
                **said,
            )
