"""The count of tasks that one backend has, had and turned away. It reads no clock; any thread may begin and end."""

import threading
from collections.abc import Callable

from lbsuite.wire import messages
from lbsuite.wire.joining.latencies import Latencies

MAX_BALANCERS = 64
IDLE_S = 60.0
"""A balancer whose picks have not been seen for this long gives way to a new one when there are MAX_BALANCERS."""


class Counts:
    """What became of the picks of one balancer; latency_s adds up the tasks that gave a result. refused: those of the
    failed that were turned away, which says nothing of health."""

    __slots__ = ("begun", "failed", "finished", "latency_s", "refused", "seen_s")

    def __init__(self) -> None:
        self.begun = self.finished = self.failed = self.refused = 0
        self.latency_s = self.seen_s = 0.0


class Slot:
    """One task's right to run."""

    __slots__ = ("began_s", "counts", "ended", "tasks")

    def __init__(self, counts: Counts, began_s: float, tasks: int) -> None:
        self.counts, self.began_s, self.ended = counts, began_s, False
        self.tasks = tasks
        """In flight when it began, itself included."""


class Limiter:
    """At most `limit` tasks at once, and the figures that a report tells of them.

    begun, finished and failed count tasks since the start; finished are all that ended, failed those of them without
    a result, be it that the caller's time was up. A task that is turned away has begun, finished and failed for its
    balancer, as its pick has arrived; of the totals it is in `begun` alone, since finished, busy_s and task_s tell how
    fast this backend works.
    """

    def __init__(self, limit: int) -> None:
        if limit < 1:
            raise ValueError(f"limit below 1: {limit}")
        self.limit = limit
        self.draining = self.closed = False
        """draining: no more tasks are wanted, and reports say so. closed: they are turned away."""
        self.tasks = self.begun = self.finished = self.failed = self.refused = self.most = 0
        self.busy_s = self.task_s = 0.0
        self.changed: Callable[[int], None] = lambda token: None
        """Called after every begin with its token, and with 0 after every end and refusal; the lock is held."""
        self.lock = threading.Lock()
        self.latencies = Latencies()
        self.balancers: dict[int, Counts] = {}
        self._peak = 0
        self._counted_to_s = 0.0
        self._unknown = Counts()

    def begin(self, token: int, now: float) -> Slot | None:
        """A slot for the task of a pick (token 0: of none); None, and turned away, above the limit or when closed."""
        with self.lock:
            counts = self._arrived(token, now)
            if self.closed or self.tasks >= self.limit:
                self._refuse(counts)
                return None
            self._count_to(now)
            self.tasks += 1
            self._peak = max(self._peak, self.tasks)
            self.most = max(self.most, self.tasks)
            self.changed(token)
            return Slot(counts, now, self.tasks)

    def end(self, slot: Slot, now: float, *, failed: bool = False) -> None:
        """Gives a slot back; the second time does nothing."""
        with self.lock:
            if not self._freed(slot, now):
                return
            self.finished += 1
            slot.counts.finished += 1
            if failed:
                self.failed += 1
                slot.counts.failed += 1
            else:
                slot.counts.latency_s += now - slot.began_s
                self.latencies.add(slot.tasks, now - slot.began_s)
            self.changed(0)

    def withdraw(self, slot: Slot, now: float) -> None:
        """Gives back the slot of what has turned out to be no task, and counts that as turned away."""
        with self.lock:
            if self._freed(slot, now):
                self._refuse(slot.counts)

    def when_idle(self, told: Callable[[], object]) -> None:
        """Has `told` be called whenever no task runs, also if none does now; nobody hears of changes any more."""

        def look(token: int) -> None:
            if not self.tasks:
                told()

        with self.lock:
            self.changed = look
            look(0)

    def expected_s(self) -> float:
        """What a task that began now would take, in seconds; 0 where none has ended yet."""
        with self.lock:
            return self.latencies.near(self.tasks + 1)

    def fill(self, load: messages.ServerLoad, now: float) -> None:
        """Writes the figures into a report; its `peak` begins anew."""
        with self.lock:
            self._fill(load, now)

    def _refuse(self, counts: Counts) -> None:
        counts.finished += 1
        counts.failed += 1
        counts.refused += 1
        self.refused += 1
        self.changed(0)

    def _freed(self, slot: Slot, now: float) -> bool:
        if slot.ended:
            return False
        slot.ended = True
        self._count_to(now)
        self.tasks -= 1
        return True

    def _fill(self, load: messages.ServerLoad, now: float) -> None:
        self._count_to(now)
        load.load, load.peak, load.limit = self.tasks, self._peak, self.limit
        load.draining, load.available = self.draining, not self.draining and self.tasks < self.limit
        load.begun, load.finished = self.begun, self.finished
        load.busy_us, load.task_us = int(self.busy_s * 1e6), int(self.task_s * 1e6)
        self._peak = self.tasks
        del load.by_balancer[:]
        for balancer, counts in self.balancers.items():
            load.by_balancer.add(
                balancer=balancer,
                begun=counts.begun,
                finished=counts.finished,
                failed=counts.failed,
                latency_us=int(counts.latency_s * 1e6),
                refused=counts.refused,
            )

    def _arrived(self, token: int, now: float) -> Counts:
        self.begun += 1
        counts = self._counts_of(token >> 32, now)
        counts.begun += 1
        counts.seen_s = now
        return counts

    def _counts_of(self, balancer: int, now: float) -> Counts:
        if (known := self.balancers.get(balancer)) is not None:
            return known
        if balancer == 0:
            return self._unknown
        if len(self.balancers) >= MAX_BALANCERS:
            oldest = min(self.balancers, key=lambda known: self.balancers[known].seen_s)
            if now - self.balancers[oldest].seen_s < IDLE_S:
                return self._unknown
            del self.balancers[oldest]
        return self.balancers.setdefault(balancer, Counts())

    def _count_to(self, now: float) -> None:
        # Threads read the clock before they come here, so one may come with an earlier time than the one before it.
        passed_s = max(0.0, now - self._counted_to_s)
        self._counted_to_s = max(self._counted_to_s, now)
        if self.tasks:
            self.busy_s += passed_s
            self.task_s += passed_s * self.tasks
