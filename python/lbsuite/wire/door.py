"""The `aio` door: serves a balancer with grpc.aio, under both names of the API, with gRPC health."""

import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from types import SimpleNamespace
from typing import Any

import grpc
import grpc.aio
from grpc_health.v1 import health  # type: ignore[import-untyped]

from lbsuite.wire import listening, services
from lbsuite.wire.balancer import Asker, Balancer, Caller
from lbsuite.wire.refusal import PUSHBACK, Refused

MAX_REQUEST_BYTES = 256 * 1024
MAX_WORDS = 500
"""Characters of an error that quotes the caller: gRPC replaces a status with longer words by one of its own."""

_WAY_S = 0.1
"""So long before its caller's deadline, or a tenth of what is left, an answer is due: it has to get there."""

_SERVICE = "LoadBalancer"
_METHODS = (
    "RegisterServer",
    "ReportLoad",
    "GetBestServer",
    "bare_GetBestServer",
    "Deregister",
    "Status",
    "Drain",
    "Explain",
)
_STREAMS = ("Watch",)
_BARE = ("RegisterServer", "ReportLoad", "GetBestServer")
_OPTIONS = (
    *listening.OPTIONS,
    ("grpc.max_receive_message_length", MAX_REQUEST_BYTES),
    # A watcher that is gone without a word would stay for hours; gRPC gives a ping a minute unless told otherwise.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.http2.ping_timeout_ms", 10_000),
)

Method = Callable[[Any, Caller], Awaitable[Any]]
Stream = Callable[[Any, Caller], AsyncGenerator[bytes, None]]
Context = grpc.aio.ServicerContext[Any, Any]


class AioDoor:
    """One listening address of a balancer."""

    def __init__(self, balancer: Balancer) -> None:
        self._balancer = balancer
        self._server = grpc.aio.server(options=_OPTIONS)
        self._health: health.aio.HealthServicer | None = None
        answers = {name: _answered(getattr(balancer, name)) for name in _METHODS}
        streams = {name: _streamed(getattr(balancer, name)) for name in _STREAMS}
        servicer = SimpleNamespace(**answers, **streams)
        self._server.add_generic_rpc_handlers(services.handlers(_SERVICE, servicer, bare=_BARE))

    async def open(self, listen: str) -> str:
        """Listens, and says where (port 0 takes a free one). Raises StartFailed where that cannot be."""
        bound = listening.listen(self._server, listen)
        self._health = await listening.add_health(self._server, _SERVICE)
        await self._server.start()
        return bound

    async def tell_stopping(self) -> None:
        """Health says NOT_SERVING from now on; requests are answered as before."""
        if self._health is not None:
            await self._health.enter_graceful_shutdown()

    async def close(self, grace_s: float = 1.0) -> None:
        """Takes no more requests; those under way may finish within `grace_s`, but none that waits for a slot
        or watches."""
        await self.tell_stopping()
        self._balancer.stop_waiting()
        await self._server.stop(grace_s)


def _identify(context: Context) -> Caller:
    """The one place that knows who a caller is. Nobody says so yet."""
    left_s = context.time_remaining()
    if left_s is None:
        return None
    return Asker(deadline=time.monotonic() + left_s - min(_WAY_S, left_s / 10))


def _answered(method: Method) -> Callable[..., Awaitable[Any]]:
    async def answer(request: Any, context: Context) -> Any:
        return await _or_refusal(method(request, _identify(context)), context)

    return answer


def _streamed(method: Stream) -> Callable[..., Awaitable[Any]]:
    async def answer(request: Any, context: Context) -> None:
        await _or_refusal(_write_all(method(request, _identify(context)), context), context)

    return answer


async def _write_all(frames: AsyncGenerator[bytes, None], context: Context) -> None:
    """Each when its reader has room for it."""
    async with aclosing(frames):
        async for frame in frames:
            await context.write(frame)


async def _or_refusal(answer: Awaitable[Any], context: Context) -> Any:
    trailing: tuple[tuple[str, str], ...] = ()
    try:
        return await answer
    except Refused as refusal:
        code, words = refusal.code, str(refusal)
        if refusal.final:
            trailing = ((PUSHBACK, "-1"),)
    except ValueError as error:
        code, words = grpc.StatusCode.INVALID_ARGUMENT, str(error)
    await context.abort(code, words[:MAX_WORDS], trailing)
