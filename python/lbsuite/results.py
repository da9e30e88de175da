"""What a run of tasks came to: latencies in a histogram that merges, and counts per endpoint.

Live clients and the simulator hand back the same `RunResult`. Nothing here needs numpy or pandas but `frame` and
`summary`, which import pandas when they are called.
"""

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    import pandas

QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999}
_BITS = 7
_NS_PER_S = 1e9
_COUNTS = ("requests", "lost", "wrong", "attempts", "first_attempts_failed", "refused", "waits")
_COUNTERS = ("requests_per_endpoint", "peak_tasks", "errors")


class Histogram:
    """Durations in log-linear buckets: quantiles are within 1 % from 1 us to days, mean and maximum are exact.

    Each power of two of nanoseconds is cut into 128 equal buckets, the same in every process, so histograms merge
    without loss. Empty buckets take no room; `record` costs well under a microsecond.
    """

    __slots__ = ("buckets", "count", "max_s", "total_s")

    def __init__(self) -> None:
        self.buckets: dict[int, int] = {}
        self.count = 0
        self.total_s = 0.0
        self.max_s = 0.0

    def record(self, duration_s: float) -> None:
        """Adds one duration; ValueError if it is negative or not finite."""
        if not 0.0 <= duration_s < math.inf:
            raise ValueError(f"not a duration: {duration_s!r}")
        ns = int(duration_s * _NS_PER_S)
        shift = max(ns.bit_length() - _BITS - 1, 0)
        bucket = (shift << _BITS) + (ns >> shift)
        self.buckets[bucket] = self.buckets.get(bucket, 0) + 1
        self.count += 1
        self.total_s += duration_s
        if duration_s > self.max_s:
            self.max_s = duration_s

    def merge(self, other: "Histogram") -> None:
        """Adds everything that `other` holds."""
        for bucket, count in other.buckets.items():
            self.buckets[bucket] = self.buckets.get(bucket, 0) + count
        self.count += other.count
        self.total_s += other.total_s
        self.max_s = max(self.max_s, other.max_s)

    def quantile(self, share: float) -> float:
        """The duration in seconds that `share` of the records do not exceed (nearest rank); 0.0 of no records.

        ValueError unless 0 <= share <= 1.
        """
        if not 0.0 <= share <= 1.0:
            raise ValueError(f"not a share in 0..1: {share!r}")
        rank = max(math.ceil(share * self.count), 1)
        if rank >= self.count:
            return self.max_s
        for bucket in sorted(self.buckets):
            rank -= self.buckets[bucket]
            if rank <= 0:
                return min(_middle_s(bucket), self.max_s)
        raise AssertionError("the buckets hold fewer records than were counted")

    @property
    def mean_s(self) -> float:
        """The mean in seconds; 0.0 of no records."""
        return self.total_s / self.count if self.count else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Plain values that `from_dict` reads back."""
        return {"buckets": sorted(self.buckets.items()), "total_s": self.total_s, "max_s": self.max_s}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        histogram = cls()
        histogram.buckets = {int(bucket): int(count) for bucket, count in values["buckets"]}
        histogram.count = sum(histogram.buckets.values())
        histogram.total_s, histogram.max_s = float(values["total_s"]), float(values["max_s"])
        return histogram


def _middle_s(bucket: int) -> float:
    shift = max((bucket >> _BITS) - 1, 0)
    return ((bucket - (shift << _BITS) << shift) + (1 << shift) / 2) / _NS_PER_S


def jain(values: Iterable[float]) -> float:
    """Jain's fairness index, (sum x)^2 / (n sum x^2): 1.0 when all are equal, 1/n when one has everything.

    1.0 when there is nothing to share.
    """
    xs = list(values)
    squares = sum(x * x for x in xs)
    return sum(xs) ** 2 / (len(xs) * squares) if squares else 1.0


@dataclass(slots=True)
class RunResult:
    """One run, or several merged. A task is done, or lost: its caller never got a right answer.

    requests: tasks begun. wrong: lost ones whose answer came and was wrong. latency: of the tasks done, from the
    intended start to the answer. requests_per_endpoint: tasks done by each endpoint; one that was up and got none
    stands there with 0. peak_tasks: most tasks at once on an endpoint as the callers saw it; after a merge the sum of
    the parts' peaks, an upper bound. task_s: integral over time of the tasks on an endpoint. attempts: Compute calls.
    first_attempts_failed: tasks whose first attempt failed. refused: attempts that a full backend turned away.
    waits: times a caller had to ask again because no balancer named an endpoint. errors: why tasks were lost, by code.
    """

    duration_s: float = 0.0
    requests: int = 0
    lost: int = 0
    wrong: int = 0
    latency: Histogram = field(default_factory=Histogram)
    requests_per_endpoint: Counter[str] = field(default_factory=Counter)
    peak_tasks: Counter[str] = field(default_factory=Counter)
    task_s: dict[str, float] = field(default_factory=dict)
    attempts: int = 0
    first_attempts_failed: int = 0
    refused: int = 0
    waits: int = 0
    errors: Counter[str] = field(default_factory=Counter)

    @property
    def throughput_rps(self) -> float:
        """Tasks done a second, over the whole run, the wait for the last tasks included."""
        return (self.requests - self.lost) / self.duration_s if self.duration_s else 0.0

    @property
    def attempts_per_task(self) -> float:
        return self.attempts / self.requests if self.requests else 0.0

    @property
    def jain(self) -> float:
        """Fairness of the requests per endpoint."""
        return jain(self.requests_per_endpoint.values())

    @property
    def mean_tasks(self) -> dict[str, float]:
        """Tasks at once on each endpoint, averaged over the run."""
        return {address: task_s / (self.duration_s or math.inf) for address, task_s in self.task_s.items()}

    def merge(self, other: "RunResult") -> None:
        """Adds a run that went on at the same time (another process of the same load): durations do not add up."""
        self.duration_s = max(self.duration_s, other.duration_s)
        self.latency.merge(other.latency)
        for name in _COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in _COUNTERS:
            getattr(self, name).update(getattr(other, name))
        for address, task_s in other.task_s.items():
            self.task_s[address] = self.task_s.get(address, 0.0) + task_s

    def latency_ms(self) -> dict[str, float]:
        """mean, p50, p90, p99, p999 and max in milliseconds."""
        quantiles = {name: self.latency.quantile(share) for name, share in QUANTILES.items()}
        seconds = {"mean": self.latency.mean_s, **quantiles, "max": self.latency.max_s}
        return {name: value * 1e3 for name, value in seconds.items()}

    def to_dict(self) -> dict[str, Any]:
        """What `client --json` prints."""
        return {
            "requests": self.requests,
            "lost": self.lost,
            "wrong": self.wrong,
            "throughput_rps": self.throughput_rps,
            "latency_ms": self.latency_ms(),
            "requests_per_endpoint": dict(sorted(self.requests_per_endpoint.items())),
            "peak_tasks": dict(sorted(self.peak_tasks.items())),
            "mean_tasks": dict(sorted(self.mean_tasks.items())),
            "jain": self.jain,
            "attempts": self.attempts,
            "attempts_per_task": self.attempts_per_task,
            "first_attempts_failed": self.first_attempts_failed,
            "refused": self.refused,
            "waits": self.waits,
            "errors": dict(sorted(self.errors.items())),
            "duration_s": self.duration_s,
            "histogram": self.latency.to_dict(),
        }

    def to_json(self) -> str:
        """`to_dict` as one line; `from_json` reads it back whole, so that results of several processes merge."""
        return json.dumps(self.to_dict())

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Reads what `to_json` wrote; ValueError for anything else."""
        try:
            values = json.loads(text)
            result = cls(duration_s=float(values["duration_s"]), latency=Histogram.from_dict(values["histogram"]))
            for name in _COUNTS:
                setattr(result, name, int(values[name]))
            for name in _COUNTERS:
                setattr(result, name, Counter(values[name]))
            result.task_s = {address: tasks * result.duration_s for address, tasks in values["mean_tasks"].items()}
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not the result of a run: {text[:60]!r}") from error
        return result

    def csv_row(self) -> dict[str, str | int | float]:
        """One flat row: `latency_ms` spread over columns, the counts per endpoint and per code as JSON."""
        values = self.to_dict()
        del values["histogram"]
        values |= {f"latency_ms_{name}": value for name, value in values.pop("latency_ms").items()}
        return {name: json.dumps(value) if isinstance(value, dict) else value for name, value in values.items()}

    def frame(self) -> "pandas.DataFrame":
        """One row per endpoint: requests, share of them, peak and mean tasks at once. Needs pandas."""
        import pandas

        done = max(self.requests - self.lost, 1)
        mean_tasks = self.mean_tasks
        rows = [
            (address, count, count / done, self.peak_tasks[address], mean_tasks.get(address, 0.0))
            for address, count in sorted(self.requests_per_endpoint.items())
        ]
        columns = ["endpoint", "requests", "share", "peak_tasks", "mean_tasks"]
        return pandas.DataFrame(rows, columns=columns).set_index("endpoint")

    def summary(self) -> "pandas.DataFrame":
        """One row: the counts, throughput_rps, the latencies in ms, jain, attempts_per_task. Needs pandas."""
        import pandas

        row = {"requests": self.requests, "lost": self.lost, "throughput_rps": self.throughput_rps}
        row |= self.latency_ms() | {"jain": self.jain, "attempts_per_task": self.attempts_per_task}
        return pandas.DataFrame([row | {"refused": self.refused}])
