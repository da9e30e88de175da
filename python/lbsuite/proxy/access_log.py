"""One line of JSON for each request in the asyncio door, as the native one writes them; written a little later."""

import asyncio
import json
import os
import time
from typing import Any

LATER_S = 0.1
MOST_BYTES = 4 << 20


class AccessLog:
    """Takes over a file descriptor. Where the disk does not keep up, lines are dropped."""

    def __init__(self, file: int) -> None:
        self._file = file
        self._lines: list[str] = []
        self._bytes = 0
        self._writing: asyncio.Task[None] | None = None

    def add(self, took_s: float, **line: Any) -> None:
        """The fields of a line, beside when it began and how long it took."""
        text = json.dumps({"time": round(time.time() - took_s, 6), **line, "took_s": round(took_s, 6)})
        if self._bytes + len(text) > MOST_BYTES:
            return
        self._lines.append(text)
        self._bytes += len(text)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_later())

    async def close(self) -> None:
        if self._writing is not None:
            await self._writing
        os.close(self._file)

    async def _write_later(self) -> None:
        await asyncio.sleep(LATER_S)
        while self._lines:
            text = "".join(f"{line}\n" for line in self._lines).encode()
            self._lines, self._bytes = [], 0
            await asyncio.to_thread(self._write, text)

    def _write(self, text: bytes) -> None:
        try:
            while text:
                text = text[os.write(self._file, text) :]
        except OSError:
            return  # what the file does not take is lost
