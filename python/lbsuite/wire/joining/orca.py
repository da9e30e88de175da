"""What a server tells callers of its load beside its answers: Open Request Cost Aggregation (gRFC A51)."""

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping

from lbsuite.wire import orca_messages, services
from lbsuite.wire.joining.limiter import Limiter
from lbsuite.wire.joining.usage import Usage, cores, memory_limit

FRESH_S = 0.1
"""A report serves every call that ends within this time of its making."""
WINDOW_S = 1.0
"""What calls and failures a second are counted over."""
LOADS = ("tasks", "memory", "cpu")

Trailers = tuple[tuple[str, str | bytes], ...]

_log = logging.getLogger(__name__)


class Orca:
    """The reports of one server. Any thread may ask.

    load: what the utilization of the server is: `tasks` of its limit, `memory` or `cpu` of what the process may use, or
    a callable that says a share of 1, and may pass it. ValueError for another word.
    """

    def __init__(self, limiter: Limiter, load: str | Callable[[], float], named_metrics: Mapping[str, float]) -> None:
        if not callable(load) and load not in LOADS:
            raise ValueError(f"load is none of {', '.join(LOADS)}, nor callable: {load!r}")
        self._limiter, self._load, self._named_metrics = limiter, load, named_metrics
        self._usage, self._lock = Usage(), threading.Lock()
        self._marks: deque[tuple[float, int, int]] = deque(((time.monotonic(), 0, 0),))
        self._trailers: Trailers = ()
        self._made_s = -math.inf
        self._broken = False

    def trailers(self, now: float) -> Trailers:
        """The trailing metadata for a call that ends now; the very same object for FRESH_S."""
        if now - self._made_s >= FRESH_S:
            # Two threads that come here at once make it twice, which harms less than a lock on every call.
            self._made_s = now
            told = self.report(now).SerializeToString()
            self._trailers = ((services.ORCA_METADATA, told), (services.LOAD_METADATA, told))
        return self._trailers

    def report(self, now: float) -> orca_messages.OrcaLoadReport:
        """What there is to say now."""
        with self._lock:
            self._usage.sample(now)
            rps, eps = self._rates(now)
        report = orca_messages.OrcaLoadReport(
            cpu_utilization=self._usage.cpu / cores(),
            mem_utilization=min(1.0, self._usage.memory_bytes / memory_limit()),
            rps_fractional=rps,
            eps=eps,
            named_metrics=dict(self._named_metrics),
        )
        report.application_utilization = self._utilization(report)
        return report

    def _rates(self, now: float) -> tuple[float, float]:
        marks, mark = self._marks, (now, self._limiter.finished, self._limiter.failed)
        while len(marks) > 1 and now - marks[1][0] >= WINDOW_S:
            marks.popleft()
        passed_s = now - marks[0][0]
        rates = [
            (new - old) / passed_s if passed_s > 0 else 0.0 for new, old in zip(mark[1:], marks[0][1:], strict=True)
        ]
        marks.append(mark)
        return rates[0], rates[1]

    def _utilization(self, report: orca_messages.OrcaLoadReport) -> float:
        if self._load == "memory":
            return report.mem_utilization
        if self._load == "cpu":
            return report.cpu_utilization
        if callable(self._load):
            try:
                if 0 <= (share := float(self._load())) < math.inf:
                    return share
                raise ValueError(f"utilization is no share of 1: {share}")
            except Exception:
                # What measures the server must not fail its calls.
                if not self._broken:
                    _log.exception("the load of this server cannot be told by %r; its tasks are told", self._load)
                self._broken = True
        return self._limiter.tasks / self._limiter.limit
