"""Calls of many requests, and what stubs call to make them."""

from collections.abc import AsyncIterable, Iterable
from typing import Any, TypeVar

import grpc
import grpc.aio

from lbsuite.channels.aging import Aging
from lbsuite.channels.call import BalancedCall, ManyAnswers, OneAnswer
from lbsuite.channels.methods import Method
from lbsuite.channels.outgoing import Outgoing

_Request = TypeVar("_Request")
_Response = TypeVar("_Response")


class ManyRequests(BalancedCall):
    """Those whose requests are a stream: an iterator's, or written one by one. Only one of which no message has gone
    out can be tried again."""

    _written = False
    _outgoing: Outgoing | None = None

    async def write(self, request: Any) -> None:
        """See grpc.aio."""
        await self._commit()
        await self._attempt.write(request)

    async def done_writing(self) -> None:
        """See grpc.aio."""
        await self._commit()
        await self._attempt.done_writing()

    async def _commit(self) -> None:
        if not self._written:
            await self.wait_for_connection()
            self._written = True

    def _message(self) -> Any:
        if self._request is None:
            return None
        if self._outgoing is None:
            self._outgoing = Outgoing(self._request)
        return self._outgoing.messages()

    def _restarts(self) -> bool:
        whole = self._outgoing is None or self._outgoing.whole
        return whole and not self._written and super()._restarts()


class StreamUnaryCall(Aging, ManyRequests, OneAnswer, grpc.aio.StreamUnaryCall[_Request, _Response]):
    """See grpc.aio.StreamUnaryCall."""


class StreamStreamCall(Aging, ManyRequests, ManyAnswers, grpc.aio.StreamStreamCall[_Request, _Response]):
    """See grpc.aio.StreamStreamCall."""


class StreamUnary(Method, grpc.aio.StreamUnaryMultiCallable[_Request, _Response]):
    """See grpc.aio.StreamUnaryMultiCallable."""

    kind = "stream_unary"

    def __call__(
        self,
        request_iterator: AsyncIterable[_Request] | Iterable[_Request] | None = None,
        timeout: float | None = None,
        metadata: Any = None,
        credentials: grpc.CallCredentials | None = None,
        wait_for_ready: bool | None = None,
        compression: grpc.Compression | None = None,
    ) -> StreamUnaryCall[_Request, _Response]:
        """See grpc.aio; wait_for_ready waits for an endpoint, too, where nobody is registered."""
        options = {"metadata": metadata, "credentials": credentials, "compression": compression}
        return StreamUnaryCall(self, request_iterator, timeout, wait_for_ready, options)


class StreamStream(Method, grpc.aio.StreamStreamMultiCallable[_Request, _Response]):
    """See grpc.aio.StreamStreamMultiCallable."""

    kind = "stream_stream"

    def __call__(
        self,
        request_iterator: AsyncIterable[_Request] | Iterable[_Request] | None = None,
        timeout: float | None = None,
        metadata: Any = None,
        credentials: grpc.CallCredentials | None = None,
        wait_for_ready: bool | None = None,
        compression: grpc.Compression | None = None,
    ) -> StreamStreamCall[_Request, _Response]:
        """See grpc.aio; wait_for_ready waits for an endpoint, too, where nobody is registered."""
        options = {"metadata": metadata, "credentials": credentials, "compression": compression}
        return StreamStreamCall(self, request_iterator, timeout, wait_for_ready, options)
