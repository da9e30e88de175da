"""How Compute gets to a backend: over one connection a backend that is kept, or over a new one for each task."""

import contextlib
import functools
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Protocol

import grpc
import grpc.aio

from lbsuite import addresses
from lbsuite.wire import services

OPTIONS = (
    # Without its own pool a new channel shares a connection, and the wait before the next one, with the channel before.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_retries", 0),
    ("grpc.enable_http_proxy", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 500),
)


class ComputeCalls(Protocol):
    """Hands out the Compute method of a backend: `async with calls.to(address) as compute`."""

    def to(self, address: str) -> contextlib.AbstractAsyncContextManager[Any]: ...

    async def close(self) -> None: ...


class PerTask:
    """Connects for each task and closes after it."""

    @contextlib.asynccontextmanager
    async def to(self, address: str) -> AsyncIterator[Any]:
        channel = dial(address)
        try:
            yield services.stub(channel, "BackendService").Compute
        finally:
            await channel.close()

    async def close(self) -> None:
        """Nothing is kept."""


@dataclass(slots=True)
class _Connection:
    channel: grpc.aio.Channel
    compute: Any
    tasks: int = 0


class Kept:
    """Keeps one connection a backend; one over which a backend was unavailable is not used again."""

    def __init__(self) -> None:
        self._connections: dict[str, _Connection] = {}

    @contextlib.asynccontextmanager
    async def to(self, address: str) -> AsyncIterator[Any]:
        connection = self._connections.get(address)
        if connection is None:
            channel = dial(address)
            connection = _Connection(channel, services.stub(channel, "BackendService").Compute)
            self._connections[address] = connection
        connection.tasks += 1
        try:
            yield connection.compute
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.UNAVAILABLE and self._connections.get(address) is connection:
                del self._connections[address]
            raise
        finally:
            connection.tasks -= 1
            # Closing cancels what runs on a channel, so the last task closes one that was given up.
            if not connection.tasks and self._connections.get(address) is not connection:
                await connection.channel.close()

    async def close(self) -> None:
        """Closes every connection; what runs on them is cancelled."""
        while self._connections:
            _, connection = self._connections.popitem()
            await connection.channel.close()


KINDS: dict[str, type[Kept] | type[PerTask]] = {"keep": Kept, "per-task": PerTask}
"""THE LIST."""


def dial(address: str) -> grpc.aio.Channel:
    """A plain channel to HOST:PORT with a connection of its own; raises ValueError for what is no address."""
    return grpc.aio.insecure_channel(target(address), options=OPTIONS)


@functools.lru_cache(maxsize=4096)
def target(address: str) -> str:
    """HOST:PORT as gRPC's resolvers take it; raises ValueError for what is no address. Cheap the second time."""
    host, _ = addresses.parse(address)
    ip = addresses.ip_of(host.strip("[]"))
    return f"dns:///{address}" if ip is None else f"ipv{ip.version}:{address}"
