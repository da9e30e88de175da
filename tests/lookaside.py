"""What the tests of a balancer are made of: its caller and a backend that only accepts connections."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self

import grpc
import grpc.aio

from lbsuite.wire import messages, services
from lbsuite.wire.balancer import Balancer, BalancerSettings
from lbsuite.wire.door import AioDoor
from waiting import eventually

DEADLINE_S = 10.0

_SETTINGS = bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
_SETTINGS_ACK = bytes([4, 1])


class Caller:
    """Both names of a balancer's API at one address, for one service of its own, each call with a deadline."""

    def __init__(self, address: str, service: str = "") -> None:
        self.channel = grpc.aio.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)])
        self.address, self.service = address, service
        self.v1 = services.stub(self.channel, "LoadBalancer")
        self.bare = services.stub(self.channel, "LoadBalancer", package="")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: type[BaseException] | BaseException | TracebackType | None) -> None:
        await self.channel.close()

    async def register(self, *addresses: str, **fields: Any) -> None:
        for address in addresses:
            info = messages.ServerInfo(address=address, service=self.service, **fields)
            await self.v1.RegisterServer(info, timeout=DEADLINE_S)

    async def report(self, address: str, load: int = 0, *, available: bool = True, **fields: Any) -> None:
        report = messages.ServerLoad(address=address, load=load, available=available, service=self.service, **fields)
        await self.v1.ReportLoad(report, timeout=DEADLINE_S)

    async def pick(self, **fields: Any) -> messages.ServerInfo:
        request = messages.BalanceRequest(service=self.service, **fields)
        picked: messages.ServerInfo = await self.v1.GetBestServer(request, timeout=DEADLINE_S)
        return picked

    async def picks(self, count: int, **fields: Any) -> list[str]:
        return [(await self.pick(**fields)).address for _ in range(count)]

    async def deregister(self, address: str) -> None:
        await self.v1.Deregister(messages.ServerInfo(address=address, service=self.service), timeout=DEADLINE_S)

    async def drain(self, address: str, *, undo: bool = False) -> messages.StatusReply:
        request = messages.DrainRequest(address=address, service=self.service, undo=undo)
        reply: messages.StatusReply = await self.v1.Drain(request, timeout=DEADLINE_S)
        return reply

    async def status(self) -> messages.StatusReply:
        request = messages.StatusRequest(service=self.service)
        reply: messages.StatusReply = await self.v1.Status(request, timeout=DEADLINE_S)
        return reply

    async def states(self) -> dict[str, str]:
        return {
            endpoint.info.address: messages.State.Name(endpoint.state) for endpoint in (await self.status()).endpoints
        }

    async def state_becomes(self, address: str, state: str | None) -> None:
        """Waits until the balancer says so; None: until it does not know the endpoint."""
        await eventually(lambda: self._is(address, state))

    async def reaches(self, *backends: "Backend") -> None:
        """Waits until the balancer has a connection to each, and has had the time to notice."""
        for backend in backends:
            await asyncio.wait_for(backend.reached.wait(), DEADLINE_S)
        for _ in range(5):
            await self.states()

    async def _is(self, address: str, state: str | None) -> bool:
        return (await self.states()).get(address) == state


class Backend:
    """Accepts HTTP/2 connections and answers nothing: enough to be reached, and to know that one was."""

    def __init__(self) -> None:
        self.address = "127.0.0.1:0"
        self.reached = asyncio.Event()
        """Set once a client has agreed on a connection."""
        self._connections: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> Self:
        """On a free port the first time, on the same one later."""
        host, _, port = self.address.rpartition(":")
        self.reached.clear()
        self._server = await asyncio.start_server(self._accept, host, int(port))
        self.address = f"{host}:{self._server.sockets[0].getsockname()[1]}"
        return self

    def kill(self) -> None:
        """As the system does it for a killed process: the port closes, the connections break."""
        if self._server is not None:
            self._server.close()
        for connection in self._connections:
            connection.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            await reader.readexactly(len(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
            writer.write(_SETTINGS)
            while True:
                header = await reader.readexactly(9)
                await reader.readexactly(int.from_bytes(header[:3]))
                if header[3:5] == _SETTINGS_ACK:
                    self.reached.set()
        self._connections.discard(writer)
        writer.close()


@asynccontextmanager
async def backends(count: int) -> AsyncIterator[list[Backend]]:
    """Backends on free ports, killed in the end."""
    started = [await Backend().start() for _ in range(count)]
    try:
        yield started
    finally:
        for backend in started:
            backend.kill()


@asynccontextmanager
async def serving(settings: BalancerSettings | None = None) -> AsyncIterator[tuple[Balancer, Caller]]:
    """A balancer behind the aio door in this process, and its caller."""
    balancer = Balancer(settings)
    door = AioDoor(balancer)
    async with Caller(await door.open("127.0.0.1:0")) as caller:
        try:
            yield balancer, caller
        finally:
            await door.close(grace_s=0)
            await balancer.close()


async def refusal(call: Awaitable[object]) -> tuple[grpc.StatusCode, str]:
    """The status and words that a call ends with."""
    try:
        answer = await call
    except grpc.aio.AioRpcError as error:
        return error.code(), error.details() or ""
    raise AssertionError(f"answered: {answer!r}")
