"""One call of a channel, over as many attempts as it takes, one after the other.

An attempt is a plain call of grpc.aio over the connection of the endpoint that was picked. It begins when the stub is
called, and its end is heard by a callback: a call that nobody awaits ends its pick, and is tried again, all the same.
That callback runs before whoever awaits the attempt wakes: one that is over is either the call's end or replaced.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import grpc
import grpc.aio

from lbsuite import _core
from lbsuite._core import Pick
from lbsuite.backoff import Backoff
from lbsuite.channels import outcome as outcomes
from lbsuite.channels.ended import Ended, at_once

if TYPE_CHECKING:
    from lbsuite.channels.endpoint import Endpoint
    from lbsuite.channels.methods import Key, Method

_log = logging.getLogger(__name__)

LOOK_S = 1.0
"""Who waits for somebody looks so often without being told, too: an ejection that is over is told to nobody."""

_IN_VAIN = "every endpoint is full, and no slot has become free in time"
_BY_CALLER = ("Locally cancelled by application!", "Cancelled upon garbage collection!")
_EXPIRED = "the deadline has passed before anybody could be asked"


class Timer(Protocol):
    """What runs later, unless it is cancelled."""

    def cancel(self) -> None: ...


class Attempts:
    """Belongs to the running event loop. method: whose call it is. options: what each attempt is made with.

    The attempts of a call of grpc's older, blocking kind are of another make: ended is what stands for one that never
    was, and _known finds what an ended one tells.
    """

    ended: ClassVar[type[Any]] = Ended
    _known = staticmethod(at_once)

    # Most calls leave most of these as they are, and are so much the cheaper.
    _attempt: Any = None
    _attempts = 0
    _begun_s = 0.0
    _key: "Key" = None
    _deadline: float | None = None
    _wait_for_ready = False
    _tried: tuple[str, ...] = ()
    _over = False
    _waits_for = ""
    _ticket: _core.Ticket | None = None
    _failed: Any = None
    _callbacks: tuple[Callable[[Any], None], ...] = ()
    _moved: Any = None
    _timer: "Timer | None" = None
    _backoff: Backoff | None = None

    _method: "Method"
    _pick: _core.Pick
    _endpoint: "Endpoint"

    def __init__(
        self,
        method: "Method",
        request: Any,
        timeout: float | None,
        wait_for_ready: bool | None,
        options: dict[str, Any],
    ) -> None:
        now = time.monotonic()
        self._method = method
        self._dispatch = method.channel.dispatch
        self._request = request
        self._options = options
        if timeout is not None:
            self._deadline = now + timeout
        if wait_for_ready:
            self._wait_for_ready = True
        if method.keyed or options["metadata"] is not None:
            self._key = method.key_of(request, options)
        self._dispatch.begin()
        self.seek(now)

    def seek(self, now: float) -> None:
        """Begins an attempt at whom the engine names, or waits until it may name somebody, or ends."""
        channel = self._method.channel
        engine = self._dispatch.engine
        pick = engine.pick(now, self._key, 1, self._tried, None, self._deadline, 0, self._attempts)
        if channel.eager:
            self._dispatch.settle(now)
        if isinstance(pick, Pick):
            self._start(pick, now)
        else:
            self._miss(pick, now)

    def _miss(self, ticket: _core.Ticket | None, now: float) -> None:
        """Nobody was picked."""
        if ticket is not None:
            self._queue(ticket, now)
        elif self._tried:
            self._pause(now)
        else:
            self._find_nobody(now)

    def seek_again(self, now: float) -> None:
        """Somebody may be there now."""
        if self._waits_for == "somebody":
            self._stop_waiting()
            self.seek(now)

    def cancel(self) -> bool:
        """See grpc.aio."""
        if self._over:
            return False
        if self._attempt is not None:
            return bool(self._attempt.cancel())
        self._end(self.ended(grpc.StatusCode.CANCELLED, "Locally cancelled by application!"))
        return True

    def _start(self, pick: _core.Pick, now: float) -> None:
        channel = self._method.channel
        endpoint = channel.endpoints.get(pick.endpoint)
        if endpoint is None:
            self._dispatch.engine.done(pick, now, refused=True)
            channel.check_open()
            self.seek(now)
            return
        self._pick, self._endpoint, self._begun_s = pick, endpoint, now
        endpoint.in_flight += 1
        self._attempts += 1
        options = self._options
        options["timeout"] = None if self._deadline is None else self._deadline - now
        stub = endpoint.stubs.get(self._method) or self._method.stub(endpoint)
        try:
            self._attempt = attempt = stub(self._message(), **options)
        except BaseException:
            self._dispatch.failed(pick, endpoint, outcomes.cancelled(), now, now)
            raise
        attempt.add_done_callback(self._attempt_over)
        if self._moved is not None:
            self._moved.set()

    def _message(self) -> Any:
        """What the next attempt sends."""
        return self._request

    def _attempt_over(self, attempt: Any) -> None:
        now = time.monotonic()
        dispatch, endpoint = self._dispatch, self._endpoint
        if now >= endpoint.load_due_s:
            dispatch.told(endpoint, self._known(attempt.trailing_metadata()), now)
        code = self._known(attempt.code())
        if code is grpc.StatusCode.OK:
            dispatch.succeeded(self._pick, endpoint, self._begun_s, now)
            self._end(attempt)
        else:
            self._fail(attempt, code, endpoint, now)

    def _fail(self, attempt: Any, code: grpc.StatusCode, endpoint: "Endpoint", now: float) -> None:
        details = self._known(attempt.details())
        # To grpc.aio a CANCELLED that the server has sent is no other.
        given_up = attempt.cancelled() and details in _BY_CALLER
        if given_up:
            end = outcomes.cancelled()
        else:
            trailers, connected = self._known(attempt.trailing_metadata()), endpoint.connection.connected()
            end = outcomes.outcome(code, details, trailers, address=endpoint.address, connected=connected)
        self._dispatch.failed(self._pick, endpoint, end, self._begun_s, now)
        if given_up or not self._repeats(end, now):
            self._end(attempt)
            return
        self._failed, self._attempt = attempt, None
        self._tried += (endpoint.address,)
        try:
            self.seek(now)
        except Exception:
            # A policy's own, which nobody waits for here.
            _log.exception("no endpoint can be picked for another attempt")
            self._end(attempt)

    def _repeats(self, end: outcomes.Outcome, now: float) -> bool:
        # Who waits for a connection loses nothing by one that did not come up: each that fails so is out of the engine.
        if self._wait_for_ready and not end.begun and not end.turned_away:
            return self._restarts()
        return self._restarts() and self._dispatch.again(self._method.name, end, self._attempts, now)

    def _restarts(self) -> bool:
        """Whether the request can be sent once more."""
        return True

    def _pause(self, now: float) -> None:
        """All others are out: whoever failed may be asked again, but not at once."""
        self._tried = ()
        self._backoff = self._backoff or Backoff()
        wait_s = self._backoff.next_s()
        if self._deadline is not None and now + wait_s >= self._deadline:
            self._end(self._failed)
        else:
            self._wait("a while", wait_s, self._paused)

    def _paused(self) -> None:
        self._stop_waiting()
        self.seek(time.monotonic())

    def _find_nobody(self, now: float) -> None:
        lack = self._method.channel.service.lack(now)
        if lack is None or (self._wait_for_ready and lack.code is grpc.StatusCode.UNAVAILABLE):
            left_s = math.inf if self._deadline is None else self._deadline - now
            self._wait("somebody", min(left_s, LOOK_S), self._look)
        else:
            self._end(self._failed or self.ended(lack.code, lack.words))

    def _look(self) -> None:
        now = time.monotonic()
        if self._deadline is not None and now >= self._deadline:
            self._expire()
        else:
            self.seek_again(now)

    def _queue(self, ticket: _core.Ticket, now: float) -> None:
        """All are full, and the engine has given the call a place in its queue."""
        self._wait("a slot", None, self._expire)
        alarm = self._method.channel.service.alarm
        self._ticket = ticket
        alarm.tickets.hold(ticket).add_done_callback(self._called_up)
        alarm.settle(now)

    def _called_up(self, told: asyncio.Future[_core.Pick | None]) -> None:
        now, pick = time.monotonic(), told.result()
        if self._over:
            if pick is not None:
                self._dispatch.engine.done(pick, now, refused=True)
            return
        self._stop_waiting()
        if pick is not None:
            self._start(pick, now)
        elif self._deadline is not None and now >= self._deadline:
            self._expire()
        else:
            self._end(self._failed or self.ended(grpc.StatusCode.RESOURCE_EXHAUSTED, _IN_VAIN))

    def _wait(self, for_what: str, wait_s: float | None, then: Callable[[], None]) -> None:
        self._waits_for = for_what
        self._method.channel.waiting.add(self)
        if wait_s is not None:
            self._timer = self._later(wait_s, then)

    def _later(self, wait_s: float, then: Callable[[], None]) -> "Timer":
        return asyncio.get_running_loop().call_later(wait_s, then)

    def _stop_waiting(self) -> None:
        self._waits_for = ""
        self._method.channel.waiting.discard(self)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._ticket is not None:
            self._method.channel.service.alarm.tickets.give_up(self._ticket)
            self._ticket = None

    def _expire(self) -> None:
        self._end(self.ended(grpc.StatusCode.DEADLINE_EXCEEDED, _EXPIRED))

    def _end(self, attempt: Any) -> None:
        """The call is over, and `attempt` says how."""
        self._attempt, self._over = attempt, True
        if self._waits_for:
            self._stop_waiting()
        if self._moved is not None:
            self._moved.set()
        for callback in self._callbacks:
            callback(self)

    async def _begun(self) -> Any:
        """The attempt that runs or that was the last, once there is one."""
        while self._attempt is None:
            if self._moved is None or self._moved.is_set():
                self._moved = asyncio.Event()
            await self._moved.wait()
        return self._attempt

    async def _last(self) -> Any:
        """The attempt that was the call's end."""
        while not self._over:
            await (await self._begun()).code()
        return self._attempt
