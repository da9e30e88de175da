"""The services of `lbsuite.proto`: how they are served, and how they are called."""

from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from lbsuite.wire import messages

PACKAGE = messages.DESCRIPTOR.package
PICK_METADATA = "lbsuite-pick"
"""Metadata key under which a caller passes a pick's token on to the backend, in decimal."""
REFUSED_METADATA = "lbsuite-refused"
"""Trailing metadata key of an endpoint that turned a call away before its handler began, so that any method may be
tried again elsewhere: `full` (with RESOURCE_EXHAUSTED) or `draining` (with UNAVAILABLE)."""
DRAINING = "draining"
KEY_METADATA = "lbsuite-key"
"""Metadata key of what keeps a call together with others, under policies that go by keys."""
ORCA_METADATA = "endpoint-load-metrics-bin"
"""Trailing metadata key of an OrcaLoadReport (gRFC A51)."""
LOAD_METADATA = "lbsuite-load-bin"
"""The same for callers in Python: gRPC's core keeps ORCA_METADATA from them."""


def handlers(service: str, servicer: object, bare: Iterable[str] = ()) -> list[grpc.GenericRpcHandler]:
    """Serves `lbsuite.v1.<service>` with the methods that `servicer` has; the others answer UNIMPLEMENTED.

    The methods named in `bare` are also served without the package, through `servicer.bare_<method>` where it has
    one, so that callers made from the look-aside API alone work unmodified.
    """
    served = {name: implementation for name in _methods(service) if (implementation := getattr(servicer, name, None))}
    unpackaged = {name: getattr(servicer, f"bare_{name}", served[name]) for name in bare}
    return [
        grpc.method_handlers_generic_handler(
            name, {method: _handler(service, method, implementation) for method, implementation in table.items()}
        )
        for name, table in ((f"{PACKAGE}.{service}", served), (service, unpackaged))
        if table
    ]


def stub(channel: grpc.aio.Channel, service: str, package: str = PACKAGE) -> Any:
    """A service's methods that take one request, as callables, those that answer with a stream too:
    `stub(channel, "LoadBalancer").GetBestServer(request, timeout=1)`.
    """
    prefix = f"/{package}.{service}/" if package else f"/{service}/"
    calls = SimpleNamespace()
    for name, method in _methods(service).items():
        if not method.client_streaming:
            serializer = GetMessageClass(method.input_type).SerializeToString
            kind = channel.unary_stream if method.server_streaming else channel.unary_unary
            setattr(calls, name, kind(prefix + name, serializer, GetMessageClass(method.output_type).FromString))
    return calls


def _methods(service: str) -> dict[str, Any]:
    return dict(messages.DESCRIPTOR.services_by_name[service].methods_by_name)


def _handler(service: str, name: str, implementation: Any) -> Any:
    method = _methods(service)[name]
    kind = f"{'stream' if method.client_streaming else 'unary'}_{'stream' if method.server_streaming else 'unary'}"
    make = getattr(grpc, f"{kind}_rpc_method_handler")
    serializer = _serialized if method.server_streaming else GetMessageClass(method.output_type).SerializeToString
    if method.client_streaming:
        return make(implementation, GetMessageClass(method.input_type).FromString, serializer)
    return make(_answered(implementation, method.input_type.name), _reader(method), serializer)


def _reader(method: Any) -> Callable[[bytes], Message | None]:
    read = GetMessageClass(method.input_type).FromString

    # What is raised here grpc.aio would log with a traceback, as often as a stranger likes.
    def message(data: bytes) -> Message | None:
        try:
            return read(data)
        except DecodeError:
            return None

    return message


def _serialized(message: Message | bytes) -> bytes:
    # What goes to many is made once.
    return message if isinstance(message, bytes) else message.SerializeToString()


def _answered(implementation: Any, expected: str) -> Any:
    async def answer(request: Message | None, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
        if request is None:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"the bytes are no {expected}")
        return await implementation(request, context)

    return answer
