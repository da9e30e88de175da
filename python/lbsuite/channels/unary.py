"""Calls of one request, and what stubs call to make them."""

from typing import Any, ClassVar, TypeVar

import grpc
import grpc.aio

from lbsuite.channels.aging import Aging
from lbsuite.channels.call import ManyAnswers, OneAnswer
from lbsuite.channels.methods import Method

_Request = TypeVar("_Request")
_Response = TypeVar("_Response")


class UnaryUnaryCall(OneAnswer, grpc.aio.UnaryUnaryCall[_Request, _Response]):
    """See grpc.aio.UnaryUnaryCall."""


class UnaryStreamCall(Aging, ManyAnswers, grpc.aio.UnaryStreamCall[_Request, _Response]):
    """See grpc.aio.UnaryStreamCall."""


class UnaryUnary(Method, grpc.aio.UnaryUnaryMultiCallable[_Request, _Response]):
    """See grpc.aio.UnaryUnaryMultiCallable."""

    kind = "unary_unary"
    call: ClassVar[type[UnaryUnaryCall[Any, Any]]] = UnaryUnaryCall

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
        return self.call(self, request, timeout, wait_for_ready, options)


class UnaryStream(Method, grpc.aio.UnaryStreamMultiCallable[_Request, _Response]):
    """See grpc.aio.UnaryStreamMultiCallable."""

    kind = "unary_stream"

    def __call__(
        self,
        request: _Request,
        *,
        timeout: float | None = None,
        metadata: Any = None,
        credentials: grpc.CallCredentials | None = None,
        wait_for_ready: bool | None = None,
        compression: grpc.Compression | None = None,
    ) -> UnaryStreamCall[_Request, _Response]:
        """See grpc.aio; wait_for_ready waits for an endpoint, too, where nobody is registered."""
        options = {"metadata": metadata, "credentials": credentials, "compression": compression}
        return UnaryStreamCall(self, request, timeout, wait_for_ready, options)
