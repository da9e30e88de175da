"""Two connections that have switched protocols: bare streams of bytes, until either ends."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable

from lbsuite.proxy.incoming import Incoming

Send = Callable[[bytes], Awaitable[None]]


class Tunnel:
    """Ends where neither side has said anything for idle_s, too. to_backend_bytes, to_client_bytes: passed so far."""

    def __init__(self, idle_s: float) -> None:
        self.to_backend_bytes = self.to_client_bytes = 0
        self._idle_s = idle_s
        self._last = time.monotonic()

    async def run(self, client: Incoming, to_client: Send, backend: Incoming, to_backend: Send) -> None:
        """Returns at the end of either."""

        async def up(data: bytes) -> None:
            self.to_backend_bytes += len(data)
            await to_backend(data)

        async def down(data: bytes) -> None:
            self.to_client_bytes += len(data)
            await to_client(data)

        copies = {asyncio.create_task(self._copy(client, up)), asyncio.create_task(self._copy(backend, down))}
        try:
            await asyncio.wait(copies, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for copy in copies:
                copy.cancel()
            await asyncio.gather(*copies, return_exceptions=True)

    async def _copy(self, incoming: Incoming, send: Send) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async for data in incoming.stream():
                    self._last = time.monotonic()
                    await send(data)
                return
            if time.monotonic() - self._last >= self._idle_s:
                return
