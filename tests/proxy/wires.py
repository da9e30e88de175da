"""Both ends of a proxy, byte by byte: a client's connection, and a backend that does as it is told."""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from socket import SO_LINGER, SOL_SOCKET

DEADLINE_S = 20.0


Serve = Callable[["Backend", "Wire"], Awaitable[None]]


@dataclass
class Message:
    """line: the first one. fields: names in lower case."""

    line: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    trailers: list[tuple[str, str]] = field(default_factory=list)

    @property
    def status(self) -> int:
        return int(self.line.split(" ")[1])

    def values(self, name: str) -> list[str]:
        return [value for each, value in self.fields if each == name]

    def __getitem__(self, name: str) -> str:
        (value,) = self.values(name)
        return value


class Wire:
    """One connection. Everything on it has a deadline."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, data: bytes | str) -> None:
        self.writer.write(data.encode("latin-1") if isinstance(data, str) else data)
        async with asyncio.timeout(DEADLINE_S):
            await self.writer.drain()

    async def head(self) -> Message:
        async with asyncio.timeout(DEADLINE_S):
            first, *lines = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[:-2]
        return Message(first, _fields(lines))

    async def message(self, *, bodiless: bool = False) -> Message:
        """A whole one; a response without length goes to the end of the connection."""
        message = await self.head()
        if bodiless:
            return message
        async with asyncio.timeout(DEADLINE_S):
            if message.values("transfer-encoding") == ["chunked"]:
                async for data in self.chunks(message):
                    message.body += data
            elif length := message.values("content-length"):
                message.body = await self.reader.readexactly(int(length[0]))
            elif message.line.startswith("HTTP/"):
                message.body = await self.reader.read()
        return message

    async def chunks(self, message: Message) -> AsyncIterator[bytes]:
        async with asyncio.timeout(DEADLINE_S):
            while size := int((await self.reader.readuntil(b"\r\n")), 16):
                yield await self.reader.readexactly(size)
                assert await self.reader.readexactly(2) == b"\r\n"
            lines = []
            while (line := (await self.reader.readuntil(b"\r\n"))[:-2].decode("latin-1")) != "":
                lines.append(line)
            message.trailers = _fields(lines)

    async def ask(self, request: bytes | str, *, bodiless: bool = False) -> Message:
        await self.send(request)
        return await self.message(bodiless=bodiless)

    async def ended(self) -> bytes:
        """What came before the end, however it ended."""
        said = b""
        async with asyncio.timeout(DEADLINE_S):
            with contextlib.suppress(ConnectionError):
                while data := await self.reader.read(65536):
                    said += data
        return said

    def reset(self) -> None:
        """The other side gets an error, not an end."""
        socket = self.writer.get_extra_info("socket")
        socket.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
        self.cut()

    def cut(self) -> None:
        self.writer.transport.abort()


def _fields(lines: list[str]) -> list[tuple[str, str]]:
    pairs = (line.partition(":") for line in lines)
    return [(name.lower(), value.strip()) for name, _, value in pairs]


@contextlib.asynccontextmanager
async def dialled(address: str) -> AsyncIterator[Wire]:
    host, port = address.rsplit(":", 1)
    async with asyncio.timeout(DEADLINE_S):
        wire = Wire(*await asyncio.open_connection(host, int(port)))
    try:
        yield wire
    finally:
        wire.cut()


async def ask(address: str, request: bytes | str, *, bodiless: bool = False) -> Message:
    """On a connection of its own."""
    async with dialled(address) as wire:
        return await wire.ask(request, bodiless=bodiless)


def get(path: str = "/", *fields: str) -> str:
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: a", *fields, "", ""])


def post(body: str = "body", *fields: str) -> str:
    return "\r\n".join(["POST / HTTP/1.1", "Host: a", f"Content-Length: {len(body)}", *fields, "", body])


class Backend:
    """Listens; each connection is served by `serve`, which answers every request with the backend's name unless told.

    seen: the requests it has read whole; wires: its connections.
    """

    def __init__(self, serve: Serve | None = None) -> None:
        self.seen: list[Message] = []
        self.wires: list[Wire] = []
        self.address = ""
        self._serve = serve or Backend.answer_all
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self, listen: str = "127.0.0.1:0") -> str:
        host, port = listen.rsplit(":", 1)
        self._server = await asyncio.start_server(self._connected, host, int(port))
        self.address = f"{host}:{self._server.sockets[0].getsockname()[1]}"
        return self.address

    async def close(self) -> None:
        """Nobody listens any more, and what was open is cut."""
        assert self._server is not None
        self._server.close()
        for wire in self.wires:
            wire.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def answer_all(self, wire: Wire) -> None:
        while True:
            await self.answer(wire)

    async def answer(self, wire: Wire, *fields: str, status: str = "200 OK") -> Message:
        request = await self.read(wire)
        body = self.address
        length = f"Content-Length: {len(body)}"
        shown = "" if request.line.startswith("HEAD ") else body
        await wire.send("\r\n".join([f"HTTP/1.1 {status}", length, *fields, "", shown]))
        return request

    async def read(self, wire: Wire) -> Message:
        request = await wire.message()
        self.seen.append(request)
        return request

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wire = Wire(reader, writer)
        self.wires.append(wire)
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with contextlib.suppress(
                ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError, TimeoutError
            ):
                await self._serve(self, wire)
        finally:
            self._tasks.discard(task)
            wire.writer.close()


def answering(*pieces: str) -> Serve:
    """Says the same to each request."""

    async def serve(backend: Backend, wire: Wire) -> None:
        while True:
            await backend.read(wire)
            for piece in pieces:
                await wire.send(piece)

    return serve
