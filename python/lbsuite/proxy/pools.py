"""Connections of the asyncio door to backends: one carries one request at a time and is kept for the next."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Iterable
from typing import SupportsIndex

from lbsuite import addresses
from lbsuite.proxy.incoming import Incoming
from lbsuite.proxy.settings import DoorSettings


class _Reader(asyncio.StreamReader):
    """Knows whether anything has come."""

    touched = False

    def feed_data(self, data: Iterable[SupportsIndex]) -> None:
        self.touched = True
        super().feed_data(data)

    def feed_eof(self) -> None:
        self.touched = True
        super().feed_eof()


class Upstream:
    """One connection to a backend."""

    def __init__(self, address: str, reader: _Reader, writer: asyncio.StreamWriter, limits: DoorSettings) -> None:
        self.address = address
        self.incoming = Incoming(reader, limits)
        self.writer = writer
        self._reader = reader
        self.expiry: asyncio.TimerHandle | None = None

    async def send(self, data: bytes) -> None:
        """Where it does not take it, who reads its answer hears of it."""
        self.writer.write(data)
        with contextlib.suppress(OSError):
            await self.writer.drain()

    def rest(self) -> None:
        """No request is under way on it."""
        self._reader.touched = False

    @property
    def fit(self) -> bool:
        """Whether it can carry another request: what nobody has asked for makes it unfit, and so does its end."""
        return not (self._reader.touched or self.incoming.ahead or self.writer.is_closing())

    def close(self) -> None:
        if self.expiry is not None:
            self.expiry.cancel()
        self.writer.transport.abort()


class Pools:
    """Those that wait for a request, newest last."""

    def __init__(self, settings: DoorSettings) -> None:
        self._settings = settings
        self._idle: defaultdict[str, list[Upstream]] = defaultdict(list)

    async def take(self, address: str, *, fresh: bool) -> Upstream:
        """One that waits, else (and where `fresh`) a new one. Raises OSError, TimeoutError after `connect_s`."""
        waiting = self._idle[address] if not fresh else []
        while waiting:
            upstream = waiting.pop()
            if upstream.fit:
                if upstream.expiry is not None:
                    upstream.expiry.cancel()
                return upstream
            upstream.close()
        return await self._connect(address)

    def give_back(self, upstream: Upstream) -> None:
        upstream.rest()
        waiting = self._idle[upstream.address]
        if not upstream.fit or len(waiting) >= self._settings.idle_connections:
            upstream.close()
            return
        waiting.append(upstream)
        loop = asyncio.get_running_loop()
        upstream.expiry = loop.call_later(self._settings.idle_s, self._expire, upstream)

    def close(self) -> None:
        for waiting in self._idle.values():
            for upstream in waiting:
                upstream.close()
        self._idle.clear()

    def _expire(self, upstream: Upstream) -> None:
        self._idle[upstream.address].remove(upstream)
        upstream.close()

    async def _connect(self, address: str) -> Upstream:
        host, port = addresses.parse(address)
        loop = asyncio.get_running_loop()
        reader = _Reader(limit=65536)
        protocol = asyncio.StreamReaderProtocol(reader)
        async with asyncio.timeout(self._settings.connect_s):
            transport, _ = await loop.create_connection(lambda: protocol, host.strip("[]"), port)
        return Upstream(address, reader, asyncio.StreamWriter(transport, protocol, reader, loop), self._settings)
