"""What stands before the handlers of a server that joined: every call is a task, from its handler's first step to its
last, or is turned away."""

import contextlib
import functools
import inspect
import time
from collections.abc import AsyncIterator, Callable, Iterator
from types import TracebackType
from typing import Any

import grpc

from lbsuite.wire import services
from lbsuite.wire.joining.limiter import Limiter, Slot
from lbsuite.wire.joining.orca import Orca, Trailers
from lbsuite.wire.refusal import Refused

NO_TASKS = ("/grpc.health.", "/grpc.reflection.", "/grpc.channelz.", "/envoy.service.status.", "/xds.service.orca.",
            f"/{services.PACKAGE}.ProbeService/")  # fmt: skip
"""Methods that begin so ask about the server; they are answered even by a full one, and nobody counts them."""
LOAD_KEYS = (services.ORCA_METADATA, services.LOAD_METADATA)
_MAX_METHODS = 1024
_GOOD = (None, grpc.StatusCode.OK, 0)


class TurnedAway(Refused):
    """The server is full or draining, and the handler has not begun."""

    def __init__(self, code: grpc.StatusCode, words: str, why: str) -> None:
        super().__init__(code, words)
        self.trailers: Trailers = ((services.REFUSED_METADATA, why),)


class Gate:
    """Wraps handlers of grpc.aio and of grpc alike; each stays of its kind, as the server goes by that.

    A handler that raises Refused ends the call with that status, and it was no task. A call that ends otherwise than
    well, or whose caller waits no more, is a failed task. What gRPC never ends we cannot either: a plain generator on a
    grpc.aio server, which holds a thread for ever once its caller goes in the middle of it, keeps its slot too.
    """

    def __init__(self, address: str, limiter: Limiter, orca: Orca) -> None:
        self.address, self.limiter, self.orca = address, limiter, orca

    def counted(self, method: str, handler: Any) -> Any:
        """A handler as `handler` that counts its calls; itself where those of the method are no tasks."""
        kind = "_".join(
            "stream" if each else "unary" for each in (handler.request_streaming, handler.response_streaming)
        )
        behavior = getattr(handler, kind)
        # Such a one answers through a callback when it likes; grpc has kept that for its own health service.
        if method.startswith(NO_TASKS) or getattr(behavior, "experimental_non_blocking", False):
            return handler
        make = getattr(grpc, f"{kind}_rpc_method_handler")
        return make(self._wrap(behavior, handler), handler.request_deserializer, handler.response_serializer)

    def _wrap(self, behavior: Any, handler: Any) -> Any:
        if inspect.iscoroutinefunction(behavior):
            return self._coroutine(behavior)
        if inspect.isasyncgenfunction(behavior):
            return self._async_generator(behavior)
        return self._generator(behavior) if handler.response_streaming else self._function(behavior)

    def _coroutine(self, behavior: Any) -> Any:
        @functools.wraps(behavior)
        async def counted(request: Any, context: Any) -> Any:
            try:
                with Task(self, context):
                    return await behavior(request, context)
            except Refused as refused:
                await context.abort(refused.code, str(refused))

        return counted

    def _async_generator(self, behavior: Any) -> Any:
        @functools.wraps(behavior)
        async def counted(request: Any, context: Any) -> AsyncIterator[Any]:
            try:
                with Task(self, context) as task:
                    # Where the caller goes while an answer is sent, nobody closes the generator before it is collected.
                    context.add_done_callback(task.abandon)
                    async with contextlib.aclosing(behavior(request, context)) as answers:
                        async for answer in answers:
                            yield answer
            except Refused as refused:
                await context.abort(refused.code, str(refused))

        return counted

    def _function(self, behavior: Any) -> Any:
        @functools.wraps(behavior)
        def counted(request: Any, context: Any) -> Any:
            try:
                with Task(self, context):
                    return behavior(request, context)
            except Refused as refused:
                context.abort(refused.code, str(refused))

        return counted

    def _generator(self, behavior: Any) -> Any:
        @functools.wraps(behavior)
        def counted(request: Any, context: Any) -> Iterator[Any]:
            try:
                with Task(self, context):
                    yield from behavior(request, context)
            except Refused as refused:
                context.abort(refused.code, str(refused))

        return counted


class Gated(grpc.GenericRpcHandler):
    """A generic handler whose methods are counted."""

    def __init__(self, handler: grpc.GenericRpcHandler, gate: Gate) -> None:
        self.handler = handler
        self._gate = gate
        self._known: dict[str, tuple[Any, Any]] = {}

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        found: Any = self.handler.service(handler_call_details)
        if found is None:
            return None
        method = handler_call_details.method
        known = self._known.get(method)
        if known is not None and known[0] is found:
            return known[1]
        counted = self._gate.counted(method, found)
        if len(self._known) < _MAX_METHODS:  # a handler may answer whatever a stranger names
            self._known[method] = found, counted
        return counted


class Task:
    """One call. Entering takes a slot or raises TurnedAway; leaving gives it back and tells the caller of the load."""

    __slots__ = ("_context", "_gate", "_slot", "_trailers")

    def __init__(self, gate: Gate, context: Any) -> None:
        self._gate, self._context = gate, context
        self._slot: Slot | None = None

    def __enter__(self) -> "Task":
        now = time.monotonic()
        gate, context = self._gate, self._context
        # Told at once too: an abort of the handler sends its status before the handler is left.
        self._trailers = gate.orca.trailers(now)
        self._slot = gate.limiter.begin(_token(context), now)
        if self._slot is None:
            away = self._turned_away()
            context.set_trailing_metadata((*away.trailers, *self._trailers))
            raise away
        context.set_trailing_metadata(self._trailers)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        now = time.monotonic()
        assert self._slot is not None
        if isinstance(error, Refused):
            self._gate.limiter.withdraw(self._slot, now)
        else:
            self._gate.limiter.end(self._slot, now, failed=error is not None or _without_result(self._context))
        self._tell(now)

    def abandon(self, context: Any) -> None:
        """The call is over, whatever its handler still does."""
        assert self._slot is not None
        self._gate.limiter.end(self._slot, time.monotonic(), failed=True)

    def _tell(self, now: float) -> None:
        told: Callable[[], Any] | None = getattr(self._context, "trailing_metadata", None)
        if told is None:  # a plain function on a grpc.aio server, where none can be read: what was told at first stands
            return
        current, fresh = told(), self._gate.orca.trailers(now)
        if current is not fresh:
            own = () if current is self._trailers else tuple(pair for pair in current or () if pair[0] not in LOAD_KEYS)
            self._context.set_trailing_metadata((*own, *fresh) if own else fresh)

    def _turned_away(self) -> TurnedAway:
        gate = self._gate
        if gate.limiter.closed:
            return TurnedAway(grpc.StatusCode.UNAVAILABLE, f"{gate.address} is draining", services.DRAINING)
        words = f"{gate.address} has {gate.limiter.limit} tasks, its limit"
        return TurnedAway(grpc.StatusCode.RESOURCE_EXHAUSTED, words, "full")


def _without_result(context: Any) -> bool:
    code, active = getattr(context, "code", None), getattr(context, "is_active", None)
    return (code is not None and code() not in _GOOD) or (active is not None and not active())


def _token(context: Any) -> int:
    """The pick that a call comes from; 0 where it does not say, or says nonsense."""
    for key, value in context.invocation_metadata() or ():
        if key == services.PICK_METADATA and isinstance(value, str) and value.isdecimal() and len(value) <= 20:
            token = int(value)
            return token if token < 1 << 64 else 0
    return 0
