"""Programs of a user's own as child processes."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from lbsuite.fleet import Process


class Script(Process):
    """A Python program that serves: ready when it prints `ready HOST:PORT`."""

    def __init__(self, path: Path, *words: str) -> None:
        super().__init__(path.stem, "")
        self._words = (sys.executable, str(path), *words)

    def _argv(self) -> Sequence[str]:
        return self._words

    async def _ready(self, lines: asyncio.Queue[str]) -> None:
        self.address = (await lines.get()).removeprefix("ready ")
