"""The count of tasks that one backend has, had and turned away. It reads no clock and belongs to one event loop."""

from collections.abc import Callable

from lbsuite.wire import messages

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

    __slots__ = ("began_s", "counts")

    def __init__(self, counts: Counts, began_s: float) -> None:
        self.counts, self.began_s = counts, began_s


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
        """Called after every begin with its token, and with 0 after every end and refusal."""
        self.balancers: dict[int, Counts] = {}
        self._peak = 0
        self._counted_to_s = 0.0
        self._unknown = Counts()

    def begin(self, token: int, now: float) -> Slot | None:
        """A slot for the task of a pick (token 0: of none); None, and turned away, above the limit or when closed."""
        if self.closed or self.tasks >= self.limit:
            self.refuse(token, now)
            return None
        slot = Slot(self._arrived(token, now), now)
        self._count_to(now)
        self.tasks += 1
        self._peak = max(self._peak, self.tasks)
        self.most = max(self.most, self.tasks)
        self.changed(token)
        return slot

    def end(self, slot: Slot, now: float, *, failed: bool = False) -> None:
        """Gives a slot back, once."""
        self._count_to(now)
        self.tasks -= 1
        self.finished += 1
        slot.counts.finished += 1
        if failed:
            self.failed += 1
            slot.counts.failed += 1
        else:
            slot.counts.latency_s += now - slot.began_s
        self.changed(0)

    def refuse(self, token: int, now: float) -> None:
        """Counts a task that was turned away."""
        counts = self._arrived(token, now)
        counts.finished += 1
        counts.failed += 1
        counts.refused += 1
        self.refused += 1
        self.changed(0)

    def fill(self, load: messages.ServerLoad, now: float) -> None:
        """Writes the figures into a report; its `peak` begins anew."""
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
        passed_s = now - self._counted_to_s
        self._counted_to_s = now
        if self.tasks:
            self.busy_s += passed_s
            self.task_s += passed_s * self.tasks
