"""A service of a user's own on both kinds of server, written as its author would without lbsuite, and its callers."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import grpc
import grpc.aio

import lbsuite
from lbsuite.wire.joining.limiter import Limiter

SERVICE = "test.Echo"
KINDS = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")
DEADLINE_S = 20.0


def add_to_server(servicer: Any, server: Any) -> None:
    """What protoc's plug-in for gRPC writes."""
    handlers = {kind: getattr(grpc, f"{kind}_rpc_method_handler")(getattr(servicer, kind)) for kind in KINDS}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    if hasattr(server, "add_registered_method_handlers"):
        server.add_registered_method_handlers(SERVICE, handlers)


class Coroutines:
    """Answers `word` with itself; `hold` once released, `raise` and `abort` as they say."""

    def __init__(self) -> None:
        self._released = asyncio.Event()

    def release(self) -> None:
        self._released.set()

    async def unary_unary(self, request: bytes, context: Any) -> bytes:
        if request == b"hold":
            await self._released.wait()
        if request == b"abort":
            await context.abort(grpc.StatusCode.NOT_FOUND, "not here")
        if request == b"set":
            context.set_trailing_metadata((("own", "mine"),))
            context.set_code(grpc.StatusCode.DATA_LOSS)
        if request == b"raise":
            raise RuntimeError("as ordered")
        return request

    async def unary_stream(self, request: bytes, context: Any) -> AsyncIterator[bytes]:
        while request == b"flood":
            yield bytes(1 << 20)
        yield await self.unary_unary(request, context)
        yield request

    async def stream_unary(self, requests: AsyncIterator[bytes], context: Any) -> bytes:
        answers = [await self.unary_unary(request, context) async for request in requests]
        return b" ".join(answers)

    async def stream_stream(self, requests: AsyncIterator[bytes], context: Any) -> None:
        async for request in requests:
            await context.write(await self.unary_unary(request, context))


class Functions:
    """The same as plain functions."""

    def __init__(self) -> None:
        self._released = threading.Event()

    def release(self) -> None:
        self._released.set()

    def unary_unary(self, request: bytes, context: Any) -> bytes:
        if request == b"hold":
            while not self._released.wait(0.01):
                if not getattr(context, "is_active", lambda: True)():
                    break
        if request == b"abort":
            context.abort(grpc.StatusCode.NOT_FOUND, "not here")
        if request == b"set":
            context.set_trailing_metadata((("own", "mine"),))
            context.set_code(grpc.StatusCode.DATA_LOSS)
        if request == b"raise":
            raise RuntimeError("as ordered")
        return request

    def unary_stream(self, request: bytes, context: Any) -> Iterator[bytes]:
        while request == b"flood":
            yield bytes(1 << 20)
        # First, as grpc.aio runs ahead of what it has sent, and an abort in the middle of that fails.
        yield self.unary_unary(request, context)
        yield request

    def stream_unary(self, requests: Iterator[bytes], context: Any) -> bytes:
        return b" ".join([self.unary_unary(request, context) for request in requests])

    def stream_stream(self, requests: Iterator[bytes], context: Any) -> Iterator[bytes]:
        for request in requests:
            yield self.unary_unary(request, context)


class Joined:
    """A server that has joined, and a plain channel to it."""

    def __init__(self, servicer: Any, enrolment: Any, channel: grpc.aio.Channel, stop: Callable[..., Any]) -> None:
        self.servicer, self.enrolment, self.channel, self.stop = servicer, enrolment, channel, stop
        self.limiter: Limiter = enrolment.limiter
        self.address: str = enrolment.address

    def call(self, kind: str, word: bytes = b"word", timeout_s: float = DEADLINE_S, **options: Any) -> Any:
        """One call under way; `answer` waits for it."""
        call = getattr(self.channel, kind)(f"/{SERVICE}/{kind}")
        return call(requests(word) if kind.startswith("stream") else word, timeout=timeout_s, **options)

    async def answer(self, kind: str, word: bytes = b"word", **options: Any) -> list[bytes]:
        return await answers(self.call(kind, word, **options))

    async def code(self, kind: str, word: bytes = b"word", **options: Any) -> grpc.StatusCode:
        call = self.call(kind, word, **options)
        await asyncio.gather(answers(call), return_exceptions=True)
        code: grpc.StatusCode = await call.code()
        return code


async def requests(word: bytes) -> AsyncIterator[bytes]:
    yield word


async def answers(call: Any) -> list[bytes]:
    """All that a call gives."""
    if hasattr(call, "__aiter__"):
        return [message async for message in call]
    return [await call]


def aio_server() -> tuple[Any, Any]:
    return grpc.aio.server(options=[("grpc.so_reuseport", 0)]), Coroutines()


def mixed_server() -> tuple[Any, Any]:
    """Plain functions on a grpc.aio server, which runs them on threads."""
    pool = ThreadPoolExecutor(16)
    return grpc.aio.server(pool, options=[("grpc.so_reuseport", 0)]), Functions()


def threaded_server() -> tuple[Any, Any]:
    return grpc.server(ThreadPoolExecutor(16), options=[("grpc.so_reuseport", 0)]), Functions()


SERVERS = {"aio": aio_server, "functions on aio": mixed_server, "threads": threaded_server}


async def settled(made: Any) -> Any:
    """What a method of either kind of server gives."""
    return await made if asyncio.iscoroutine(made) else made


async def called(method: Callable[..., Any], *args: Any) -> Any:
    """The method of either kind of server; one that waits does so on a thread, as others need this loop."""
    if asyncio.iscoroutinefunction(method):
        return await method(*args)
    return await asyncio.to_thread(method, *args)


@asynccontextmanager
async def joined(kind: str, *, first: str = "join", limit: int = 4, **options: Any) -> AsyncIterator[Joined]:
    """A running server. first: `join`, or `add`: whether its servicer comes before it joins."""
    server, servicer = SERVERS[kind]()
    if first == "add":
        add_to_server(servicer, server)
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    enrolment = lbsuite.join(server, address=address, max_concurrent=limit, **options)
    if first == "join":
        add_to_server(servicer, server)
    async with AsyncExitStack() as stack:
        await called(server.start)
        stack.push_async_callback(_end, server, servicer)
        channel = await stack.enter_async_context(grpc.aio.insecure_channel(address))

        async def stop(grace_s: float) -> None:
            over = await called(server.stop, grace_s)
            if over is not None:
                await asyncio.to_thread(over.wait)

        yield Joined(servicer, enrolment, channel, stop)


async def _end(server: Any, servicer: Any) -> None:
    servicer.release()
    over = await called(server.stop, 1.0)
    if over is not None:
        await asyncio.to_thread(over.wait, DEADLINE_S)
