"""Bytes of one connection, as messages: heads in one piece, bodies as they come."""

import asyncio
import re
from collections.abc import AsyncIterator

from lbsuite.proxy.grammar import NEVER_TRAIL, plain
from lbsuite.proxy.message import Framing, Head, HeadEnd, Refusal
from lbsuite.proxy.settings import DoorSettings

PIECE_BYTES = 65536
MOST_AHEAD_BYTES = 65536
"""A peer that sends ahead is not read on from here."""

_CHUNK = re.compile(
    rb"""([0-9A-Fa-f]{1,16})(?:;[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:=(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+"""
    rb"""|"(?:[^"\\\x00-\x08\x0a-\x1f\x7f]|\\[^\x00-\x08\x0a-\x1f\x7f])*"))?)*"""
)
_TRAILER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*)")
_MOST_CHUNK_LINE = 4096


class Cut(Exception):
    """The connection ended in the middle of a message."""


class Incoming:
    """Reads messages off one connection, one after another.

    Raises TimeoutError after `idle_s` without a byte, Cut where the connection ends too soon, Refusal for what is
    malformed.
    """

    def __init__(self, reader: asyncio.StreamReader, limits: DoorSettings) -> None:
        self._reader = reader
        self._limits = limits
        self._in = bytearray()
        self.bytes = 0
        """Read so far."""
        self.whole = True
        """The body of the message that was read last has been read to its end."""
        self.trailers = b""
        """Of the last chunked body, as lines; those that a trailer must not have are left out."""

    @property
    def ahead(self) -> bool:
        """There are bytes that nobody has asked for."""
        return bool(self._in)

    async def more(self) -> bool:
        """Another piece; False: the connection has ended."""
        async with asyncio.timeout(self._limits.idle_s):
            return await self._receive()

    async def until_end(self) -> None:
        """Raises OSError when the connection breaks; else for ever.

        A peer that has ended its side may wait for an answer (RFC 9112 9.6), and one that sends very much ahead is read
        no further.
        """
        while len(self._in) < MOST_AHEAD_BYTES and await self._receive():
            pass
        await asyncio.Event().wait()

    async def head(self, *, first: bool = False) -> bytes | None:
        """The bytes of a whole head; None: the connection ended in order, before its first byte.

        first: of a request: it takes `head_s` at most from its first byte on, Refusal with 408 otherwise.
        """
        while not self._in:
            if not await self.more():
                return None
        try:
            async with asyncio.timeout(self._limits.head_s if first else None):
                return await self._whole_head()
        except TimeoutError:
            if first and self._in != b"\r\n":
                raise Refusal(408, "the head took too long") from None
            raise

    async def body(self, head: Head) -> AsyncIterator[bytes]:
        """The data of the body, as it comes."""
        self.trailers = b""
        self.whole = False
        match head.framing:
            case Framing.LENGTH:
                async for data in self._counted(head.length):
                    yield data
            case Framing.CHUNKED:
                async for data in self._chunks():
                    yield data
            case Framing.UNTIL_CLOSE:
                async for data in self.stream():
                    yield data
            case Framing.NONE:
                pass
        self.whole = True

    async def stream(self) -> AsyncIterator[bytes]:
        """Whatever comes, to the end of the connection."""
        while self._in or await self.more():
            data, self._in = bytes(self._in), bytearray()
            yield data

    async def _receive(self) -> bool:
        data = await self._reader.read(PIECE_BYTES)
        self._in += data
        self.bytes += len(data)
        return bool(data)

    async def _whole_head(self) -> bytes:
        end = HeadEnd(self._limits)
        while not (size := end.find(self._in)):
            if not await self.more():
                raise Cut
        return self._take(size)

    async def _counted(self, left: int) -> AsyncIterator[bytes]:
        while left:
            if not self._in and not await self.more():
                raise Cut
            data = self._take(min(left, len(self._in)))
            left -= len(data)
            yield data

    async def _chunks(self) -> AsyncIterator[bytes]:
        while True:
            line = await self._line(_MOST_CHUNK_LINE)
            if not (chunk := _CHUNK.fullmatch(line)):
                raise Refusal(400, "a bad chunk")
            if not (size := int(chunk[1], 16)):
                break
            async for data in self._counted(size):
                yield data
            if await self._line(0):
                raise Refusal(400, "a bad chunk")
        trailers = bytearray()
        while line := await self._line(self._limits.head_bytes - len(trailers)):
            if not (field := _TRAILER.fullmatch(line)):
                raise Refusal(400, "a bad trailer")
            name = plain(field[1].decode("latin-1"))
            if name in ("content-length", "transfer-encoding"):
                raise Refusal(400, "a trailer that frames")
            if name not in NEVER_TRAIL:
                trailers += b"%b: %b\r\n" % (field[1], field[2].strip(b" \t"))
        self.trailers = bytes(trailers)

    async def _line(self, most: int) -> bytes:
        """Without its CR LF."""
        while (at := self._in.find(b"\n")) < 0:
            if len(self._in) > most + 1:
                raise Refusal(400, "a bad chunk")
            if not await self.more():
                raise Cut
        if at > most + 1 or at == 0 or self._in[at - 1] != 0x0D:
            raise Refusal(400, "a bad chunk")
        return self._take(at + 1)[:-2]

    def _take(self, size: int) -> bytes:
        data = bytes(self._in[:size])
        del self._in[:size]
        return data
