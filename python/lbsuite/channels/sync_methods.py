"""What stubs of the blocking kind are made of."""

import functools
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar

import grpc

from lbsuite.channels.methods import Method
from lbsuite.channels.sync_attempts import Blocking, BlockingCall, RunningCall
from lbsuite.channels.sync_calls import Answers, Future, HedgedCall, StreamStreamCall, StreamUnaryCall, UnaryStreamCall
from lbsuite.channels.sync_ended import StreamStreamOf, StreamUnaryOf, UnaryStreamOf, UnaryUnaryOf

if TYPE_CHECKING:
    from lbsuite.channels.endpoint import Endpoint
    from lbsuite.channels.sync_channel import SyncChannel


class SyncMethod(Method):
    """One method of a channel whose calls block."""

    channel: "SyncChannel"


class _Waited(SyncMethod):
    """Calls whose callers wait."""

    kind = "unary_unary"

    def stub(self, endpoint: "Endpoint") -> Any:
        """See Method."""
        plain = super().stub(endpoint).with_call
        endpoint.stubs[self] = stub = functools.partial(_blocking, plain)
        return stub


class _Future(SyncMethod):
    """Calls whose callers come back for the answer."""

    kind = "unary_unary"

    def stub(self, endpoint: "Endpoint") -> Any:
        """See Method."""
        endpoint.stubs[self] = stub = super().stub(endpoint).future
        return stub


class _StreamUnary(_Future):
    kind = "stream_unary"


class _UnaryStream(SyncMethod):
    kind = "unary_stream"


class _StreamStream(SyncMethod):
    kind = "stream_stream"


def _blocking(plain: Callable[..., Any], message: Any, **options: Any) -> Blocking:
    return Blocking(plain, message, options)


class UnaryUnary(UnaryUnaryOf):
    """See grpc.UnaryUnaryMultiCallable; wait_for_ready waits for an endpoint, too, where nobody is registered."""

    call: ClassVar[type[RunningCall]] = RunningCall

    def __init__(self, channel: "SyncChannel", name: str, plain: dict[str, Any]) -> None:
        self._waited = _Waited(channel, name, plain)
        self._future = _Future(channel, name, plain)

    def __call__(
        self,
        request: Any,
        timeout: float | None = None,
        metadata: Any = None,
        credentials: grpc.CallCredentials | None = None,
        wait_for_ready: bool | None = None,
        compression: grpc.Compression | None = None,
    ) -> Any:
        """See grpc."""
        options = {"metadata": metadata, "credentials": credentials, "compression": compression}
        return BlockingCall(self._waited, request, timeout, wait_for_ready, options).answered().answer

    def with_call(
        self,
        request: Any,
        timeout: float | None = None,
        metadata: Any = None,
        credentials: grpc.CallCredentials | None = None,
        wait_for_ready: bool | None = None,
        compression: grpc.Compression | None = None,
    ) -> tuple[Any, Any]:
        """See grpc."""
        options = {"metadata": metadata, "credentials": credentials, "compression": compression}
        attempt = BlockingCall(self._waited, request, timeout, wait_for_ready, options).answered()
        return attempt.answer, attempt.call

    def future(
        self,
        request: Any,
        timeout: float | None = None,
        metadata: Any = None,
        credentials: grpc.CallCredentials | None = None,
        wait_for_ready: bool | None = None,
        compression: grpc.Compression | None = None,
    ) -> Future:
        """See grpc."""
        options = {"metadata": metadata, "credentials": credentials, "compression": compression}
        return Future(self.call(self._future, request, timeout, wait_for_ready, options))


class HedgedUnaryUnary(UnaryUnary):
    """A method whose calls may be sent twice: who waits for one waits for its future."""

    call = HedgedCall

    def __call__(self, request: Any, *call: Any, **named: Any) -> Any:
        """See grpc."""
        return self.future(request, *call, **named).result()

    def with_call(self, request: Any, *call: Any, **named: Any) -> tuple[Any, Future]:
        """See grpc."""
        future = self.future(request, *call, **named)
        return future.result(), future


class StreamUnary(StreamUnaryOf):
    """See grpc.StreamUnaryMultiCallable; wait_for_ready as above."""

    def __init__(self, channel: "SyncChannel", name: str, plain: dict[str, Any]) -> None:
        self._future = _StreamUnary(channel, name, plain)

    def __call__(self, request_iterator: Iterable[Any], *call: Any, **named: Any) -> Any:
        """See grpc."""
        return self.future(request_iterator, *call, **named).result()

    def with_call(self, request_iterator: Iterable[Any], *call: Any, **named: Any) -> tuple[Any, Future]:
        """See grpc."""
        future = self.future(request_iterator, *call, **named)
        return future.result(), future

    def future(
        self,
        request_iterator: Iterable[Any],
        timeout: float | None = None,
        metadata: Any = None,
        credentials: grpc.CallCredentials | None = None,
        wait_for_ready: bool | None = None,
        compression: grpc.Compression | None = None,
    ) -> Future:
        """See grpc."""
        options = {"metadata": metadata, "credentials": credentials, "compression": compression}
        return Future(StreamUnaryCall(self._future, request_iterator, timeout, wait_for_ready, options))


class UnaryStream(UnaryStreamOf):
    """See grpc.UnaryStreamMultiCallable; wait_for_ready as above."""

    def __init__(self, channel: "SyncChannel", name: str, plain: dict[str, Any]) -> None:
        self._method = _UnaryStream(channel, name, plain)

    def __call__(
        self,
        request: Any,
        timeout: float | None = None,
        metadata: Any = None,
        credentials: grpc.CallCredentials | None = None,
        wait_for_ready: bool | None = None,
        compression: grpc.Compression | None = None,
    ) -> Answers:
        """See grpc."""
        options = {"metadata": metadata, "credentials": credentials, "compression": compression}
        return Answers(UnaryStreamCall(self._method, request, timeout, wait_for_ready, options))


class StreamStream(StreamStreamOf):
    """See grpc.StreamStreamMultiCallable; wait_for_ready as above."""

    def __init__(self, channel: "SyncChannel", name: str, plain: dict[str, Any]) -> None:
        self._method = _StreamStream(channel, name, plain)

    def __call__(
        self,
        request_iterator: Iterable[Any],
        timeout: float | None = None,
        metadata: Any = None,
        credentials: grpc.CallCredentials | None = None,
        wait_for_ready: bool | None = None,
        compression: grpc.Compression | None = None,
    ) -> Answers:
        """See grpc."""
        options = {"metadata": metadata, "credentials": credentials, "compression": compression}
        return Answers(StreamStreamCall(self._method, request_iterator, timeout, wait_for_ready, options))
