"""The gRPC servers of others: how their handlers are counted, and what is done as they start and stop.

gRPC takes interceptors when a server is made and never after; a server that exists has no public way to the handlers
it was given. So what is added from now on is met at the server's own public methods, which are replaced on this one
object; what was added before is looked up by its type among what the server holds, since its name differs with each
release of gRPC, and exchanged in place: the server asks the same list and the same table at every call.
"""

import gc
import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import grpc

from lbsuite.wire.joining.gate import Gate, Gated

_DEPTH = 4


class Handlers:
    """The handlers of one server, all counted by `gate`. ValueError for a server that has been given to another."""

    def __init__(self, server: Any, gate: Gate) -> None:
        if "add_generic_rpc_handlers" in vars(server):
            raise ValueError(f"this server has joined already: {server!r}")
        self._server, self._gate = server, gate
        self.services: set[str] = set()
        """The full names of the services that are known."""
        self._add_generic = server.add_generic_rpc_handlers
        self._add_registered = getattr(server, "add_registered_method_handlers", None)  # from gRPC 1.64 on
        self._exchange()
        replace(server, add_generic_rpc_handlers=self._generic)
        if self._add_registered is not None:
            replace(server, add_registered_method_handlers=self._registered)

    def add(self, handlers: Iterable[grpc.GenericRpcHandler]) -> None:
        """Adds handlers of our own, behind all others: where the user answers the same method, the user's goes."""
        self._add_generic(tuple(handlers))

    def _generic(self, generic_rpc_handlers: Iterable[grpc.GenericRpcHandler]) -> None:
        self._add_generic(tuple(self._gated(handler) for handler in generic_rpc_handlers))

    def _registered(self, service_name: str, method_handlers: dict[str, Any]) -> None:
        assert self._add_registered is not None
        self.services.add(service_name)
        counted = {
            method: self._gate.counted(f"/{service_name}/{method}", handler)
            for method, handler in method_handlers.items()
        }
        self._add_registered(service_name, counted)

    def _gated(self, handler: Any) -> Any:
        if isinstance(handler, grpc.ServiceRpcHandler):
            self.services.add(handler.service_name())
        return Gated(handler, self._gate)

    def _exchange(self) -> None:
        for held in _held(self._server):
            if isinstance(held, list) and held and all(isinstance(each, grpc.GenericRpcHandler) for each in held):
                held[:] = [self._gated(each) for each in held]
            elif isinstance(held, dict) and held and all(isinstance(v, grpc.RpcMethodHandler) for v in held.values()):
                for method, handler in held.items():
                    held[method] = self._gate.counted(_text(method), handler)


def replace(server: Any, **methods: Callable[..., Any]) -> None:
    """Has this one server call ours instead of its own."""
    for name, method in methods.items():
        setattr(server, name, method)


def _held(server: Any) -> Iterator[Any]:
    """What the server refers to, through objects of gRPC only."""
    seen, front = {id(server)}, [server]
    for _ in range(_DEPTH):
        found = [each for one in front for each in gc.get_referents(one) if id(each) not in seen]
        seen.update(map(id, found))
        front = [each for each in found if _of_grpc(each)]
        yield from found


def _of_grpc(thing: Any) -> bool:
    if isinstance(thing, dict):  # the attributes of an object may be one
        return all(isinstance(key, str) for key in thing)
    kind = type(thing)
    return kind.__module__.startswith("grpc.") and not inspect.isclass(thing) and not inspect.isroutine(thing)


def _text(method: str | bytes) -> str:
    return method.decode() if isinstance(method, bytes) else method
