"""Active checks: who does not answer as told is lost to the engine, who does again is reached.

A refused connection needs no second witness: nobody listens there. Such an endpoint is tried again soon, and serves
from the first answer on; one whose answers were wrong has to be right `rise` times.
"""

import asyncio
import contextlib
import enum
import errno
import logging
import random
import time

from lbsuite import _core, addresses, background
from lbsuite.backoff import Backoff
from lbsuite.proxy.settings import HealthSettings

SOON_S = 0.1
"""After a refused connection; then at growing distances."""
LONGEST_S = 1.0
"""Between two tries of one that refuses, however rarely others are checked."""
JITTER = 0.2

_NOBODY_THERE = {errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH}

_log = logging.getLogger(__name__)


class Verdict(enum.Enum):
    """What one check has shown."""

    WELL = "it answers"
    SICK = "it does not answer as it should"
    REFUSED = "it refuses connections"


class Health:
    """Watches endpoints of one engine, by IP:PORT; each by a task of its own. Belongs to one event loop."""

    def __init__(self, engine: _core.Engine, settings: HealthSettings) -> None:
        self._engine = engine
        self._settings = settings
        self._watches: dict[str, _Watch] = {}

    def watch(self, address: str) -> None:
        """Begins to check; an endpoint counts as well until a check, or the engine, says otherwise."""
        if address not in self._watches:
            self._watches[address] = _Watch(address, self._engine, self._settings)

    def forget(self, address: str) -> None:
        if watch := self._watches.pop(address, None):
            watch.task.cancel()

    def lost(self, address: str) -> None:
        """The engine says that a connection was refused."""
        if watch := self._watches.get(address):
            watch.lost()

    def up(self, address: str) -> bool:
        """False where it is not watched."""
        watch = self._watches.get(address)
        return watch is not None and watch.up

    async def close(self) -> None:
        tasks = [watch.task for watch in self._watches.values()]
        for address in list(self._watches):
            self.forget(address)
        await asyncio.gather(*tasks, return_exceptions=True)


class _Watch:
    def __init__(self, address: str, engine: _core.Engine, settings: HealthSettings) -> None:
        self.up = True
        self._address = address
        self._engine = engine
        self._settings = settings
        self._in_a_row = 0
        self._refused = False
        self._soon = Backoff(SOON_S, min(settings.every_s or LONGEST_S, LONGEST_S))
        self._woken = asyncio.Event()
        self.task = background.start(self._run(), f"health of {address}")

    def lost(self) -> None:
        if self.up:
            self._down(Verdict.REFUSED)
            self._woken.set()

    async def _run(self) -> None:
        await self._pause(random.uniform(0, self._settings.every_s) or None)
        while True:
            if not self._woken.is_set():
                self._take(await self._check())
            self._woken.clear()
            await self._pause(self._wait_s())

    def _wait_s(self) -> float | None:
        """None: until it is woken."""
        if self._refused:
            return self._soon.next_s()
        every_s = self._settings.every_s or (None if self.up else LONGEST_S)
        return every_s and every_s * random.uniform(1 - JITTER, 1 + JITTER)

    async def _pause(self, pause_s: float | None) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause_s):
                await self._woken.wait()

    def _take(self, verdict: Verdict) -> None:
        agrees = (verdict is Verdict.WELL) == self.up
        self._in_a_row = 0 if agrees else self._in_a_row + 1
        if self.up:
            if verdict is Verdict.REFUSED or self._in_a_row >= self._settings.fall:
                self._down(verdict)
        elif verdict is not Verdict.WELL:
            self._refused = verdict is Verdict.REFUSED
        elif self._refused or self._in_a_row >= self._settings.rise:
            self.up, self._refused, self._in_a_row = True, False, 0
            _log.info("%s is up: %s", self._address, verdict.value)
            self._engine.reached(self._address, time.monotonic())

    def _down(self, verdict: Verdict) -> None:
        self.up, self._in_a_row = False, 0
        self._refused = verdict is Verdict.REFUSED
        self._soon.reset()
        _log.warning("%s is down: %s", self._address, verdict.value)
        self._engine.lost(self._address, time.monotonic())

    async def _check(self) -> Verdict:
        host, port = addresses.parse(self._address)
        try:
            async with asyncio.timeout(self._settings.check_s):
                reader, writer = await asyncio.open_connection(host.strip("[]"), port)
                try:
                    well = self._settings.path is None or await self._status(reader, writer) in self._settings.codes
                finally:
                    writer.close()
        except (OSError, ValueError) as error:
            refused = isinstance(error, OSError) and error.errno in _NOBODY_THERE
            return Verdict.REFUSED if refused else Verdict.SICK
        return Verdict.WELL if well else Verdict.SICK

    async def _status(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
        """Raises ValueError for what is no HTTP."""
        head = f"GET {self._settings.path} HTTP/1.1\r\nHost: {self._address}\r\nUser-Agent: lbsuite-health\r\n"
        writer.write(f"{head}Connection: close\r\n\r\n".encode("ascii"))
        line = await reader.readline()
        version, _, rest = line.partition(b" ")
        if not version.startswith(b"HTTP/1."):
            raise ValueError(f"no HTTP: {line!r}")
        return int(rest[:3])
