"""What endpoints tell of their load becomes reports of the engine: in the list, and in ORCA trailers (gRFC A51)."""

import logging
from collections.abc import Iterable

from google.protobuf.message import DecodeError

from lbsuite import _core
from lbsuite.channels.endpoint import Endpoint
from lbsuite.channels.outcome import Trailers
from lbsuite.events import Reported
from lbsuite.wire import orca_messages, services

LEAST_S = 0.1
"""The trailers of one endpoint are read no more often."""

_log = logging.getLogger(__name__)


class Loads:
    """Feeds one engine. The tasks of others, which reports alone tell, are kept apart from this channel's own."""

    def __init__(self, engine: _core.Engine) -> None:
        self._engine = engine

    def listed(self, endpoint: Endpoint, told: Reported, now: float) -> None:
        """Takes what the list says."""
        endpoint.others = max(0, told.tasks - endpoint.in_flight)
        endpoint.listed = told
        self._report(
            endpoint,
            now,
            tasks=told.tasks,
            limit=told.limit,
            memory=told.memory,
            cpu=told.cpu,
            available=told.available,
            finished=told.finished,
            failed=told.failed,
            busy_s=told.busy_s,
            task_s=told.task_s,
        )

    def forget(self, endpoints: Iterable[Endpoint], now: float) -> None:
        """Nobody tells of others' tasks any more: what the channel sees itself counts alone."""
        for endpoint in endpoints:
            if endpoint.others or not endpoint.available:
                endpoint.others = 0
                self._report(endpoint, now, tasks=endpoint.in_flight)

    def trailers(self, endpoint: Endpoint, trailers: Trailers, now: float) -> None:
        """Takes an ORCA report, if there is one among these trailing metadata."""
        endpoint.load_due_s = now + LEAST_S
        for name, value in trailers:
            if name == services.LOAD_METADATA and isinstance(value, bytes):
                try:
                    self._orca(endpoint, orca_messages.OrcaLoadReport.FromString(value), now)
                except DecodeError:
                    _log.debug("%s sends a load that is none", endpoint.address)

    def _orca(self, endpoint: Endpoint, told: orca_messages.OrcaLoadReport, now: float) -> None:
        # A server that counts for itself counts everybody's calls; else this channel's share stands for them.
        finished, failed = endpoint.measure(told.rps_fractional, told.eps, now)
        self._report(
            endpoint,
            now,
            tasks=endpoint.in_flight + endpoint.others,
            memory=endpoint.listed.memory if endpoint.listed else 0,
            cpu=told.cpu_utilization,
            utilization=told.application_utilization,
            available=endpoint.available,
            finished=finished,
            failed=failed,
        )

    def _report(self, endpoint: Endpoint, now: float, *, available: bool = True, **told: object) -> None:
        endpoint.available = available
        try:
            self._engine.report(endpoint.address, now, available=available, **told)  # type: ignore[arg-type]
        except ValueError as error:
            _log.debug("%s tells of no load: %s", endpoint.address, error)
