"""Two connections that have switched protocols: bare streams of bytes, until both have ended or one breaks."""

import asyncio
import time
from typing import Protocol

from lbsuite.proxy.incoming import Incoming


class Side(Protocol):
    """A connection that one end of a tunnel is."""

    incoming: Incoming

    async def send(self, data: bytes) -> None: ...
    def end(self) -> None:
        """Says that no more comes."""
        ...


class Tunnel:
    """Ends where neither side has said anything for idle_s, too. passed: the bytes from each side, so far."""

    def __init__(self, client: Side, backend: Side, idle_s: float) -> None:
        self.passed: dict[Side, int] = {client: 0, backend: 0}
        self._client, self._backend = client, backend
        self._idle_s = idle_s
        self._last = time.monotonic()

    async def run(self) -> None:
        copies = [
            asyncio.create_task(self._copy(self._client, self._backend)),
            asyncio.create_task(self._copy(self._backend, self._client)),
        ]
        try:
            await asyncio.wait(copies, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            for copy in copies:
                copy.cancel()
            await asyncio.gather(*copies, return_exceptions=True)

    async def _copy(self, source: Side, sink: Side) -> None:
        """Raises TimeoutError where both are silent."""
        while True:
            try:
                async for data in source.incoming.stream():
                    self._last = time.monotonic()
                    self.passed[source] += len(data)
                    await sink.send(data)
                sink.end()
                return
            except TimeoutError:
                if time.monotonic() - self._last >= self._idle_s:
                    raise
