"""Calls of the blocking kind, over their attempts: what decides is what decides for those of grpc.aio.

A call begins its first attempt in its caller's thread. Where it must wait, it does so in the loop of its channel's
thread. One thread at a time has it: a blocking call goes back to its caller with the next attempt, for the caller to
make; the attempts of others run by themselves, and the loop goes from one to the next.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import grpc

from lbsuite import _core
from lbsuite.channels import outcome as outcomes
from lbsuite.channels.attempts import Attempts
from lbsuite.channels.loop_thread import Later
from lbsuite.channels.sync_ended import SyncEnded

if TYPE_CHECKING:
    from lbsuite.channels.sync_methods import SyncMethod

_log = logging.getLogger(__name__)

_CANCELLED = "Locally cancelled by application!"


class Blocking:
    """An attempt that whoever waits for it makes: a plain blocking call that looks as one that runs by itself."""

    __slots__ = ("_message", "_options", "_over", "_stub", "answer", "call")

    def __init__(self, stub: Callable[..., Any], message: Any, options: dict[str, Any]) -> None:
        self._stub, self._message, self._options = stub, message, options

    def make(self) -> None:
        """Makes the call, and tells its end. What it raises beside grpc.RpcError says nothing of the endpoint."""
        try:
            self.answer, self.call = self._stub(self._message, **self._options)
        except grpc.RpcError as error:
            self.call = error
        except BaseException:
            self.drop()
            raise
        self._over(self)

    def drop(self) -> None:
        """It will not be made."""
        self.call = SyncEnded(grpc.StatusCode.CANCELLED, _CANCELLED)
        self._over(self)

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        self._over = callback

    def code(self) -> grpc.StatusCode:
        code: grpc.StatusCode = self.call.code()
        return code

    def details(self) -> str | None:
        details: str | None = self.call.details()
        return details

    def trailing_metadata(self) -> Any:
        return self.call.trailing_metadata() or ()

    def cancelled(self) -> bool:
        return bool(self.call.cancelled())


def _at_once(answer: Any) -> Any:
    return answer


class SyncAttempts(Attempts):
    """What the kinds share. Made in any thread."""

    _method: "SyncMethod"
    ended: ClassVar[type[Any]] = SyncEnded
    _known = staticmethod(_at_once)

    def seek(self, now: float) -> None:
        """See Attempts. ValueError where the channel is closed."""
        channel = self._method.channel
        if channel.thread.here():
            if channel.closed:
                self._end(self.ended(grpc.StatusCode.CANCELLED, "Channel closed!"))
            else:
                super().seek(now)
            return
        channel.check_open()
        if channel.queues:
            self._hand_over()
        else:
            super().seek(now)

    def _miss(self, ticket: _core.Ticket | None, now: float) -> None:
        if self._method.channel.thread.here():
            super()._miss(ticket, now)
        else:
            self._hand_over()

    def _hand_over(self) -> None:
        if not self._method.channel.thread.call(self._seek_there):
            self._method.channel.check_open()

    def _seek_there(self) -> None:
        self.seek(time.monotonic())

    def _repeats(self, end: outcomes.Outcome, now: float) -> bool:
        return not self._method.channel.closed and super()._repeats(end, now)

    def _later(self, wait_s: float, then: Callable[[], None]) -> Later:
        return self._method.channel.thread.later(wait_s, then)


class BlockingCall(SyncAttempts):
    """One whose caller waits for its answer."""

    def answered(self) -> Blocking:
        """The attempt that answered; raises grpc.RpcError with the call's status where none did."""
        try:
            while not self._over:
                if (attempt := self._attempt) is None:
                    self._moved.wait()
                else:
                    attempt.make()
        except BaseException:
            self._method.channel.thread.call(self._abandon)
            raise
        attempt = self._attempt
        if attempt.code() is grpc.StatusCode.OK:
            answered: Blocking = attempt
            return answered
        raise attempt.call if isinstance(attempt, Blocking) else attempt

    def _hand_over(self) -> None:
        self._moved = threading.Event()
        super()._hand_over()

    def _abandon(self) -> None:
        """Nobody waits any more."""
        if isinstance(self._attempt, Blocking) and not self._over:
            self._attempt.drop()
        self.cancel()


class Bell:
    """Rings for whoever waits until something is true."""

    def __init__(self) -> None:
        self.lock = threading.Condition()

    def set(self) -> None:
        """What they wait for may be true now."""
        with self.lock:
            self.lock.notify_all()

    def wait(self, true: Callable[[], bool], most_s: float | None = None) -> bool:
        """Whether it is true in time."""
        with self.lock:
            return self.lock.wait_for(true, most_s)


class RunningCall(SyncAttempts):
    """One that goes on by itself."""

    def __init__(self, *call: Any) -> None:
        self._moved = Bell()
        super().__init__(*call)

    def when_over(self, callback: Callable[[], None]) -> bool:
        """False, and it is not called, where the call is over."""
        with self._moved.lock:
            if not self._over:
                self._callbacks = (*self._callbacks, lambda _: callback())
            return not self._over

    def over(self, most_s: float | None = None) -> Any:
        """The attempt that was the call's end, once it is; grpc.FutureTimeoutError if that takes longer."""
        if not self._moved.wait(lambda: self._over, most_s):
            raise grpc.FutureTimeoutError
        return self._attempt

    def begun(self, other_than: Any = None) -> Any:
        """The attempt that runs or was the last, once there is one; other_than: or it is over."""
        self._moved.wait(lambda: self._over or self._attempt not in (None, other_than))
        return self._attempt

    def is_over(self) -> bool:
        """Whether it has ended."""
        return self._over

    def left_s(self) -> float | None:
        """Until its deadline; None: it has none."""
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    def give_up(self) -> bool:
        """Has it cancelled; False if it is over."""
        if self._over:
            return False
        self._method.channel.thread.call(self.cancel)
        return True

    def _end(self, attempt: Any) -> None:
        with self._moved.lock:
            callbacks, self._callbacks = self._callbacks, ()
            super()._end(attempt)
        if callbacks:
            self._method.channel.thread.aside(_tell, callbacks)

    def _attempt_over(self, attempt: Any) -> None:
        # Never at once, even in the loop: an attempt may be over before all has been written down that began it.
        there = super()._attempt_over
        if not self._method.channel.thread.call(there, attempt):
            there(attempt)


def _tell(callbacks: tuple[Callable[[Any], None], ...]) -> None:
    for callback in callbacks:
        try:
            callback(None)
        except Exception:
            _log.exception("what was to be called at a call's end has failed")
