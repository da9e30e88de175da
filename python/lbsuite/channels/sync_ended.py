"""The attempt that never was, of calls that block; and what such calls are to the type checker."""

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn

import grpc

if TYPE_CHECKING:
    CallFuture = grpc._CallFuture[Any]
    CallIterator = grpc._CallIterator[Any]
    UnaryUnaryOf = grpc.UnaryUnaryMultiCallable[Any, Any]
    UnaryStreamOf = grpc.UnaryStreamMultiCallable[Any, Any]
    StreamUnaryOf = grpc.StreamUnaryMultiCallable[Any, Any]
    StreamStreamOf = grpc.StreamStreamMultiCallable[Any, Any]
else:
    # What grpc's classes are generic in, their stubs alone know.
    CallFuture = type("CallFuture", (grpc.Call, grpc.Future), {})
    CallIterator = grpc.Call
    UnaryUnaryOf = grpc.UnaryUnaryMultiCallable
    UnaryStreamOf = grpc.UnaryStreamMultiCallable
    StreamUnaryOf = grpc.StreamUnaryMultiCallable
    StreamStreamOf = grpc.StreamStreamMultiCallable


class SyncEnded(grpc.RpcError, CallFuture):
    """Answers as an attempt does that ended with this status before it began."""

    def __init__(self, code: grpc.StatusCode, words: str) -> None:
        super().__init__(f"{code.name}: {words}")
        self._code, self._words = code, words

    def code(self) -> grpc.StatusCode:
        return self._code

    def details(self) -> str:
        return self._words

    def debug_error_string(self) -> str:
        return f"{self._code.name}:{self._words}"

    def initial_metadata(self) -> Any:
        return ()

    def trailing_metadata(self) -> Any:
        return ()

    def cancelled(self) -> bool:
        return self._code is grpc.StatusCode.CANCELLED

    def cancel(self) -> bool:
        return False

    def running(self) -> bool:
        return False

    def done(self) -> bool:
        return True

    def is_active(self) -> bool:
        return False

    def time_remaining(self) -> Any:
        return None

    def add_callback(self, callback: Callable[[], None]) -> bool:
        return False

    def add_done_callback(self, fn: Callable[[Any], None]) -> None:
        fn(self)

    def result(self, timeout: float | None = None) -> NoReturn:
        raise self.exception()

    def exception(self, timeout: float | None = None) -> Exception:
        if self.cancelled():
            raise grpc.FutureCancelledError
        return self

    def traceback(self, timeout: float | None = None) -> TracebackType | None:
        return self.exception().__traceback__

    def __next__(self) -> NoReturn:
        raise self
