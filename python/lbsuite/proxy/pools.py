"""Connections of the asyncio door to backends: one carries one request at a time and is kept for the next."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import SupportsIndex

from lbsuite import addresses
from lbsuite.proxy.incoming import Incoming
from lbsuite.proxy.settings import DoorSettings


class _Reader(asyncio.StreamReader):
    """Tells when anything comes that nobody asked for."""

    touched: Callable[[], None] | None = None

    def feed_data(self, data: Iterable[SupportsIndex]) -> None:
        super().feed_data(data)
        if self.touched is not None:
            self.touched()

    def feed_eof(self) -> None:
        super().feed_eof()
        if self.touched is not None:
            self.touched()


class Upstream:
    """One connection to a backend."""

    def __init__(self, address: str, reader: _Reader, writer: asyncio.StreamWriter, limits: DoorSettings) -> None:
        self.address = address
        self.incoming = Incoming(reader, limits)
        self.writer = writer
        self._reader = reader
        self._expiry: asyncio.TimerHandle | None = None

    async def send(self, data: bytes) -> None:
        """Where it does not take it, who reads its answer hears of it."""
        self.writer.write(data)
        with contextlib.suppress(OSError):
            await self.writer.drain()

    def end(self) -> None:
        """See Side."""
        if not self.writer.is_closing():
            self.writer.write_eof()

    @property
    def fit(self) -> bool:
        """Whether it can carry another request: what nobody has asked for makes it unfit, and so does its end."""
        return not (self.incoming.ahead or self._reader.at_eof() or self.writer.is_closing())

    def rest(self, idle_s: float, unfit: Callable[["Upstream"], None]) -> None:
        """No request is under way on it. unfit(self): something came, or nothing was asked of it for so long."""
        self._reader.touched = lambda: unfit(self)
        self._expiry = asyncio.get_running_loop().call_later(idle_s, unfit, self)

    def wake(self) -> None:
        """It carries another request."""
        self._reader.touched = None
        if self._expiry is not None:
            self._expiry.cancel()

    def close(self) -> None:
        self.wake()
        self.writer.transport.abort()


class Pools:
    """Those that wait for a request, newest last."""

    def __init__(self, settings: DoorSettings) -> None:
        self._settings = settings
        self._idle: defaultdict[str, list[Upstream]] = defaultdict(list)

    async def take(self, address: str, *, fresh: bool) -> Upstream:
        """One that waits, else (and where `fresh`) a new one. Raises OSError, TimeoutError after `connect_s`."""
        waiting = self._idle[address] if not fresh else []
        if waiting:
            upstream = waiting.pop()
            upstream.wake()
            return upstream
        return await self._connect(address)

    def give_back(self, upstream: Upstream) -> None:
        waiting = self._idle[upstream.address]
        if not upstream.fit or len(waiting) >= self._settings.idle_connections:
            upstream.close()
            return
        waiting.append(upstream)
        upstream.rest(self._settings.idle_s, self._drop)

    def close(self) -> None:
        for waiting in self._idle.values():
            for upstream in waiting:
                upstream.close()
        self._idle.clear()

    def _drop(self, upstream: Upstream) -> None:
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
