"""Real servers of grpc.aio for a channel to call: each tells its own name, in every kind of call."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
import pytest

from lbsuite.channels.channel import Channel
from lbsuite.wire import messages, services
from waiting import eventually

DEADLINE_S = 20.0
SERVICE = "test.Service"


class Server:
    """gate: what calls wait for. refusal: how they end, if not None; trailers: how the others end. calls, running:
    those begun, those that wait or answer now. left_s: what the last one's deadline left it when it began. users: of
    those that name theirs in metadata. tasks: what probes are told; probes: how many there were.
    """

    def __init__(self) -> None:
        self.calls = 0
        self.running = 0
        self.left_s = 0.0
        self.users: list[str] = []
        self.probes = 0
        self.tasks = 0
        self.refusal: tuple[grpc.StatusCode, str, tuple[tuple[str, str], ...]] | None = None
        self.trailers: tuple[tuple[str, str | bytes], ...] = ()
        self.gate = asyncio.Event()
        self.gate.set()
        self.address = "127.0.0.1:0"
        self._server: grpc.aio.Server | None = None

    async def start(self) -> None:
        self._server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        handlers = {
            "Echo": grpc.unary_unary_rpc_method_handler(self._echo),
            "Count": grpc.unary_stream_rpc_method_handler(self._count),
            "Join": grpc.stream_unary_rpc_method_handler(self._join),
            "Chat": grpc.stream_stream_rpc_method_handler(self._chat),
        }
        own = grpc.method_handlers_generic_handler(SERVICE, handlers)
        self._server.add_generic_rpc_handlers([own, *services.handlers("ProbeService", self)])
        self.address = f"127.0.0.1:{self._server.add_insecure_port(self.address)}"
        await self._server.start()

    async def stop(self) -> None:
        if self._server is not None:
            await self._server.stop(None)

    async def Probe(self, request: messages.ProbeRequest, context: Any) -> messages.ProbeReply:
        self.probes += 1
        return messages.ProbeReply(tasks=self.tasks, latency_us=1000)

    async def _begin(self, context: Any) -> None:
        self.calls += 1
        self.left_s = context.time_remaining()
        self.users += [value for name, value in context.invocation_metadata() if name == "user"]
        self.running += 1
        try:
            await self.gate.wait()
        finally:
            self.running -= 1
        if self.refusal is not None:
            await context.abort(*self.refusal)
        context.set_trailing_metadata(self.trailers)

    async def _echo(self, request: bytes, context: Any) -> bytes:
        await self._begin(context)
        return self.address.encode()

    async def _count(self, request: bytes, context: Any) -> AsyncIterator[bytes]:
        await self._begin(context)
        for number in range(int(request)):
            yield f"{self.address} {number}".encode()

    async def _join(self, requests: AsyncIterator[bytes], context: Any) -> bytes:
        await self._begin(context)
        return b" ".join([self.address.encode(), *[request async for request in requests]])

    async def _chat(self, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        await self._begin(context)
        async for request in requests:
            yield self.address.encode() + b" " + request


@asynccontextmanager
async def serving(count: int) -> AsyncIterator[list[Server]]:
    """So many servers, which end with the block."""
    servers = [Server() for _ in range(count)]
    for server in servers:
        await server.start()
    try:
        yield servers
    finally:
        for server in servers:
            await server.stop()


def static(servers: list[Server]) -> str:
    """The target that names them all."""
    return "static://" + ",".join(server.address for server in servers)


def echo(channel: grpc.aio.Channel) -> Any:
    """The unary method."""
    return channel.unary_unary(f"/{SERVICE}/Echo")


async def all_ready(balanced: Channel, count: int) -> None:
    """Waits until the connections to so many endpoints, and to no others, stand."""
    await eventually(lambda: [each.state for each in balanced.status().endpoints] == ["ready"] * count)


async def failure(call: Awaitable[object]) -> grpc.aio.AioRpcError:
    """How a call that fails does so."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value


REFUSED = (grpc.StatusCode.RESOURCE_EXHAUSTED, "full", ((services.REFUSED_METADATA, "full"),))
"""Before the handler begins."""
GONE = (grpc.StatusCode.UNAVAILABLE, "the handler had begun", ())
