"""How Compute gets to a backend: over one connection a backend that is kept, or over a new one for each task."""

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Protocol

import grpc
import grpc.aio

from lbsuite.wire import services
from lbsuite.wire.dial import dial


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


KINDS: dict[str, Callable[[], ComputeCalls]] = {"keep": Kept, "per-task": PerTask}
"""THE LIST."""
