"""Calls of the blocking kind as their callers hold them: futures, and streams of answers."""

import sys
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import grpc

from lbsuite.channels.aging import Aging
from lbsuite.channels.hedged import Hedged
from lbsuite.channels.outgoing import SyncOutgoing
from lbsuite.channels.sync_attempts import RunningCall
from lbsuite.channels.sync_ended import CallFuture, CallIterator


class ManyRequests(RunningCall):
    """Those whose requests are an iterator's. Only one of which no message has gone out can be tried again."""

    _outgoing: SyncOutgoing | None = None

    def _message(self) -> Any:
        if self._outgoing is None:
            self._outgoing = SyncOutgoing(self._request)
        return self._outgoing.messages()

    def _restarts(self) -> bool:
        return super()._restarts() and (self._outgoing is None or self._outgoing.taken_back())


class ManyAnswers(RunningCall):
    """Those that answer with a stream. Only one that nobody has read from can be tried again."""

    _answered = False
    _given_up: Any = None

    def take(self, attempt: Any) -> bool:
        """Whether the message that was read from `attempt` counts: not if another attempt sends it all once more."""
        with self._moved.lock:
            if attempt is self._given_up:
                return False
            self._answered = True
            return True

    def _restarts(self) -> bool:
        with self._moved.lock:
            if self._answered or not super()._restarts():
                return False
            self._given_up = self._attempt
            return True


class UnaryStreamCall(Aging, ManyAnswers):
    """One request, many answers."""


class StreamUnaryCall(Aging, ManyRequests):
    """Many requests, one answer."""


class StreamStreamCall(Aging, ManyRequests, ManyAnswers):
    """Many of both."""


class HedgedCall(RunningCall, Hedged):
    """One that may be sent twice: all of it happens in the channel's thread."""

    def seek(self, now: float) -> None:
        """See Attempts."""
        if self._method.channel.thread.here():
            super().seek(now)
        else:
            self._method.channel.check_open()
            self._hand_over()


class Future(CallFuture):
    """A call that goes on by itself, until nobody holds it: see grpc.Future and grpc.Call, whose methods these are."""

    def __init__(self, call: Any) -> None:
        self._call = call

    def __del__(self) -> None:
        # There is no call if it could not be begun.
        if "_call" in self.__dict__:
            self._call.give_up()

    def cancel(self) -> bool:
        return bool(self._call.give_up())

    def cancelled(self) -> bool:
        return bool(self._call.is_over() and self._call.over().cancelled())

    def running(self) -> bool:
        return not self._call.is_over()

    def done(self) -> bool:
        return bool(self._call.is_over())

    def is_active(self) -> bool:
        return not self._call.is_over()

    def time_remaining(self) -> Any:
        return self._call.left_s()

    def result(self, timeout: float | None = None) -> Any:
        return self._call.over(timeout).result()

    def exception(self, timeout: float | None = None) -> Any:
        return self._call.over(timeout).exception()

    def traceback(self, timeout: float | None = None) -> TracebackType | None:
        error = self.exception(timeout)
        if error is None:
            return None
        try:
            raise error
        except grpc.RpcError:
            return sys.exc_info()[2]

    def add_done_callback(self, fn: Callable[[Any], None]) -> None:
        if not self._call.when_over(lambda: fn(self)):
            fn(self)

    def add_callback(self, callback: Callable[[], None]) -> bool:
        return bool(self._call.when_over(callback))

    def initial_metadata(self) -> Any:
        while True:
            attempt = self._call.begun()
            told = attempt.initial_metadata()
            if self._call.begun() is attempt:
                return told

    def trailing_metadata(self) -> Any:
        return self._call.over().trailing_metadata()

    def code(self) -> grpc.StatusCode:
        code: grpc.StatusCode = self._call.over().code()
        return code

    def details(self) -> str:
        details: str = self._call.over().details()
        return details

    def debug_error_string(self) -> str:
        told: str = self._call.over().debug_error_string()
        return told


class Answers(Future, CallIterator):
    """The answers of a call, one after the other."""

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        attempt = None
        while True:
            attempt = self._call.begun(attempt)
            try:
                message = next(attempt)
            except grpc.RpcError:
                # Either the attempt is the call's end, or another takes its place.
                if self._call.begun(attempt) is attempt:
                    raise
            else:
                if self._call.take(attempt):
                    return message
