"""The load generator: callers that ask a balancer, run one task on the backend it names, and measure.

A closed loop has N callers, each of which asks again when its task is over; an open loop starts tasks at a given rate
whatever becomes of them, and measures from the moment each was meant to start, so that a stall is not left out.
"""

import asyncio
import contextlib
import functools
import itertools
import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import grpc
import grpc.aio

from lbsuite import _core, addresses, arrivals
from lbsuite.backoff import Backoff
from lbsuite.registry.etcd import balancers
from lbsuite.registry.etcd_client import EtcdClient
from lbsuite.registry.etcd_settings import EtcdSettings
from lbsuite.results import RunResult
from lbsuite.retry_budget import RetryBudget
from lbsuite.wire import compute_calls, messages, refusal, services, tasks
from lbsuite.wire.pick_source import SAY_NOTHING, PickSource
from lbsuite.wire.tally import WRONG, Tally

MOST_ATTEMPTS = 3
MOST_PRIORITY = 100
REACH_S = 10.0
"""How long a run waits, before it begins, for a balancer that can be asked."""
LAST_WORDS_S = 1.0
"""How long running tasks may still take when a run is stopped before its time."""
AFTER_LOSS_S = 0.1
"""Pause of a caller whose task was lost: where everything is refused at once, it does not spin."""
STATUS_S = 1.0

WIDEST = tasks.Bounds(
    max_n=tasks.LARGEST_N, max_task_s=math.inf, max_memory_bytes=1 << 62, max_big_n=tasks.LARGEST_BIG_N
)
"""Of any backend."""

_BUSY = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED)
_ASK_AGAIN = (*SAY_NOTHING, grpc.StatusCode.RESOURCE_EXHAUSTED)
_ENUM = {
    "pick_first": messages.PICK_FIRST,
    "round_robin": messages.ROUND_ROBIN,
    "least_load": messages.LEAST_LOAD,
}

Progress = Callable[[RunResult], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """What to run, against whom.

    clients: callers of a closed loop. rate: tasks a second of an open loop instead; None: closed. duration_s: how long
    tasks are begun. balancers: HOST:PORT each; etcd: where they are looked up when none is named. strategy: a policy's
    name or `name:key=value,...`; None: the balancer decides. timeout_s: what a task may take in all, asking included.
    priority: of each task; where a service is at its limit, those above 0 are shed first. seed: of the arrivals. cost:
    what each request says that its task costs; None: about the milliseconds it takes, so that those of a mix differ.
    Raises ValueError for what makes no sense.
    """

    balancers: tuple[str, ...] = ()
    etcd: EtcdSettings | None = None
    service: str = "default"
    strategy: str | None = None
    task: str = "fib:32"
    clients: int = 10
    rate: float | None = None
    arrivals: str = "poisson"
    duration_s: float = 30.0
    connections: str = "keep"
    timeout_s: float = 60.0
    priority: int = 0
    seed: int | None = None
    cost: int | None = 1

    def __post_init__(self) -> None:
        for address in self.balancers:
            addresses.parse(address)
        if not self.balancers and self.etcd is None:
            raise ValueError("neither a balancer nor an etcd to find one in")
        for name in ("clients", "rate", "duration_s", "timeout_s"):
            if (value := getattr(self, name)) is not None and not 0 < value < float("inf"):
                raise ValueError(f"{name} is not above 0: {value!r}")
        if not 0 <= self.priority <= MOST_PRIORITY:
            raise ValueError(f"priority is not in 0..{MOST_PRIORITY}: {self.priority!r}")
        if self.strategy is not None:
            _core.parse_policy(self.strategy)
        check_task(self.task)
        if self.cost is not None and not 1 <= self.cost <= tasks.MAX_COST:
            raise ValueError(f"cost out of 1..{tasks.MAX_COST}: {self.cost}")
        for name, known in (("arrivals", arrivals.KINDS), ("connections", compute_calls.KINDS)):
            if (value := getattr(self, name)) not in known:
                raise ValueError(f"{name} is not one of {', '.join(known)}: {value!r}")

    def request(self, task: str) -> messages.BalanceRequest:
        """What a task's caller asks a balancer: the three strategies of the enum by number, any other by name."""
        cost = tasks.cost(task) if self.cost is None else self.cost
        request = messages.BalanceRequest(service=self.service, cost=cost if cost != 1 else 0, priority=self.priority)
        if self.strategy in _ENUM:
            request.strategy = _ENUM[self.strategy]
        elif self.strategy is not None:
            request.policy = self.strategy
        return request


def check_task(task: str) -> None:
    """Raises ValueError for what no backend takes; how much is too much is for the backends to say."""
    try:
        tasks.parse(next(tasks.series(task)), WIDEST)
    except tasks.NoKernel as error:
        raise ValueError(str(error)) from None


async def run(
    settings: ClientSettings, *, progress: Progress | None = None, stop: asyncio.Event | None = None
) -> RunResult:
    """Runs the load and says what came of it.

    progress: called once a second with the result so far. stop: ends the run before its time; what still runs a second
    later is given up, and is neither done nor lost; before a balancer answered, that is a run of nothing.
    Raises Unreachable when no balancer could be asked at all.
    """
    async with _Load(settings) as load:
        return await load.run(progress, stop or asyncio.Event())


class _Load:
    """One run. Its tasks end by themselves, at their deadlines at the latest."""

    def __init__(self, settings: ClientSettings) -> None:
        self._settings = settings
        self._series = tasks.series(settings.task)
        self._expected = tasks.expected(settings.task)
        self._calls = compute_calls.KINDS[settings.connections]()
        self._ending = False

    async def __aenter__(self) -> Self:
        self._closing = contextlib.AsyncExitStack()
        self._closing.push_async_callback(self._calls.close)
        find = None
        if self._settings.etcd is not None and not self._settings.balancers:
            client = EtcdClient(self._settings.etcd)
            self._closing.push_async_callback(client.close)
            find = functools.partial(_registered, client, self._settings.service)
        self._source = PickSource(self._settings.balancers, find)
        self._closing.push_async_callback(self._source.close)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._closing.aclose()

    async def run(self, progress: Progress | None, stop: asyncio.Event) -> RunResult:
        if not await self._reached(stop):
            return RunResult()
        self._began_s = time.monotonic()
        self._tally = Tally(self._began_s)
        self._budget = RetryBudget(self._began_s)
        await self._note_endpoints()
        going = asyncio.create_task(self._open_loop() if self._settings.rate else self._closed_loop())
        try:
            await self._watch(going, progress, stop)
        finally:
            going.cancel()
            await asyncio.gather(going, return_exceptions=True)
        result = self._tally.over(time.monotonic())
        await self._note_endpoints()
        return result

    async def _reached(self, stop: asyncio.Event) -> bool:
        """False: stopped before a balancer could be asked; raises Unreachable."""
        reaching = asyncio.create_task(self._source.reach(min(REACH_S, self._settings.timeout_s)))
        stopped = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait((reaching, stopped), return_when=asyncio.FIRST_COMPLETED)
            if reaching.done():
                reaching.result()
            return reaching.done()
        finally:
            reaching.cancel()
            stopped.cancel()
            await asyncio.gather(reaching, stopped, return_exceptions=True)

    async def _watch(self, going: asyncio.Task[None], progress: Progress | None, stop: asyncio.Event) -> None:
        stopped = asyncio.create_task(stop.wait())
        try:
            while not going.done() and not stopped.done():
                await asyncio.wait((going, stopped), timeout=1.0, return_when=asyncio.FIRST_COMPLETED)
                if progress:
                    progress(self._tally.over(time.monotonic()))
        finally:
            stopped.cancel()
        self._ending = True
        await asyncio.wait((going,), timeout=LAST_WORDS_S)
        if going.done():
            going.result()

    async def _note_endpoints(self) -> None:
        for address in await self._source.endpoints(self._settings.service, STATUS_S):
            self._tally.up(address)

    async def _closed_loop(self) -> None:
        async with asyncio.TaskGroup() as callers:
            for _ in range(self._settings.clients):
                callers.create_task(self._call_on())

    async def _call_on(self) -> None:
        ends_s = self._began_s + self._settings.duration_s
        while (now := time.monotonic()) < ends_s and not self._ending:
            if not await self._run_task(now):
                await asyncio.sleep(AFTER_LOSS_S)

    async def _open_loop(self) -> None:
        assert self._settings.rate is not None
        starts = arrivals.KINDS[self._settings.arrivals](self._settings.rate, random.Random(self._settings.seed))
        async with asyncio.TaskGroup() as tasks:
            for at_s in itertools.takewhile(lambda at_s: at_s < self._settings.duration_s, starts):
                await asyncio.sleep(max(self._began_s + at_s - time.monotonic(), 0))
                if self._ending:
                    break
                tasks.create_task(self._run_task(self._began_s + at_s))

    async def _run_task(self, start_s: float) -> bool:
        """One task from its intended start to its end; True if its caller got the right answer."""
        deadline_s = start_s + self._settings.timeout_s
        self._budget.earn()
        task = next(self._series)
        try:
            address, answer = await self._answer(task, deadline_s)
        except grpc.aio.AioRpcError as error:
            self._tally.lost(error.code().name)
            return False
        if answer != self._expected:
            self._tally.lost(WRONG)
            return False
        self._tally.done(address, time.monotonic() - start_s)
        return True

    async def _answer(self, task: str, deadline_s: float) -> tuple[str, str]:
        """Who answered, and what; raises AioRpcError when the task may not be tried again."""
        request = self._settings.request(task)
        failed: list[str] = []
        backoff = Backoff()
        while True:
            pick = await self._pick(request, failed, deadline_s)
            try:
                return pick.address, await self._compute(task, pick, deadline_s)
            except grpc.aio.AioRpcError as error:
                self._tally.failed(error.code(), first=not failed)
                failed.append(pick.address)
                if error.code() not in _BUSY or len(failed) >= MOST_ATTEMPTS:
                    raise
                if not self._budget.spend(time.monotonic()):
                    raise
            await asyncio.sleep(backoff.next_s())

    async def _pick(self, anyone: messages.BalanceRequest, failed: list[str], deadline_s: float) -> messages.ServerInfo:
        request = messages.BalanceRequest(exclude=failed, attempt=len(failed))
        request.MergeFrom(anyone)
        backoff = Backoff()
        while True:
            try:
                return await self._source.ask(request, max(deadline_s - time.monotonic(), 0))
            except grpc.aio.AioRpcError as error:
                wait_s = backoff.next_s()
                if error.code() not in _ASK_AGAIN or refusal.is_final(error) or time.monotonic() + wait_s >= deadline_s:
                    raise
            self._tally.result.waits += 1
            # Where there is no other endpoint, the one that failed may be well again.
            del request.exclude[:]
            await asyncio.sleep(wait_s)

    async def _compute(self, task: str, pick: messages.ServerInfo, deadline_s: float) -> str:
        metadata = ((services.PICK_METADATA, str(pick.token)),) if pick.token else None
        sent_s = time.monotonic()
        self._tally.attempt(pick.address)
        try:
            async with self._calls.to(pick.address) as compute:
                answer: messages.TaskResponse = await compute(
                    messages.TaskRequest(task=task), timeout=max(deadline_s - sent_s, 0), metadata=metadata
                )
        finally:
            self._tally.answered(pick.address, time.monotonic() - sent_s)
        return answer.result


async def _registered(client: EtcdClient, service: str) -> list[str]:
    # Each process in an order of its own, so that callers spread over the balancers.
    found = sorted(await balancers(client, service))
    random.shuffle(found)
    return found
