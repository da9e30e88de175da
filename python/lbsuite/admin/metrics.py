"""The engine's numbers in Prometheus' words, read when they are scraped: a pick counts nothing for them."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from prometheus_client import ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from lbsuite import _core
from lbsuite.wire import status
from lbsuite.wire.balancer import Balancer
from lbsuite.wire.membership import Membership, Standing

_Read = Callable[[_core.Endpoint, Standing | None], float | None]
_Service = tuple[str, Membership, list[_core.Endpoint]]


def _reported_tasks(endpoint: _core.Endpoint, standing: Standing | None) -> float | None:
    return standing.report.load if standing and standing.report else None


_GAUGES: dict[str, tuple[str, _Read]] = {
    "ready": ("1 if it may be picked now, else 0.", lambda e, s: e.state == "ready"),
    "tasks": ("Tasks in flight as last reported; absent before the first report.", _reported_tasks),
    "slots": ("Slots taken, as the balancer counts them.", lambda e, s: e.tasks),
    "slots_limit": ("Slots it has; 0 if it told none.", lambda e, s: e.limit),
    "estimated_tasks": ("Tasks in flight, dead-reckoned between reports.", lambda e, s: e.estimate),
    "score": ("What least_load compares.", lambda e, s: e.score),
    "work": ("Cost of the tasks in its slots.", lambda e, s: e.work),
    "weight": ("Its share beside the others.", lambda e, s: e.weight),
    "memory_bytes": ("Resident memory as last reported.", lambda e, s: e.memory),
    "cpu_cores": ("Cores in use as last reported.", lambda e, s: e.cpu),
    "report_age_seconds": ("Time since its last report; absent before the first.", lambda e, s: e.report_age_s),
}


class Metrics(Collector):
    """Reads one balancer each time it is collected."""

    def __init__(self, balancer: Balancer) -> None:
        self._balancer = balancer
        self._process = ProcessCollector(registry=None)

    def collect(self) -> Iterator[Metric]:
        now = time.monotonic()
        services = [
            (name, membership, membership.engine.endpoints(now)) for name, membership in self._balancer.services.items()
        ]
        yield InfoMetricFamily("lbsuite_build", "The release.", {"version": _core.__version__})
        yield GaugeMetricFamily(
            "lbsuite_balancers", "Balancers of the service that the registry knows.", len(self._balancer.peers)
        )
        yield from _of_services(services)
        yield from _of_endpoints(services)
        yield from self._process.collect()


def _of_services(services: Iterable[_Service]) -> Iterator[Metric]:
    info = InfoMetricFamily("lbsuite_service", "What requests get that wish nothing.", labels=["service"])
    changes = CounterMetricFamily(
        "lbsuite_roster_changes", "Changes of who is here and who drains.", labels=["service"]
    )
    counts = GaugeMetricFamily("lbsuite_endpoints", "Endpoints by state.", labels=["service", "state"])
    events = CounterMetricFamily(
        "lbsuite_events", "What has happened since the service was opened.", labels=["service", "event"]
    )
    for name, membership, endpoints in services:
        info.add_metric([name], {"policy": membership.engine.policy})
        changes.add_metric([name], membership.revision)
        states = Counter(dict.fromkeys(status.STATES, 0))
        states.update(endpoint.state for endpoint in endpoints)
        for state, count in states.items():
            counts.add_metric([name, state], count)
        for event, count in status.counters(membership).items():
            events.add_metric([name, event], count)
    yield from (info, changes, counts, events)


def _of_endpoints(services: Iterable[_Service]) -> Iterator[Metric]:
    endpoints = [
        ([name, endpoint.address], endpoint, membership.standings.get(endpoint.address))
        for name, membership, found in services
        for endpoint in found
    ]
    for suffix, (help, read) in _GAUGES.items():
        gauge = GaugeMetricFamily(f"lbsuite_endpoint_{suffix}", help, labels=["service", "address"])
        for labels, endpoint, standing in endpoints:
            if (value := read(endpoint, standing)) is not None:
                gauge.add_metric(labels, value)
        yield gauge
    state = GaugeMetricFamily(
        "lbsuite_endpoint_state", "1 for the state that it is in.", labels=["service", "address", "state"]
    )
    picks = CounterMetricFamily("lbsuite_endpoint_picks", "Picks that chose it.", labels=["service", "address"])
    for labels, endpoint, _ in endpoints:
        state.add_metric([*labels, endpoint.state], 1)
        picks.add_metric(labels, endpoint.picks)
    yield from (state, picks)
