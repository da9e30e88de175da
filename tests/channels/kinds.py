"""One face for the channels of both kinds, so that one contract holds them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

import grpc
from servers import DEADLINE_S, SERVICE, all_ready

import lbsuite
from lbsuite.registry.source import Source


class Aio:
    """Calls through lbsuite.channel."""

    error = grpc.aio.AioRpcError

    def __init__(self, target: str | Source, **settings: Any) -> None:
        self.channel: Any = lbsuite.channel(target, **settings)

    async def echo(self, message: bytes = b"", timeout_s: float = DEADLINE_S, **call: Any) -> bytes:
        answer: bytes = await self.channel.unary_unary(f"/{SERVICE}/Echo")(message, timeout=timeout_s, **call)
        return answer

    async def count(self, number: int) -> list[bytes]:
        call = self.channel.unary_stream(f"/{SERVICE}/Count")(str(number).encode(), timeout=DEADLINE_S)
        return [answer async for answer in call]

    async def join(self, messages: Iterable[bytes]) -> bytes:
        answer: bytes = await self.channel.stream_unary(f"/{SERVICE}/Join")(messages, timeout=DEADLINE_S)
        return answer

    async def chat(self, messages: Iterable[bytes]) -> list[bytes]:
        call = self.channel.stream_stream(f"/{SERVICE}/Chat")(messages, timeout=DEADLINE_S)
        return [answer async for answer in call]

    def tell(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Has the source of membership do it."""
        function(*arguments)

    async def close(self) -> None:
        await self.channel.close()


class Sync:
    """Calls through lbsuite.sync_channel, each in a thread."""

    error = grpc.RpcError

    def __init__(self, target: str | Source, **settings: Any) -> None:
        self.channel: Any = lbsuite.sync_channel(target, **settings)

    async def echo(self, message: bytes = b"", timeout_s: float = DEADLINE_S, **call: Any) -> bytes:
        method = self.channel.unary_unary(f"/{SERVICE}/Echo")
        return await asyncio.to_thread(method, message, timeout=timeout_s, **call)

    async def count(self, number: int) -> list[bytes]:
        method = self.channel.unary_stream(f"/{SERVICE}/Count")
        return await asyncio.to_thread(lambda: list(method(str(number).encode(), timeout=DEADLINE_S)))

    async def join(self, messages: Iterable[bytes]) -> bytes:
        method = self.channel.stream_unary(f"/{SERVICE}/Join")
        return await asyncio.to_thread(lambda: method(iter(messages), timeout=DEADLINE_S))

    async def chat(self, messages: Iterable[bytes]) -> list[bytes]:
        method = self.channel.stream_stream(f"/{SERVICE}/Chat")
        return await asyncio.to_thread(lambda: list(method(iter(messages), timeout=DEADLINE_S)))

    def tell(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.channel.thread.call(function, *arguments)

    async def close(self) -> None:
        await asyncio.to_thread(self.channel.close)


class Futures(Sync):
    """The same, by its futures."""

    async def echo(self, message: bytes = b"", timeout_s: float = DEADLINE_S, **call: Any) -> bytes:
        future = self.channel.unary_unary(f"/{SERVICE}/Echo").future(message, timeout=timeout_s, **call)
        return await asyncio.to_thread(future.result)


Kind = type[Aio] | type[Sync]
KINDS: list[Kind] = [Aio, Sync, Futures]


@asynccontextmanager
async def opened(kind: Kind, target: str | Source, ready: int = 0, **settings: Any) -> AsyncIterator[Aio | Sync]:
    """A channel of that kind, once so many endpoints are ready, which the block's end closes."""
    door = kind(target, **settings)
    try:
        if ready:
            await all_ready(door.channel, ready)
        yield door
    finally:
        await door.close()
