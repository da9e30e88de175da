"""A backend on a raw socket that records what reaches it, and a client that reads answers, both to the letter."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

DEADLINE_S = 20.0
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass
class Message:
    """A request or an answer. Fields are as they came, names in small letters; trailers are among them."""

    line: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    def all(self, name: str) -> list[str]:
        return [value for each, value in self.fields if each == name]


async def read_fields(reader: asyncio.StreamReader, message: Message) -> None:
    while (line := await reader.readuntil(b"\r\n")) != b"\r\n":
        name, _, value = line[:-2].decode("latin-1").partition(":")
        assert name == name.strip(), line
        assert not {"\r", "\n", "\0"} & set(value), line
        message.fields.append((name.lower(), value.strip(" ")))


async def read_message(reader: asyncio.StreamReader) -> Message:
    """One message; asyncio.IncompleteReadError where the connection ends before it does."""
    message = Message((await reader.readuntil(b"\r\n"))[:-2].decode("latin-1"))
    await read_fields(reader, message)
    lengths = message.all("content-length")
    codings = message.all("transfer-encoding")
    assert len(lengths) + len(codings) <= 1, f"ambiguous: {message}"
    if codings:
        assert codings == ["chunked"]
        while size := int((await reader.readuntil(b"\r\n"))[:-2], 16):
            message.body += await reader.readexactly(size)
            assert await reader.readexactly(2) == b"\r\n"
        await read_fields(reader, message)
    elif lengths:
        message.body = await reader.readexactly(int(lengths[0]))
    return message


@dataclass
class Backend:
    """Answers each whole request with `answer(message)`, and records it."""

    answer: Callable[[Message], bytes] = lambda message: OK
    address: str = ""
    requests: list[Message] = field(default_factory=list)
    cut: int = 0  # requests that ended before their end
    closed: int = 0
    # Serves a connection in place of all this.
    upgrade: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]] | None = None
    writers: list[asyncio.StreamWriter] = field(default_factory=list)  # one a connection, in the order they came

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        if self.upgrade is not None:
            return await self.upgrade(reader, writer)
        try:
            while True:
                message = await read_message(reader)
                self.requests.append(message)
                answer = self.answer(message)
                writer.write(answer)
                await writer.drain()
                if b"Connection: close" in answer or not answer:
                    break
        except asyncio.IncompleteReadError as end:
            self.cut += bool(end.partial)
        except ConnectionError:
            pass
        finally:
            self.closed += 1
            writer.close()


@asynccontextmanager
async def recording(answer: Callable[[Message], bytes] = lambda message: OK) -> AsyncIterator[Backend]:
    """A backend that is up, on a free port of the loopback."""
    backend = Backend(answer)
    server = await asyncio.start_server(backend.serve, "127.0.0.1", 0, limit=1 << 20)
    backend.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield backend
    finally:
        server.close()


@dataclass
class Client:
    """One connection to a proxy."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, sent: bytes, piece: int) -> None:
        """`piece` bytes at a time; what an earlier piece was refused for stays unsent."""
        try:
            for start in range(0, len(sent), piece):
                self.writer.write(sent[start : start + piece])
                await self.writer.drain()
                await asyncio.sleep(0)
        except ConnectionError:
            pass

    async def answer(self) -> Message:
        async with asyncio.timeout(DEADLINE_S):
            return await read_message(self.reader)

    async def status(self) -> int:
        return int((await self.answer()).line.split(" ")[1])

    async def rest(self) -> bytes:
        """What comes until the connection ends."""
        try:
            async with asyncio.timeout(DEADLINE_S):
                return await self.reader.read()
        except ConnectionError:
            return b""


@asynccontextmanager
async def connected(address: str) -> AsyncIterator[Client]:
    host, port = address.rsplit(":", 1)
    client = Client(*await asyncio.open_connection(host, int(port), limit=1 << 20))
    try:
        yield client
    finally:
        client.writer.close()
