"""Picks and their ends: where the calls of a channel go, what becomes of them, and which may be tried again."""

import time
from collections import Counter
from collections.abc import Callable

from lbsuite import _core
from lbsuite.channels.endpoint import Endpoint
from lbsuite.channels.loads import Loads
from lbsuite.channels.outcome import Outcome, Trailers
from lbsuite.channels.retry import Retry
from lbsuite.retry_budget import RetryBudget


class Dispatch:
    """One channel's engine, the budget of its retries and the loads its endpoints tell. Calls may come from any thread.

    settle(now): called after each call of the engine that may have had effects. soon(now): instead of it where there
    seldom are any; None: settle.
    """

    def __init__(
        self,
        engine: _core.Engine,
        retry: Retry,
        settle: Callable[[float], None],
        soon: Callable[[float], None] | None = None,
    ) -> None:
        self.engine = engine
        self.loads = Loads(engine)
        self.counts: Counter[str] = Counter(calls=0, retries=0, hedges=0, failed_first=0)
        """Calls begun, attempts after one that failed, those beside one that ran, and first attempts that failed for
        want of a well endpoint."""
        self.settle = settle
        self._soon = soon or settle
        self._retry = retry
        self._budget = RetryBudget(time.monotonic())

    def begin(self) -> None:
        """A call begins: a part of a retry is earned."""
        self._budget.earn()
        self.counts["calls"] += 1

    def succeeded(self, pick: _core.Pick, endpoint: Endpoint, begun_s: float, now: float) -> None:
        """An attempt that began at `begun_s` has ended well."""
        endpoint.in_flight -= 1
        endpoint.finished += 1
        self.engine.done(pick, now, now - begun_s)
        self._soon(now)

    def failed(self, pick: _core.Pick, endpoint: Endpoint, outcome: Outcome, begun_s: float, now: float) -> None:
        """An attempt that began at `begun_s` has ended otherwise."""
        endpoint.in_flight -= 1
        endpoint.finished += 1
        endpoint.failed += outcome.error is not None
        self.engine.done(pick, now, now - begun_s, outcome.error, outcome.turned_away)
        if outcome.leaving:
            # Its list says so later, or never: who is taken off a list may come back, and is called for a while.
            self.engine.drain(endpoint.address, now)
        self.settle(now)

    def told(self, endpoint: Endpoint, trailers: Trailers, now: float) -> None:
        """Takes what an endpoint's trailing metadata tell of its load; to be asked for when `endpoint.load_due_s`."""
        self.loads.trailers(endpoint, trailers, now)

    def again(self, method: str, outcome: Outcome, attempts: int, now: float) -> bool:
        """Whether a call is tried elsewhere after its `attempts`-th attempt ended so; the budget pays for it then."""
        if outcome.error is not None or not outcome.begun:
            self.counts["failed_first"] += attempts == 1
        if not self._retry.allows(method, outcome, attempts) or not self._budget.spend(now):
            return False
        self.counts["retries"] += 1
        return True

    def hedge(self, now: float) -> bool:
        """Whether a call may be sent once more while it runs; the budget of retries pays for it then."""
        if not self._budget.spend(now):
            return False
        self.counts["hedges"] += 1
        return True
