"""One proxy: its engine, its door, and all that keeps the two in step with the world."""

import asyncio
import contextlib
import os
import secrets
import sys
from collections.abc import Collection

from lbsuite import _core, background
from lbsuite.errors import StartFailed
from lbsuite.proxy import native
from lbsuite.proxy.door import Door
from lbsuite.proxy.follower import Follower
from lbsuite.proxy.health import Health
from lbsuite.proxy.pulse import Pulse
from lbsuite.proxy.settings import ProxySettings
from lbsuite.registry.source import Source

FIRST_LIST_S = 2.0
"""So long an opening proxy waits for its source's first list; then it opens with what it knows."""


class Proxy:
    """Requests go to the members of `source`. Belongs to one event loop.

    grace_s: how long a member that vanished from the source, though it is well, may take to join again. Raises
    ValueError for settings that make no sense, StartFailed for an access log that cannot be written.
    """

    def __init__(self, settings: ProxySettings, source: Source, grace_s: float = 0.0) -> None:
        self.settings = settings
        self.engine = engine_of(settings)
        self.health = Health(self.engine, settings.health)
        self.pulse = Pulse(self.engine, self.health.lost)
        self.address = ""
        """Where it listens, once it is open."""
        self._source = source
        self._follower = Follower(self.engine, self.health, source, grace_s)
        self.door = _door(self.engine, settings)
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self, listen: str) -> str:
        """Follows the source, listens on IP:PORT (port 0 takes a free one), and says where. Raises StartFailed."""
        self._tasks = [
            background.start(self._follower.run(), "what follows the backends"),
            background.start(self.pulse.run(), "the pulse of the engine"),
        ]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FIRST_LIST_S):
                await self._follower.listed.wait()
        self.address = await self.door.open(listen)
        return self.address

    async def follows(self, members: Collection[str]) -> None:
        """Returns when the source's members are these; names may still have to be resolved."""
        await self._follower.until(members)

    async def close(self, drain_s: float | None = None) -> bool:
        """True when all that was under way ended within drain_s (as in the settings); the rest is cut."""
        whole = await self.door.close(self.settings.drain_s if drain_s is None else drain_s)
        await self._source.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.health.close()
        return whole


def engine_of(settings: ProxySettings) -> _core.Engine:
    """Raises ValueError for a policy, roster or stage that a proxy cannot host: nothing probes backends for it."""
    return _core.Engine(
        settings.policy,
        settings.roster,
        seed=secrets.randbits(63),
        probes=False,
        native=settings.door == "native",
        stages=settings.stages,
    )


def _door(engine: _core.Engine, settings: ProxySettings) -> Door:
    log = _log_file(settings.access_log)
    if settings.door == "native":
        if not native.AVAILABLE:
            raise ValueError("the native door is for Linux; there is --door aio")
        return native.NativeDoor(engine, settings.requests, log)
    from lbsuite.proxy.server import AioDoor

    return AioDoor(engine, settings.requests, log)


def _log_file(path: str | None) -> int:
    """A file descriptor of its own; -1: none."""
    if path is None:
        return -1
    try:
        return (
            os.dup(sys.stdout.fileno()) if path == "-" else os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        )
    except OSError as error:
        raise StartFailed(f"cannot write {path!r}: {error.strerror}") from None
