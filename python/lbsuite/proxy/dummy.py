"""Backends that answer at once and say who they are: for tests, demos and stress runs.

Each answers every request with its name, in the field X-Backend and in the body. It reads heads no further than it
must: it speaks to proxies and load generators, not to the world.
"""

import asyncio
import time
from dataclasses import dataclass

from lbsuite.errors import StartFailed

_HEAD_END = b"\r\n\r\n"
_MOST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class DummySettings:
    """delay_s: before each answer. body_bytes: of each answer; the name is padded, or cut, to it; 0: the name alone."""

    delay_s: float = 0.0
    body_bytes: int = 0


class Dummy:
    """One backend. requests: answered so far."""

    def __init__(self, settings: DummySettings | None = None) -> None:
        self.settings = settings or DummySettings()
        self.address = ""
        self.requests = 0
        self.connections: set[asyncio.Transport] = set()
        self._server: asyncio.Server | None = None

    async def open(self, host: str, port: int) -> str:
        """Listens (port 0 takes a free one) and says where. Raises StartFailed."""
        try:
            self._server = await asyncio.get_running_loop().create_server(
                lambda: _Connection(self), host.strip("[]"), port, backlog=4096
            )
        except OSError:
            raise StartFailed(f"cannot listen on {host}:{port}: taken, or not an address of this machine") from None
        self.address = f"{host}:{self._server.sockets[0].getsockname()[1]}"
        body = f"{self.address}\n".encode()
        if self.settings.body_bytes:
            body = body.ljust(self.settings.body_bytes, b".")[: self.settings.body_bytes]
        fields = f"X-Backend: {self.address}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n"
        self.head = f"HTTP/1.1 200 OK\r\n{fields}\r\n".encode()
        self.answer = self.head + body
        return self.address

    async def close(self) -> None:
        """Cuts every connection."""
        if self._server is not None:
            self._server.close()
            for transport in self.connections:
                transport.abort()
            await self._server.wait_closed()

    def counted(self) -> bytes:
        """What /requests tells."""
        body = f"{self.requests}\n".encode()
        return f"HTTP/1.1 200 OK\r\nX-Backend: {self.address}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


class _Connection(asyncio.Protocol):
    def __init__(self, backend: Dummy) -> None:
        self._backend = backend
        self._in = b""
        self._body_left = 0
        self._chunked = False
        self._answers = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._backend.connections.add(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._backend.connections.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        self._in = self._in + data if self._in else data
        while self._in and self._take():
            pass
        if len(self._in) > _MOST_BYTES:
            self._transport.abort()

    def _take(self) -> bool:
        """One step; False: more bytes are needed."""
        if self._body_left:
            taken = min(self._body_left, len(self._in))
            self._in, self._body_left = self._in[taken:], self._body_left - taken
            return True
        if self._chunked:
            return self._take_chunk()
        end = self._in.find(_HEAD_END)
        if end < 0:
            return False
        head, self._in = self._in[: end + 2], self._in[end + 4 :]
        if b"\r\nC" in head or b"\r\nc" in head or b"\r\nT" in head or b"\r\nt" in head:
            self._frame(head.lower())
        self._answer(head)
        return True

    def _frame(self, head: bytes) -> None:
        if b"\r\nexpect: 100-continue" in head:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if b"\r\ntransfer-encoding:" in head:
            self._chunked = True
        elif (at := head.find(b"\r\ncontent-length:")) >= 0:
            self._body_left = int(head[at + 17 : head.index(b"\r\n", at + 2)])

    def _take_chunk(self) -> bool:
        line, end, rest = self._in.partition(b"\r\n")
        if not end:
            return False
        if line and (size := int(line.partition(b";")[0], 16)):
            self._in, self._body_left = rest, size + 2
            return True
        if (trailers := self._in.find(_HEAD_END)) < 0:
            return False
        self._in, self._chunked = self._in[trailers + 4 :], False
        return True

    def _answer(self, head: bytes) -> None:
        backend = self._backend
        target = head.split(b" ", 2)[1]
        if target == b"/requests":
            self._write(backend.counted())
            return
        if target != b"/health":
            backend.requests += 1
        answer = backend.head if head.startswith(b"HEAD ") else backend.answer
        if backend.settings.delay_s:
            # Answers keep their order also where requests came together.
            self._answers = max(self._answers, time.monotonic() + backend.settings.delay_s)
            loop = asyncio.get_running_loop()
            loop.call_at(loop.time() + self._answers - time.monotonic(), self._write, answer)
        else:
            self._write(answer)

    def _write(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)
