"""How much a request may say, and what makes no sense in one."""

import math

from lbsuite.wire import messages
from lbsuite.wire.joining import limiter

MAX_EXCLUDED = 64
MAX_INTERVAL_MS = 3_600_000
MAX_COUNTED = limiter.MAX_BALANCERS
"""Balancers that one report may have counts of: as many as a backend counts for. A report is kept, and told whole by
Status."""


def check_question(request: messages.BalanceRequest) -> None:
    """Raises ValueError for a question that makes no sense."""
    if len(request.exclude) > MAX_EXCLUDED:
        raise ValueError(f"more than {MAX_EXCLUDED} endpoints are excluded: {len(request.exclude)}")


def check_report(load: messages.ServerLoad) -> None:
    """Raises ValueError for a report that makes no sense."""
    if load.load < 0:
        raise ValueError(f"load below 0: {load.load}")
    if not (math.isfinite(load.cpu) and load.cpu >= 0):
        raise ValueError(f"cpu is not a share of a core: {load.cpu}")
    if load.interval_ms > MAX_INTERVAL_MS:
        raise ValueError(f"interval above {MAX_INTERVAL_MS} ms: {load.interval_ms}")
    if len(load.by_balancer) > MAX_COUNTED:
        raise ValueError(f"counts of more than {MAX_COUNTED} balancers: {len(load.by_balancer)}")
