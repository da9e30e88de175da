"""Unary calls that may be sent to a second endpoint while the first still has them."""

import time
from typing import TYPE_CHECKING, Any, TypeVar

import grpc
import grpc.aio

from lbsuite import _core
from lbsuite.channels import outcome as outcomes
from lbsuite.channels.attempts import Attempts, Timer
from lbsuite.channels.retry import TROUBLE
from lbsuite.channels.unary import UnaryUnary, UnaryUnaryCall

if TYPE_CHECKING:
    from lbsuite.channels.endpoint import Endpoint
    from lbsuite.channels.methods import Method

_Request = TypeVar("_Request")
_Response = TypeVar("_Response")


class Hedged(Attempts):
    """Several attempts may run at once, `_attempt` the newest of them. The first that ends well, or with a status that
    no other endpoint would better (fatal, in gRFC A6), is the call's end, and the others are cancelled."""

    def __init__(self, method: "Method", *call: Any) -> None:
        self._hedging = method.channel.hedging
        self._latencies = self._hedging.latencies(method.name)
        self._running: dict[Any, tuple[_core.Pick, Endpoint, float]] = {}
        self._patience: Timer | None = None
        self._since_s = time.monotonic()
        super().__init__(method, *call)

    def seek(self, now: float) -> None:
        """See Attempts; where another attempt runs, that is waited for, and one more is sent instead of the failed."""
        if self._running:
            self._attempt = next(reversed(self._running))
            self._ask_another(now)
        else:
            super().seek(now)

    def _start(self, pick: _core.Pick, now: float) -> None:
        super()._start(pick, now)
        if self._attempt is None or self._attempt in self._running:
            return
        self._running[self._attempt] = (self._pick, self._endpoint, self._begun_s)
        usual_s = self._latencies.usual_s
        if usual_s is not None and self._attempts < self._hedging.attempts:
            self._be_patient_no_more()
            self._patience = self._later(usual_s, self._take_too_long)

    def _take_too_long(self) -> None:
        if self._running:
            self._ask_another(time.monotonic())

    def _ask_another(self, now: float) -> None:
        """Sends the call to one more endpoint, if there is one, and the budget of retries pays for it."""
        dispatch, engine = self._dispatch, self._dispatch.engine
        if self._attempts >= self._hedging.attempts:
            return
        asked = (*self._tried, *(endpoint.address for _, endpoint, _ in self._running.values()))
        pick = engine.pick(now, self._key, 1, asked, None, self._deadline, 0, self._attempts)
        if isinstance(pick, _core.Ticket):
            engine.cancel(pick, now)
        elif pick is not None and pick.endpoint in self._method.channel.endpoints and dispatch.hedge(now):
            self._start(pick, now)
        elif pick is not None:
            engine.done(pick, now, refused=True)
        dispatch.settle(now)

    def _attempt_over(self, attempt: Any) -> None:
        self._pick, self._endpoint, self._begun_s = self._running.pop(attempt)
        if self._over:
            self._dispatch.failed(self._pick, self._endpoint, outcomes.cancelled(), self._begun_s, time.monotonic())
        else:
            super()._attempt_over(attempt)

    def _repeats(self, end: outcomes.Outcome, now: float) -> bool:
        if self._running and (not end.begun or end.code in TROUBLE):
            return True
        return super()._repeats(end, now)

    def _end(self, attempt: Any) -> None:
        self._be_patient_no_more()
        super()._end(attempt)
        if not self._tried and self._known(attempt.code()) is grpc.StatusCode.OK:
            # Where another attempt has won, the first would have taken longer still: what is usual stays what it is.
            self._latencies.add(time.monotonic() - self._since_s)
        for other in list(self._running):
            other.cancel()

    def _be_patient_no_more(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None


class HedgedCall(Hedged, UnaryUnaryCall[_Request, _Response]):
    """See grpc.aio.UnaryUnaryCall."""

    async def initial_metadata(self) -> grpc.aio.Metadata:
        """See grpc.aio; known once an attempt has won."""
        told: grpc.aio.Metadata = await (await self._last()).initial_metadata()
        return told


class HedgedUnaryUnary(UnaryUnary[_Request, _Response]):
    """A method whose calls may be sent twice; see grpc.aio.UnaryUnaryMultiCallable."""

    call = HedgedCall
