"""Which calls are sent twice, and when: those that take longer than most.

gRFC A6; Dean and Barroso, The Tail at Scale (2013).
"""

import bisect
import math
import threading
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass

from lbsuite.channels.retry import Retry, valid_methods

WINDOW = 512
"""So many of a method's newest latencies tell what is usual."""
LEAST = 20
"""Below so many nothing is known to be usual."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hedge:
    """A call that has taken longer than `percentile` of its method's recent ones goes to one more endpoint, too; the
    first good answer counts, and the others are cancelled. attempts: of one call by hedging, the first included.
    methods: those that may be carried out twice, as `/package.Service/Method`; True: all that Retry.idempotent names.
    Raises ValueError for what makes no sense.
    """

    percentile: float = 95.0
    methods: bool | Collection[str] = True
    attempts: int = 2

    def __post_init__(self) -> None:
        if not 0 < self.percentile < 100:
            raise ValueError(f"percentile not between 0 and 100: {self.percentile}")
        if self.attempts < 2:
            raise ValueError(f"attempts of a hedge below 2: {self.attempts}")
        valid_methods("methods", self.methods)


class Latencies:
    """The newest of one method. Calls may come from any thread; a look costs nothing, one more about 1 us."""

    def __init__(self, percentile: float) -> None:
        self._share = percentile / 100
        self._lock = threading.Lock()
        self._newest: deque[float] = deque()
        self._ordered: list[float] = []
        self.usual_s: float | None = None
        """What that percentile of them kept below; None: there are too few."""

    def add(self, latency_s: float) -> None:
        """A call took so long, or longer where it was not waited for to the end."""
        with self._lock:
            if len(self._newest) == WINDOW:
                del self._ordered[bisect.bisect_left(self._ordered, self._newest.popleft())]
            self._newest.append(latency_s)
            bisect.insort(self._ordered, latency_s)
            if len(self._ordered) >= LEAST:
                self.usual_s = self._ordered[math.ceil(self._share * len(self._ordered)) - 1]


class Hedging:
    """One channel's hedges. Raises ValueError where no method is named that may be carried out twice."""

    def __init__(self, hedge: Hedge | None, retry: Retry) -> None:
        self.attempts = hedge.attempts if hedge else 1
        self._percentile = hedge.percentile if hedge else 0.0
        self._methods: bool | Collection[str] = False
        self._latencies: dict[str, Latencies] = {}
        if hedge is not None:
            self._methods = retry.idempotent if hedge.methods is True else hedge.methods
            if not self._methods:
                raise ValueError(f"no method is named idempotent, by the retry or by the hedge: {hedge}")

    def covers(self, method: str) -> bool:
        """Whether calls of `method` may be sent twice."""
        return self._methods if isinstance(self._methods, bool) else method in self._methods

    def latencies(self, method: str) -> Latencies:
        """Those of `method`, however many stubs have it."""
        return self._latencies.setdefault(method, Latencies(self._percentile))
