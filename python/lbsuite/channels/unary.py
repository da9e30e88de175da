"""Calls of one request and one answer."""

from collections.abc import Generator
from typing import Any, Generic, TypeVar

import grpc
import grpc.aio

from lbsuite.channels.call import BalancedCall
from lbsuite.channels.methods import Method

_Request = TypeVar("_Request")
_Response = TypeVar("_Response")


class UnaryUnaryCall(BalancedCall, grpc.aio.UnaryUnaryCall[_Request, _Response]):
    """One call; see grpc.aio.UnaryUnaryCall."""

    def __await__(self) -> Generator[Any, None, _Response]:
        """See grpc.aio."""
        return self._answer(self._attempt)

    def _answer(self, attempt: Any) -> Generator[Any, None, _Response]:
        while True:
            try:
                if attempt is None:
                    attempt = yield from self._begun().__await__()
                response: _Response = yield from attempt.__await__()
                return response
            except grpc.aio.AioRpcError:
                if self._attempt is attempt:
                    raise
                attempt = self._attempt
            except BaseException:
                # Cancelled, or what was sent or came cannot be read: nobody waits for more.
                self.cancel()
                raise


class UnaryUnary(Method, grpc.aio.UnaryUnaryMultiCallable[_Request, _Response], Generic[_Request, _Response]):
    """What a stub calls; see grpc.aio.UnaryUnaryMultiCallable."""

    kind = "unary_unary"

    def __call__(
        self,
        request: _Request,
        *,
        timeout: float | None = None,
        metadata: Any = None,
        credentials: grpc.CallCredentials | None = None,
        wait_for_ready: bool | None = None,
        compression: grpc.Compression | None = None,
    ) -> UnaryUnaryCall[_Request, _Response]:
        """See grpc.aio; wait_for_ready waits for an endpoint, too, where nobody is registered."""
        options = {"metadata": metadata, "credentials": credentials, "compression": compression}
        return UnaryUnaryCall(self, request, timeout, wait_for_ready, options)
